package multi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"planexe/internal/api"
	"planexe/internal/auth"
	"planexe/internal/pipeline"
	"planexe/internal/progress"
	"planexe/internal/queue"
	"planexe/internal/run"
	"planexe/internal/store"
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

// StartRun puts a new plan into the queue, or an ended one again.
func (d *desk) StartRun(ctx context.Context, r api.StartRunRequest, key string) (api.StartRunResponse, error) {
	if r.SubmitOrRetry == api.Retry {
		row, err := d.task(ctx, r.RunID)
		if err != nil {
			return api.StartRunResponse{}, err
		}
		if err := d.queue.Retry(ctx, row.ID, by(ctx), false); err != nil {
			return api.StartRunResponse{}, d.failed(ctx, "retry a task", err)
		}
		return api.StartRunResponse{RunID: r.RunID}, nil
	}
	s := sessionOf(ctx)
	if s == nil {
		return api.StartRunResponse{}, gone()
	}
	parameters := map[string]string{"speed_vs_detail": cmp.Or(r.SpeedVsDetail, api.AllDetails)}
	if r.LLMModel != "" && r.LLMModel != "auto" {
		parameters["llm_model"] = r.LLMModel
	}
	id, err := d.create(ctx, s.User, r.PlanPrompt, parameters, "ui:"+s.User.ID.String()+":"+clip(key, 100), key != "")
	return api.StartRunResponse{RunID: id.String()}, err
}

// checkPrompt says for people what is wrong with a description.
func checkPrompt(text string) *api.Error {
	bad := func(status int, msg string) *api.Error {
		return &api.Error{Status: status, Detail: msg, Fields: []api.FieldError{{Loc: []any{"body", "plan_prompt"}, Msg: msg}}}
	}
	switch {
	case strings.TrimSpace(text) == "":
		return bad(http.StatusBadRequest, "the prompt is empty: describe what you want to do")
	case len(text) > mostPrompt:
		return bad(http.StatusRequestEntityTooLarge, fmt.Sprintf("the prompt is too long: it has %d bytes, and %d are the most", len(text), mostPrompt))
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return bad(http.StatusBadRequest, "the prompt holds characters that are no text")
	}
	return nil
}

// create makes a plan of somebody within their limits. A form that is sent twice makes one plan: the second time answers with the
// first one's id.
func (d *desk) create(ctx context.Context, u auth.User, prompt string, parameters map[string]string, nonce string, once bool) (id uuid.UUID, err error) {
	if bad := checkPrompt(prompt); bad != nil {
		return id, bad
	}
	text, err := json.Marshal(parameters)
	if err != nil {
		return id, err
	}
	err = pgx.BeginFunc(ctx, d.queue.Pool(), func(tx pgx.Tx) error {
		q := d.q.WithTx(tx)
		if _, err := q.LockUser(ctx, u.ID); err != nil {
			return err
		}
		if once {
			fresh, err := q.UseNonce(ctx, store.UseNonceParams{NonceKey: nonce})
			if err != nil {
				return err
			}
			if !fresh {
				kept, err := q.NonceContext(ctx, nonce)
				if err != nil {
					return err
				}
				var made struct {
					ID uuid.UUID `json:"task_id"`
				}
				if err := json.Unmarshal(kept, &made); err != nil {
					return fmt.Errorf("read what a form has made: %w", err)
				}
				id = made.ID
				return nil
			}
		}
		if err := d.within(ctx, q, u); err != nil {
			return err
		}
		if id, err = d.queue.CreateIn(ctx, tx, queue.NewTask{
			Prompt: prompt, UserID: &u.Login, Account: &u.ID, Origin: "ui", Parameters: text, Actor: u.Actor(), Message: "Enqueued task by the web interface",
		}); err != nil || !once {
			return err
		}
		return q.SetNonceContext(ctx, store.SetNonceContextParams{NonceKey: nonce, Context: fmt.Appendf(nil, `{"task_id":%q}`, id)})
	})
	var told *api.Error
	if err != nil && !errors.As(err, &told) {
		return id, d.failed(ctx, "create a task", err)
	}
	return id, err
}

