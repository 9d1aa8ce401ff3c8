package wbs

import (
	"fmt"
	"slices"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Level2 asks for the phases of the work and the tasks of each.
var Level2 = step.Ask[breakdown]{
	Name:  "create_wbs_level2",
	About: "The phases and their tasks",
	Needs: step.Docs(plan.Prompt, plan.Decisions, plan.Scenarios, plan.ProjectPlan),
	Uses:  step.Docs(plan.DataCollection),
	Data:  step.Docs(plan.WBS1),
	Vars: func(w *step.Work) (any, error) {
		p, err := step.Read(w, plan.WBS1)
		if err != nil {
			return nil, err
		}
		return map[string]string{"Project": p.Title + "\nFinal deliverable: " + p.Deliverable}, nil
	},
	// The last phase is the one that delivers: nothing is cut off.
	Rules: func(w *step.Work) ([]schema.Rule, error) {
		c, err := w.Counts()
		return []schema.Rule{
			schema.CountOf("major_phase_details", c.Phases.Min, c.Phases.Max),
			schema.CountOf("major_phase_details.subtasks", c.Tasks.Min, c.Tasks.Max),
		}, err
	},
	Check:  checkBreakdown,
	Raw:    plan.WBS2Raw,
	Writes: step.Docs(plan.WBS2),
	Then: func(w *step.Work, got llm.Answer[breakdown]) error {
		return w.WriteJSON(plan.WBS2, got.Value.settle(w.ID))
	},
}

// Each task costs calls in later steps, and a reader keeps no more than this in view.
const (
	manyTasks    = 50
	tooManyTasks = 120
)

type breakdown struct {
	Phases []phase `json:"major_phase_details"`
}

type phase struct {
	Number string    `json:"major_phase_wbs_number" empty:"ok"`
	Title  string    `json:"major_phase_title" words:"10"`
	Tasks  []subtask `json:"subtasks"`
}

type subtask struct {
	Number string `json:"subtask_wbs_number" empty:"ok"`
	Title  string `json:"subtask_title" words:"10"`
}

// settle gives ids and drops what is no task: empty titles, repetitions within a phase, phases
// without tasks. Phases of one name become one.
func (b breakdown) settle(id func(int) string) []plan.Phase {
	out := []plan.Phase{}
	n := 0
	next := func() string { n++; return id(n) }
	for i, p := range b.Phases {
		name := title(p.Title, fmt.Sprint(i+1), longTitle)
		if name == "" {
			continue
		}
		at := slices.IndexFunc(out, func(o plan.Phase) bool { return step.Fold(o.Title) == step.Fold(name) })
		var known []plan.Activity
		if at >= 0 {
			known = out[at].Tasks
		}
		var list []plan.Activity
		for j, t := range p.Tasks {
			name := title(t.Title, fmt.Sprintf("%d.%d", i+1, j+1), longTitle)
			same := func(o plan.Activity) bool { return step.Fold(o.Title) == step.Fold(name) }
			if name != "" && !slices.ContainsFunc(known, same) && !slices.ContainsFunc(list, same) {
				list = append(list, plan.Activity{Title: name})
			}
		}
		switch {
		case len(list) == 0:
			continue
		case at < 0:
			at = len(out)
			out = append(out, plan.Phase{ID: next(), Title: name})
		}
		for k := range list {
			list[k].ID = next()
		}
		out[at].Tasks = append(out[at].Tasks, list...)
	}
	return out
}

func checkBreakdown(b *breakdown) []schema.Problem {
	count := 0
	for _, p := range b.settle(func(int) string { return "" }) {
		count += len(p.Tasks)
	}
	bad := schema.Problem{Path: "major_phase_details", Found: fmt.Sprintf("%d different tasks in all", count)}
	switch {
	case count == 0:
		bad.Want = "phases with tasks that have titles"
	case count > manyTasks:
		bad.Want, bad.Soft = fmt.Sprintf("at most %d", manyTasks), count <= tooManyTasks
	default:
		return nil
	}
	return []schema.Problem{bad}
}
