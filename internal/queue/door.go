package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"planexe/internal/store"
)

// NewTask is a task to be made.
type NewTask struct {
	Prompt     string
	UserID     *string         // the contract's free text: a login, or a partner's session; at most 256 characters
	Account    *uuid.UUID      // who owns it; nil for partners
	Origin     string          // ui, partner, api or cli
	Priority   int16           // higher first
	Parameters json.RawMessage // an object of strings, nil for none; see ParseParameters
	Actor      string          // for the event
	Message    string          // of the event; default "Enqueued task"
	Details    Details         // of the event: sizes, never texts
}

// Messages that people see beside the progress bar.
const (
	messageWaiting   = "Awaiting server to start…"
	messageClaimed   = "Picked up by server"
	messageStopping  = "Stopping"
	messageStopped   = "Stopped by user"
	messageCompleted = "Completed"
)

// Create puts a task into the queue (N1).
func (q *Queue) Create(ctx context.Context, t NewTask) (uuid.UUID, error) {
	var id uuid.UUID
	err := pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) (err error) {
		id, err = q.CreateIn(ctx, tx, t)
		return err
	})
	return id, err
}

// CreateIn is Create within a transaction of the caller's, which may hold a nonce or a count too.
func (q *Queue) CreateIn(ctx context.Context, tx pgx.Tx, t NewTask) (uuid.UUID, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return id, fmt.Errorf("make an id: %w", err)
	}
	in := q.q.WithTx(tx)
	if _, err = in.InsertTask(ctx, store.InsertTaskParams{
		ID: id, Prompt: t.Prompt, ProgressMessage: messageWaiting, UserID: t.UserID, Parameters: t.Parameters, AccountID: t.Account,
		Origin: t.Origin, Priority: t.Priority,
	}); err != nil {
		return id, fmt.Errorf("insert a task: %w", err)
	}
	row := transition(None, OnCreate)
	if t.Message != "" {
		row.Message = t.Message
	}
	d := Details{"prompt_param_bytes": len(t.Prompt), "user_id": t.UserID, "parameters": t.Parameters}
	for k, v := range t.Details {
		d[k] = v
	}
	return id, tell(ctx, in, row, &id, t.Actor, d)
}

// act locks a task, looks the trigger up and lets f write what the transition means.
func (q *Queue) act(ctx context.Context, id uuid.UUID, by By, trigger Trigger, f func(*store.Queries, locked, Transition, Details) error) error {
	return q.in(ctx, func(in *store.Queries) error {
		row, err := lock(ctx, in, id, by)
		if err != nil {
			return err
		}
		t, err := next(row.state, trigger, facts{stopRequested: row.StopRequested, admin: by.Owner == nil})
		if err != nil {
			if trigger == OnStop && row.state == Processing {
				return ErrStopRequested
			}
			return err
		}
		d := Details{"from": string(row.state), "attempt": row.Attempt}
		if err := f(in, row, t, d); err != nil {
			return fmt.Errorf("%s of task %s: %w", trigger, id, err)
		}
		return tell(ctx, in, t, &id, by.Actor, d)
	})
}

// Stop ends a pending task at once (N13) and asks the worker of a running one to end it (N14).
// ErrStopRequested when that was asked before.
func (q *Queue) Stop(ctx context.Context, id uuid.UUID, by By) error {
	return q.act(ctx, id, by, OnStop, func(in *store.Queries, row locked, t Transition, _ Details) error {
		message := messageStopping
		if err := in.RequestStop(ctx, store.RequestStopParams{ID: id, Message: message}); err != nil {
			return err
		}
		if t.To == Processing {
			return in.NotifyStop(ctx, id)
		}
		return in.EndTask(ctx, store.EndTaskParams{
			ID: id, State: store.TaskstateStopped, Crashes: row.Crashes, SetupFailures: row.SetupFailures, Message: messageStopped, Recoverable: ptr(true),
		})
	})
}

