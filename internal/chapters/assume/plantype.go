package assume

import (
	"fmt"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// PlanType says whether the plan needs a place. A digital plan skips the search for locations.
var PlanType = step.Ask[planType]{
	Name:  "plan_type",
	About: "Whether the plan needs a place",
	Needs: step.Docs(plan.Prompt, plan.PurposePage),
	Raw:   plan.PlanTypeRaw,
	Page:  plan.PlanTypePage,
}

type planType struct {
	Explanation string `json:"explanation"`
	Type        string `json:"plan_type" enum:"digital,physical"`
}

// Markdown is what later prompts read.
func (p planType) Markdown() string {
	where := "This plan needs at least one place in the physical world."
	if p.Type == "digital" {
		where = "This plan can be carried out online from anywhere; it is tied to no place."
	}
	return fmt.Sprintf("%s\n\n**Explanation:** %s", where, p.Explanation)
}
