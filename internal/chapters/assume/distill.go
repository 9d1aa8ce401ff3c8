package assume

import (
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// DistillAssumptions shrinks the assumptions to short facts that fit into any later prompt.
var DistillAssumptions = step.Ask[distilled]{
	Name:  "distill_assumptions",
	About: "The assumptions as short facts",
	Needs: step.Docs(plan.Prompt, plan.PurposePage, plan.Decisions, plan.Scenarios, plan.Assumptions),
	Raw:   plan.DistilledRaw,
	Page:  plan.Distilled,
}

type distilled struct {
	List []string `json:"assumption_list" count:"4-16" words:"17"`
}

// Markdown is one line per fact.
func (d distilled) Markdown() string {
	return strings.TrimRight(step.Bullets(d.List), "\n")
}
