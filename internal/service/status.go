package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"planexe/internal/api"
	"planexe/internal/event"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/runs"
)

type listInput struct {
	Limit  int      `query:"limit" default:"50" minimum:"1" maximum:"200" doc:"At most so many"`
	Cursor string   `query:"cursor" maxLength:"200" doc:"next_cursor of the page before"`
	Text   string   `query:"q" maxLength:"200" doc:"Words that stand in the prompt, whatever their case"`
	States []string `query:"state" doc:"Any of these states, separated by commas" enum:"waiting,running,stopping,completed,partial,refused,budget,stopped,failed,interrupted"`
}

func (s *Service) listRuns(_ context.Context, in *listInput) (*answer[api.RunList], error) {
	f := runs.Filter{Limit: in.Limit, Text: in.Text}
	for _, state := range in.States {
		f.States = append(f.States, runs.State(state))
	}
	if in.Cursor != "" {
		at, id, ok := strings.Cut(in.Cursor, ",")
		started, err := time.Parse(time.RFC3339Nano, at)
		if _, bad := s.library.Path(id); err != nil || !ok || bad != nil {
			return nil, fail(http.StatusBadRequest, "cursor: take next_cursor of the page before")
		}
		f.After, f.AfterStarted = id, started
	}
	page, more, err := s.library.List(f)
	if err != nil {
		return nil, s.failed(err, "", "list the runs")
	}
	out := api.RunList{Runs: []api.RunSummary{}}
	for _, r := range page {
		out.Runs = append(out.Runs, summary(r))
	}
	if more {
		last := page[len(page)-1]
		out.NextCursor = last.StartedAt.UTC().Format(time.RFC3339Nano) + "," + last.ID
	}
	if out.Total, out.TotalBytes, err = s.library.Count(); err != nil {
		return nil, s.failed(err, "", "list the runs")
	}
	return &answer[api.RunList]{out}, nil
}

func summary(r runs.Summary) api.RunSummary {
	speed, _ := run.Mode(r.Speed)
	return api.RunSummary{
		RunID: r.ID, Title: r.Title, StartedAt: moment(r.StartedAt), EndedAt: moment(r.EndedAt), State: api.State(r.State), Reason: r.Reason.Message,
		ProgressPercentage: float64(int(r.Progress*1000)) / 10, ProgressMessage: fmt.Sprintf("%d of %d files", r.Files, len(plan.Expected())),
		Seconds: r.Seconds, Usage: usage(r.Usage), Cost: r.Cost, LLMModel: r.Model, SpeedVsDetail: speed, HasReport: r.HasReport, SizeBytes: r.SizeBytes,
	}
}

func usage(u event.Usage) api.Usage {
	return api.Usage{Prompt: u.Prompt, Completion: u.Completion, Cached: u.Cached, Reasoning: u.Reasoning, Estimated: u.Estimated}
}

// moment is a time that may not be there.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func problem(r event.Reason) *api.Problem {
	if r.Message == "" && r.Class == "" {
		return nil
	}
	return &api.Problem{Class: r.Class, Message: r.Message, Step: r.Step, CanRetry: r.CanRetry, Advice: r.Advice}
}

func (s *Service) runStatus(_ context.Context, in *RunInput) (*answer[api.RunStatus], error) {
	path, err := s.library.Path(in.ID)
	if err != nil {
		return nil, s.failed(err, in.ID, "")
	}
	out := api.RunStatus{
		RunSummary: api.RunSummary{RunID: in.ID, State: api.NotFound}, RunDir: path, DisplayRunDir: s.library.Display(in.ID),
		ActiveCalls: []api.ActiveCall{}, Models: []string{}, Quality: []api.QualityNote{},
	}
	live := s.manager.Live(in.ID)
	if live.Known {
		pid := os.Getpid()
		out.PID, out.Running, out.Returncode, out.StopRequested, out.QueuePosition = &pid, live.Active, live.Code, live.Stop, live.Waiting
	}
	switch _, err := s.library.Find(in.ID); {
	case errors.Is(err, runs.ErrNotFound):
		return &answer[api.RunStatus]{out}, nil
	case err != nil:
		return nil, s.failed(err, in.ID, "look for the run")
	}
	out.RunDirExists, out.PipelineComplete = true, s.library.Complete(in.ID)
	if last := runs.LastUpdate(path); !last.IsZero() {
		ago := seconds(max(0, time.Since(last)))
		out.LastUpdateSecondsAgo = &ago
	}
	r, err := s.library.Summary(in.ID)
	if errors.Is(err, runs.ErrNotFound) { // a directory, but no run
		out.State = api.Interrupted
		return &answer[api.RunStatus]{out}, nil
	}
	if err != nil {
		return nil, s.failed(err, in.ID, "read the run")
	}
	out.RunSummary = summary(r)
	if !out.State.Live() && r.State != runs.Completed {
		out.Error = problem(r.Reason)
	}
	out.Prompt, _ = s.library.Prompt(in.ID) // without one it is empty
	v, err := s.manager.View(in.ID)
	if err != nil {
		s.log.Warn("the log of a run cannot be read", "run_id", in.ID, "error", err)
		return &answer[api.RunStatus]{out}, nil // the summary says so
	}
	fill(&out, v)
	return &answer[api.RunStatus]{out}, nil
}

