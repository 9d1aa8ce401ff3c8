package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"planexe/internal/api"
	"planexe/internal/plan"
	"planexe/internal/progress"
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
		RunID: r.ID, Title: r.Title, StartedAt: progress.Moment(r.StartedAt), EndedAt: progress.Moment(r.EndedAt), State: api.State(r.State), Reason: r.Reason.Message,
		ProgressPercentage: float64(int(r.Progress*1000)) / 10, ProgressMessage: fmt.Sprintf("%d of %d files", r.Files, len(plan.Expected())),
		Seconds: r.Seconds, Usage: progress.Usage(r.Usage), Cost: r.Cost, LLMModel: r.Model, SpeedVsDetail: speed, HasReport: r.HasReport, SizeBytes: r.SizeBytes,
	}
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
		out.Error = progress.Problem(r.Reason)
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
	out.LastEvent, out.MaxCost = v.Seq, v.Asked.MaxCost
	progress.Fill(out, &v.State)
}

func (s *Service) runSteps(_ context.Context, in *RunInput) (*answer[[]api.Step], error) {
	if _, err := s.library.Summary(in.ID); err != nil {
		return nil, s.failed(err, in.ID, "read the run")
	}
	inspection, err := s.manager.Inspect(in.ID, s.graph)
	if err != nil {
		return nil, s.failed(err, in.ID, "read the run")
	}
	return &answer[[]api.Step]{progress.Steps(s.graph, inspection)}, nil
}
