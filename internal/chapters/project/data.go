package project

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// DataCollection asks what has to be found out before the plan can be trusted.
var DataCollection = step.Func{
	Name:    "data_collection",
	About:   "What has to be found out before the plan can be trusted",
	Prompts: []string{"data_collection"},
	Needs:   step.Docs(plan.Prompt, plan.Decisions, plan.Scenarios, plan.AssumptionsShort, plan.ProjectPlan),
	Uses:    step.Docs(plan.RelatedResources, plan.SWOT, plan.Team, plan.ExpertCriticism),
	Writes:  step.Docs(plan.DataCollectionRaw, plan.DataCollection),
	Calls:   step.Once,
	Run: func(ctx context.Context, w *step.Work) error {
		counts, err := w.Counts()
		if err != nil {
			return err
		}
		got, err := step.Question[dataCollection]{
			Prompt: "data_collection", Sizes: map[string]plan.Range{"data_collection_list": counts.Data},
		}.Ask(ctx, w)
		if err != nil {
			return err
		}
		v := got.Value.sorted()
		if err := w.WriteRaw(plan.DataCollectionRaw, v, got.Source); err != nil {
			return err
		}
		return w.WritePage(plan.DataCollection, v.Markdown())
	},
}

type dataCollection struct {
	Areas   []area `json:"data_collection_list"`
	Summary string `json:"summary"`
}

type area struct {
	Index       int          `json:"item_index"`
	Title       string       `json:"title"`
	Data        []string     `json:"data_to_collect" count:"1-6"`
	Simulation  []string     `json:"simulation_steps" count:"1-5"`
	Experts     []string     `json:"expert_validation_steps" count:"1-5"`
	Rationale   string       `json:"rationale"`
	Responsible []string     `json:"responsible_parties" count:"1-4"`
	Assumptions []assumption `json:"assumptions" count:"1-4"`
	Objective   string       `json:"smart_validation_objective"`
	Notes       []string     `json:"notes" count:"1-4"`
}

type assumption struct {
	Index       int    `json:"item_index"`
	Assumption  string `json:"assumption"`
	Sensitivity string `json:"sensitivity_score" enum:"low,medium,high"`
}

var sensitivities = []string{"high", "medium", "low"}

func (a assumption) rank() int { return slices.Index(sensitivities, a.Sensitivity) }

// sorted puts what the plan depends on most first and numbers areas and assumptions.
func (a dataCollection) sorted() dataCollection {
	areas := slices.Clone(a.Areas)
	for i := range areas {
		list := slices.Clone(areas[i].Assumptions)
		slices.SortStableFunc(list, func(x, y assumption) int { return cmp.Compare(x.rank(), y.rank()) })
		for n := range list {
			list[n].Index = n + 1
		}
		areas[i].Assumptions, areas[i].Title = list, step.Line(areas[i].Title)
	}
	slices.SortStableFunc(areas, func(x, y area) int { return cmp.Compare(x.rank(), y.rank()) })
	for i := range areas {
		areas[i].Index = i + 1
	}
	a.Areas = areas
	return a
}

// rank is that of the area's most sensitive assumption, which stands first.
func (a area) rank() int {
	if len(a.Assumptions) == 0 {
		return len(sensitivities)
	}
	return a.Assumptions[0].rank()
}

// Markdown keeps two empty lines between areas.
func (a dataCollection) Markdown() string {
	var b strings.Builder
	for i, x := range a.Areas {
		if i > 0 {
			b.WriteString("\n\n")
		}
		var assumptions []string
		for _, s := range x.Assumptions {
			assumptions = append(assumptions, fmt.Sprintf("**%s:** %s", step.Title(s.Sensitivity), s.Assumption))
		}
		fmt.Fprintf(&b, "## %d. %s\n\n%s\n", i+1, x.Title, x.Rationale)
		part := func(title, text string) { fmt.Fprintf(&b, "\n### %s\n\n%s", title, text) }
		part("Data to Collect", step.Bullets(x.Data))
		part("Simulation Steps", step.Bullets(x.Simulation))
		part("Expert Validation Steps", step.Bullets(x.Experts))
		part("Responsible Parties", step.Bullets(x.Responsible))
		part("Assumptions", step.Bullets(assumptions))
		part("SMART Validation Objective", x.Objective+"\n")
		part("Notes", step.Bullets(x.Notes))
	}
	fmt.Fprintf(&b, "\n## Summary\n\n%s", a.Summary)
	return b.String()
}
