package chaptertest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm/demo"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/step"
)

// TestScale has whole plans made for undertakings of different size: each has as much of everything as its size
// allows, and an errand gets no committees.
func TestScale(t *testing.T) {
	t.Parallel()
	for _, scale := range []plan.Scale{plan.Trivial, plan.Small, plan.Large} {
		t.Run(string(scale), func(t *testing.T) {
			t.Parallel()
			r := chaptertest.Case{
				Chapters: run.Chapters()[1:], Model: demo.New(0, 1), Env: step.Env{Demo: true}, // all but the one that finds out the size
				Given: map[plan.Artifact]string{
					plan.StartTime: `{"server_iso_utc":"2026-01-03T09:00:00Z","server_iso_local":"2026-01-03T10:00:00+01:00","server_timezone_name":"Europe/Paris"}`,
					plan.Prompt:    "Plan:\nMake a cup of coffee for a guest.\n\nToday's date:\n2026-Jan-03\n\nProject start ASAP",
					plan.KeyFacts:  `{"language":"en","scale":"` + string(scale) + `"}`,
				},
			}.Run(t)
			r.MustDo(t)
			c := scale.Counts()
			for _, list := range []struct {
				file plan.Artifact
				path string
				want plan.Range
			}{
				{plan.PotentialLevers, "", plan.Range{Min: c.VitalLevers, Max: c.LeverRounds * c.Levers}},
				{plan.VitalLevers, "levers", plan.Range{Min: 1, Max: c.VitalLevers}},
				{plan.TeamFound, "", c.Team},
				{plan.BodiesRaw, "internal_governance_bodies", c.Bodies},
				{plan.GovernanceSetupRaw, "governance_implementation_plan", c.SetupSteps},
				{plan.EscalationRaw, "decision_escalation_matrix", c.Escalations},
				{plan.MonitoringRaw, "monitoring_progress", c.Watched},
				{plan.DocumentsToFind, "", plan.Range{Min: 1, Max: c.ToFind.Max}},
				{plan.DocumentsToCreate, "", plan.Range{Min: 1, Max: c.ToCreate.Max}},
				{plan.Experts, "", plan.Range{Min: 1, Max: c.ExpertRounds * c.Experts.Max}},
				{plan.WBS2, "", plan.Range{Min: 1, Max: c.Phases.Max}},
			} {
				if n := length(t, r.Read(t, list.file), list.path); n < list.want.Min || n > list.want.Max {
					t.Errorf("%s %s has %d items, want %s", list.file.Artifact().Name, list.path, n, list.want)
				}
			}
			if n := len(r.Asked["potential_levers"]); n != c.LeverRounds {
				t.Errorf("%d rounds of levers, want %d", n, c.LeverRounds)
			}
			alone := strings.Contains(r.Asked["governance_phase2_bodies"][0].Messages[0].Content, "Nothing of this becomes a board")
			if alone != (scale == plan.Trivial) {
				t.Errorf("a %s plan is told to do without boards: %v", scale, alone)
			}
		})
	}
}

// length counts the items of the list at a member of a JSON object, or of the list that the file is.
func length(t *testing.T, data []byte, member string) int {
	t.Helper()
	var list []json.RawMessage
	if member != "" {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(data, &object); err != nil {
			t.Fatal(err)
		}
		data = object[member]
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return len(list)
}
