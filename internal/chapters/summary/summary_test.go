package summary

import (
	"strings"
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

func summarized(t *testing.T, table string) *chaptertest.Run {
	t.Helper()
	given := map[plan.Artifact]string{plan.Prompt: "Plan:\nOpen a bakery", plan.GanttTable: table}
	for _, a := range ExecutiveSummary.Uses {
		given[a] = a.Artifact().Title
	}
	given[plan.Assessment] = `{"go_no_go_recommendation":"Execute Immediately"}`
	r := chaptertest.Case{
		Chapters: []step.Chapter{only(ExecutiveSummary)}, Given: given,
		Answer: func(llm.Request, int) any {
			return summary{
				"For the baker.", "Who bakes at night?", "Bread by May.", "There will be:\n- an oven\n- a shop", "10 days, 300,000 EUR.",
				"No permit.", "- Baker: ask for the permit by day 2.\nThen wait.", "Go ahead.", "Prices.",
			}
		},
	}.Run(t)
	r.MustDo(t)
	return r
}

func TestExecutiveSummary(t *testing.T) {
	t.Parallel()
	r := summarized(t, "project_key,project_name,project_start_date,project_end_date,project_parent\nR,Bakery,1/3/2026,1/13/2026,\nP,Rent a shop,1/3/2026,1/9/2026,R\n")
	chaptertest.Golden(t, "executive_summary", r.Read(t, plan.Summary))
	const keys = "audience_tailoring focus_and_context purpose_and_goals key_deliverables_and_outcomes timeline_and_budget risks_and_mitigations action_orientation overall_takeaway feedback markdown metadata"
	if got := chaptertest.Keys(t, r.Read(t, plan.SummaryRaw)); got != keys {
		t.Errorf("the raw file has keys\n%s, want\n%s", got, keys)
	}
	if asked := r.Asked["executive_summary"][0].Messages[1].Content; !strings.Contains(asked, "2026-01-03 to 2026-01-12, 10 days: Bakery\n2026-01-03 to 2026-01-08, 6 days: Rent a shop\n") {
		t.Errorf("the question does not name the dates:\n%s", asked)
	}
}

func TestWithoutSchedule(t *testing.T) {
	t.Parallel()
	r := summarized(t, "no table")
	if asked := r.Asked["executive_summary"][0].Messages[1].Content; !strings.Contains(asked, "There is no computed schedule.") {
		t.Errorf("the question does not say that the schedule is missing:\n%s", asked)
	}
}

func TestSpaceLists(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a:\n- x\n- y":           "a:\n\n- x\n- y\n",
		"a:\n\n- x\n\nb":         "a:\n\n- x\n\nb",
		"- x\nb":                 "- x\n\nb",
		"a\nb":                   "a\nb",
		"a\n- x\n  - y\n- z\nb":  "a\n\n- x\n  - y\n- z\n\nb",
		"- x\n## h\n- y\n\n## h": "- x\n\n## h\n\n- y\n\n## h",
		"":                       "",
	} {
		if got := spaceLists(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		dir.SamePage(t, plan.Summary, chaptertest.Load[summary](t, dir, plan.SummaryRaw).Markdown())
	})
}
