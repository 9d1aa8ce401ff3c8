package multi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"planexe/internal/api"
	"planexe/internal/queue"
	"planexe/internal/store"
	"planexe/internal/web/kit"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// taskView is everything about one task.
type taskView struct {
	store.OwnTaskRow
	status   api.RunStatus
	owner    string // login; "" is nobody
	timeline []store.TaskEventsRow
	files    []store.ListArtifactsRow
	outbox   []store.TaskOutboxRow
}

func (v taskView) path(end string) string { return "/admin/task/" + v.ID.String() + end }

func (v taskView) filesSize() (sum int64) {
	for _, f := range v.files {
		sum += f.Size
	}
	return sum
}

// taskAction is something that can be done to a task.
type taskAction struct {
	name, word string
	danger     bool
	what       string // happens, for the question
	states     []queue.State
}

var taskActions = []taskAction{
	{"stop", "Stop", false, "The plan is stopped; what it has made is kept, and it can be resumed.", []queue.State{queue.Pending, queue.Processing}},
	{"retry", "Resume", false, "The plan goes back to the queue and goes on where it stood. Answers that were paid for are not asked again.", []queue.State{queue.Failed, queue.Stopped}},
	{"anew", "Begin again from nothing", true, "All that the plan has made is thrown away, and it is made anew at its full price.", []queue.State{queue.Failed, queue.Stopped}},
	{"free", "Take from its worker", true, "Its worker loses the plan at once, and another one goes on with it. Do this when the worker is lost.", []queue.State{queue.Processing}},
	{"fail", "Mark as failed", true, "The plan counts as failed, for the reason that you give; its worker loses it.", []queue.State{queue.Pending, queue.Processing}},
	{"delete", "Delete", true, "The plan and all that it has made are gone for good.", []queue.State{queue.Pending, queue.Processing, queue.Completed, queue.Failed, queue.Stopped, queue.Unknown}},
}

func queueState(s *store.TaskState) queue.State {
	if s == nil {
		return queue.Unknown
	}
	return queue.State(*s)
}

// actions are those that the state allows.
func (v taskView) actions() []taskAction {
	return slices.DeleteFunc(slices.Clone(taskActions), func(t taskAction) bool {
		return !slices.Contains(t.states, queueState(v.State)) || t.name == "stop" && v.Stopping
	})
}

// stamp says which state of the task a form was made for.
func (v taskView) stamp() string { return fmt.Sprintf("%s.%d", queueState(v.State), v.Attempt) }

func (a *app) loadTask(ctx context.Context, id string) (taskView, error) {
	row, err := a.desk.task(ctx, id)
	if err != nil {
		return taskView{}, err
	}
	v := taskView{OwnTaskRow: row}
	if v.status, err = a.desk.Run(ctx, id); err != nil {
		return v, err
	}
	if v.timeline, err = a.q.TaskEvents(ctx, &row.ID); err != nil {
		return v, err
	}
	if v.files, err = a.queue.Artifacts(ctx, row.ID); err != nil {
		return v, err
	}
	if v.outbox, err = a.q.TaskOutbox(ctx, row.ID); err != nil {
		return v, err
	}
	if row.AccountID != nil {
		user, err := a.q.UserByID(ctx, *row.AccountID)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return v, err
		}
		v.owner = user.Login
	}
	return v, nil
}

func (a *app) showTask(w http.ResponseWriter, r *http.Request) { a.taskAt(w, r, http.StatusOK) }

func (a *app) taskAt(w http.ResponseWriter, r *http.Request, status int) {
	v, err := a.loadTask(r.Context(), r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.render(w, r, status, taskPage(a.adminPage(w, r, v.status.Title), v))
}

func (a *app) liveTask(w http.ResponseWriter, r *http.Request) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		a.notFound(w, r)
		return
	}
	a.live(w, r, id, func(ctx context.Context) (kit.Parts, bool, error) {
		v, err := a.loadTask(ctx, id.String())
		if err != nil {
			return nil, true, err
		}
		parts := kit.Parts{}
		err = errors.Join(parts.Piece(ctx, "task-head", taskHead(v)), parts.Piece(ctx, "task-body", taskBody(v)))
		return parts, v.status.State.Live(), err
	})
}

func (a *app) taskReport(w http.ResponseWriter, r *http.Request) {
	a.download(w, r, `attachment; filename="report.html"`, "text/html; charset=utf-8", func(ctx context.Context, id uuid.UUID) ([]byte, error) {
		s, err := a.queue.Report(ctx, id)
		return []byte(s), err
	})
}

