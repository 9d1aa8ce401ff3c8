package team

import (
	"context"
	"fmt"
	"slices"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Find asks for the roles that together can carry the plan out.
var Find = step.Func{
	Name:    "find_team_members",
	About:   "The roles that together can carry the plan out",
	Prompts: []string{"find_team_members"},
	Needs:   base(),
	Uses:    step.Docs(plan.RelatedResources),
	Writes:  step.Docs(plan.TeamFoundRaw, plan.TeamFound),
	Calls:   step.Once,
	Run:     find,
}

type found struct {
	Roles []role `json:"brainstorm_of_needed_team_members"`
}

// role asks for the number of people in parts, so that it can be relied on.
type role struct {
	Title        string `json:"job_category_title"`
	Explanation  string `json:"short_explanation"`
	Min          int    `json:"people_min" range:"0-"`
	Max          int    `json:"people_max" range:"0-"`
	Dependence   string `json:"people_depend_on" empty:"ok"`
	Consequences string `json:"consequences_of_not_having_this_role"`
}

// people writes the number as a reader wants it: "2", or "2-4: depends on the season".
func (r role) people() string {
	low, high := r.bounds()
	text := fmt.Sprint(low)
	if low != high {
		text += fmt.Sprintf("-%d", high)
	}
	if r.Dependence != "" {
		text += ": " + r.Dependence
	}
	return text
}

// bounds are the least and the most people, in whatever order they were given: at least one.
func (r role) bounds() (low, high int) { return max(1, min(r.Min, r.Max)), max(1, r.Min, r.Max) }

type rawRole struct {
	Title        string `json:"job_category_title"`
	Explanation  string `json:"short_explanation"`
	People       string `json:"people_needed"`
	Consequences string `json:"consequences_of_not_having_this_role"`
	Min          int    `json:"people_min"` // our addition, as is Max
	Max          int    `json:"people_max"`
}

func find(ctx context.Context, w *step.Work) error {
	counts, err := w.Counts()
	if err != nil {
		return err
	}
	got, err := step.Question[found]{
		Prompt: "find_team_members", Check: checkRoles,
		Sizes: map[string]plan.Range{"brainstorm_of_needed_team_members": counts.Team},
	}.Ask(ctx, w)
	if err != nil {
		return err
	}
	var raw struct {
		Roles []rawRole `json:"brainstorm_of_needed_team_members"`
	}
	var members []plan.TeamMember
	for i, r := range got.Value.Roles {
		low, high := r.bounds()
		raw.Roles = append(raw.Roles, rawRole{r.Title, r.Explanation, r.people(), r.Consequences, low, high})
		members = append(members, plan.TeamMember{
			ID: i + 1, Category: step.Line(r.Title), Explanation: r.Explanation, Consequences: r.Consequences, Count: r.people(),
		})
	}
	if err := w.WriteRaw(plan.TeamFoundRaw, raw, got.Source); err != nil {
		return err
	}
	return w.WriteJSON(plan.TeamFound, apart(members))
}

func checkRoles(a *found) []schema.Problem {
	var out []schema.Problem
	for i, r := range a.Roles {
		at := fmt.Sprintf("brainstorm_of_needed_team_members[%d]", i)
		same := func(o role) bool { return step.Fold(o.Title) == step.Fold(r.Title) }
		if slices.ContainsFunc(a.Roles[:i], same) {
			out = append(out, schema.Problem{Path: at + ".job_category_title", Found: fmt.Sprintf("the title %q once more", r.Title), Want: "a title that no other role has", Soft: true})
		}
	}
	return out
}

// apart numbers members of equal titles, so that readers can tell them apart.
func apart(members []plan.TeamMember) []plan.TeamMember {
	total, seen := map[string]int{}, map[string]int{}
	for _, m := range members {
		total[step.Fold(m.Category)]++
	}
	for i := range members {
		if key := step.Fold(members[i].Category); total[key] > 1 {
			seen[key]++
			members[i].Category += fmt.Sprintf(" (%d)", seen[key])
		}
	}
	return members
}
