package lever

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Candidates weaves the vital levers into three strategies that each hold together.
var Candidates = step.Func{
	Name:    "candidate_scenarios",
	About:   "Three ways to set the vital levers",
	Prompts: []string{"candidate_scenarios"},
	Needs:   step.Docs(plan.Prompt, plan.PurposePage, plan.PlanTypePage),
	Data:    step.Docs(plan.EnrichedLevers, plan.VitalLevers),
	Writes:  step.Docs(plan.CandidateScenariosRaw, plan.CandidateScenarios),
	Calls:   step.Once,
	Run:     findCandidates,
}

const scenarioCount = 3

type candidates struct {
	Title     string      `json:"analysis_title"`
	Tension   string      `json:"core_tension"`
	Scenarios []candidate `json:"scenarios" count:"3"`
}

type candidate struct {
	Name     string    `json:"scenario_name"`
	Logic    string    `json:"strategic_logic"`
	Settings []setting `json:"lever_settings"`
}

// setting is asked for by id and number, since not every provider takes objects with free keys and
// option texts come back changed.
type setting struct {
	ID     string `json:"lever_id"`
	Option string `json:"option"` // its number, from "1": a fixed list cannot be missed
}

// number returns the option's number, 0 when it is none.
func (s setting) number() int {
	n, _ := strconv.Atoi(s.Option)
	return n
}

func findCandidates(ctx context.Context, w *step.Work) error {
	all, err := read(w, plan.EnrichedLevers, enriched)
	if err != nil {
		return err
	}
	few, err := read(w, plan.VitalLevers, vital)
	if err != nil {
		return err
	}
	f := newFrame(all, few)
	got, err := step.Question[candidates]{
		Prompt: "candidate_scenarios",
		Vars:   map[string]any{"Levers": sheet(few, f.byUUID), "Ids": strings.Join(f.ids, ", ")},
		Rules: []schema.Rule{
			schema.EachOnce("scenarios.lever_settings.lever_id", f.ids...),
			schema.OneOf("scenarios.lever_settings.option", f.numbers()...),
		},
		Check: f.check,
	}.Ask(ctx, w)
	if err != nil {
		return err
	}
	clean := f.settle(got.Value)
	raw := struct {
		Response plan.Candidates `json:"response"`
	}{clean}
	if err := w.WriteRaw(plan.CandidateScenariosRaw, raw, got.Source); err != nil {
		return err
	}
	return w.WriteJSON(plan.CandidateScenarios, clean)
}

// frame is the levers that scenarios set, with the short ids they have on the page of decisions.
type frame struct {
	levers []plan.Lever
	ids    []string // in the order of levers
	byUUID map[string]string
}

func newFrame(all, few []plan.Lever) frame {
	f := frame{levers: few, byUUID: labelled(all)}
	for _, l := range few {
		if f.byUUID[l.ID] == "" { // a lever that a person added to the vital ones only
			f.byUUID[l.ID] = label(len(f.byUUID))
		}
		f.ids = append(f.ids, f.byUUID[l.ID])
	}
	return f
}

// numbers lists "1" to the number of options of the lever that has most.
func (f frame) numbers() []string {
	most := 1
	for _, l := range f.levers {
		most = max(most, len(l.Options))
	}
	var out []string
	for n := 1; n <= most; n++ {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

func (f frame) check(a *candidates) []schema.Problem {
	var found []schema.Problem
	bad := func(at, what, want string) {
		found = append(found, schema.Problem{Path: at, Found: what, Want: want, Soft: true})
	}
	for i, c := range a.Scenarios {
		at := fmt.Sprintf("scenarios[%d]", i)
		for j, s := range c.Settings {
			k := slices.Index(f.ids, s.ID)
			if k >= 0 && (s.number() < 1 || s.number() > len(f.levers[k].Options)) {
				bad(fmt.Sprintf("%s.lever_settings[%d].option", at, j), s.Option,
					fmt.Sprintf("the number of an option of %s, 1 to %d", s.ID, len(f.levers[k].Options)))
			}
		}
		for j, other := range a.Scenarios[:i] {
			if step.Fold(other.Name) == step.Fold(c.Name) {
				bad(at+".scenario_name", fmt.Sprintf("the name of scenarios[%d]", j), "a name of its own")
			}
			if slices.Equal(f.options(other), f.options(c)) {
				bad(at+".lever_settings", fmt.Sprintf("the settings of scenarios[%d]", j), "a scenario that differs in at least one lever")
			}
		}
	}
	return found
}

// options returns the index of the option that a scenario sets for each lever. A number that is too
// low or too high means the nearest option; a lever that is not set gets its middle one.
func (f frame) options(c candidate) []int {
	out := make([]int, len(f.levers))
	for i, l := range f.levers {
		last := len(l.Options) - 1
		out[i] = last / 2
		if at := slices.IndexFunc(c.Settings, func(s setting) bool { return s.ID == f.ids[i] }); at >= 0 {
			out[i] = min(max(c.Settings[at].number()-1, 0), last)
		}
	}
	return out
}

// settle turns an answer into what the files hold: at most three scenarios, names that differ, and
// each lever with the text of its option.
func (f frame) settle(a candidates) plan.Candidates {
	out := plan.Candidates{Title: a.Title, Tension: a.Tension, Scenarios: []plan.Scenario{}}
	for _, c := range a.Scenarios[:min(len(a.Scenarios), scenarioCount)] {
		s := plan.Scenario{Name: unusedName(out.Scenarios, c.Name), Logic: c.Logic, Settings: plan.Settings{}}
		for i, option := range f.options(c) {
			s.Settings = append(s.Settings, plan.Setting{Lever: f.levers[i].Name, Option: f.levers[i].Options[option]})
		}
		out.Scenarios = append(out.Scenarios, s)
	}
	return out
}

// unusedName takes emphasis and quotation marks off a name and numbers it when it stands already.
func unusedName(before []plan.Scenario, name string) string {
	name = strings.Trim(step.Line(name), " *\"“”„«»")
	unique := name
	for n := 2; slices.ContainsFunc(before, func(s plan.Scenario) bool { return step.Fold(s.Name) == step.Fold(unique) }); n++ {
		unique = fmt.Sprintf("%s (%d)", name, n)
	}
	return unique
}
