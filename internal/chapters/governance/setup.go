package governance

import (
	"fmt"
	"strings"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Setup asks for the steps that bring the bodies into being.
var Setup = step.Ask[setup]{
	Name:  "governance_phase3_impl_plan",
	About: "The steps that bring the bodies into being",
	Needs: base(plan.BodiesRaw),
	Rules: func(w *step.Work) ([]schema.Rule, error) {
		names, _, err := read(w)
		if err != nil {
			return nil, err
		}
		counts, err := w.Counts()
		steps := counts.SetupSteps
		least := max(steps.Min, len(names))
		return []schema.Rule{ // milestones count the steps: none may be cut off
			schema.EachOnce("milestones.body", names...), schema.CountOf("governance_implementation_plan", least, max(steps.Max, least)),
		}, err
	},
	Check: checkSetup,
	Raw:   plan.GovernanceSetupRaw,
	Page:  plan.GovernanceSetup,
}

type setup struct {
	Steps []setupStep `json:"governance_implementation_plan"` // at least one per body
	// Milestones are our addition: with them it can be checked that no body works before it exists.
	Milestones []milestone `json:"milestones"`
}

type setupStep struct {
	Description  string   `json:"step_description"`
	Responsible  string   `json:"responsible_body_or_role"`
	Timeframe    string   `json:"suggested_timeframe"`
	Outputs      []string `json:"key_outputs_deliverables" count:"1-4"`
	Dependencies []string `json:"dependencies" count:"0-4"`
}

type milestone struct {
	Body      string `json:"body"`
	Confirmed int    `json:"members_confirmed_step_number" range:"1-"`
	KickOff   int    `json:"kick_off_step_number" range:"1-"`
}

func checkSetup(a *setup) []schema.Problem {
	var found []schema.Problem
	for i, m := range a.Milestones {
		at := fmt.Sprintf("milestones[%d]", i)
		switch {
		case max(m.Confirmed, m.KickOff) > len(a.Steps):
			found = append(found, schema.Problem{
				Path: at, Found: fmt.Sprintf("the steps %d and %d", m.Confirmed, m.KickOff),
				Want: fmt.Sprintf("numbers of steps in governance_implementation_plan, which has %d", len(a.Steps)), Soft: true,
			})
			continue
		case m.Confirmed > m.KickOff:
			found = append(found, schema.Problem{
				Path: at, Found: fmt.Sprintf("a first meeting in step %d, before its members are confirmed in step %d", m.KickOff, m.Confirmed),
				Want: "members confirmed first", Soft: true,
			})
		}
		for n, s := range a.Steps[:max(m.KickOff-1, 0)] {
			if step.Fold(s.Responsible) == step.Fold(m.Body) {
				found = append(found, schema.Problem{
					Path:  fmt.Sprintf("governance_implementation_plan[%d].responsible_body_or_role", n),
					Found: fmt.Sprintf("%q, which does not work before its first meeting in step %d", s.Responsible, m.KickOff),
					Want:  "a role or a body that exists by then", Soft: true,
				})
			}
		}
	}
	return found
}

// Markdown numbers the steps as the milestones do.
func (a setup) Markdown() string {
	var out []string
	for i, s := range a.Steps {
		out = append(out, fmt.Sprintf("### %d. %s\n\n**Responsible Body/Role:** %s\n\n**Suggested Timeframe:** %s\n\n", i+1, step.Line(s.Description), s.Responsible, s.Timeframe)+
			list("Key Outputs/Deliverables", s.Outputs)+
			strings.TrimRight(list("Dependencies", s.Dependencies), "\n"))
	}
	return strings.Join(out, "\n\n")
}