// fill adds what the log tells.
func fill(out *api.RunStatus, v runs.View) {
	st := &v.State
	out.LastEvent, out.MaxCost = v.Seq, max(v.Asked.MaxCost, st.Run.MaxCost)
	out.StepsDone, out.StepsTotal = st.Counts()
	out.Calls, out.CallsReused, out.Requests, out.Retries, out.Unpriced = st.Calls, st.Reused, st.Requests, st.Retries, st.Unpriced
	for _, step := range st.Steps {
		out.CallsExpected += step.Calls
		for _, q := range st.Quality[step.Name] {
			out.Quality = append(out.Quality, api.QualityNote{Step: q.Step, Label: q.Label, Path: q.Path, Note: q.Note})
		}
	}
	out.Models, out.Demo = append(out.Models, st.Models()...), st.Demo()
	if !out.State.Live() {
		return
	}
	if left := st.Left(); left > 0 {
		value := left.Seconds()
		out.SecondsLeft = &value
	}
	for _, call := range st.Active {
		out.ActiveCalls = append(out.ActiveCalls, api.ActiveCall{Step: call.Step, Label: call.Label})
	}
	slices.SortFunc(out.ActiveCalls, func(a, b api.ActiveCall) int { return strings.Compare(a.Step+"/"+a.Label, b.Step+"/"+b.Label) })
	if n := st.Notice; n.Message != "" && (n.Until.IsZero() || n.Until.After(time.Now())) {
		out.Notice = &api.Notice{Level: n.Level, Message: n.Message, Step: n.Step, Until: moment(n.Until)}
	}
}

func (s *Service) runSteps(_ context.Context, in *RunInput) (*answer[[]api.Step], error) {
	if _, err := s.library.Summary(in.ID); err != nil {
		return nil, s.failed(err, in.ID, "read the run")
	}
	inspection, err := s.manager.Inspect(in.ID, s.graph)
	if err != nil {
		return nil, s.failed(err, in.ID, "read the run")
	}
	out := make([]api.Step, 0, len(inspection.Steps))
	for _, st := range inspection.Steps {
		out = append(out, s.step(st))
	}
	return &answer[[]api.Step]{out}, nil
}

func (s *Service) step(st run.Standing) api.Step {
	out := api.Step{
		Step: st.Step.Name, Label: st.Step.About, Chapter: st.Step.Chapter, State: st.State, Why: st.Why, StartedAt: moment(st.Run.Started),
		Calls: st.Run.Asked, CallsExpected: st.Run.Calls, Usage: usage(st.Run.Usage), Cost: st.Run.Cost,
		ModelIDs: append([]string{}, st.Models...), Files: append(slices.Clone(st.Step.Outputs), st.Step.Extras...),
		Needs: append([]string{}, s.graph.Waits(st.Step.Name)...), Edited: append([]string{}, st.Edited...),
	}
	if st.Run.Name == "" { // the last execution had no such step
		out.CallsExpected = st.Step.Calls(pipeline.Typical)
	}
	switch {
	case st.Run.Started.IsZero():
	case st.Run.Ended.IsZero() && st.State == api.StepRunning:
		out.Seconds = seconds(time.Since(st.Run.Started))
	case !st.Run.Ended.IsZero():
		out.Seconds = seconds(st.Run.Ended.Sub(st.Run.Started))
	}
	if st.State == api.StepFailed {
		out.Error = problem(st.Run.Reason)
	}
	return out
}
