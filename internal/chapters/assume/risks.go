package assume

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// Risks asks what can go wrong, how likely it is, how bad, and what to do about it.
var Risks = step.Ask[risks]{
	Name:  "identify_risks",
	About: "What can go wrong, how likely, how bad, and what to do about it",
	Needs: step.Docs(plan.Prompt, plan.PurposePage, plan.PlanTypePage, plan.Decisions, plan.Scenarios, plan.Locations, plan.Currency),
	Raw:   plan.RisksRaw,
	Page:  plan.Risks,
}

type risks struct {
	Risks   []risk `json:"risks" count:"3-15"`
	Summary string `json:"risk_assessment_summary"`
}

type risk struct {
	Area        string `json:"risk_area"`
	Description string `json:"risk_description"`
	Impact      string `json:"potential_impact"`
	Likelihood  string `json:"likelihood" enum:"low,medium,high"`
	Severity    string `json:"severity" enum:"low,medium,high"`
	Action      string `json:"action"`
}

func (r risk) weight() int {
	levels := []string{"low", "medium", "high"}
	return (slices.Index(levels, r.Likelihood) + 1) * (slices.Index(levels, r.Severity) + 1)
}

// Markdown lists the worst first: a reader may stop early.
func (a risks) Markdown() string {
	list := slices.Clone(a.Risks)
	slices.SortStableFunc(list, func(x, y risk) int { return cmp.Compare(y.weight(), x.weight()) })
	var b strings.Builder
	for i, r := range list {
		fmt.Fprintf(&b, "\n## Risk %d - %s\n%s\n\n**Impact:** %s\n\n**Likelihood:** %s\n\n**Severity:** %s\n\n**Action:** %s\n",
			i+1, r.Area, r.Description, r.Impact, step.Title(r.Likelihood), step.Title(r.Severity), r.Action)
	}
	fmt.Fprintf(&b, "\n## Risk summary\n%s", a.Summary)
	return b.String()
}
