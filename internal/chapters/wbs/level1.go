package wbs

import (
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Level1 asks for the root of the work breakdown: the plan's name, which the report bears too, and
// what is there in the end.
var Level1 = step.Ask[root]{
	Name:   "create_wbs_level1",
	About:  "The plan's title and what is there in the end",
	Needs:  step.Docs(plan.Prompt, plan.ProjectPlan),
	Check:  checkRoot,
	Raw:    plan.WBS1Raw,
	Writes: step.Docs(plan.WBS1, plan.ProjectTitle),
	Then: func(w *step.Work, got llm.Answer[root]) error {
		p := plan.Project{ID: w.ID(1), Title: title(got.Value.Title, "", shortTitle), Deliverable: title(got.Value.Deliverable, "", shortTitle)}
		if err := w.WriteJSON(plan.WBS1, p); err != nil {
			return err
		}
		return w.Write(plan.ProjectTitle.Name, []byte(p.Title))
	},
}

type root struct {
	Title       string `json:"project_title" words:"8"`
	Deliverable string `json:"final_deliverable" words:"8"`
}

func checkRoot(r *root) []schema.Problem {
	if title(r.Title, "", shortTitle) == "" {
		return []schema.Problem{{Path: "project_title", Found: "no words", Want: "the name of the plan in words"}}
	}
	return nil
}