// within looks whether a person may begin another plan. Admins always may.
func (d *desk) within(ctx context.Context, q *store.Queries, u auth.User) error {
	if err := d.room(ctx, q); err != nil {
		return err
	}
	if u.Admin {
		return nil
	}
	has, err := q.Unfinished(ctx, &u.ID)
	switch {
	case err != nil:
		return err
	case d.limits.AtOnce > 0 && int(has.Unfinished) >= d.limits.AtOnce:
		return &api.Error{Status: http.StatusTooManyRequests, Detail: fmt.Sprintf("you have %d unfinished plans, which is the most: wait until one has ended, or stop one", has.Unfinished)}
	case d.limits.PerHour > 0 && int(has.Fresh) >= d.limits.PerHour:
		return &api.Error{Status: http.StatusTooManyRequests, Detail: fmt.Sprintf("you have begun %d plans within an hour, which is the most: try again later", has.Fresh)}
	}
	return nil
}

// room looks whether the queue takes another plan.
func (d *desk) room(ctx context.Context, q *store.Queries) error {
	if d.limits.Queue == 0 {
		return nil
	}
	n, err := q.PendingCount(ctx, int32(d.limits.Queue))
	if err == nil && int(n) >= d.limits.Queue {
		return &api.Error{Status: http.StatusServiceUnavailable, Detail: "The queue is full: too many plans wait already. Try again later."}
	}
	return err
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

// summary is a row in the words of the API.
func summary(row store.OwnTaskRow) api.RunSummary {
	p := queue.ParseParameters(row.Parameters)
	out := api.RunSummary{
		RunID: row.ID.String(), Title: cmp.Or(text(row.PlanTitle), firstWords(text(row.Prompt))), StartedAt: row.TimestampCreated, EndedAt: row.FinishedAt,
		State: apiState(row.State, row.FailureReason, row.Stopping), Reason: text(row.ErrorMessage), ProgressPercentage: row.ProgressPercentage,
		ProgressMessage: text(row.ProgressMessage), Usage: api.Usage{Prompt: int(row.TokensIn), Completion: int(row.TokensOut)}, Cost: row.CostUsd,
		LLMModel: cmp.Or(p.Model, "auto"), SpeedVsDetail: p.Speed, HasReport: row.HasReport, SizeBytes: row.ZipBytes,
	}
	switch {
	case row.ClaimedAt == nil:
	case row.FinishedAt != nil:
		out.Seconds = max(0, row.FinishedAt.Sub(*row.ClaimedAt).Seconds())
	case out.State == api.Running || out.State == api.Stopping:
		out.Seconds = max(0, time.Since(*row.ClaimedAt).Seconds())
	}
	return out
}

// Run says how a plan stands.
func (d *desk) Run(ctx context.Context, id string) (api.RunStatus, error) {
	row, err := d.task(ctx, id)
	if err != nil {
		return api.RunStatus{}, err
	}
	out := api.RunStatus{
		RunSummary: summary(row), RunDirExists: true, Prompt: text(row.Prompt), StopRequested: row.Stopping,
		ActiveCalls: []api.ActiveCall{}, Models: []string{}, Quality: []api.QualityNote{},
	}
	state, seq, err := d.stories.read(ctx, row.ID, row.Generation)
	if err != nil {
		return out, d.failed(ctx, "read the log of a task", err)
	}
	out.LastEvent = seq
	progress.Fill(&out, &state)
	switch {
	case out.State == api.Waiting:
		out.ActiveCalls = []api.ActiveCall{}
		ahead, err := d.queue.Position(ctx, row.ID)
		if err != nil {
			return out, d.failed(ctx, "find the place in the queue", err)
		}
		out.QueuePosition = ahead + 1
		if last, err := d.q.LastPlans(ctx); err == nil && last.Plans >= fewestPlans && ahead == 0 {
			out.SecondsLeft = &last.Seconds
		}
	case out.State == api.Completed:
	case !out.State.Live():
		out.Error = progress.Problem(state.Reason)
		if out.Error == nil && row.ErrorMessage != nil {
			out.Error = &api.Problem{Class: text(row.FailureReason), Message: text(row.ErrorMessage), Step: text(row.FailedStep), CanRetry: row.Recoverable != nil && *row.Recoverable}
		}
	default:
		if row.LastProgressAt != nil && time.Since(*row.LastProgressAt) > silence && out.Notice == nil {
			out.Notice = &api.Notice{Level: "warning", Message: fmt.Sprintf("nothing has been heard for %d minutes: the model is slow or stuck. You can wait, or stop the plan and resume it", int(time.Since(*row.LastProgressAt).Minutes()))}
		}
		if row.LeaseExpiresAt != nil && time.Since(*row.LeaseExpiresAt) > 0 {
			out.Notice = &api.Notice{Level: "warning", Message: "the worker of this plan is lost; another one takes it over and goes on where it stood"}
		}
	}
	return out, nil
}

// silence is after what time without progress a plan is said to be stuck.
const silence = 5 * time.Minute

// fewestPlans are needed for an estimate from the past.
const fewestPlans = 3

// Steps says how the steps of a plan stand.
func (d *desk) Steps(ctx context.Context, id string) ([]api.Step, error) {
	row, err := d.task(ctx, id)
	if err != nil {
		return nil, err
	}
	state, _, err := d.stories.read(ctx, row.ID, row.Generation)
	if err != nil {
		return nil, d.failed(ctx, "read the log of a task", err)
	}
	if len(state.Steps) == 0 {
		return nil, nil
	}
	return progress.Steps(d.graph, run.Live(d.graph, state)), nil
}

// Events wakes a page when there is something new; what that is, the page reads itself.
func (d *desk) Events(ctx context.Context, id string, after int64) iter.Seq2[api.Event, error] {
	return func(yield func(api.Event, error) bool) {
		key, err := uuid.Parse(id)
		if err != nil {
			yield(api.Event{}, gone())
			return
		}
		woken, leave := d.hub.join(key)
		defer leave()
		for {
			select {
			case <-ctx.Done():
				return
			case <-woken:
				after++
				if !yield(api.Event{Seq: after}, nil) {
					return
				}
			}
		}
	}
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

// Files lists what a run has made so far.
func (d *desk) Files(ctx context.Context, id string) (api.RunFiles, error) {
	row, err := d.task(ctx, id)
	if err != nil {
		return api.RunFiles{}, err
	}
	list, err := d.queue.Artifacts(ctx, row.ID)
	if err != nil {
		return api.RunFiles{}, d.failed(ctx, "list the files of a task", err)
	}
	out := api.RunFiles{RunID: id, Files: []string{}, Items: []api.File{}}
	for _, a := range list {
		out.Files = append(out.Files, a.Name)
		out.Items = append(out.Items, api.File{Name: a.Name, SizeBytes: a.Size, ModifiedAt: a.UpdatedAt, Step: d.graph.Producer(a.Name)})
	}
	return out, nil
}

// File returns one file of a run.
func (d *desk) File(ctx context.Context, id, name string) ([]byte, string, error) {
	row, err := d.task(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if name != path.Base(name) || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return nil, "", gone()
	}
	data, err := d.queue.Artifact(ctx, row.ID, name)
	if err != nil {
		return nil, "", d.failed(ctx, "read a file of a task", err)
	}
	return data, "", nil
}

// Log returns the last lines of a run's log.
func (d *desk) Log(ctx context.Context, id string, lines int) (string, error) {
	row, err := d.task(ctx, id)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	write := run.LogTo(&out, slog.LevelInfo, nil)
	if err := d.queue.Log(ctx, row.ID, 0, write); err != nil {
		return "", d.failed(ctx, "read the log of a task", err)
	}
	all := strings.SplitAfter(out.String(), "\n")
	return strings.Join(all[max(0, len(all)-lines-1):], ""), nil
}

// Report returns the report as an answer.
func (d *desk) Report(ctx context.Context, id string, _ http.Header) (*http.Response, error) {
	row, err := d.task(ctx, id)
	if err != nil {
		return nil, err
	}
	body, err := d.queue.Report(ctx, row.ID)
	if err != nil {
		return nil, d.failed(ctx, "read a report", err)
	}
	return served(row, []byte(body)), nil
}

// Zip returns the archive of a run as an answer.
func (d *desk) Zip(ctx context.Context, id string, _ http.Header) (*http.Response, error) {
	row, err := d.task(ctx, id)
	if err != nil {
		return nil, err
	}
	body, err := d.queue.Zip(ctx, row.ID)
	if err != nil {
		return nil, d.failed(ctx, "read an archive", err)
	}
	return served(row, body), nil
}

// served is an answer whose body is in memory.
func served(row store.OwnTaskRow, body []byte) *http.Response {
	h := http.Header{"Content-Length": {strconv.Itoa(len(body))}}
	if row.FinishedAt != nil {
		h.Set("Last-Modified", row.FinishedAt.UTC().Format(http.TimeFormat))
	}
	return &http.Response{StatusCode: http.StatusOK, Header: h, Body: io.NopCloser(bytes.NewReader(body))}
}

// Runs lists the session's own plans, newest first.
func (d *desk) Runs(ctx context.Context, q api.ListQuery) (api.RunList, error) {
	out := api.RunList{Runs: []api.RunSummary{}}
	s := sessionOf(ctx)
	if s == nil {
		return out, gone()
	}
	l := tasks.query()
	l.where("account_id = ?", s.User.ID)
	if states := stateConditions(q.States); states != "" {
		l.where(states)
	}
	if t := strings.TrimSpace(q.Text); t != "" {
		l.where("to_tsvector('simple', left(prompt, 4000)) @@ plainto_tsquery('simple', ?)", t)
	}
	page, err := l.page(ctx, d.queue.Pool(), request{sort: "created", desc: true, size: q.Limit, after: q.Cursor})
	if errors.Is(err, errCursor) {
		return out, &api.Error{Status: http.StatusBadRequest, Detail: "the place in the list is not one of its own: begin at the first page"}
	}
	if err != nil {
		return out, d.failed(ctx, "list tasks", err)
	}
	for _, row := range page.rows {
		out.Runs = append(out.Runs, row.summary())
		out.TotalBytes += row.ZipBytes
	}
	out.NextCursor = page.after
	if out.Total, err = l.count(ctx, d.queue.Pool(), 10_000); err != nil {
		return out, d.failed(ctx, "count tasks", err)
	}
	return out, nil
}

// stateConditions is the part of a query for some states.
func stateConditions(states []api.State) string {
	var parts []string
	for _, s := range states {
		switch s {
		case api.Waiting:
			parts = append(parts, "state = 'pending'")
		case api.Running, api.Stopping:
			parts = append(parts, "state = 'processing'")
		case api.Completed, api.Stopped:
			parts = append(parts, "state = '"+string(s)+"'")
		case api.Partial, api.Refused, api.Budget:
			parts = append(parts, "state = 'failed' and failure_reason = '"+string(s)+"'")
		case api.Failed:
			parts = append(parts, "state = 'failed' and coalesce(failure_reason, '') not in ('partial', 'refused', 'budget')")
		}
	}
	slices.Sort(parts)
	parts = slices.Compact(parts)
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, " or ") + ")"
}

// Estimate says from the last plans what a new one takes.
func (d *desk) Estimate(ctx context.Context, q api.EstimateQuery) (api.Estimate, error) {
	sizes := pipeline.Typical
	sizes.Fast = q.SpeedVsDetail == api.Fast
	e := api.Estimate{Steps: []string{}, Models: []string{}}
	if q.RunID != "" {
		return e, nil // nothing is out of date here: plans are not edited
	}
	for _, s := range d.graph.Steps() {
		e.Steps = append(e.Steps, s.Name)
		e.Calls += s.Calls(sizes)
	}
	last, err := d.q.LastPlans(ctx)
	if err != nil {
		return e, d.failed(ctx, "look at the last plans", err)
	}
	if last.Plans >= fewestPlans {
		e.Seconds = &last.Seconds
		if last.Cost > 0 {
			e.Cost = &last.Cost
		}
	}
	return e, nil
}

// ahead says what somebody who begins a plan should know of the queue.
func (d *desk) ahead(ctx context.Context) string {
	depth, err := d.queue.Depth(ctx)
	workers, failed := d.q.LiveWorkers(ctx)
	switch {
	case err != nil || failed != nil:
		return ""
	case workers == 0:
		return "No worker is running at the moment. Your plan is kept, and begins when one is back."
	case depth.Pending == 0:
		return "Nobody waits: your plan begins at once."
	case depth.Pending == 1:
		return "One plan waits already."
	}
	return fmt.Sprintf("%d plans wait already; people take turns.", depth.Pending)
}

// modelsWait is how long the form waits for the names of the models.
const modelsWait = time.Second

// LLMInfo lists the models when worker_plan tells them, else only auto: the plans do not need it.
func (d *desk) LLMInfo(ctx context.Context) (api.LLMInfo, error) {
	if d.models != nil {
		ctx, cancel := context.WithTimeout(ctx, modelsWait)
		defer cancel()
		if info, err := d.models.LLMInfo(ctx); err == nil {
			info.Errors = nil // of the configuration: not for everybody
			return info, nil
		}
	}
	return api.LLMInfo{Items: []api.LLMItem{{ID: "auto", Label: "Auto", Available: true}}}, nil
}

// What the pages of several people do not have.

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
