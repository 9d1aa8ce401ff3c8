package team

import (
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Review asks what the team lacks and what would make it work better.
var Review = step.Ask[critique]{
	Name:  "review_team",
	About: "What the team lacks and what would make it work better",
	Needs: base(),
	Uses:  step.Docs(plan.RelatedResources),
	Data:  step.Docs(plan.TeamEnvironment),
	Vars: func(w *step.Work) (any, error) {
		members, err := read(w, plan.TeamEnvironment)
		return map[string]any{"Members": rolesPage(members)}, err
	},
	Raw: plan.TeamReview,
}

type critique struct {
	Omissions    []issue `json:"omissions" count:"0-5"`
	Improvements []issue `json:"potential_improvements" count:"0-5"`
}

type issue struct {
	Issue          string `json:"issue"`
	Explanation    string `json:"explanation"`
	Recommendation string `json:"recommendation"`
}