// Retry makes a failed or stopped task pending again. Its run goes on where it stands (N15); anew
// throws away what it has (N16).
func (q *Queue) Retry(ctx context.Context, id uuid.UUID, by By, anew bool) error {
	trigger, generations := OnRetry, int32(0)
	if anew {
		trigger, generations = OnAnew, 1
	}
	return q.act(ctx, id, by, trigger, func(in *store.Queries, _ locked, _ Transition, _ Details) error {
		if anew {
			if err := in.DeleteRun(ctx, id); err != nil {
				return err
			}
		}
		return in.RetryTask(ctx, store.RetryTaskParams{ID: id, Message: messageWaiting, Generations: generations})
	})
}

// Raise makes a task that reached its limit pending again, as Retry does, with another limit in USD.
func (q *Queue) Raise(ctx context.Context, id uuid.UUID, by By, maxCost float64) error {
	return q.act(ctx, id, by, OnRetry, func(in *store.Queries, _ locked, _ Transition, d Details) error {
		d["max_cost"] = maxCost
		if err := in.SetMaxCost(ctx, store.SetMaxCostParams{ID: id, MaxCost: strconv.FormatFloat(maxCost, 'f', -1, 64)}); err != nil {
			return err
		}
		return in.RetryTask(ctx, store.RetryTaskParams{ID: id, Message: messageWaiting})
	})
}

// Free takes a running task from its worker and makes it pending, or stopped when that was asked for (N17). The
// worker can write nothing to it from then on.
func (q *Queue) Free(ctx context.Context, id uuid.UUID, by By) error {
	return q.act(ctx, id, by, OnFree, func(in *store.Queries, row locked, t Transition, d Details) error {
		d["owner"] = row.WorkerID
		if err := in.NotifyStop(ctx, id); err != nil { // so that the worker looks at once
			return err
		}
		if t.To == Stopped {
			return in.EndTask(ctx, store.EndTaskParams{
				ID: id, State: store.TaskstateStopped, Attempts: 1, Crashes: row.Crashes, SetupFailures: row.SetupFailures, Message: messageStopped, Recoverable: ptr(true),
			})
		}
		return in.ReturnTask(ctx, store.ReturnTaskParams{ID: id, Attempts: 1, Crashes: row.Crashes, SetupFailures: row.SetupFailures, Message: messageWaiting})
	})
}

// MarkFailed ends a task in the name of an admin (N18). The reason is one sentence for its user.
func (q *Queue) MarkFailed(ctx context.Context, id uuid.UUID, by By, reason string) error {
	return q.act(ctx, id, by, OnMark, func(in *store.Queries, row locked, _ Transition, d Details) error {
		d["failure_reason"], d["reason"] = ReasonMarked, reason
		if err := in.NotifyStop(ctx, id); err != nil {
			return err
		}
		return in.EndTask(ctx, store.EndTaskParams{
			ID: id, State: store.TaskstateFailed, Attempts: 1, Crashes: row.Crashes, SetupFailures: row.SetupFailures,
			Message: reason, FailureReason: ptr(ReasonMarked), ErrorMessage: &reason, Recoverable: ptr(true),
		})
	})
}

// Delete removes a task with its files and its log (N19). A user can delete what does not run, an
// admin everything.
func (q *Queue) Delete(ctx context.Context, id uuid.UUID, by By) error {
	return q.act(ctx, id, by, OnDelete, func(in *store.Queries, row locked, _ Transition, d Details) error {
		d["user_id"], d["account_id"] = row.UserID, row.AccountID
		if err := in.NotifyStop(ctx, id); err != nil {
			return err
		}
		return in.DeleteTask(ctx, id)
	})
}

// Position returns how many tasks are claimed before a pending one, counted up to 1,000; 0 also
// for one that is not pending.
func (q *Queue) Position(ctx context.Context, id uuid.UUID) (int, error) {
	n, err := q.q.QueuePosition(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("find the place of task %s in the queue: %w", id, err)
	}
	return int(n), nil
}

// Depth tells how busy the queue is.
func (q *Queue) Depth(ctx context.Context) (store.CountTasksRow, error) { return q.q.CountTasks(ctx) }

// Task returns everything about a task but its prompt, report and zip; ErrNotFound.
func (q *Queue) Task(ctx context.Context, id uuid.UUID) (store.GetTaskRow, error) {
	row, err := q.q.GetTask(ctx, id)
	return row, missing(err)
}

func ptr[T any](v T) *T { return &v }
