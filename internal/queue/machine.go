package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"planexe/internal/store"
)

// State is a state of a task, as the database names it.
type State string

// The states. The last three are ends.
const (
	None       State = ""        // no row
	Unknown    State = "unknown" // the column is NULL, which old databases allow
	Pending    State = "pending"
	Processing State = "processing"
	Completed  State = "completed"
	Failed     State = "failed"
	Stopped    State = "stopped"
)

// Trigger is what happens to a task.
type Trigger string

// The triggers.
const (
	OnCreate  Trigger = "create"
	OnClaim   Trigger = "claim"
	OnDone    Trigger = "report made"
	OnFail    Trigger = "run failed"
	OnStopEnd Trigger = "run stopped"
	OnRelease Trigger = "shutdown"
	OnSetup   Trigger = "setup failure"
	OnLapse   Trigger = "lease over"
	OnRestart Trigger = "worker restarted"
	OnStop    Trigger = "stop"
	OnRetry   Trigger = "retry"
	OnAnew    Trigger = "retry from nothing"
	OnFree    Trigger = "free"
	OnMark    Trigger = "mark failed"
	OnDelete  Trigger = "delete"
)

// facts are what a transition depends on beside state and trigger.
type facts struct {
	stopRequested bool
	lastCrash     bool // the limit of lost leases is reached with this one
	lastSetup     bool // likewise for setup failures
	admin         bool
}

// Transition is one row of the table of what may happen.
type Transition struct {
	Number  string // in the documentation
	From    State
	Trigger Trigger
	To      State
	Event   store.EventType
	Message string
	when    func(facts) bool // nil: always
}

func stopRequested(f facts) bool { return f.stopRequested }
func lastCrash(f facts) bool     { return f.lastCrash }
func lastSetup(f facts) bool     { return f.lastSetup }
func admin(f facts) bool         { return f.admin }

const (
	taskPending    = store.EventtypeTASKPENDING
	taskProcessing = store.EventtypeTASKPROCESSING
	taskCompleted  = store.EventtypeTASKCOMPLETED
	taskFailed     = store.EventtypeTASKFAILED
	taskStopped    = store.EventtypeTASKSTOPPED
	genericEvent   = store.EventtypeGENERICEVENT
	genericError   = store.EventtypeGENERICERROR
)

// table is everything that may happen to a task's state; what is not in it is refused. The first
// row that fits counts. Renewals and progress (N3, N4) and the lease that an adopted task gets
// (N12) change no state and have no event.
var table = []Transition{
	{"N1", None, OnCreate, Pending, taskPending, "Enqueued task", nil},
	{"N2", Pending, OnClaim, Processing, taskProcessing, "Pending -> Processing", nil},
	{"N5", Processing, OnDone, Completed, taskCompleted, "Processing -> Completed", nil},
	{"N6", Processing, OnFail, Failed, taskFailed, "Processing -> Failed", nil},
	{"N7", Processing, OnStopEnd, Stopped, taskStopped, "Processing -> Stopped", nil},
	{"N8", Processing, OnRelease, Stopped, taskStopped, "Processing -> Stopped", stopRequested},
	{"N8", Processing, OnRelease, Pending, taskPending, "Processing -> Pending", nil},
	{"N9", Processing, OnSetup, Stopped, taskStopped, "Processing -> Stopped", stopRequested},
	{"N9", Processing, OnSetup, Failed, taskFailed, "Processing -> Failed", lastSetup},
	{"N9", Processing, OnSetup, Pending, taskPending, "Processing -> Pending", nil},
	{"N10", Processing, OnLapse, Stopped, taskStopped, "Processing -> Stopped", stopRequested},
	{"N10", Processing, OnLapse, Failed, taskFailed, "Processing -> Failed", lastCrash},
	{"N10", Processing, OnLapse, Pending, taskPending, "Recovered from lost worker", nil},
	{"N11", Processing, OnRestart, Stopped, taskStopped, "Processing -> Stopped", stopRequested},
	{"N11", Processing, OnRestart, Failed, taskFailed, "Processing -> Failed", lastCrash},
	{"N11", Processing, OnRestart, Pending, taskPending, "Recovered from lost worker", nil},
	{"N13", Pending, OnStop, Stopped, taskStopped, "Pending -> Stopped", nil},
	{"N14", Processing, OnStop, Processing, genericEvent, "Stop requested", func(f facts) bool { return !f.stopRequested }},
	{"N15", Failed, OnRetry, Pending, taskPending, "Retry", nil},
	{"N15", Stopped, OnRetry, Pending, taskPending, "Retry", nil},
	{"N16", Failed, OnAnew, Pending, taskPending, "Retry from nothing", nil},
	{"N16", Stopped, OnAnew, Pending, taskPending, "Retry from nothing", nil},
	{"N17", Processing, OnFree, Stopped, taskStopped, "Processing -> Stopped", func(f facts) bool { return f.admin && f.stopRequested }},
	{"N17", Processing, OnFree, Pending, taskPending, "Requeued by admin", admin},
	{"N18", Pending, OnMark, Failed, taskFailed, "Marked failed by admin", admin},
	{"N18", Processing, OnMark, Failed, taskFailed, "Marked failed by admin", admin},
	{"N19", Pending, OnDelete, None, genericEvent, "Task deleted", nil},
	{"N19", Completed, OnDelete, None, genericEvent, "Task deleted", nil},
	{"N19", Failed, OnDelete, None, genericEvent, "Task deleted", nil},
	{"N19", Stopped, OnDelete, None, genericEvent, "Task deleted", nil},
	{"N19", Processing, OnDelete, None, genericEvent, "Task deleted", admin},
	{"N19", Unknown, OnDelete, None, genericEvent, "Task deleted", admin},
}

