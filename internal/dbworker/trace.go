package dbworker

import (
	"context"
	"time"

	"planexe/internal/queue"
	"planexe/internal/trace"
)

// began opens the span of a task, below the request that queued it when that was traced, and tells of the claim. A look at the queue
// that finds nothing has none.
func (w *Worker) began(t queue.Task, asked time.Time) (context.Context, *trace.Span) {
	ctx := w.trace.Carried(context.Background(), t.Parameters.Trace)
	ctx, span := w.trace.Begin(ctx, "task", asked, "planexe.task", t.ID.String(), "planexe.attempt", int(t.Attempt), "planexe.worker", w.me.ID, "planexe.origin", t.Origin)
	_, claim := w.trace.Begin(ctx, "claim", asked, "planexe.waited_seconds", t.Waited.Seconds())
	claim.End(time.Now())
	return ctx, span
}

// ended closes the span of a task.
func (j *job) ended(o outcome) {
	switch {
	case j.isLost():
		j.span.Fail("lost")
	case o.back != "":
		j.span.Set("planexe.given_back", o.back)
	default:
		j.span.Set("planexe.state", string(o.ending.State))
		if o.ending.State == queue.Failed {
			j.span.Fail(o.ending.FailureReason)
		}
	}
	j.span.End(time.Now())
}
