package governance

import (
	"fmt"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// Extra checks the parts of the chapter against each other and asks what its authors would rather
// not be asked.
var Extra = step.Ask[extra]{
	Name:  "governance_phase6_extra",
	About: "Whether the governance fits together, and the questions it has to stand",
	Needs: base(),
	Uses:  step.Docs(plan.AuditDetailsRaw, plan.BodiesRaw, plan.GovernanceSetupRaw, plan.EscalationRaw, plan.MonitoringRaw),
	Sizes: func(c plan.Counts) map[string]plan.Range {
		return map[string]plan.Range{"governance_validation_checks": c.Checks, "tough_questions": c.Questions}
	},
	Raw:  plan.GovernanceExtraRaw,
	Page: plan.GovernanceExtra,
}

type extra struct {
	Checks    []string `json:"governance_validation_checks"`
	Questions []string `json:"tough_questions"`
	Summary   string   `json:"summary"`
}

// Markdown is read by people.
func (a extra) Markdown() string {
	return "## Governance Validation Checks\n\n" + numbered(a.Checks) + "\n## Tough Questions\n\n" + numbered(a.Questions) + "\n## Summary\n\n" + a.Summary
}

func numbered(items []string) string {
	var b strings.Builder
	for i, s := range items {
		fmt.Fprintf(&b, "%d. %s\n", i+1, step.Line(s))
	}
	return b.String()
}
