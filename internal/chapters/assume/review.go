package assume

import (
	"fmt"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// ReviewAssumptions looks for assumptions that are missing, weak or unrealistic.
var ReviewAssumptions = step.Ask[review]{
	Name:  "review_assumptions",
	About: "Which assumptions are missing, weak or unrealistic",
	Needs: step.Docs(plan.Prompt),
	Uses: step.Docs(plan.PurposePage, plan.PlanTypePage, plan.Decisions, plan.Scenarios, plan.Locations, plan.Currency, plan.Risks,
		plan.AssumptionsPage, plan.Distilled),
	Raw:  plan.AssumptionReviewRaw,
	Page: plan.AssumptionReview,
}

type review struct {
	Domain         string   `json:"expert_domain"`
	Considerations []string `json:"domain_specific_considerations" count:"2-8" empty:"ok"`
	Issues         []issue  `json:"issues" count:"3"`
	Conclusion     string   `json:"conclusion"`
}

type issue struct {
	Issue          string `json:"issue"`
	Explanation    string `json:"explanation"`
	Recommendation string `json:"recommendation"`
	Sensitivity    string `json:"sensitivity"`
}

// Markdown is read by people and shortened for later prompts.
func (r review) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Domain of the expert reviewer\n%s\n\n", r.Domain)
	if len(r.Considerations) > 0 {
		fmt.Fprintf(&b, "## Domain-specific considerations\n\n%s", step.Bullets(r.Considerations))
	} else {
		b.WriteString("## Domain-specific considerations - None\n")
	}
	for i, x := range r.Issues[:min(len(r.Issues), 3)] { // the gravest, asked for first
		fmt.Fprintf(&b, "\n## Issue %d - %s\n%s\n\n**Recommendation:** %s\n\n**Sensitivity:** %s\n", i+1, x.Issue, x.Explanation, x.Recommendation, x.Sensitivity)
	}
	fmt.Fprintf(&b, "\n## Review conclusion\n%s", r.Conclusion)
	return b.String()
}
