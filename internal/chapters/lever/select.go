package lever

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Select describes the plan, scores each scenario against that and chooses the one to follow.
var Select = step.Func{
	Name:    "select_scenario",
	About:   "The scenario that the plan follows",
	Prompts: []string{"select_scenario"},
	Needs:   step.Docs(plan.Prompt, plan.PurposePage, plan.PlanTypePage),
	Data:    step.Docs(plan.EnrichedLevers, plan.VitalLevers, plan.CandidateScenarios),
	Writes:  step.Docs(plan.SelectedScenarioRaw, plan.SelectedScenario),
	Calls:   step.Once,
	Run:     selectScenario,
}

type selection struct {
	Profile     profile `json:"plan_characteristics"`
	Assessments []fit   `json:"scenario_assessments"`
	Choice      choice  `json:"final_choice"`
}

type profile struct {
	Ambition   string `json:"ambition_and_scale"`
	Risk       string `json:"risk_and_novelty"`
	Complexity string `json:"complexity_and_constraints"`
	Domain     string `json:"domain_and_tone"`
	Holistic   string `json:"holistic_profile_of_the_plan"`
}

// fit and choice name scenarios by a short id; the files have the names in full. The assessment stands
// before the score, since a model should argue first.
type fit struct {
	ID         string `json:"scenario_number"`
	Assessment string `json:"fit_assessment"`
	Score      int    `json:"fit_score" range:"1-10"`
}

type choice struct {
	ID      string   `json:"chosen_scenario"`
	Reasons []string `json:"justification" count:"3-5"`
}

func scenarioID(i int) string { return "S" + strconv.Itoa(i+1) }

func selectScenario(ctx context.Context, w *step.Work) error {
	all, err := read(w, plan.EnrichedLevers, enriched)
	if err != nil {
		return err
	}
	few, err := read(w, plan.VitalLevers, vital)
	if err != nil {
		return err
	}
	found, err := step.Read(w, plan.CandidateScenarios)
	if err != nil {
		return err
	}
	if err := checkScenarios(found.Scenarios); err != nil {
		return fmt.Errorf("%s: %w: correct the file or run its step again", plan.CandidateScenarios.Name, err)
	}
	var ids []string
	for i := range found.Scenarios {
		ids = append(ids, scenarioID(i))
	}
	got, err := step.Question[selection]{
		Prompt: "select_scenario",
		Vars:   map[string]any{"Levers": sheet(few, newFrame(all, few).byUUID), "Scenarios": scenarioSheet(found)},
		Rules:  []schema.Rule{schema.EachOnce("scenario_assessments.scenario_number", ids...), schema.OneOf("chosen_scenario", ids...)},
		Check:  checkSelection,
	}.Ask(ctx, w)
	if err != nil {
		return err
	}
	clean := named(got.Value, found.Scenarios)
	raw := struct {
		Response plan.Selection `json:"response"`
	}{clean}
	if err := w.WriteRaw(plan.SelectedScenarioRaw, raw, got.Source); err != nil {
		return err
	}
	return w.WriteJSON(plan.SelectedScenario, clean)
}

func checkScenarios(list []plan.Scenario) error {
	if len(list) == 0 {
		return errors.New("it holds no scenarios")
	}
	seen := map[string]bool{}
	for i, s := range list {
		if s.Name == "" || seen[step.Fold(s.Name)] {
			return fmt.Errorf("scenario %d has no name of its own", i+1)
		}
		seen[step.Fold(s.Name)] = true
	}
	return nil
}

// checkSelection asks again when the choice does not follow from the scores.
func checkSelection(a *selection) []schema.Problem {
	best, chosen := 0, 0
	for _, f := range a.Assessments {
		best = max(best, f.Score)
		if f.ID == a.Choice.ID {
			chosen = f.Score
		}
	}
	if chosen == best {
		return nil
	}
	return []schema.Problem{{
		Path:  "final_choice.chosen_scenario",
		Found: fmt.Sprintf("%s with a score of %d, while another has %d", a.Choice.ID, chosen, best), Want: "the scenario with the highest score", Soft: true,
	}}
}

// named turns an answer into what the files hold: scenarios by name, in their order, each assessed
// once. A choice that is none of them becomes the one with the highest score.
func named(a selection, list []plan.Scenario) plan.Selection {
	var out plan.Selection
	out.Profile = a.Profile
	best := -1
	for i, s := range list {
		at := slices.IndexFunc(a.Assessments, func(f fit) bool { return f.ID == scenarioID(i) })
		if at >= 0 {
			f := a.Assessments[at]
			out.Assessments = append(out.Assessments, plan.ScenarioFit{Name: s.Name, Score: f.Score, Assessment: f.Assessment})
			if f.Score > best {
				best, out.Choice.Name = f.Score, s.Name
			}
		}
	}
	for i, s := range list {
		if scenarioID(i) == a.Choice.ID {
			out.Choice.Name = s.Name
		}
	}
	out.Choice.Justification = strings.TrimSuffix(step.Bullets(unmark(a.Choice.Reasons)), "\n")
	return out
}

// scenarioSheet shows the scenarios to a model under their short ids.
func scenarioSheet(c plan.Candidates) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nCore tension: %s\n", step.Line(c.Title), step.Line(c.Tension))
	for i, s := range c.Scenarios {
		fmt.Fprintf(&b, "\n%s: %s\nLogic: %s\n%s", scenarioID(i), step.Line(s.Name), step.Line(s.Logic), settingLines(s.Settings))
	}
	return b.String()
}
