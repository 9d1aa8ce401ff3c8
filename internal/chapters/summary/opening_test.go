package summary

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// only is the chapter with one of its steps.
func only(s step.Step) step.Chapter {
	return step.Chapter{Name: Chapter.Name, Prompts: Chapter.Prompts, Steps: []step.Step{s}}
}

func judgement() plan.Judgement {
	amount := "280,000 to 310,000 EUR"
	s := plan.Sourced{Text: "The rent fits.", Document: "review_plan"}
	a := plan.FirstAction{Action: "Call the landlord.", Who: "Baker", Document: "team"}
	return plan.Judgement{
		Reasons: []plan.Sourced{s, s, s}, Verdict: plan.VerdictConditions, Conditions: []plan.Sourced{s},
		Cost:   plan.Cost{Amount: &amount, Basis: "Three quotes.", Document: "project_plan"},
		Risk:   plan.MainRisk{What: "No permit.", Sign: "No answer by day 5.", Answer: "Rent elsewhere.", Document: "premortem"},
		Monday: []plan.FirstAction{a, a, a},
	}
}

// judge runs the step over a plan with a schedule; answers are given round by round, the last one again.
func judge(t *testing.T, given map[plan.Artifact]string, answers ...any) *chaptertest.Run {
	t.Helper()
	all := map[plan.Artifact]string{
		plan.Prompt:          "Plan:\nOpen a bakery",
		plan.TeamEnvironment: `[{"id":1,"category":"Baker","count":"1"},{"id":2,"category":"Seller\n- x","count":"2"}]`,
		plan.GanttTable:      "project_key,project_name,project_start_date,project_end_date,project_parent\nR,Bakery,1/3/2026,1/13/2026,\n",
		plan.Schedule:        `{"calendar":{"day0":"2026-01-03T10:00:00+01:00","working_days":true},"duration":{"shortest":4,"likely":6.5,"longest":20}}`,
	}
	for _, a := range OpeningPage.Uses {
		all[a] = a.Artifact().Title
	}
	for a, text := range given {
		all[a] = text
	}
	return chaptertest.Case{
		Chapters: []step.Chapter{only(OpeningPage)}, Given: all,
		Answer: func(_ llm.Request, round int) any { return answers[min(round, len(answers))-1] },
	}.Run(t)
}

func page(t *testing.T, r *chaptertest.Run) (p plan.OpeningPage) {
	t.Helper()
	if err := json.Unmarshal(r.Read(t, plan.Opening), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// Ensure the judgement is kept as it was given, and the finish is computed and not asked for.
func TestOpeningPage(t *testing.T) {
	t.Parallel()
	r := judge(t, nil, judgement())
	r.MustDo(t)
	// Day 0, a Saturday, is no working day.
	want := plan.OpeningPage{Judgement: judgement(), Finish: &plan.Finish{
		Start: "2026-01-05", Dates: [3]string{"2026-01-08", "2026-01-13", "2026-01-30"}, Days: [3]float64{4, 6.5, 20}, WorkingDays: true,
	}}
	if d := cmp.Diff(want, page(t, r)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	asked := r.Asked["opening_page"][0].Messages[1].Content
	for _, want := range []string{
		"From 2026-01-05 to 2026-01-08 at the earliest, 2026-01-13 most likely, 2026-01-30 at the latest.\n2026-01-03 to 2026-01-12, 10 days: Bakery",
		"- Baker: 1\n- Seller - x: 2",
	} {
		if !strings.Contains(asked, want) {
			t.Errorf("the question does not say %q:\n%s", want, asked)
		}
	}
}

// Ensure a plan without schedule and team is judged all the same, and nothing is said about dates.
func TestOpeningPageWithoutSchedule(t *testing.T) {
	t.Parallel()
	r := judge(t, map[plan.Artifact]string{plan.Schedule: "", plan.GanttTable: "", plan.TeamEnvironment: "[]"}, judgement())
	r.MustDo(t)
	if f := page(t, r).Finish; f != nil {
		t.Errorf("finish %v, want none", f)
	}
	if asked := r.Asked["opening_page"][0].Messages[1].Content; !strings.Contains(asked, "There is no computed schedule") || strings.Contains(asked, "name=\"team\"") {
		t.Errorf("the question does not say that the schedule is missing:\n%s", asked)
	}
}

// Ensure a damaged schedule is an error and not a date.
func TestOpeningPageOfDamagedSchedule(t *testing.T) {
	t.Parallel()
	r := judge(t, map[plan.Artifact]string{plan.Schedule: "{"}, judgement())
	if len(r.Result.Failed) != 1 || !strings.Contains(r.Result.Failed[0].Reason.Message, plan.Schedule.Name) {
		t.Errorf("failed %v, want the schedule named", r.Result.Failed)
	}
}

// Ensure an answer that contradicts itself or names no document is asked for again.
func TestOpeningPageAsksAgain(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*plan.Judgement){
		"conditions without the verdict": func(j *plan.Judgement) { j.Verdict = plan.VerdictGo },
		"the verdict without conditions": func(j *plan.Judgement) { j.Conditions = nil },
		"two reasons":                    func(j *plan.Judgement) { j.Reasons = j.Reasons[:2] },
		"unknown document":               func(j *plan.Judgement) { j.Cost.Document = "the internet" },
		"unknown verdict":                func(j *plan.Judgement) { j.Verdict = "maybe" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := judgement()
			spoil(&first)
			r := judge(t, nil, first, judgement())
			r.MustDo(t)
			if n := len(r.Asked["opening_page"]); n != 2 {
				t.Errorf("asked %d times, want 2", n)
			}
			if d := cmp.Diff(judgement(), page(t, r).Judgement); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// Ensure that not knowing what the plan takes is an answer.
func TestOpeningPageOfUnknownCost(t *testing.T) {
	t.Parallel()
	j := judgement()
	j.Cost.Amount = nil
	r := judge(t, nil, j)
	r.MustDo(t)
	if n := len(r.Asked["opening_page"]); n != 1 || page(t, r).Cost.Amount != nil {
		t.Errorf("asked %d times, amount %v", n, page(t, r).Cost.Amount)
	}
}

// Ensure that no prompt of the chapter is left unasked by these tests.
func TestEveryPromptIsAsked(t *testing.T) {
	t.Parallel()
	chaptertest.MustAskAll(t, Chapter, summarized(t, "no table"), judge(t, nil, judgement()))
}

// Ensure that a model that goes on contradicting itself makes no page that does.
func TestOpeningPageSettles(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[string]string{plan.VerdictGo: plan.VerdictConditions, plan.VerdictNo: plan.VerdictNo} {
		j := judgement()
		j.Verdict = verdict
		r := judge(t, nil, j)
		r.MustDo(t)
		got := page(t, r)
		if got.Verdict != want || (len(got.Conditions) > 0) != (want == plan.VerdictConditions) {
			t.Errorf("%s with conditions becomes %s with %v", verdict, got.Verdict, got.Conditions)
		}
		if len(r.Notes) == 0 {
			t.Errorf("%s with conditions is not noted", verdict)
		}
	}
}
