package expert

import (
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// PreProjectAssessment asks two reviewers what must be done at once and whether to go ahead.
// Their names stay in the raw file: later steps would take them for people of the project.
var PreProjectAssessment = step.Ask[assessment]{
	Name:   "pre_project_assessment",
	About:  "What must be done at once, and whether to go ahead",
	Needs:  step.Docs(plan.Prompt, plan.Decisions, plan.Scenarios, plan.AssumptionsShort),
	Raw:    plan.AssessmentRaw,
	Writes: step.Docs(plan.Assessment),
	Then: func(w *step.Work, got llm.Answer[assessment]) error {
		return w.WriteJSON(plan.Assessment, got.Value.clean())
	},
}

type assessment struct {
	Delivery       reviewer `json:"expert1"`
	Safety         reviewer `json:"expert2"`
	Summary        string   `json:"combined_summary"`
	Recommendation string   `json:"go_no_go_recommendation"`
}

type reviewer struct {
	Title    string     `json:"expert_title"`
	Name     string     `json:"expert_full_name"`
	Feedback []feedback `json:"feedback_item_list" count:"4"`
}

type feedback struct {
	Index       int    `json:"feedback_index"`
	Title       string `json:"feedback_title"`
	Description string `json:"feedback_description"`
}

func (a assessment) clean() plan.PreProject {
	out := plan.PreProject{Recommendation: a.Recommendation, Summary: a.Summary, Feedback: []plan.Feedback{}}
	for _, r := range []reviewer{a.Delivery, a.Safety} {
		for _, f := range r.Feedback {
			out.Feedback = append(out.Feedback, plan.Feedback{Title: f.Title, Description: f.Description})
		}
	}
	return out
}
