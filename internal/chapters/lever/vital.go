package lever

import (
	"context"
	"fmt"
	"slices"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// FocusOnVitalFew rates all levers and picks the few that decide how the plan ends.
var FocusOnVitalFew = step.Func{
	Name:    "focus_on_vital_few_levers",
	About:   "The few levers that decide the outcome",
	Prompts: []string{"focus_on_vital_few_levers"},
	Needs:   step.Docs(plan.Prompt, plan.PurposePage, plan.PlanTypePage),
	Data:    step.Docs(plan.EnrichedLevers),
	Writes:  step.Docs(plan.VitalLevers),
	Calls:   step.Once,
	Run:     focusOnVitalFew,
}

type ratings struct {
	Assessments []rating `json:"lever_assessments"`
	Summary     string   `json:"summary"`
}

type rating struct {
	ID            string `json:"lever_id"`
	Name          string `json:"lever_name"`
	Justification string `json:"justification"` // before the rating: a model should argue first
	Importance    string `json:"strategic_importance" enum:"Critical,High,Medium,Low"`
}

// importances are the ratings, most important first.
var importances = []string{"Critical", "High", "Medium", "Low"}

func focusOnVitalFew(ctx context.Context, w *step.Work) error {
	levers, err := read(w, plan.EnrichedLevers, enriched)
	if err != nil {
		return err
	}
	counts, err := w.Counts()
	if err != nil {
		return err
	}
	few := counts.VitalLevers
	got, err := step.Question[ratings]{
		Prompt: "focus_on_vital_few_levers",
		Vars:   map[string]any{"Levers": sheet(levers, labelled(levers)), "Count": len(levers)},
		Rules:  []schema.Rule{schema.EachOnce("lever_assessments.lever_id", labels(len(levers))...)},
		Check:  checkRatings(few),
	}.Ask(ctx, w)
	if err != nil {
		return err
	}
	var raw plan.Vital
	raw.Response.Assessments = assessments(levers, got.Value.Assessments)
	raw.Response.Summary = got.Value.Summary
	raw.Levers = choose(levers, raw.Response.Assessments, few)
	return w.WriteRaw(plan.VitalLevers, raw, got.Source)
}

func checkRatings(few int) func(*ratings) []schema.Problem {
	return func(a *ratings) []schema.Problem {
		n := 0
		for _, r := range a.Assessments {
			if r.Importance == importances[0] {
				n++
			}
		}
		if n <= few {
			return nil
		}
		return []schema.Problem{{
			Path: "lever_assessments", Found: fmt.Sprintf("%d levers rated Critical", n), Want: fmt.Sprintf("at most %d", few), Soft: true,
		}}
	}
}

// assessments puts the files' ids and names into the ratings.
func assessments(levers []plan.Lever, list []rating) []plan.LeverAssessment {
	out := make([]plan.LeverAssessment, len(list))
	ids := labels(len(levers))
	for i, r := range list {
		out[i] = plan.LeverAssessment{ID: r.ID, Name: step.Line(r.Name), Importance: r.Importance, Justification: r.Justification}
		if at := slices.Index(ids, r.ID); at >= 0 {
			out[i].ID, out[i].Name = levers[at].ID, levers[at].Name
		}
	}
	return out
}

// choose picks the few levers that matter most, the more important first, and returns them in their old order. Ids that
// are unknown or stand twice count for nothing; levers without a rating fill up.
func choose(levers []plan.Lever, list []plan.LeverAssessment, few int) []plan.Lever {
	var order []string
	for _, importance := range importances {
		for _, a := range list {
			if a.Importance == importance {
				order = append(order, a.ID)
			}
		}
	}
	for _, l := range levers {
		order = append(order, l.ID)
	}
	chosen := map[string]bool{}
	for _, id := range order {
		known := slices.ContainsFunc(levers, func(l plan.Lever) bool { return l.ID == id })
		if known && len(chosen) < few {
			chosen[id] = true
		}
	}
	var out []plan.Lever
	for _, l := range levers {
		if chosen[l.ID] {
			l.Justification = "" // of deduplication, which is of no use from here on
			out = append(out, l)
		}
	}
	return out
}
