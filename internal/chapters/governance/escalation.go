package governance

import (
	"fmt"
	"slices"
	"strings"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Escalation asks what is passed upwards when it is too big for a level. It is not shown how the
// bodies are set up: models then list set-up steps instead of problems.
var Escalation = step.Ask[escalation]{
	Name:  "governance_phase4_decision_escalation_matrix",
	About: "What is passed upwards, to whom, and how it is decided there",
	Needs: base(plan.BodiesRaw),
	Rules: func(w *step.Work) ([]schema.Rule, error) {
		levels, sponsor, err := read(w)
		same := func(name string) bool { return step.Fold(name) == step.Fold(sponsor) }
		if !slices.ContainsFunc(levels, same) {
			levels = append(levels, sponsor)
		}
		return []schema.Rule{schema.OneOf("escalation_level", levels...)}, err
	},
	Sizes: func(c plan.Counts) map[string]plan.Range {
		return map[string]plan.Range{"decision_escalation_matrix": c.Escalations}
	},
	Raw:  plan.EscalationRaw,
	Page: plan.Escalation,
}

type escalation struct {
	Matrix []issue `json:"decision_escalation_matrix"`
}

type issue struct {
	Type         string `json:"issue_type"`
	Level        string `json:"escalation_level"`
	Process      string `json:"approval_process"`
	Rationale    string `json:"rationale"`
	Consequences string `json:"negative_consequences"`
}

// Markdown gives five lines per issue; the report keeps line breaks.
func (a escalation) Markdown() string {
	var out []string
	for _, x := range a.Matrix {
		out = append(out, fmt.Sprintf("**%s**\nEscalation Level: %s\nApproval Process: %s\nRationale: %s\nNegative Consequences: %s",
			step.Line(x.Type), step.Line(x.Level), step.Line(x.Process), step.Line(x.Rationale), step.Line(x.Consequences)))
	}
	return strings.Join(out, "\n\n")
}
