package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"planexe/internal/store"
)

// Lease is a task in the hands of a worker. Its attempt is the fence: every write names it, and
// counts only while the task still has it.
type Lease struct {
	ID         uuid.UUID
	Attempt    int32
	Generation int32 // a run directory of another generation is not used
}

// Task is a claimed task.
type Task struct {
	Lease
	Crashes    int32  // earlier attempts that ended by a lost lease
	Prompt     string // "" when the column is NULL
	UserID     *string
	Account    *uuid.UUID
	Origin     string // "" for rows of other programs
	Parameters Parameters
	Waited     time.Duration // from creation to this claim
}

// Identity is a worker process.
type Identity struct {
	ID       string    // in rows, events and logs
	Instance uuid.UUID // new per process
	Host     string
	PID      int
	Version  string
	Slots    int // tasks at once
}

func (w Identity) actor() string { return "worker:" + w.ID }

// Claim takes up to n pending tasks in the fair order (N2). When the answer to the commit is lost, the tasks
// may be this worker's nevertheless: Strays finds them.
func (q *Queue) Claim(ctx context.Context, w Identity, n int) ([]Task, error) {
	var tasks []Task
	err := q.in(ctx, func(in *store.Queries) error {
		rows, err := in.ClaimTasks(ctx, store.ClaimTasksParams{N: int32(n), WorkerID: w.ID, Lease: q.limits.Lease, ProgressMessage: messageClaimed})
		if err != nil {
			return err
		}
		t := transition(Pending, OnClaim)
		for _, r := range rows {
			task := Task{
				Lease: Lease{r.ID, r.Attempt, r.Generation}, Crashes: r.Crashes, UserID: r.UserID, Account: r.AccountID,
				Parameters: ParseParameters(json.RawMessage(r.Parameters)), Waited: time.Duration(r.Waited * float64(time.Second)),
			}
			if r.Prompt != nil {
				task.Prompt = *r.Prompt
			}
			if r.Origin != nil {
				task.Origin = *r.Origin
			}
			tasks = append(tasks, task)
			d := task.details(w)
			d["duration_between_pending_and_processing"] = r.Waited
			if err := tell(ctx, in, t, &r.ID, w.actor(), d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("claim tasks: %w", err)
	}
	return tasks, nil
}

// details are what all events of a worker about a task have.
func (t Task) details(w Identity) Details {
	return Details{
		"user_id": t.UserID, "run_id_dir": t.ID.String(), "speedvsdetail": t.Parameters.Speed, "attempt": t.Attempt, "WORKER_ID": w.ID,
	}
}

// Renewed is a lease that goes on.
type Renewed struct {
	ID            uuid.UUID
	StopRequested bool
}

// Renew makes the leases last from now on (N3). A task that is not returned was lost.
func (q *Queue) Renew(ctx context.Context, w Identity, leases []Lease) ([]Renewed, error) {
	p := store.RenewLeasesParams{Lease: q.limits.Lease, WorkerID: w.ID}
	for _, l := range leases {
		p.Ids, p.Attempts = append(p.Ids, l.ID), append(p.Attempts, l.Attempt)
	}
	rows, err := q.q.RenewLeases(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("renew leases: %w", err)
	}
	out := make([]Renewed, len(rows))
	for i, r := range rows {
		out[i] = Renewed{r.ID, r.StopRequested}
	}
	return out, nil
}

// Strays returns what a worker owns according to the database and not according to itself: tasks
// of a claim whose commit it was never told of.
func (q *Queue) Strays(ctx context.Context, w Identity, known map[uuid.UUID]bool) ([]Lease, error) {
	rows, err := q.q.OwnedTasks(ctx, w.ID)
	if err != nil {
		return nil, fmt.Errorf("look for unknown claims: %w", err)
	}
	var out []Lease
	for _, r := range rows {
		if !known[r.ID] {
			out = append(out, Lease{ID: r.ID, Attempt: r.Attempt})
		}
	}
	return out, nil
}

// Progress is what is shown of a running task.
type Progress struct {
	Percentage float64 // 0 to 100
	Message    string
	Step       string  // one that is running
	Done, All  int     // steps
	Title      string  // "" while unknown
	Cost       float64 // USD
	TokensIn   int64
	TokensOut  int64
}

// Progress writes the latest progress (N4) and wakes who looks at the task. ErrLost.
func (q *Queue) Progress(ctx context.Context, l Lease, p Progress) error {
	n, err := q.q.SetProgress(ctx, store.SetProgressParams{
		ID: l.ID, Attempt: l.Attempt, Percentage: p.Percentage, Message: p.Message, StepsTotal: int32(p.All), StepsCompleted: int32(p.Done),
		CurrentStep: p.Step, PlanTitle: text(p.Title), CostUsd: p.Cost, TokensIn: p.TokensIn, TokensOut: p.TokensOut,
	})
	if err != nil {
		return fmt.Errorf("write progress: %w", err)
	}
	if n == 0 {
		return ErrLost
	}
	return q.q.NotifyProgress(ctx, l.ID)
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