func (a *app) taskZip(w http.ResponseWriter, r *http.Request) {
	a.download(w, r, `attachment; filename="`+safeID(r.PathValue("id"))+`.zip"`, "application/zip", a.queue.Zip)
}

func safeID(text string) string {
	id, err := uuid.Parse(text)
	if err != nil {
		return "plan"
	}
	return id.String()
}

// download answers with a body that stands in the database.
func (a *app) download(w http.ResponseWriter, r *http.Request, disposition, kind string, read func(context.Context, uuid.UUID) ([]byte, error)) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		http.Error(w, "There is no such plan.", http.StatusNotFound)
		return
	}
	body, err := read(r.Context(), id)
	if errors.Is(err, queue.ErrNotFound) {
		http.Error(w, "This is not there: the plan does not exist, or has not made it.", http.StatusNotFound)
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", a.policy)
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", disposition)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // a reader who has left is no error
}

// askView is the question before something is done to a task.
type askView struct {
	taskView
	taskAction
	problem string
}

func findAction(v taskView, name string) (taskAction, bool) {
	list := v.actions()
	i := slices.IndexFunc(list, func(t taskAction) bool { return t.name == name })
	if i < 0 {
		return taskAction{}, false
	}
	return list[i], true
}

func (a *app) askTask(w http.ResponseWriter, r *http.Request) {
	v, err := a.loadTask(r.Context(), r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	action, ok := findAction(v, r.PathValue("what"))
	if !ok {
		a.back(w, r, v.path(""), kit.Fair, "That is not possible any more: this is how the plan stands now.")
		return
	}
	a.render(w, r, http.StatusOK, askPage(a.adminPage(w, r, action.word), askView{v, action, ""}))
}

func (a *app) doTask(w http.ResponseWriter, r *http.Request) {
	v, err := a.loadTask(r.Context(), r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	what := r.PathValue("what")
	switch what {
	case "assign":
		a.assign(w, r, v)
		return
	case "send":
		id, err := strconv.ParseInt(r.PostFormValue("call"), 10, 64)
		n := int64(0)
		if err == nil {
			n, err = a.q.RetryOutbox(r.Context(), id)
		}
		if err != nil || n == 0 {
			a.back(w, r, v.path(""), kit.Fair, "That call cannot be sent again.")
			return
		}
		a.back(w, r, v.path(""), kit.Good, "The call is sent again.")
		return
	}
	action, ok := findAction(v, what)
	if !ok || r.PostFormValue("stamp") != v.stamp() { // it has moved on since the question was asked
		p := a.adminPage(w, r, v.status.Title)
		p.Flash = &kit.Flash{Tone: kit.Fair, Text: "The plan has changed since you were asked, so nothing was done. This is how it stands now."}
		a.render(w, r, http.StatusConflict, taskPage(p, v))
		return
	}
	reason := clip(r.PostFormValue("reason"), 500)
	if what == "fail" && reason == "" {
		a.render(w, r, http.StatusUnprocessableEntity, askPage(a.adminPage(w, r, action.word), askView{v, action, "Say why: the person who waits reads it."}))
		return
	}
	if err := a.act(r.Context(), what, v.ID, reason); err != nil {
		err = a.desk.failed(r.Context(), "change a task", err)
		var e *api.Error
		if errors.As(err, &e) && e.Status == http.StatusConflict {
			a.back(w, r, v.path(""), kit.Fair, e.Detail)
			return
		}
		a.fail(w, r, err)
		return
	}
	if what == "delete" {
		a.back(w, r, "/admin/taskitem/", kit.Good, "The plan is deleted.")
		return
	}
	a.back(w, r, v.path(""), kit.Good, action.word+": done.")
}

// assign gives a plan without an owner to somebody.
func (a *app) assign(w http.ResponseWriter, r *http.Request, v taskView) {
	user, err := a.q.UserByLogin(r.Context(), r.PostFormValue("login"))
	if errors.Is(err, pgx.ErrNoRows) {
		a.back(w, r, v.path(""), kit.Poor, "There is no account with that login.")
		return
	}
	var n int64
	if err == nil {
		n, err = a.q.AssignTask(r.Context(), store.AssignTaskParams{ID: v.ID, AccountID: &user.ID})
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if n == 0 {
		a.back(w, r, v.path(""), kit.Fair, "The plan has an owner already.")
		return
	}
	a.tell(r.Context(), "Task assigned", &v.ID, map[string]any{"task_id": v.ID, "login": user.Login})
	a.back(w, r, v.path(""), kit.Good, "The plan belongs to "+user.Login+" now.")
}
