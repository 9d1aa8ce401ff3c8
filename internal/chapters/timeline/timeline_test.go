package timeline

import (
	"encoding/json"
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/plan"
	"planexe/internal/schedule"
	"planexe/internal/step"
)

const (
	start = `{"server_iso_utc":"2026-11-25T10:00:00Z","server_iso_local":"2026-11-25T11:00:00+01:00","server_timezone_name":"CET"}`
	tree  = `{"wbs_project":{"id":"p","description":"Bakery","task_children":[{"id":"a","description":"Prepare","task_children":[
		{"id":"a1","description":"Sign the lease"},{"id":"a2","description":"Order the oven"}]}]}}`
	days = `[{"task_id":"a1","days_min":2,"days_realistic":3,"days_max":5},{"task_id":"a2","days_min":1,"days_realistic":4,"days_max":9}]`
	wait = `{"task_dependency_details":[{"dependent_task_id":"a2","depends_on_task_id_list":["a1"],"depends_on_task_explanation_list":["needs an address"]}]}`
)

// Ensure that tasks follow each other as stated, or in order when nothing is stated, that a stated date is day 0, and that neither
// durations nor dependencies are needed to make a schedule.
func TestCreateSchedule(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given  map[plan.Artifact]string
		day0   string
		likely float64
	}{
		"in a row":              {map[plan.Artifact]string{plan.Durations: days, plan.Dependencies: wait}, "2026-11-25", 7},
		"nothing stated":        {map[plan.Artifact]string{plan.Durations: days, plan.Dependencies: `{"task_dependency_details":[]}`}, "2026-11-25", 7},
		"with a stated start":   {map[plan.Artifact]string{plan.Durations: days, plan.Dependencies: wait, plan.KeyFacts: `{"scale":"small","start_date":"2027-03-01"}`}, "2027-03-01", 7},
		"with a start in words": {map[plan.Artifact]string{plan.Durations: days, plan.Dependencies: wait, plan.KeyFacts: `{"scale":"small","start_date":"in spring"}`}, "2026-11-25", 7},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.given[plan.StartTime], tc.given[plan.WBS], tc.given[plan.ProjectTitle] = start, tree, "Bakery"
			r := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: tc.given}.Run(t)
			r.MustDo(t)
			var s schedule.Schedule
			if err := json.Unmarshal(r.Read(t, plan.Schedule), &s); err != nil {
				t.Fatal(err)
			}
			if got := s.Rows[0].Start; got != tc.day0 || s.Duration.Likely != tc.likely {
				t.Errorf("starts on %s and takes %v days, want %s and %v", got, s.Duration.Likely, tc.day0, tc.likely)
			}
		})
	}
}
