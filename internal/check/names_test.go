package check

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/plan"
)

// Ensure that scenarios, levers, options and bodies that nobody defined are found.
func TestNames(t *testing.T) {
	t.Parallel()
	in := files{
		plan.CandidateScenarios.Name: `{"scenarios":[{"scenario_name":"The Fast Way","lever_settings":{"Lease":"Buy the shop","Hiring":"x"}},{"scenario_name":"The Slow Way","lever_settings":{"lease":"rent the shop."}},{"scenario_name":"Third","lever_settings":{"Lease":"steal it"}}]}`,
		plan.SelectedScenario.Name:   `{"scenario_assessments":[{"scenario_name":"the fast way"},{"scenario_name":"The Middle Way"}],"final_choice":{"chosen_scenario_name":"The Slow Way."}}`,
		plan.VitalLevers.Name:        "{\"levers\":[{\"name\":\"Lease\",\"options\":[\"Buy the shop\",\"Rent the shop\"],\"synergy_text\":\"Helps `Oven Choice`, not `Permits`.\"}]}",
		plan.EnrichedLevers.Name:     `{"characterized_levers":[{"name":"Lease"},{"name":"Oven choice"}]}`,
		plan.BodiesRaw.Name:          `{"internal_governance_bodies":[{"name":"Steering Committee"}],"sponsor_role":"The baker's mother"}`,
		plan.EscalationRaw.Name: `{"decision_escalation_matrix":[{"issue_type":"a","escalation_level":"Steering Committee"},{"issue_type":"b","escalation_level":"the baker’s mother"},
			{"issue_type":"c","escalation_level":"Head Baker"},{"issue_type":"d","escalation_level":"Board of Directors"}]}`,
		plan.Team.Name: "## 1. Head Baker\n\nBakes.",
	}
	want := []string{
		"error: There is no scenario “The Middle Way”.",
		"error: The scenario “The Fast Way” sets a lever that is none of the vital ones.",
		"warning: The scenario “Third” sets the lever “Lease” to an option it does not have.",
		"warning: There is no lever “Permits”.",
		"error: Governance knows no “Board of Directors” to take this question to.",
	}
	if diff := cmp.Diff(want, found(in, "name")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := found(files{plan.EscalationRaw.Name: in[plan.EscalationRaw.Name]}, "name"); got != nil {
		t.Errorf("without governance: %q", got)
	}
}

// Ensure that roles are known by their words, in any order and number.
func TestRoles(t *testing.T) {
	t.Parallel()
	in := files{
		plan.Team.Name:   "## 1. Sleep Postdoctoral Researcher (Night)\n\nx\n\n## 2. Bäcker\n\nBackt.",
		plan.Prompt.Name: "Plan:\nMy uncle keeps the books.",
		plan.MonitoringRaw.Name: `{"monitoring_progress":[{"approach":"a","responsible_role":"Postdoctoral Researchers (Sleep), Uncle"},{"approach":"b","responsible_role":"Bäcker / Lotse"},
			{"approach":"c","responsible_role":"Lotse"}]}`,
		plan.PremortemRaw.Name: `{"failure_modes":[{"failure_mode_title":"Fire","owner":"Head of Engineering"}]}`,
	}
	want := []string{"note: Nobody in team, governance or project plan is “Lotse”.", "note: Nobody in team, governance or project plan is “Head of Engineering”."}
	if diff := cmp.Diff(want, found(in, "role")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
