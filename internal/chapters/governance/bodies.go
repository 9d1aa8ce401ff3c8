package governance

import (
	"fmt"
	"slices"
	"strings"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Bodies asks who steers, who runs and who checks the plan.
var Bodies = step.Ask[bodies]{
	Name:  "governance_phase2_bodies",
	About: "Who steers, who runs and who checks the plan",
	Needs: base(),
	Uses:  step.Docs(plan.AuditDetails),
	Sizes: func(c plan.Counts) map[string]plan.Range {
		return map[string]plan.Range{"internal_governance_bodies": c.Bodies}
	},
	Check: checkBodies,
	Raw:   plan.BodiesRaw,
	Page:  plan.Bodies,
}

type bodies struct {
	Bodies  []body `json:"internal_governance_bodies"`
	Sponsor string `json:"sponsor_role"` // our addition: the end of every escalation
}

type body struct {
	Name             string   `json:"name"`
	Rationale        string   `json:"rationale_for_inclusion"`
	Responsibilities []string `json:"responsibilities" count:"1-8"`
	Setup            []string `json:"initial_setup_actions" count:"1-6"`
	Membership       []string `json:"membership" count:"1-12"`
	Rights           string   `json:"decision_rights"`
	Mechanism        string   `json:"decision_mechanism"`
	Cadence          string   `json:"meeting_cadence"`
	Agenda           []string `json:"typical_agenda_items" count:"1-8"`
	Escalation       string   `json:"escalation_path"`
	// Above is our addition. The list goes from the highest to the lowest, so that a number below a
	// body's own cannot make a circle.
	Above int `json:"escalates_to_number" range:"0-"`
}

// checkBodies sends every escalation upwards and asks for names that differ.
func checkBodies(a *bodies) []schema.Problem {
	var found []schema.Problem
	for i, b := range a.Bodies {
		at := fmt.Sprintf("internal_governance_bodies[%d]", i)
		if b.Above > i { // the next one above: the list goes from the highest to the lowest
			a.Bodies[i].Above = i
		}
		same := func(o body) bool { return step.Fold(o.Name) == step.Fold(b.Name) }
		if slices.ContainsFunc(a.Bodies[:i], same) {
			found = append(found, schema.Problem{
				Path: at + ".name", Found: fmt.Sprintf("the name %q once more", b.Name), Want: "a name that no other body has", Soft: true,
			})
		}
	}
	return found
}

// Markdown is read by people; later steps read the data.
func (a bodies) Markdown() string {
	var out []string
	for i, b := range a.Bodies {
		out = append(out, fmt.Sprintf("### %d. %s\n\n**Rationale for Inclusion:** %s\n\n", i+1, step.Line(b.Name), b.Rationale)+
			list("Responsibilities", b.Responsibilities)+
			list("Initial Setup Actions", b.Setup)+
			list("Membership", b.Membership)+
			fmt.Sprintf("**Decision Rights:** %s\n\n**Decision Mechanism:** %s\n\n**Meeting Cadence:** %s\n\n", b.Rights, b.Mechanism, b.Cadence)+
			list("Typical Agenda Items", b.Agenda)+
			"**Escalation Path:** "+b.Escalation)
	}
	return strings.Join(out, "\n")
}

// read returns the distinct names of the bodies, highest first, and the role above them. The file
// may have been edited by hand or come from a program that knows no sponsor.
func read(w *step.Work) (names []string, sponsor string, err error) {
	v, err := step.Read(w, plan.BodiesRaw)
	if err != nil {
		return nil, "", err
	}
	for _, b := range v.Bodies {
		same := func(o string) bool { return step.Fold(o) == step.Fold(b.Name) }
		if name := step.Line(b.Name); name != "" && !slices.ContainsFunc(names, same) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, "", fmt.Errorf("%s names no bodies: correct the file or run its step again", plan.BodiesRaw.Name)
	}
	if sponsor = step.Line(v.Sponsor); sponsor == "" {
		sponsor = "Sponsor"
	}
	return names, sponsor, nil
}
