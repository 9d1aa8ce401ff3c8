package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"planexe/internal/store"
)

// The values of task_item.failure_reason.
const (
	ReasonGeneration = "generation_error" // models gave no usable answer
	ReasonWorker     = "worker_error"     // the workers that ran it died
	ReasonInvalid    = "invalid_task"     // there is nothing to plan in it
	ReasonSetup      = "setup_error"      // workers could not start it
	ReasonStorage    = "storage_error"    // disk or database
	ReasonPartial    = "partial"          // there is a report, with sections missing
	ReasonRefused    = "refused"          // the gate said no
	ReasonBudget     = "budget"           // the limit of cost was reached
	ReasonMarked     = "marked_by_admin"
	ReasonInternal   = "internal_error"
)

// Ending is how a run ended, with what it made.
type Ending struct {
	Progress
	State         State // Completed, Failed or Stopped
	Report        *string
	Zip           []byte
	FailureReason string // one of the Reason constants, when it failed
	Error         string // one sentence for the user
	FailedStep    string
	Recoverable   bool   // trying again can help
	Confirm       string // address of a confirmation call; "" for none
	Details       Details
}

// Finish writes the end of a run, report, zip, event and confirmation at once (N5 to N7). It may be
// called again when an answer was lost. ErrLost.
func (q *Queue) Finish(ctx context.Context, w Identity, t Task, e Ending) error {
	trigger, message := OnDone, messageCompleted
	switch e.State {
	case Failed:
		trigger, message = OnFail, "Failed"
		if e.Error != "" {
			message = e.Error
		}
	case Stopped:
		trigger, message = OnStopEnd, messageStopped
	}
	row := transition(Processing, trigger)
	err := q.in(ctx, func(in *store.Queries) error {
		p := store.FinishTaskParams{
			ID: t.ID, Attempt: t.Attempt, State: store.TaskState(row.To), Report: e.Report, Zip: e.Zip, Message: message, PlanTitle: text(e.Title),
			StepsTotal: int32(e.All), StepsCompleted: int32(e.Done), CostUsd: e.Cost, TokensIn: e.TokensIn, TokensOut: e.TokensOut,
		}
		if row.To != Completed {
			p.FailureReason, p.ErrorMessage, p.FailedStep, p.Recoverable = text(e.FailureReason), text(e.Error), text(e.FailedStep), &e.Recoverable
		}
		n, err := in.FinishTask(ctx, p)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrLost
		}
		if e.Confirm != "" && row.To != Stopped {
			kind := "confirm_ok"
			if row.To == Failed {
				kind = "confirm_error"
			}
			if err := in.InsertOutbox(ctx, store.InsertOutboxParams{TaskID: t.ID, Attempt: t.Attempt, Kind: kind, Target: e.Confirm}); err != nil {
				return err
			}
		}
		d := t.details(w)
		for k, v := range e.Details {
			d[k] = v
		}
		if row.To != Completed {
			d["failure_reason"], d["failed_step"], d["recoverable"], d["reason"] = e.FailureReason, e.FailedStep, e.Recoverable, e.Error
		}
		return tell(ctx, in, row, &t.ID, w.actor(), d)
	})
	if errors.Is(err, ErrLost) { // or it was done, and the answer was lost
		now, readErr := q.q.GetTask(ctx, t.ID)
		if readErr == nil && now.Attempt == t.Attempt && stateOf(now.State) == row.To {
			return nil
		}
		if readErr != nil && missing(readErr) != ErrNotFound {
			return fmt.Errorf("look whether task %s has ended: %w", t.ID, readErr)
		}
		return ErrLost
	}
	if err != nil {
		return fmt.Errorf("end task %s: %w", t.ID, err)
	}
	return nil
}

// Release gives a task back whose run was interrupted by a shutdown (N8). ErrLost.
func (q *Queue) Release(ctx context.Context, w Identity, l Lease, reason string) error {
	return q.giveBack(ctx, w, l, OnRelease, reason)
}

// GiveBack gives a task back that this worker could not start (N9); after the fifth time it fails.
// ErrLost.
func (q *Queue) GiveBack(ctx context.Context, w Identity, l Lease, reason string) error {
	return q.giveBack(ctx, w, l, OnSetup, reason)
}

func (q *Queue) giveBack(ctx context.Context, w Identity, l Lease, trigger Trigger, reason string) error {
	err := q.in(ctx, func(in *store.Queries) error {
		row, err := lock(ctx, in, l.ID, By{})
		if errors.Is(err, ErrNotFound) || err == nil && (row.state != Processing || row.Attempt != l.Attempt) {
			return ErrLost
		}
		if err != nil {
			return err
		}
		return q.putBack(ctx, in, row, trigger, w.actor(), reason)
	})
	if err != nil && !errors.Is(err, ErrLost) {
		return fmt.Errorf("give task %s back: %w", l.ID, err)
	}
	return err
}

// putBack carries out a transition that takes a locked task from its worker.
func (q *Queue) putBack(ctx context.Context, in *store.Queries, row locked, trigger Trigger, actor, reason string) error {
	crashes, setups, delay := row.Crashes, row.SetupFailures, time.Duration(0)
	switch trigger {
	case OnSetup:
		setups++
		delay = min(30*time.Second<<min(setups-1, 10), 10*time.Minute)
	case OnLapse, OnRestart:
		crashes++
		if crashes > 1 {
			delay = min(20*time.Second<<(2*min(crashes-2, 8)), time.Hour)
		}
	}
	t, err := next(row.state, trigger, facts{
		stopRequested: row.StopRequested, lastCrash: int(crashes) >= q.limits.MaxCrashes, lastSetup: setups >= maxSetupFailures,
	})
	if err != nil {
		return err
	}
	d := Details{"attempt": row.Attempt, "owner": row.WorkerID, "WORKER_ID": row.WorkerID, "reason": reason, "crashes": crashes, "setup_failures": setups}
	switch t.To {
	case Pending:
		err = in.ReturnTask(ctx, store.ReturnTaskParams{ID: row.ID, Crashes: crashes, SetupFailures: setups, Delay: delay, Message: messageWaiting})
	case Stopped:
		err = in.EndTask(ctx, store.EndTaskParams{ID: row.ID, State: store.TaskstateStopped, Crashes: crashes, SetupFailures: setups, Message: messageStopped, Recoverable: ptr(true)})
	default:
		why, message := ReasonWorker, fmt.Sprintf("the worker that ran the plan was lost %d times", crashes)
		if trigger == OnSetup {
			why, message = ReasonSetup, "no worker could start the plan"
		}
		d["failure_reason"], d["recoverable"] = why, true
		err = in.EndTask(ctx, store.EndTaskParams{
			ID: row.ID, State: store.TaskstateFailed, Crashes: crashes, SetupFailures: setups,
			Message: message, FailureReason: &why, ErrorMessage: &message, Recoverable: ptr(true),
		})
	}
	if err != nil {
		return err
	}
	return tell(ctx, in, t, &row.ID, actor, d)
}
