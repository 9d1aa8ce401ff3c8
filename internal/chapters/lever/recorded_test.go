package lever

import (
	"encoding/json"
	"strings"
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/plan"
)

func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		all := chaptertest.Load[plan.Enriched](t, dir, plan.EnrichedLevers)
		few := chaptertest.Load[plan.Vital](t, dir, plan.VitalLevers)
		found := chaptertest.Load[plan.Candidates](t, dir, plan.CandidateScenarios)
		selected := chaptertest.Load[plan.Selection](t, dir, plan.SelectedScenario)
		if err := check(all.Levers); err != nil {
			t.Errorf("recorded levers do not pass: %v", err)
		}
		dir.SamePage(t, plan.Decisions, decisionsPage(all.Levers, few))
		page, err := scenariosPage(found.Scenarios, selected)
		if err != nil {
			t.Fatal(err)
		}
		dir.SamePage(t, plan.Scenarios, page)

		type settings struct {
			Scenarios []struct {
				Settings json.RawMessage `json:"lever_settings"`
			} `json:"scenarios"`
		}
		raw := chaptertest.Load[settings](t, dir, plan.CandidateScenarios)
		if got, want := len(found.Scenarios[0].Settings), strings.Count(string(raw.Scenarios[0].Settings), `": "`); got != want {
			t.Errorf("read %d settings of the first scenario, want %d", got, want)
		}
	})
}
