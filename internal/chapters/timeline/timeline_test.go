package timeline

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/schedule"
	"planexe/internal/step"
)

const (
	request = "Plan:\nOpen a bakery.\nWe sign the lease by 26 November 2026 and have\nthe oven ordered by 28 November 2026.\n\nToday's date:\n2026-Nov-25\n\nProject start ASAP"
	start   = `{"server_iso_utc":"2026-11-25T10:00:00Z","server_iso_local":"2026-11-25T11:00:00+01:00","server_timezone_name":"CET"}`
	tree    = `{"wbs_project":{"id":"p","description":"Bakery","task_children":[{"id":"a","description":"Prepare","task_children":[
		{"id":"a1","description":"Sign the lease"},{"id":"a2","description":"Order the oven"}]}]}}`
	days = `[{"task_id":"a1","days_min":2,"days_realistic":3,"days_max":5},{"task_id":"a2","days_min":1,"days_realistic":4,"days_max":9}]`
	wait = `{"task_dependency_details":[{"dependent_task_id":"a2","depends_on_task_id_list":["a1"],"depends_on_task_explanation_list":["needs an address"]}]}`
	side = `{"task_dependency_details":[{"dependent_task_id":"a2","depends_on_task_id_list":["a1"],"depends_on_task_type_list":["SS"]}]}`
)

// run runs the chapter on a plan of two tasks, where nothing else is given. The model says that no date is
// fixed, where it is asked and no other answer is given.
func run(t *testing.T, given map[plan.Artifact]string, answer func(round int) any) *chaptertest.Run {
	t.Helper()
	for a, text := range map[plan.Artifact]string{plan.Prompt: request, plan.StartTime: start, plan.WBS: tree, plan.WBS12: tree, plan.ProjectTitle: "Bakery"} {
		if given[a] == "" {
			given[a] = text
		}
	}
	if answer == nil {
		answer = func(int) any { return fitting{Dates: []fixedDate{}, Changes: []change{}} }
	}
	r := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given, Answer: func(_ llm.Request, round int) any { return answer(round) }}.Run(t)
	r.MustDo(t)
	return r
}

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
		"with a start in words": {map[plan.Artifact]string{plan.Durations: days, plan.Dependencies: wait, plan.KeyFacts: `{"start_date":"on the 1st of March"}`}, "2027-03-01", 7},
		"with a vague start":    {map[plan.Artifact]string{plan.Durations: days, plan.Dependencies: wait, plan.KeyFacts: `{"start_date":"in spring"}`}, "2026-11-25", 7},
		"working days":          {map[plan.Artifact]string{plan.Durations: days, plan.Dependencies: wait, plan.ScheduleOptions: `{"working_days":true}`, plan.KeyFacts: `{"start_date":"2026-11-28"}`}, "2026-11-30", 7},
		"waterfall":             {map[plan.Artifact]string{plan.Durations: days, plan.Dependencies: side, plan.ScheduleOptions: `{"waterfall":true}`}, "2026-11-25", 7},
		"side by side":          {map[plan.Artifact]string{plan.Durations: days, plan.Dependencies: side}, "2026-11-25", 4},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, tc.given, nil)
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

// Ensure that a deadline that the likely finish misses is told, and a date that cannot be read.
func TestDates(t *testing.T) {
	t.Parallel()
	for facts, want := range map[string]string{
		`{"deadline":"by 30 November 2026"}`:                `the likely finish, 2026-12-01, misses the deadline "by 30 November 2026" (2026-11-30) by 1 day(s)`,
		`{"deadline":"within 1 week"}`:                      "",
		`{"start_date":"in spring","deadline":"by Easter"}`: `the stated start "in spring" is no date|the deadline "by Easter" is no date`,
	} {
		r := run(t, map[plan.Artifact]string{plan.Durations: days, plan.Dependencies: wait, plan.KeyFacts: facts}, nil)
		var notes []string
		for _, n := range r.Notes {
			notes = append(notes, n.Note)
		}
		parts := strings.FieldsFunc(want, func(r rune) bool { return r == '|' })
		if len(notes) != len(parts) {
			t.Errorf("%s: notes %q", facts, notes)
		}
		for i, part := range parts {
			if i < len(notes) && !strings.Contains(notes[i], part) {
				t.Errorf("%s: note %q, want %q", facts, notes[i], part)
			}
		}
	}
}

// Ensure that dependencies that cannot be kept are told in one note, by title.
func TestLeft(t *testing.T) {
	t.Parallel()
	r := run(t, map[plan.Artifact]string{
		plan.Durations:    days,
		plan.Dependencies: `{"task_dependency_details":[{"dependent_task_id":"a1","depends_on_task_id_list":["x","a1","a2"]},{"dependent_task_id":"a2","depends_on_task_id_list":["a1"]}]}`,
	}, nil)
	want := "the dependency of “Sign the lease” on “x” is left out: there is no activity \"x\"; 2 more, with reasons, in 026-4-schedule.json"
	if len(r.Notes) != 1 || r.Notes[0].Note != want {
		t.Errorf("notes %+v, want %s", r.Notes, want)
	}
}

// Ensure that a plan laid end to end has the dates of the recorded one, activity by activity, and that the parent
// is named where the other program names the activity before.
func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		given := map[plan.Artifact]string{plan.ScheduleOptions: `{"waterfall":true}`}
		for _, a := range step.Docs(plan.StartTime, plan.WBS, plan.WBS12, plan.ProjectTitle, plan.Durations, plan.Dependencies) {
			given[a] = string(dir.Read(t, a))
		}
		r := run(t, given, nil)
		got, want := table(t, r.Read(t, plan.GanttTable)), table(t, dir.Read(t, plan.GanttTable))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-recorded +ours):\n%s", plan.GanttTable.Name, diff)
		}
	})
}

// table is a Gantt table without the column of parents.
func table(t *testing.T, data []byte) [][]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		rows[i] = slices.Delete(row, 6, 7)
	}
	return rows
}
