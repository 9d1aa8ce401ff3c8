package lever

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// ScenariosPage writes the chosen scenario, why it was chosen, and the other ones.
var ScenariosPage = step.Func{
	Name:   "scenarios_markdown",
	About:  "The page of scenarios",
	Data:   step.Docs(plan.CandidateScenarios, plan.SelectedScenario),
	Writes: step.Docs(plan.Scenarios),
	Run: func(_ context.Context, w *step.Work) error {
		found, err := step.Read(w, plan.CandidateScenarios)
		if err != nil {
			return err
		}
		selected, err := step.Read(w, plan.SelectedScenario)
		if err != nil {
			return err
		}
		page, err := scenariosPage(found.Scenarios, selected)
		if err != nil {
			return err
		}
		return w.WritePage(plan.Scenarios, page)
	},
}

// scenariosPage fails when the choice is none of the scenarios, as after an edit by hand: all that
// follows would be planned without a chosen path.
func scenariosPage(list []plan.Scenario, sel plan.Selection) (string, error) {
	chosen := slices.IndexFunc(list, func(s plan.Scenario) bool { return step.Fold(s.Name) == step.Fold(sel.Choice.Name) })
	if chosen < 0 {
		return "", fmt.Errorf("%s chooses the scenario %q, which %s does not hold: write the name of one that it holds, or run select_scenario again",
			plan.SelectedScenario.Name, sel.Choice.Name, plan.CandidateScenarios.Name)
	}
	var b strings.Builder
	b.WriteString("# Choosing Our Strategic Path\n## The Strategic Context\nWhat the plan is after and what holds it back decide which path suits it.\n\n")
	p := sel.Profile
	for _, line := range [][2]string{
		{"Ambition and Scale", p.Ambition}, {"Risk and Novelty", p.Risk}, {"Complexity and Constraints", p.Complexity},
		{"Domain and Tone", p.Domain}, {"Holistic Profile", p.Holistic},
	} {
		fmt.Fprintf(&b, "**%s:** %s\n\n", line[0], line[1])
	}
	scenario := func(s plan.Scenario, assessment string) {
		fmt.Fprintf(&b, "### %s\n**Strategic Logic:** %s\n\n", step.Line(s.Name), s.Logic)
		if at := slices.IndexFunc(sel.Assessments, func(f plan.ScenarioFit) bool { return step.Fold(f.Name) == step.Fold(s.Name) }); at >= 0 {
			f := sel.Assessments[at]
			fmt.Fprintf(&b, "**Fit Score:** %d/10\n\n**%s:** %s\n\n", f.Score, assessment, f.Assessment)
		}
		fmt.Fprintf(&b, "**Key Strategic Decisions:**\n\n%s", settingLines(s.Settings))
	}
	b.WriteString("---\n## The Path Forward\nOf the scenarios, this one suits the plan best. The rest of the plan follows it.\n\n")
	scenario(list[chosen], "Why This Path Was Chosen")
	fmt.Fprintf(&b, "\n**The Decisive Factors:**\n\n%s\n\n---\n## Alternative Paths", strings.TrimSpace(sel.Choice.Justification))
	for i, s := range list {
		if i != chosen {
			b.WriteByte('\n')
			scenario(s, "Assessment of this Path")
		}
	}
	return b.String(), nil
}

// settingLines lists what a scenario sets each lever to.
func settingLines(list plan.Settings) string {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "- **%s:** %s\n", step.Line(s.Lever), step.Line(s.Option))
	}
	return b.String()
}