// next returns what a trigger does, or a *RefusedError.
func next(from State, trigger Trigger, f facts) (Transition, error) {
	for _, t := range table {
		if t.From == from && t.Trigger == trigger && (t.when == nil || t.when(f)) {
			return t, nil
		}
	}
	return Transition{}, &RefusedError{from, trigger}
}

// transition returns the row that a statement with its guard in SQL has carried out.
func transition(from State, trigger Trigger) Transition {
	t, err := next(from, trigger, facts{})
	if err != nil {
		panic(err) // a mistake in this package, found by every test
	}
	return t
}

// locked is a task whose row is held until the transaction ends.
type locked struct {
	store.LockTaskRow
	state State
}

// lock takes the row of a task for its caller.
func lock(ctx context.Context, q *store.Queries, id uuid.UUID, by By) (locked, error) {
	row, err := q.LockTask(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return locked{}, ErrNotFound
	}
	if err != nil {
		return locked{}, fmt.Errorf("look up task %s: %w", id, err)
	}
	if by.Owner != nil && (row.AccountID == nil || *row.AccountID != *by.Owner) {
		return locked{}, ErrNotFound
	}
	return locked{row, stateOf(row.State)}, nil
}

func stateOf(s *store.TaskState) State {
	if s == nil {
		return Unknown
	}
	return State(*s)
}

// Details are the context of an event. They hold no prompt, key or address.
type Details map[string]any

// tell writes the event row of a transition.
func tell(ctx context.Context, q *store.Queries, t Transition, id *uuid.UUID, actor string, d Details) error {
	return Tell(ctx, q, t.Event, t.Message, id, actor, d)
}

// Tell writes an event row, in the transaction of q if it has one.
func Tell(ctx context.Context, q *store.Queries, kind store.EventType, message string, id *uuid.UUID, actor string, d Details) error {
	if d == nil {
		d = Details{}
	}
	if id != nil {
		d["task_id"] = id.String()
	}
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode the context of an event: %w", err)
	}
	err = q.InsertEvent(ctx, store.InsertEventParams{EventType: kind, Message: message, Context: text, TaskID: id, Actor: actor})
	if err != nil {
		return fmt.Errorf("write event %q: %w", message, err)
	}
	return nil
}

// String is the state's name; "none" for no row.
func (s State) String() string {
	if s == None {
		return "none"
	}
	return string(s)
}
