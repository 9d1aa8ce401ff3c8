// Package timeline is the chapter that puts the work breakdown into time: no model is asked.
package timeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"planexe/internal/event"
	"planexe/internal/plan"
	"planexe/internal/schedule"
	"planexe/internal/step"
)

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "timeline", Steps: []step.Step{
	CreateSchedule,
}}

// CreateSchedule computes when everything happens, from durations and dependencies, and draws it.
var CreateSchedule = step.Func{
	Name:    "create_schedule",
	About:   "When everything happens, and what decides the end",
	Data:    step.Docs(plan.StartTime, plan.WBS),
	UsesRaw: step.Docs(plan.ProjectTitle, plan.Durations, plan.Dependencies, plan.KeyFacts),
	Writes:  step.Docs(plan.GanttOverview, plan.GanttInteractive, plan.GanttTable),
	Extras:  step.Docs(plan.Schedule),
	Run:     draw,
}

func draw(_ context.Context, w *step.Work) error {
	p, err := project(w)
	if err != nil {
		return err
	}
	s, err := schedule.Arrange(p)
	if err != nil {
		return fmt.Errorf("arrange %s: %w", plan.WBS.Name, err)
	}
	for _, d := range s.Dropped {
		note := event.Quality{Step: w.Step(), Note: fmt.Sprintf("the dependency of %s on %s is left out: %s", d.To, d.From, d.Reason)}
		if err := w.Emit(note); err != nil {
			return err
		}
	}
	if err := w.WriteJSON(plan.Schedule, s); err != nil {
		return err
	}
	for _, out := range []struct {
		file plan.File
		data []byte
	}{{plan.GanttOverview, s.Overview()}, {plan.GanttInteractive, s.Interactive(true)}, {plan.GanttTable, s.CSV()}} {
		if err := w.Write(out.file.Name, out.data); err != nil {
			return err
		}
	}
	return nil
}

// project gathers what the schedule is made of. Without durations or dependencies it is made of the
// rest: an even pace, one phase after the other.
func project(w *step.Work) (schedule.Project, error) {
	var p schedule.Project
	start, err := step.Read(w, plan.StartTime)
	if err != nil {
		return p, err
	}
	today, err := time.Parse(time.RFC3339, start.Local)
	if err != nil {
		return p, fmt.Errorf("%s: server_iso_local: %w", plan.StartTime.Name, err)
	}
	facts, err := w.Facts()
	if err != nil {
		return p, err
	}
	p.Calendar.Day0 = today
	if stated, err := schedule.StartDate(facts.Start, today); err == nil {
		p.Calendar.Day0 = stated
	}
	tree, err := step.Read(w, plan.WBS)
	if err != nil {
		return p, err
	}
	title, err := w.Text(plan.ProjectTitle)
	if err != nil {
		return p, err
	}
	p.Title, p.Root = strings.TrimSpace(title), node(tree.Project)
	estimates, err := step.Maybe(w, plan.Durations)
	if err != nil {
		return p, err
	}
	p.Estimates = map[string]schedule.Estimate{}
	for _, e := range estimates {
		p.Estimates[e.ID] = schedule.Estimate{Shortest: e.Min, Likely: e.Likely, Longest: e.Max}
	}
	waits, err := step.Maybe(w, plan.Dependencies)
	if err != nil {
		return p, err
	}
	for _, l := range waits.Links() {
		p.Links = append(p.Links, schedule.Link{From: l.Predecessor, To: l.Successor, Type: schedule.Type(l.Type), Lag: float64(l.Lag)})
	}
	return p, nil
}

func node(a plan.Activity) schedule.Node {
	n := schedule.Node{
		ID: a.ID, Title: a.Title,
		Note: schedule.Tooltip(a.Title, a.Details.Deliverable, a.Details.Description, a.Details.Resources),
	}
	for _, c := range a.Children {
		n.Children = append(n.Children, node(c))
	}
	return n
}
