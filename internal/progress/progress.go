// Package progress says how a run stands in the words of the API, wherever its log is kept.
package progress

import (
	"slices"
	"strings"
	"time"

	"planexe/internal/api"
	"planexe/internal/event"
	"planexe/internal/pipeline"
	"planexe/internal/run"
)

// Fill adds what the log tells to a status, whose state says whether the run is live.
func Fill(out *api.RunStatus, st *run.State) {
	out.MaxCost = max(out.MaxCost, st.Run.MaxCost)
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
		out.Notice = &api.Notice{Level: n.Level, Message: n.Message, Step: n.Step, Until: Moment(n.Until)}
	}
}

// Steps says how the steps of a run stand.
func Steps(g *pipeline.Graph, in *run.Inspection) []api.Step {
	out := make([]api.Step, 0, len(in.Steps))
	for _, st := range in.Steps {
		out = append(out, step(g, st))
	}
	return out
}

func step(g *pipeline.Graph, st run.Standing) api.Step {
	out := api.Step{
		Step: st.Step.Name, Label: st.Step.About, Chapter: st.Step.Chapter, State: st.State, Why: st.Why, StartedAt: Moment(st.Run.Started),
		Calls: st.Run.Asked, CallsExpected: st.Run.Calls, Usage: Usage(st.Run.Usage), Cost: st.Run.Cost,
		ModelIDs: append([]string{}, st.Models...), Files: append(slices.Clone(st.Step.Outputs), st.Step.Extras...),
		Needs: append([]string{}, g.Waits(st.Step.Name)...), Edited: append([]string{}, st.Edited...),
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
		out.Error = Problem(st.Run.Reason)
	}
	return out
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// Usage counts tokens.
func Usage(u event.Usage) api.Usage {
	return api.Usage{Prompt: u.Prompt, Completion: u.Completion, Cached: u.Cached, Reasoning: u.Reasoning, Estimated: u.Estimated}
}

// Moment is a time in UTC; nil when it is zero.
func Moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Problem is a reason; nil when it says nothing.
func Problem(r event.Reason) *api.Problem {
	if r.Message == "" && r.Class == "" {
		return nil
	}
	return &api.Problem{Class: r.Class, Message: r.Message, Step: r.Step, CanRetry: r.CanRetry, Advice: r.Advice}
}
