// Package queue makes Postgres the engine: tasks wait in task_item, workers claim them under a lease,
// keep them alive, and end them, and what a run makes is in the database before it counts as done.
//
// Three groups use it. Doors (a UI, an API) call Create, Stop, Retry, Free, MarkFailed, Delete and read with
// Position, Log, Artifact. A worker calls Claim, Renew, Progress, Finish, Release, GiveBack and Reap, and
// runs a plan in a Store: a run directory whose writes reach the database, fenced by the task's attempt.
// Everybody may Listen.
//
// What may happen to a task is written down once, in table (machine.go) and drawn in docs/state_machine.md.
// Each transition is one transaction that holds the change and its event row. Only the database's clock
// counts.
package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/store"
)

// ErrNotFound is a task that does not exist, or is not the caller's: nobody learns which.
var ErrNotFound = errors.New("there is no such task")

// ErrLost means that the task is not this attempt's any more: another worker has it, an admin took it, or it was
// deleted. Nothing was written.
var ErrLost = errors.New("the task was taken from this worker: nothing more is written")

// ErrStopRequested is a second stop of a task that is stopping.
var ErrStopRequested = errors.New("the task is stopping already")

// RefusedError is a transition that the state of the task does not allow.
type RefusedError struct {
	State   State
	Trigger Trigger
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("a task that is %s cannot be changed that way (%s)", e.State, e.Trigger)
}

// By is who acts on a task.
type By struct {
	Actor string     // for the event: "user:<login>", "admin:<login>", "worker:<id>", "system"
	Owner *uuid.UUID // the account whose tasks may be touched; nil is an admin, who may touch all
}

// Limits of the recovery of tasks.
type Limits struct {
	Lease      time.Duration // default 60 s
	MaxCrashes int           // lost leases until a task fails; default 3
	Adoption   time.Duration // what a task gets that another program is working on; default 15 min
}

const (
	// maxSetupFailures is how often a task may be given back because the worker could not start it.
	maxSetupFailures = 5
	defaultLease     = time.Minute
	defaultCrashes   = 3
	defaultAdoption  = 15 * time.Minute
)

// Queue is the queue of one database. It is safe for concurrent use.
type Queue struct {
	pool   *pgxpool.Pool
	q      *store.Queries
	limits Limits
}

// New returns the queue in a migrated database. The pool stays the caller's.
func New(pool *pgxpool.Pool, l Limits) *Queue {
	if l.Lease <= 0 {
		l.Lease = defaultLease
	}
	if l.MaxCrashes <= 0 {
		l.MaxCrashes = defaultCrashes
	}
	if l.Adoption <= 0 {
		l.Adoption = defaultAdoption
	}
	return &Queue{pool: pool, q: store.New(pool), limits: l}
}

// Limits returns the limits in force.
func (q *Queue) Limits() Limits { return q.limits }

// Pool returns the connections.
func (q *Queue) Pool() *pgxpool.Pool { return q.pool }

// in runs f in a transaction.
func (q *Queue) in(ctx context.Context, f func(*store.Queries) error) error {
	return pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error { return f(q.q.WithTx(tx)) })
}
