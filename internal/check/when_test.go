package check

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/plan"
)

// Ensure that dates are read in the forms of several languages.
func TestFindDates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"by 2027-03-05 17:00": "2027-03-05", "2026-Mar-11": "2026-03-11", "5.3.2027": "2027-03-05", "5. März 2027": "2027-03-05", "le 1er août 2027": "2027-08-01",
		"5 de mayo de 2027": "2027-05-05", "March 5th, 2027": "2027-03-05", "2027年3月5日": "2027-03-05", "in May 2027": "2027-05-31", "im Februar 2028": "2028-02-29",
		"Q4 2029": "2029-12-31", "2029-Q1": "2029-03-31", "2027年2月": "2027-02-28", "décembre 2027": "2027-12-31",
		"version 1.2.3": "", "12.50": "", "year 2027": "", "30 February 2027": "", "2027-13-40": "", "section 5.3": "",
	} {
		got := ""
		for _, s := range findDates(text, nil) {
			got += s.to.Format(time.DateOnly)
		}
		if got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

// Ensure that a deadline is read as the last day that keeps it.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for stated, want := range map[string]string{ // a schedule from 3 January to 31 August 2026, at the earliest 5 July
		"by 2026-08-31": "", "by August 30, 2026": "2026-08-30", "within six months": "2026-07-05", "binnen 9 Monaten": "", "en trois mois": "2026-04-04",
		"2026": "", "Ende 2025": "2025-12-31", "Q2 2026": "2026-06-30", "3か月以内": "2026-04-04", "before June": "2026-06-30", "by 15 May": "2026-05-15", "as soon as possible": "",
		"in two or three weeks": "2026-01-24", "by Christmas": "", "it may change": "",
	} {
		facts, err := json.Marshal(plan.Facts{Deadline: stated})
		if err != nil {
			t.Fatal(err)
		}
		got := found(files{
			plan.KeyFacts.Name: string(facts),
			plan.Schedule.Name: `{"duration":{"shortest":183,"likely":240},"rows":[{"depth":0,"start":"2026-01-03","last":"2026-08-31"}]}`,
		}, "deadline")
		switch limit, err := time.Parse(time.DateOnly, want); {
		case want == "" && len(got) == 0:
		case err == nil && len(got) == 1 && limit.Before(day(2026, 7, 5)):
			if w := fmt.Sprintf("error: The schedule ends on 2026-08-31, at the earliest on 2026-07-05; the stated deadline is %s.", want); got[0] != w {
				t.Errorf("%q: found %q, want %q", stated, got, w)
			}
		case err == nil && len(got) == 1 && got[0] == fmt.Sprintf("error: The schedule ends on 2026-08-31; the stated deadline is %s.", want):
		default:
			t.Errorf("%q: found %q, want %q", stated, got, want)
		}
	}
}

// Ensure that plan and summary may not name a much shorter time than the schedule takes.
func TestTimeline(t *testing.T) {
	t.Parallel()
	for text, wrong := range map[string]bool{
		"The shop opens within 6 months.": true, "The shop opens within 2 years.": false, "Done by Q4 2027, the first phase by May 2026.": false,
		"Fertig in sechs Monaten.": true, "La boutique ouvre en juin 2026.": true, "半年で完成する。6か月以内。": true, "We may begin early.": false, "Money is tight.": false, "About 11 months.": false,
	} {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		got := found(files{
			plan.GanttTable.Name:     "project_key,project_name,project_start_date,project_end_date,project_parent\nR,Bakery,1/3/2026,1/3/2027,\n",
			plan.ProjectPlanRaw.Name: fmt.Sprintf(`{"smart_criteria":{"time_bound":%s}}`, quoted),
			plan.ProjectPlan.Name:    "## SMART Criteria\n\n- **Time-bound:** " + text,
		}, "timeline")
		if (len(got) == 1) != wrong || len(got) > 1 {
			t.Errorf("%q: found %q", text, got)
		}
	}
}

// Ensure that days without place in a calendar and tasks in the past are found, history is not.
func TestDates(t *testing.T) {
	t.Parallel()
	in := files{
		plan.StartTime.Name:   `{"server_iso_local":"2026-03-11T10:00:00+01:00"}`,
		plan.Prompt.Name:      "Plan:\nThe flood of 2 May 2025.\n\nToday's date:\n2026-Mar-11",
		plan.ProjectPlan.Name: "Done by 2027-02-30. Since 5 May 2024 the law is in force.",
		plan.Assessment.Name:  `{"combined_summary":"By 2026-03-18.","feedback":[{"title":"Rent","description":"* Sign by 2025-04-01.\n* After the flood of 2 May 2025.\n* Under the law of 27 April 2016.\n* Today, 2026-03-11."}]}`,
	}
	want := []string{"error: There is no day 2027-02-30.", "warning: The day 2025-04-01 lies before the start of the plan, 2026-03-11."}
	if diff := cmp.Diff(want, found(in, "date")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
