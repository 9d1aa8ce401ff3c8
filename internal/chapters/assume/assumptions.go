package assume

import (
	"fmt"
	"regexp"
	"strings"

	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// MakeAssumptions asks the questions a planner would ask and answers them by assumption.
var MakeAssumptions = step.Ask[assumptions]{
	Name:   "make_assumptions",
	About:  "The questions a planner would ask, answered by assumption",
	Needs:  step.Docs(plan.Prompt, plan.PurposePage, plan.PlanTypePage, plan.Decisions, plan.Scenarios, plan.Locations, plan.Currency, plan.Risks),
	Raw:    plan.AssumptionsRaw,
	Page:   plan.AssumptionsPage,
	Writes: step.Docs(plan.Assumptions),
	Then: func(w *step.Work, got llm.Answer[assumptions]) error {
		return w.WriteJSON(plan.Assumptions, got.Value.clean())
	},
}

type assumptions struct {
	List []assumption `json:"question_assumption_list" count:"8"`
}

type assumption struct {
	Index      int    `json:"item_index"`
	Question   string `json:"question"`
	Assumption string `json:"assumptions"`
	Assessment string `json:"assessments"`
}

// label begins every assumption in the JSON; other tools look for it there.
const label = "Assumption: "

var anyLabel = regexp.MustCompile(`(?i)^[*_]*assumption[*_]*:[*_ ]*`)

// labelled puts the label in front, whether the model wrote it, wrote it otherwise, or forgot it.
func (a assumption) labelled() string {
	return label + anyLabel.ReplaceAllString(a.Assumption, "")
}

func (a assumptions) clean() []plan.Assumption {
	out := []plan.Assumption{}
	for _, x := range a.List {
		out = append(out, plan.Assumption{Question: x.Question, Assumption: x.labelled(), Assessment: x.Assessment})
	}
	return out
}

// Markdown is what people and later prompts read, with the label said once.
func (a assumptions) Markdown() string {
	var parts []string
	for i, x := range a.List {
		parts = append(parts, fmt.Sprintf("\n## Question %d - %s\n\n**Assumptions:** %s\n\n**Assessments:** %s", i+1, x.Question, strings.TrimPrefix(x.labelled(), label), x.Assessment))
	}
	return strings.Join(parts, "\n")
}
