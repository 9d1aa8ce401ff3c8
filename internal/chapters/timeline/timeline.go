// Package timeline is the chapter that puts the work breakdown into time. The program computes; a model
// is asked only how dates that the request fixes can be kept.
package timeline

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"strings"
	"time"

	"planexe/internal/event"
	"planexe/internal/plan"
	"planexe/internal/schedule"
	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "timeline", Prompts: prompts, Steps: []step.Step{
	MeetDates,
	CreateSchedule,
}}

// CreateSchedule computes when everything happens, from durations and dependencies, and draws it.
var CreateSchedule = step.Func{
	Name:    "create_schedule",
	About:   "When everything happens, and what decides the end",
	Data:    step.Docs(plan.StartTime, plan.WBS),
	UsesRaw: step.Docs(plan.ProjectTitle, plan.Durations, plan.Dependencies, plan.KeyFacts, plan.ScheduleOptions, plan.FixedDates),
	Writes:  step.Docs(plan.GanttOverview, plan.GanttInteractive, plan.GanttTable),
	Extras:  step.Docs(plan.Schedule),
	Run:     draw,
}

func draw(_ context.Context, w *step.Work) error {
	p, notes, err := project(w, plan.WBS)
	if err != nil {
		return err
	}
	fixed, err := step.Maybe(w, plan.FixedDates)
	if err != nil {
		return err
	}
	if !p.Waterfall {
		p = fit(p, fixed)
	}
	s, err := schedule.Arrange(p)
	if err != nil {
		return fmt.Errorf("arrange %s: %w", plan.WBS.Name, err)
	}
	if note := left(s); note != "" {
		notes = append(notes, note)
	}
	if _, late := lateness(s); late != "" {
		notes = append(notes, "dates that the request fixes are missed: "+late)
	} else if d := s.Deadline; d != nil && d.Late.Likely > 0 {
		notes = append(notes, fmt.Sprintf("the likely finish, %s, misses the deadline %q (%s) by %v day(s)", s.Finish.Likely, d.Stated, d.Date, d.Late.Likely))
	}
	for _, note := range notes {
		if err := w.Emit(event.Quality{Step: w.Step(), Note: note}); err != nil {
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

// left tells in one note which dependencies could not be kept.
func left(s *schedule.Schedule) string {
	if len(s.Dropped) == 0 {
		return ""
	}
	titles := map[string]string{}
	for _, r := range s.Rows {
		titles[r.ID] = step.Line(r.Title)
	}
	d := s.Dropped[0]
	note := fmt.Sprintf("the dependency of “%s” on “%s” is left out: %s", cmp.Or(titles[d.To], d.To), cmp.Or(titles[d.From], d.From), d.Reason)
	if more := len(s.Dropped) - 1; more > 0 {
		note += fmt.Sprintf("; %d more, with reasons, in %s", more, plan.Schedule.Name)
	}
	return note
}

// project gathers what the schedule is made of. Without durations or dependencies it is made of the
// rest: an even pace, one phase after the other. The notes say which stated dates cannot be used.
func project(w *step.Work, breakdown plan.JSON[plan.Breakdown]) (p schedule.Project, notes []string, err error) {
	options, err := step.Maybe(w, plan.ScheduleOptions)
	if err != nil {
		return p, nil, err
	}
	p.Waterfall, p.Calendar.WorkingDays = options.Waterfall, options.WorkingDays
	if notes, err = dates(w, &p); err != nil {
		return p, nil, err
	}
	tree, err := step.Read(w, breakdown)
	if err != nil {
		return p, nil, err
	}
	title, err := w.Text(plan.ProjectTitle)
	if err != nil {
		return p, nil, err
	}
	p.Title, p.Root = strings.TrimSpace(title), node(tree.Project)
	estimates, err := step.Maybe(w, plan.Durations)
	if err != nil {
		return p, nil, err
	}
	p.Estimates = map[string]schedule.Estimate{}
	for _, e := range estimates {
		p.Estimates[e.ID] = schedule.Estimate{Shortest: e.Min, Likely: e.Likely, Longest: e.Max}
	}
	waits, err := step.Maybe(w, plan.Dependencies)
	if err != nil {
		return p, nil, err
	}
	p.Free = waits.Free()
	for _, l := range waits.Links() {
		p.Links = append(p.Links, schedule.Link{From: l.Predecessor, To: l.Successor, Type: schedule.Type(l.Type), Lag: float64(l.Lag)})
	}
	return p, notes, nil
}

// dates sets day 0, which is the day of the run when the request states none, and the deadline.
func dates(w *step.Work, p *schedule.Project) (notes []string, err error) {
	start, err := step.Read(w, plan.StartTime)
	if err != nil {
		return nil, err
	}
	today, err := time.Parse(time.RFC3339, start.Local)
	if err != nil {
		return nil, fmt.Errorf("%s: server_iso_local: %w", plan.StartTime.Name, err)
	}
	facts, err := w.Facts()
	if err != nil {
		return nil, err
	}
	p.Calendar.Day0 = today
	if first, _, ok := schedule.Dates(facts.Start, today); ok {
		p.Calendar.Day0, p.Start = first, step.Line(facts.Start)
	} else if facts.Start != "" {
		notes = append(notes, fmt.Sprintf("the stated start %q is no date that the program can read: the schedule begins on the day of the run", facts.Start))
	}
	if _, last, ok := schedule.Dates(facts.Deadline, p.Calendar.Day0); ok {
		p.Deadline = schedule.Deadline{Stated: step.Line(facts.Deadline), Date: last.Format(time.DateOnly)}
	} else if facts.Deadline != "" {
		notes = append(notes, fmt.Sprintf("the deadline %q is no date that the program can read: the schedule is not compared with it", facts.Deadline))
	}
	return notes, nil
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
