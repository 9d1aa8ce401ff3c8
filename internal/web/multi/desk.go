package multi

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"planexe/internal/api"
	"planexe/internal/pipeline"
	"planexe/internal/queue"
	"planexe/internal/store"
	"planexe/internal/trace"
)

// desk is the queue as the pages about plans know it: it answers as worker_plan does, for the person whose session the context
// holds. What is not theirs is not there.
type desk struct {
	queue   *queue.Queue
	q       *store.Queries
	graph   *pipeline.Graph
	stories *stories
	hub     *hub
	models  *api.Client // worker_plan, for the names of the models
	limits  Limits
	trace   *trace.Tracer
	log     *slog.Logger
}

// Limits of what people may ask for; 0 is no limit.
type Limits struct {
	PerHour int // new plans of a person
	AtOnce  int // unfinished plans of a person
	Queue   int // plans that wait, of all
}

// mostPrompt is the longest description in bytes.
const mostPrompt = 65_536

func gone() error { return &api.Error{Status: http.StatusNotFound, Detail: "there is no such plan"} }

// failed turns an error into one whose text people may see.
func (d *desk) failed(ctx context.Context, doing string, err error) error {
	var refused *queue.RefusedError
	switch {
	case errors.Is(err, queue.ErrNotFound), errors.Is(err, pgx.ErrNoRows):
		return gone()
	case errors.Is(err, queue.ErrStopRequested):
		return &api.Error{Status: http.StatusConflict, Detail: "it is being stopped already"}
	case errors.As(err, &refused):
		return &api.Error{Status: http.StatusConflict, Detail: "that is not possible any more: the plan is " + stateWord(refused.State)}
	}
	if ctx.Err() == nil {
		d.log.Error("the database did not answer as it should", "doing", doing, "error", err)
	}
	return &api.Error{Status: http.StatusServiceUnavailable, Detail: "The database does not answer at the moment. Nothing is lost: try again in a minute."}
}

func stateWord(s queue.State) string {
	switch s {
	case queue.Pending:
		return "waiting for its turn"
	case queue.Processing:
		return "being made"
	case queue.Completed:
		return "complete"
	}
	return string(s)
}

// whose is the part of a query that leaves only what a session may see.
func whose(ctx context.Context) (admin bool, account *uuid.UUID) {
	s := sessionOf(ctx)
	if s == nil {
		return false, &uuid.Nil
	}
	return s.User.Admin, &s.User.ID
}

// by is the session as one who acts on tasks.
func by(ctx context.Context) queue.By {
	s := sessionOf(ctx)
	if s == nil {
		return queue.By{Actor: "nobody", Owner: &uuid.Nil}
	}
	b := queue.By{Actor: s.User.Actor(), Owner: &s.User.ID}
	if s.User.Admin {
		b.Owner = nil
	}
	return b
}

// task reads a task that the session may see.
func (d *desk) task(ctx context.Context, id string) (store.OwnTaskRow, error) {
	key, err := uuid.Parse(id)
	if err != nil || key.String() != id {
		return store.OwnTaskRow{}, gone()
	}
	admin, account := whose(ctx)
	row, err := d.q.OwnTask(ctx, store.OwnTaskParams{ID: key, Admin: admin, AccountID: account})
	if err != nil {
		return row, d.failed(ctx, "read a task", err)
	}
	return row, nil
}

// apiState is a task's state in the words of the API.
func apiState(state *store.TaskState, reason *string, stopping bool) api.State {
	if state == nil {
		return api.Interrupted
	}
	switch *state {
	case store.TaskstatePending:
		return api.Waiting
	case store.TaskstateProcessing:
		if stopping {
			return api.Stopping
		}
		return api.Running
	case store.TaskstateCompleted:
		return api.Completed
	case store.TaskstateStopped:
		return api.Stopped
	}
	switch text(reason) {
	case "partial":
		return api.Partial
	case "refused":
		return api.Refused
	case "budget":
		return api.Budget
	}
	return api.Failed
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// firstWords is the title of a plan that has none yet.
func firstWords(prompt string) string {
	words := strings.Fields(prompt[:min(len(prompt), 600)])
	out := strings.ToValidUTF8(strings.Join(words[:min(len(words), 16)], " "), "")
	if len(words) > 16 {
		out += " …"
	}
	return clip(out, 140)
}

func clip(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// Stop asks for the end of a plan that waits or runs.
func (d *desk) Stop(ctx context.Context, id string) (api.StopRunResponse, error) {
	row, err := d.task(ctx, id)
	if err != nil {
		return api.StopRunResponse{}, err
	}
	err = d.queue.Stop(ctx, row.ID, by(ctx))
	var refused *queue.RefusedError
	if errors.As(err, &refused) {
		return api.StopRunResponse{RunID: id}, nil
	}
	if err != nil && !errors.Is(err, queue.ErrStopRequested) {
		return api.StopRunResponse{}, d.failed(ctx, "stop a task", err)
	}
	return api.StopRunResponse{RunID: id, Stopped: true}, nil
}

// Delete removes a plan and all it has made.
func (d *desk) Delete(ctx context.Context, id string) error {
	row, err := d.task(ctx, id)
	if err != nil {
		return err
	}
	if err := d.queue.Delete(ctx, row.ID, by(ctx)); err != nil {
		return d.failed(ctx, "delete a task", err)
	}
	return nil
}

func (d *desk) Rerun(context.Context, string, api.RerunRequest, string) (api.StartRunResponse, error) {
	return api.StartRunResponse{}, gone()
}
func (d *desk) PutFile(context.Context, string, string, []byte, string) (api.EditResponse, error) {
	return api.EditResponse{}, gone()
}
func (d *desk) RevertFile(context.Context, string, string) (api.EditResponse, error) {
	return api.EditResponse{}, gone()
}
func (d *desk) Purge(context.Context, api.PurgeRunsRequest) (api.PurgeRunsResponse, error) {
	return api.PurgeRunsResponse{}, gone()
}
func (d *desk) Ping(context.Context, ...string) iter.Seq2[api.PingEvent, error] {
	return func(func(api.PingEvent, error) bool) {}
}
func (d *desk) Ready(context.Context) (api.Ready, error) { return api.Ready{}, gone() }
