package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"planexe/internal/plan"
)

// names looks for scenarios, levers, options and bodies that are referred to and do not exist.
func names(r *run, res *result) {
	scenarioNames(r, res)
	leverNames(r, res)
	bodyNames(r, res)
}

func scenarioNames(r *run, res *result) {
	c, ok := decode[plan.Candidates](r, plan.CandidateScenarios)
	s, chosen := decode[plan.Selection](r, plan.SelectedScenario)
	if !ok || len(c.Scenarios) == 0 {
		return
	}
	known := nameSet{}
	for _, x := range c.Scenarios {
		known.add(x.Name)
	}
	if chosen {
		said := []string{s.Choice.Name}
		for _, a := range s.Assessments {
			said = append(said, a.Name)
		}
		for _, name := range said[:min(len(said), maxNames)] {
			res.looked++
			if !known.has(name) {
				res.add(plan.SeverityError, r.find(plan.Scenarios, name), name, fmt.Sprintf("There is no scenario “%s”.", shorten(name)))
			}
		}
	}
	vital, ok := decode[plan.Vital](r, plan.VitalLevers)
	if !ok || len(vital.Levers) == 0 {
		return
	}
	options := map[string][]string{}
	for _, l := range vital.Levers {
		options[nameKey(l.Name)] = l.Options
	}
	for _, x := range c.Scenarios {
		for _, set := range x.Settings {
			if res.looked++; res.looked > maxNames {
				return
			}
			at := r.find(plan.Scenarios, set.Option)
			if at.section == "" {
				at.section = x.Name
			}
			have, ok := options[nameKey(set.Lever)]
			if !ok {
				res.add(plan.SeverityError, at, set.Lever, fmt.Sprintf("The scenario “%s” sets a lever that is none of the vital ones.", shorten(x.Name)))
			} else if len(have) > 0 && !slices.ContainsFunc(have, func(o string) bool { return nameKey(o) == nameKey(set.Option) }) {
				res.add(plan.SeverityWarning, at, set.Option, fmt.Sprintf("The scenario “%s” sets the lever “%s” to an option it does not have.", shorten(x.Name), shorten(set.Lever)))
			}
		}
	}
}

// codeSpan is a name as decisions write those of levers.
var codeSpan = regexp.MustCompile("`([^`\n]{3,100})`")

// leverNames reads what levers say about each other: other levers stand there in backticks.
func leverNames(r *run, res *result) {
	levers, ok := decode[plan.Enriched](r, plan.EnrichedLevers)
	if !ok || len(levers.Levers) == 0 {
		return
	}
	known := nameSet{}
	for _, l := range levers.Levers {
		known.add(l.Name)
	}
	v, _ := decode[plan.Vital](r, plan.VitalLevers)
	for _, l := range v.Levers {
		known.add(l.Name)
		for _, text := range []string{l.Synergy, l.Conflict} {
			for _, m := range codeSpan.FindAllStringSubmatch(text[:min(len(text), 4000)], -1) {
				res.looked++
				if !known.has(m[1]) {
					at := block{file: plan.Decisions.Name, section: l.Name}
					res.add(plan.SeverityWarning, at, m[1], fmt.Sprintf("There is no lever “%s”.", shorten(m[1])))
				}
			}
		}
	}
}

// bodyNames reads the escalation matrix: what a question is taken to must be a body of the
// governance, its sponsor, or someone that governance or team name.
func bodyNames(r *run, res *result) {
	bodies, ok := decode[plan.GovernanceBodies](r, plan.BodiesRaw)
	m, matrix := decode[struct {
		Issues []struct {
			Type  string `json:"issue_type"`
			Level string `json:"escalation_level"`
		} `json:"decision_escalation_matrix"`
	}](r, plan.EscalationRaw)
	if !ok || !matrix || len(bodies.Bodies) == 0 {
		return
	}
	people := r.people()
	people.line(bodies.Sponsor)
	for _, b := range bodies.Bodies {
		people.line(b.Name)
	}
	for _, i := range m.Issues[:min(len(m.Issues), maxNames)] {
		res.looked++
		if !people.know(i.Level) {
			at := r.find(plan.Escalation, i.Type)
			at.section = i.Type
			res.add(plan.SeverityError, at, i.Level, fmt.Sprintf("Governance knows no “%s” to take this question to.", shorten(i.Level)))
		}
	}
}

// nameSet holds names as they compare: by letters and digits.
type nameSet map[string]bool

func nameKey(name string) string {
	var parts []string
	for _, w := range words(name) {
		parts = append(parts, w.fold)
	}
	return strings.Join(parts, " ")
}

func (s nameSet) add(name string)      { s[nameKey(name)] = true }
func (s nameSet) has(name string) bool { return s[nameKey(name)] }
