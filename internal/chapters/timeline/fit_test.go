package timeline

import (
	"encoding/json"
	"strings"
	"testing"

	"planexe/internal/plan"
	"planexe/internal/schedule"
)

func ptr[T any](v T) *T { return &v }

// fixedGiven is a plan of two tasks, 3 and 4 days one after the other, with two dates that it misses.
func fixedGiven() map[plan.Artifact]string {
	return map[plan.Artifact]string{
		plan.Durations: days, plan.Dependencies: wait, plan.KeyFacts: `{"deadline":"the oven ordered by 28 November 2026","demands":["We sign the lease by 26 November 2026"]}`,
	}
}

var (
	lease = fixedDate{"We sign the lease by 26 November 2026", "T1", "2026-11-26"}
	oven  = fixedDate{"the oven ordered by 28 November 2026", "T2", "2026-11-28"}
)

func scheduleOf(t *testing.T, read func(*testing.T, plan.Artifact) []byte) schedule.Schedule {
	t.Helper()
	var s schedule.Schedule
	if err := json.Unmarshal(read(t, plan.Schedule), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Ensure that changes keep the dates, that the second round sees what is still late, and that the
// schedule and its page tell of dates and measures.
func TestMeetDates(t *testing.T) {
	t.Parallel()
	shorter := change{Task: "T1", Measure: "The baker signs at once.", Days: ptr(1)}
	overlap := change{Task: "T2", Measure: "The oven is ordered while the lease is read.", Predecessor: ptr("T1"), Type: ptr("SS")}
	r := run(t, fixedGiven(), func(round int) any {
		return fitting{[]fixedDate{lease, oven}, []change{shorter, overlap}[:round]}
	})
	asked := r.Asked["meet_fixed_dates"]
	if len(asked) != 2 {
		t.Fatalf("asked %d times", len(asked))
	}
	first, second := asked[0].Messages[1].Content, asked[1].Messages[3].Content
	if want := "T2 Order the oven: 4 days, shortest 1; 2026-11-28 to 2026-12-01; waits for T1; critical"; !strings.Contains(first, want) {
		t.Errorf("the table lacks %q:\n%s", want, first)
	}
	if want := "“Order the oven” has to end by 2026-11-28 and ends on 2026-11-30, 2 days too late."; !strings.Contains(second, want) {
		t.Errorf("the second round lacks %q:\n%s", want, second)
	}
	s := scheduleOf(t, r.Read)
	if len(s.Fixed) != 2 || s.Fixed[0].Late.Likely != 0 || s.Fixed[1].Late.Likely != 0 || s.Fixed[1].Finish.Likely != "2026-11-28" {
		t.Errorf("fixed dates %+v", s.Fixed)
	}
	// The likely 1 day is below the shortest 2, which stands.
	if s.Rows[2].Days() != 2 || s.Deadline == nil || s.Deadline.Task != "a2" || len(s.Measures) != 2 || len(r.Notes) != 0 {
		t.Errorf("rows %+v, deadline %+v, measures %q, notes %+v", s.Rows, s.Deadline, s.Measures, r.Notes)
	}
	page := string(r.Read(t, plan.GanttOverview))
	for _, want := range []string{"for “Order the oven” (stated: “the oven ordered by 28 November 2026”)", "What is done to keep these dates", "The baker signs at once."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// Ensure that a date that cannot be kept is told, with the better of the two rounds, and that what a model
// makes up is left out.
func TestDatesThatCannotBeKept(t *testing.T) {
	t.Parallel()
	r := run(t, fixedGiven(), func(round int) any {
		f := fitting{Dates: []fixedDate{lease, oven, {"by Christmas", "T1", "2026-12-24"}, {lease.Words, "T1", "soon"}}, Changes: []change{}}
		if round == 1 {
			f.Changes = []change{
				{Task: "T1", Measure: "m", Days: ptr(2)}, {Task: "T1", Measure: "longer", Days: ptr(9)},
				{Task: "T1", Measure: "no such link", Predecessor: ptr("T2"), Type: ptr("none")}, {Task: "T2", Measure: "nothing"},
			}
		}
		return f
	})
	s := scheduleOf(t, r.Read)
	if len(s.Fixed) != 2 || s.Fixed[0].Late.Likely != 0 || s.Fixed[1].Late.Likely != 2 {
		t.Errorf("fixed dates %+v", s.Fixed)
	}
	var notes []string
	for _, n := range r.Notes {
		notes = append(notes, n.Note)
	}
	all := strings.Join(notes, "\n")
	for _, want := range []string{"fixed dates or changes of the schedule were left out", "“Order the oven” has to end by 2026-11-28 and ends on 2026-11-30, 2 days too late"} {
		if !strings.Contains(all, want) {
			t.Errorf("notes lack %q:\n%s", want, all)
		}
	}
}

// Ensure that nobody is asked when the request names no date, or when everything is laid end to end.
func TestNoDates(t *testing.T) {
	t.Parallel()
	for facts, options := range map[string]string{`{"deadline":"soon"}`: `{}`, `{"demands":["cheap"]}`: `{}`, `{"deadline":"by 28 November 2026"}`: `{"waterfall":true}`} {
		given := fixedGiven()
		given[plan.KeyFacts], given[plan.ScheduleOptions] = facts, options
		r := run(t, given, nil)
		if n := len(r.Asked["meet_fixed_dates"]); n != 0 {
			t.Errorf("%s: asked %d times", facts, n)
		}
	}
}
