package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"planexe/internal/store"
)

// Confirmation is a call to another program that the end of a task asks for.
type Confirmation struct {
	ID      int64
	Task    uuid.UUID
	Attempt int32
	OK      bool
	Target  string
	Tries   int // with this one
}

// Key makes the call recognisable to its receiver, should it come twice.
func (c Confirmation) Key() string {
	kind := "confirm_error"
	if c.OK {
		kind = "confirm_ok"
	}
	return fmt.Sprintf("%s-%d-%s", c.Task, c.Attempt, kind)
}

// maxTries is how often a confirmation is tried.
const maxTries = 12

// Due takes up to n calls that are due. Each has to be settled. One whose sender died becomes
// "unknown" and is not repeated by itself: perhaps it was made.
func (q *Queue) Due(ctx context.Context, n int) ([]Confirmation, error) {
	if _, err := q.q.DoubtOutbox(ctx); err != nil {
		return nil, fmt.Errorf("look through the outbox: %w", err)
	}
	rows, err := q.q.TakeOutbox(ctx, int32(n))
	if err != nil {
		return nil, fmt.Errorf("take from the outbox: %w", err)
	}
	var out []Confirmation
	for _, r := range rows {
		out = append(out, Confirmation{r.ID, r.TaskID, r.Attempt, r.Kind == "confirm_ok", r.Target, int(r.Tries)})
	}
	return out, nil
}

// Told is the content of a confirmation, read when it is sent.
func (q *Queue) Told(ctx context.Context, c Confirmation) (store.ConfirmationRow, error) {
	row, err := q.q.Confirmation(ctx, c.Task)
	return row, missing(err)
}

// Settle says what came of a call: status is the HTTP status, 0 without an answer; problem is ""
// when it was taken.
func (q *Queue) Settle(ctx context.Context, c Confirmation, status int, problem string) error {
	p := store.SettleOutboxParams{ID: c.ID, State: "sent", LastError: text(problem)}
	if status > 0 {
		p.LastStatus = ptr(int32(status))
	}
	if problem != "" {
		p.State, p.Delay = "waiting", min(10*time.Second<<min(c.Tries-1, 12), time.Hour)
		if c.Tries >= maxTries {
			p.State = "given_up"
		}
	}
	if err := q.q.SettleOutbox(ctx, p); err != nil {
		return fmt.Errorf("settle a confirmation: %w", err)
	}
	return nil
}

// SendAgain makes a doubtful or given up call due; ErrNotFound when it is neither.
func (q *Queue) SendAgain(ctx context.Context, id int64) error {
	n, err := q.q.RetryOutbox(ctx, id)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// Retention says how long rows are kept; 0 is for ever.
type Retention struct {
	Events, Nonces, Workers time.Duration
}

// Housekeep deletes old rows in small batches. One process at a time does it; the others return at once.
func (q *Queue) Housekeep(ctx context.Context, r Retention) error {
	for _, purge := range []struct {
		what string
		age  time.Duration
		do   func(*store.Queries, time.Duration) (int64, error)
	}{
		{"events", r.Events, func(in *store.Queries, age time.Duration) (int64, error) { return in.PurgeEvents(ctx, age) }},
		{"sent confirmations", r.Events, func(in *store.Queries, age time.Duration) (int64, error) { return in.PurgeOutbox(ctx, age) }},
		{"nonces", r.Nonces, func(in *store.Queries, age time.Duration) (int64, error) { return in.PurgeNonces(ctx, age) }},
		{"workers", r.Workers, func(in *store.Queries, age time.Duration) (int64, error) { return in.PurgeWorkers(ctx, age) }},
	} {
		for n := int64(1); n > 0 && purge.age > 0; {
			err := q.in(ctx, func(in *store.Queries) error {
				mine, err := in.LockHousekeeping(ctx)
				if n = 0; err == nil && mine {
					n, err = purge.do(in, purge.age)
				}
				return err
			})
			if err != nil {
				return fmt.Errorf("delete old %s: %w", purge.what, err)
			}
		}
	}
	return nil
}
