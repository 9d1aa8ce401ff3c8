package multi

import (
	"bytes"
	"cmp"
	"context"
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

	"planexe/internal/api"
	"planexe/internal/progress"
	"planexe/internal/queue"
	"planexe/internal/run"
	"planexe/internal/store"
)

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
	if out.MaxCost == 0 { // it has not begun
		out.MaxCost = queue.ParseParameters(row.Parameters).MaxCost
	}
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
