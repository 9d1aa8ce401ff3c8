package queue

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"planexe/internal/store"
)

// Reap takes tasks back whose worker has not renewed its lease (N10), and gives a lease to tasks in
// processing that have none, which other programs claimed (N12). At most 100 rows at once. It
// returns how many were taken back.
func (q *Queue) Reap(ctx context.Context, w Identity) (int, error) {
	taken := 0
	err := q.in(ctx, func(in *store.Queries) error {
		ids, err := in.LockLapsed(ctx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			row, err := lock(ctx, in, id, By{})
			if err != nil {
				return err
			}
			if adopted, err := q.adopt(ctx, in, row); err != nil || adopted {
				if err != nil {
					return err
				}
				continue
			}
			if err := q.putBack(ctx, in, row, OnLapse, w.actor(), "lease over"); err != nil {
				return err
			}
			taken++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("take lost tasks back: %w", err)
	}
	return taken, nil
}

// adopt gives a lease to a task that has none or, having been given one, is still named by a
// worker that knows no leases.
func (q *Queue) adopt(ctx context.Context, in *store.Queries, row locked) (bool, error) {
	if row.Leased && row.WorkerID != nil {
		return false, nil
	}
	if row.Leased {
		named, err := in.NamedByWorker(ctx, store.NamedByWorkerParams{TaskID: row.ID.String(), Fresh: q.limits.Adoption})
		if err != nil || !named {
			return false, err
		}
	}
	return true, in.GiveLease(ctx, store.GiveLeaseParams{ID: row.ID, Lease: q.limits.Adoption})
}

// Recover takes back at once what an earlier process of this id left when it ended without a word
// (N11). Call it while the id is held and before anything is claimed.
func (q *Queue) Recover(ctx context.Context, w Identity) (int, error) {
	taken := 0
	err := q.in(ctx, func(in *store.Queries) error {
		ids, err := in.LockOwned(ctx, w.ID)
		if err != nil {
			return err
		}
		for _, id := range ids {
			row, err := lock(ctx, in, id, By{})
			if err != nil {
				return err
			}
			if err := q.putBack(ctx, in, row, OnRestart, w.actor(), "restart"); err != nil {
				return err
			}
		}
		taken = len(ids)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("take back what an earlier worker %s left: %w", w.ID, err)
	}
	return taken, nil
}

// Register makes the row of a worker process.
func (q *Queue) Register(ctx context.Context, w Identity) error {
	err := q.in(ctx, func(in *store.Queries) error {
		err := in.RegisterWorker(ctx, store.RegisterWorkerParams{
			ID: w.ID, Instance: w.Instance, Hostname: w.Host, Pid: int32(w.PID), Version: w.Version, Concurrency: int32(w.Slots),
		})
		if err != nil {
			return err
		}
		return Tell(ctx, in, genericEvent, "Worker started", nil, w.actor(), Details{"WORKER_ID": w.ID, "pid": w.PID, "version": w.Version})
	})
	if err != nil {
		return fmt.Errorf("register worker %s: %w", w.ID, err)
	}
	return nil
}

// The states of a worker.
const (
	WorkerRunning  = "running"
	WorkerBlocked  = "blocked"
	WorkerDraining = "draining"
	WorkerStopped  = "stopped" // written by Unregister
)

// Beat is what a worker says of itself.
type Beat struct {
	Status  string
	Reason  string     // of being blocked
	Oldest  *uuid.UUID // its task that runs longest
	Running int
}

// Heartbeat keeps the row of a worker fresh.
func (q *Queue) Heartbeat(ctx context.Context, w Identity, b Beat) error {
	p := store.HeartbeatParams{
		ID: w.ID, Instance: w.Instance, Hostname: w.Host, Pid: int32(w.PID), Version: w.Version, Status: b.Status, StatusReason: text(b.Reason),
		Concurrency: int32(w.Slots), Running: int32(b.Running),
	}
	if b.Oldest != nil {
		p.CurrentTaskID = ptr(b.Oldest.String())
	}
	if err := q.q.Heartbeat(ctx, p); err != nil {
		return fmt.Errorf("heartbeat of worker %s: %w", w.ID, err)
	}
	return nil
}

// Unregister says that a worker process has ended.
func (q *Queue) Unregister(ctx context.Context, w Identity) error {
	err := q.in(ctx, func(in *store.Queries) error {
		if err := in.StopWorker(ctx, store.StopWorkerParams{ID: w.ID, Instance: w.Instance}); err != nil {
			return err
		}
		return Tell(ctx, in, genericEvent, "Worker stopped", nil, w.actor(), Details{"WORKER_ID": w.ID, "pid": w.PID})
	})
	if err != nil {
		return fmt.Errorf("tell the end of worker %s: %w", w.ID, err)
	}
	return nil
}

// Note writes an event about a worker: "Worker blocked" …
func (q *Queue) Note(ctx context.Context, w Identity, message string, d Details) error {
	if d == nil {
		d = Details{}
	}
	d["WORKER_ID"] = w.ID
	return Tell(ctx, q.q, genericEvent, message, nil, w.actor(), d)
}

// Warn writes an event about a task that does not change its state.
func (q *Queue) Warn(ctx context.Context, w Identity, t Lease, message string, d Details) error {
	return Tell(ctx, q.q, genericError, message, &t.ID, w.actor(), d)
}
