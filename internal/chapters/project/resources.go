package project

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// RelatedResources asks which real undertakings the person can learn from, and where to read on.
var RelatedResources = step.Func{
	Name:    "related_resources",
	About:   "Real undertakings to learn from, and where to read on",
	Prompts: []string{"related_resources"},
	Needs:   step.Docs(plan.Prompt, plan.Decisions, plan.Scenarios, plan.AssumptionsShort, plan.ProjectPlan),
	Writes:  step.Docs(plan.RelatedResourcesRaw, plan.RelatedResources),
	Calls:   step.Once,
	Run: func(ctx context.Context, w *step.Work) error {
		counts, err := w.Counts()
		if err != nil {
			return err
		}
		got, err := step.Question[resources]{
			Prompt: "related_resources", Check: checkResources, Sizes: map[string]plan.Range{"suggestion_list": counts.Like},
		}.Ask(ctx, w)
		if err != nil {
			return err
		}
		v := got.Value.tidy()
		if err := w.WriteRaw(plan.RelatedResourcesRaw, v, got.Source); err != nil {
			return err
		}
		return w.WritePage(plan.RelatedResources, v.Markdown())
	},
}

type resources struct {
	// An empty list is right where a model knows of nothing real.
	Suggestions []suggestion `json:"suggestion_list" empty:"ok"`
	Summary     string       `json:"summary"`
}

type suggestion struct {
	Index       int      `json:"item_index"`
	Name        string   `json:"project_name"`
	Kind        string   `json:"kind" enum:"primary,secondary"` // our addition
	Description string   `json:"project_description"`
	Success     []string `json:"success_metrics" count:"0-5"`
	Challenges  []string `json:"risks_and_challenges_faced" count:"0-5"`
	Sources     []string `json:"where_to_find_more_information" count:"1-5"`
	Steps       []string `json:"actionable_steps" count:"1-5"`
	Rationale   string   `json:"rationale_for_suggestion"`
}

func checkResources(a *resources) []schema.Problem {
	var found []schema.Problem
	check := func(at string, items []string) {
		for i, item := range items {
			if _, dropped := withoutContacts(item); len(dropped) > 0 {
				found = append(found, schema.Problem{
					Path: fmt.Sprintf("%s[%d]", at, i), Found: strings.Join(dropped, ", "),
					Want: "an organisation and words to search for; no e-mail addresses, no personal profiles, no broken links", Soft: true,
				})
			}
		}
	}
	for i, s := range a.Suggestions {
		check(fmt.Sprintf("suggestion_list[%d].where_to_find_more_information", i), s.Sources)
		check(fmt.Sprintf("suggestion_list[%d].actionable_steps", i), s.Steps)
	}
	return found
}

// tidy puts the primary suggestions first, numbers them, and takes out links that are none and
// addresses of people.
func (a resources) tidy() resources {
	list := slices.Clone(a.Suggestions)
	slices.SortStableFunc(list, func(x, y suggestion) int { return cmp.Compare(x.Kind, y.Kind) }) // p < s
	for i := range list {
		s := &list[i]
		s.Index, s.Name = i+1, step.Line(s.Name)
		s.Sources, s.Steps = clean(s.Sources), clean(s.Steps)
	}
	a.Suggestions = list
	return a
}

func clean(items []string) []string {
	out := []string{}
	for _, item := range items {
		if item, _ = withoutContacts(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// Markdown says of links that nobody has followed them.
func (a resources) Markdown() string {
	var b strings.Builder
	for i, s := range a.Suggestions {
		sources := slices.Clone(s.Sources)
		for j, item := range sources {
			if address.MatchString(item) {
				sources[j] += " (not verified)"
			}
		}
		fmt.Fprintf(&b, "## Suggestion %d - %s\n\n%s\n\n", i+1, s.Name, s.Description)
		for _, part := range []struct {
			title string
			items []string
		}{{"Success Metrics", s.Success}, {"Risks and Challenges Faced", s.Challenges}, {"Where to Find More Information", sources}, {"Actionable Steps", s.Steps}} {
			fmt.Fprintf(&b, "### %s\n\n%s\n", part.title, step.Bullets(part.items))
		}
		fmt.Fprintf(&b, "### Rationale for Suggestion\n\n%s\n", s.Rationale)
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	return b.String() + "## Summary\n\n" + a.Summary
}
