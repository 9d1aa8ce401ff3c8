package summary

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/schedule"
	"planexe/internal/step"
)

// OpeningPage judges the plan in a few lines, each with the document it rests on. It stands beside
// the executive summary and not behind it, so that a plan takes no longer for it; its prompt is much
// shorter.
var OpeningPage = step.Func{
	Name:    "opening_page",
	About:   "Go or no go, cost, finish, the biggest risk, and what to do on Monday",
	Prompts: []string{"opening_page"},
	Needs:   step.Docs(plan.Prompt),
	Uses:    step.Docs(plan.AssumptionsShort, plan.ProjectPlan, plan.ReviewPlan, plan.Premortem, plan.SelfAudit),
	UsesRaw: step.Docs(plan.TeamEnvironment, plan.GanttTable, plan.Schedule),
	Writes:  step.Docs(plan.Opening),
	Calls:   step.Once,
	Run:     open,
}

// material are the labels of the documents of the question: those an answer can rest on.
var material = []string{"prompt", "assumptions", "project_plan", "review_plan", "premortem", "self_audit", "team", "schedule"}

func open(ctx context.Context, w *step.Work) error {
	table, err := w.Text(plan.GanttTable)
	if err != nil {
		return err
	}
	team, err := step.Maybe(w, plan.TeamEnvironment)
	if err != nil {
		return err
	}
	finish, err := finish(w)
	if err != nil {
		return err
	}
	var rules []schema.Rule
	for _, line := range []string{"reasons", "conditions", "cost", "biggest_risk", "monday"} {
		rules = append(rules, schema.OneOf(line+".document", material...))
	}
	got, err := step.Question[plan.Judgement]{
		Prompt: "opening_page",
		Vars:   map[string]string{"Schedule": plan.SummarizeGantt(table), "Range": describe(finish), "Team": roster(team)},
		Rules:  rules, Check: checkConditions,
	}.Ask(ctx, w)
	if err != nil {
		return err
	}
	settle(&got.Value)
	return w.WriteRaw(plan.Opening, plan.OpeningPage{Judgement: got.Value, Finish: finish}, got.Source)
}

// checkConditions asks once more when verdict and conditions do not fit each other.
func checkConditions(j *plan.Judgement) []schema.Problem {
	p := schema.Problem{Path: "conditions", Soft: true}
	switch n := len(j.Conditions); {
	case n == 0 && j.Verdict == plan.VerdictConditions:
		p.Found, p.Want = "an empty list", "the conditions of the verdict go_with_conditions"
	case n > 0 && j.Verdict != plan.VerdictConditions:
		p.Found, p.Want = fmt.Sprintf("%d items", n), "an empty list, as the verdict is "+j.Verdict
	default:
		return nil
	}
	return []schema.Problem{p}
}

// settle makes one of a verdict and conditions that contradict each other when asking again has not helped: a
// condition that was named is not passed over, and where there is none, nobody reads that there is one.
func settle(j *plan.Judgement) {
	switch {
	case j.Verdict == plan.VerdictGo && len(j.Conditions) > 0:
		j.Verdict = plan.VerdictConditions
	case j.Verdict == plan.VerdictNo:
		j.Conditions = []plan.Sourced{}
	}
}

// finish computes when the work ends; nil without a schedule.
func finish(w *step.Work) (*plan.Finish, error) {
	text, err := w.Text(plan.Schedule)
	if err != nil || text == "" {
		return nil, err
	}
	var s schedule.Schedule
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, fmt.Errorf("%s does not hold what it should: %w", plan.Schedule.Name, err)
	}
	f := plan.Finish{
		Start: s.Calendar.Start(0).Format(time.DateOnly), WorkingDays: s.Calendar.WorkingDays,
		Days: [3]float64{s.Duration.Shortest, s.Duration.Likely, s.Duration.Longest},
	}
	for i, days := range f.Days {
		f.Dates[i] = s.Calendar.Last(0, days).Format(time.DateOnly)
	}
	titles := map[string]string{}
	for _, r := range s.Rows {
		titles[r.ID] = step.Line(r.Title)
	}
	for _, d := range s.Fixed {
		f.Fixed = append(f.Fixed, plan.FixedEnd{Task: titles[d.Task], Date: d.Date, Likely: d.Finish.Likely})
	}
	return &f, nil
}

// describe tells a model the range, and how the dates of the request are kept.
func describe(f *plan.Finish) string {
	if f == nil {
		return ""
	}
	text := fmt.Sprintf("From %s to %s at the earliest, %s most likely, %s at the latest.", f.Start, f.Dates[0], f.Dates[1], f.Dates[2])
	for _, x := range f.Fixed {
		text += fmt.Sprintf(" “%s” has to be done by %s and likely is on %s.", x.Task, x.Date, x.Likely)
	}
	return text
}

// roster names the roles of the team, so that a first action is given to somebody there is.
func roster(team []plan.TeamMember) string {
	var b strings.Builder
	for _, m := range team {
		fmt.Fprintf(&b, "- %s: %s\n", step.Line(m.Category), step.Line(m.Count))
	}
	return b.String()
}
