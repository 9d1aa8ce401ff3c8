package run

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"planexe/internal/chapters/assume"
	"planexe/internal/chapters/critique"
	"planexe/internal/chapters/diagnostics"
	"planexe/internal/chapters/document"
	"planexe/internal/chapters/expert"
	"planexe/internal/chapters/facts"
	"planexe/internal/chapters/governance"
	"planexe/internal/chapters/lever"
	"planexe/internal/chapters/pitch"
	"planexe/internal/chapters/project"
	"planexe/internal/chapters/summary"
	"planexe/internal/chapters/swot"
	"planexe/internal/chapters/team"
	"planexe/internal/chapters/timeline"
	"planexe/internal/chapters/verify"
	"planexe/internal/chapters/wbs"
	"planexe/internal/event"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/report"
	"planexe/internal/step"
)

// Chapters are the plan's chapters in reading order. A new chapter is one line here.
func Chapters() []step.Chapter {
	return []step.Chapter{
		facts.Chapter, diagnostics.Chapter, assume.Chapter, lever.Chapter, expert.Chapter, project.Chapter, governance.Chapter, team.Chapter, swot.Chapter,
		document.Chapter, wbs.Chapter, pitch.Chapter, timeline.Chapter, critique.Chapter, summary.Chapter, verify.Chapter,
	}
}

// NewGraph builds the graph of the whole plan: every chapter, then the report, then the marker.
func NewGraph(version string) (*pipeline.Graph, error) {
	steps, err := step.Build(version, Chapters()...)
	if err != nil {
		return nil, err
	}
	return pipeline.NewGraph(closing(steps), plan.StartTime.Name, plan.Prompt.Name, plan.ScheduleOptions.Name)
}

// closing adds the last two steps. The report is made of whatever is there; the completion marker
// needs everything.
func closing(steps []pipeline.Step) []pipeline.Step {
	written := map[string]bool{plan.Prompt.Name: true, plan.StartTime.Name: true}
	var all []string
	for _, s := range steps {
		for _, out := range s.Outputs {
			written[out] = true
			all = append(all, out)
		}
	}
	uses := []string{plan.StartTime.Name, plan.KeyFacts.Name}
	for _, f := range report.Sources() {
		if written[f.Name] {
			uses = append(uses, f.Name)
		}
	}
	return append(steps,
		pipeline.Step{
			Name: "report", Chapter: "report", About: "The report, made of what is there",
			Uses: uses, Outputs: []string{plan.Report.Name}, Always: true, Run: writeReport,
		},
		pipeline.Step{
			Name: "full_plan_pipeline", Chapter: "report", About: "The mark that the plan is complete",
			Needs: append(all, plan.Report.Name), Outputs: []string{plan.Complete.Name},
			Run: func(_ context.Context, w *pipeline.Work) error {
				return w.Write(plan.Complete.Name, []byte("Every step of the plan is done.\n"))
			},
		})
}

func writeReport(_ context.Context, w *pipeline.Work) error {
	env, ok := w.Env().(*step.Env)
	if !ok || env.Report == nil {
		return fmt.Errorf("the report runs without a run")
	}
	page, err := env.Report(func(name string) ([]byte, error) {
		data, err := w.Read(name)
		if errors.Is(err, pipeline.ErrUndeclared) { // a section whose step this build does not have
			err = fs.ErrNotExist
		}
		return data, err
	})
	if err != nil {
		return err
	}
	return w.Write(plan.Report.Name, page)
}

type source func(string) ([]byte, error)

func (s source) Read(name string) ([]byte, error) { return s(name) }

// mostNotes bounds the quality notes of one step in the report.
const mostNotes = 8

// RenderReport renders the report of a run from its artifacts and what its log tells.
func RenderReport(g *pipeline.Graph, st *State, outcome event.Outcome, reason event.Reason, read func(string) ([]byte, error)) ([]byte, error) {
	m := report.Meta{
		Title: title(read), Lang: lang(read), Made: made(read), Models: st.Models(), Speed: st.Run.Speed, Version: st.Run.Version,
		Outcome: string(outcome), Reason: reason.Message, Refused: outcome == event.Refused, Demo: st.Demo(), Sample: st.Run.Sample, Missing: map[string]string{},
	}
	for _, f := range report.Sources() {
		m.Missing[f.Name] = whyMissing(g, st, f.Name)
	}
	for _, s := range st.Steps {
		name, notes := strings.ReplaceAll(s.Name, "_", " "), slices.Clone(st.Quality[s.Name])
		// Calls of a step run side by side: the order in which their notes came is chance.
		slices.SortStableFunc(notes, func(a, b event.Quality) int {
			return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Note, b.Note))
		})
		for _, q := range notes[:min(len(notes), mostNotes)] {
			m.Quality = append(m.Quality, fmt.Sprintf("%s: %s", name, q.Note))
		}
		if more := len(notes) - mostNotes; more > 0 {
			m.Quality = append(m.Quality, fmt.Sprintf("%s: %d more notes, listed by planexe status", name, more))
		}
	}
	return report.Render(source(read), m)
}

func whyMissing(g *pipeline.Graph, st *State, artifact string) string {
	name := g.Producer(artifact)
	if name == "" {
		return "it is not part of this version of the plan"
	}
	for _, s := range st.Steps {
		if s.Name != name {
			continue
		}
		switch s.Status {
		case Failed:
			return fmt.Sprintf("the step %s failed: %s", name, firstLine(s.Reason.Message))
		case Skipped:
			return fmt.Sprintf("the step %s needs %s, which has no result", name, s.Because)
		}
	}
	return fmt.Sprintf("the run ended before the step %s", name)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// title is the first line of the request, shortened; used until the plan has a title of its own.
func title(read func(string) ([]byte, error)) string {
	data, err := read(plan.Prompt.Name)
	if err != nil {
		return ""
	}
	line := firstLine(strings.TrimSpace(strings.TrimPrefix(string(data), "Plan:\n")))
	if r := []rune(line); len(r) > 90 {
		line = strings.TrimRight(string(r[:90]), " ,;.") + "…"
	}
	return line
}

// lang is the language of the request, which is that of the plan.
func lang(read func(string) ([]byte, error)) string {
	var f plan.Facts
	data, err := read(plan.KeyFacts.Name)
	if err != nil || json.Unmarshal(data, &f) != nil {
		return ""
	}
	return f.Language
}

func made(read func(string) ([]byte, error)) string {
	var s plan.Start
	data, err := read(plan.StartTime.Name)
	if err != nil || json.Unmarshal(data, &s) != nil {
		return ""
	}
	t, err := time.Parse(time.RFC3339, s.Local)
	if err != nil {
		return s.UTC
	}
	return t.Format(time.RFC3339)
}
