package expert

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Review finds the professions that this plan should be shown to, in one conversation of at most
// two rounds, and lets the first of them criticise it. The page lists all, so that a person can go on.
var Review = step.Func{
	Name:    "expert_review",
	About:   "Specialists who should see the plan, and what the first of them say",
	Prompts: []string{"find_experts", "expert_criticism"},
	Needs:   step.Docs(plan.Prompt, plan.Decisions, plan.Scenarios, plan.AssumptionsShort, plan.Assessment, plan.ProjectPlan),
	Uses:    step.Docs(plan.SWOT),
	Writes:  step.Docs(plan.ExpertCriticism),
	Extras:  step.Docs(plan.ExpertsRaw, plan.Experts, plan.ExpertCriticismRaw),
	Calls:   step.Calls(1, 1, 2),
	Run:     reviewPlan,
}

type found struct {
	Experts []expert `json:"experts"`
}

type expert struct {
	Title     string `json:"expert_title"`
	Knowledge string `json:"expert_knowledge"`
	Why       string `json:"expert_why"`
	What      string `json:"expert_what"`
	Skills    string `json:"expert_relevant_skills"`
	Search    string `json:"expert_search_query"`
}

func reviewPlan(ctx context.Context, w *step.Work) error {
	counts, err := w.Counts()
	if err != nil {
		return err
	}
	experts, err := find(ctx, w, counts)
	if err != nil {
		return err
	}
	asked := experts[:min(len(experts), counts.Critics)]
	answers, err := step.All(ctx, asked, func(ctx context.Context, i int, e expert) (llm.Answer[criticism], error) {
		return step.Question[criticism]{
			Prompt: "expert_criticism", Label: fmt.Sprintf("criticism/%d", i+1), Stage: 2, Vars: e,
			Sizes: map[string]plan.Range{"negative_feedback_list": counts.Issues},
		}.Ask(ctx, w)
	})
	if err != nil {
		return fmt.Errorf("ask the experts found: %w", err)
	}
	var criticisms []criticism
	for i, a := range answers {
		c := a.Value.numbered()
		criticisms = append(criticisms, c)
		if err := w.WriteItem(plan.ExpertCriticismRaw, i+1, c, a.Source); err != nil {
			return err
		}
	}
	return w.WritePage(plan.ExpertCriticism, reviewPage(experts, criticisms))
}

// find returns at least one expert, with distinct titles, and writes their files.
func find(ctx context.Context, w *step.Work, counts plan.Counts) ([]expert, error) {
	chat, err := step.NewChat(w, "find_experts", nil)
	if err != nil {
		return nil, err
	}
	type source struct {
		llm.Source
		Count int `json:"expert_count"`
	}
	var raw struct {
		Experts  []expert          `json:"experts"`
		Metadata map[string]source `json:"metadata"`
	}
	raw.Metadata = map[string]source{}
	for round := range counts.ExpertRounds {
		if round > 0 {
			if err := chat.Add("more", map[string]any{"Titles": titles(raw.Experts)}); err != nil {
				return nil, err
			}
		}
		got, err := step.Say(ctx, chat, step.Question[found]{
			Label: fmt.Sprintf("finder/%d", round+1), Stage: round, Check: checkTitles(raw.Experts),
			Sizes: map[string]plan.Range{"experts": counts.Experts},
		})
		if err != nil {
			return nil, err
		}
		before := len(raw.Experts)
		for _, e := range got.Value.Experts {
			if e = e.lines(); !known(raw.Experts, e.Title) {
				raw.Experts = append(raw.Experts, e)
			}
		}
		raw.Metadata[fmt.Sprintf("result%d", round+1)] = source{got.Source, len(raw.Experts) - before}
	}
	if err := w.WriteJSON(plan.ExpertsRaw, raw); err != nil {
		return nil, err
	}
	return raw.Experts, w.WriteJSON(plan.Experts, listed(w, raw.Experts))
}

type listing struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Knowledge string `json:"knowledge"`
	Why       string `json:"why"`
	What      string `json:"what"`
	Skills    string `json:"skills"`
	Search    string `json:"search_query"`
}

func listed(w *step.Work, experts []expert) []listing {
	out := make([]listing, len(experts))
	for i, e := range experts {
		out[i] = listing{w.ID(i + 1), e.Title, e.Knowledge, e.Why, e.What, e.Skills, e.Search}
	}
	return out
}

// lines makes each text one line, and the search words fit for a search engine.
func (e expert) lines() expert {
	for _, text := range []*string{&e.Title, &e.Knowledge, &e.Why, &e.What, &e.Skills, &e.Search} {
		*text = step.Line(*text)
	}
	e.Search = strings.TrimRight(strings.NewReplacer(`"`, "", "“", "", "”", "", "„", "").Replace(e.Search), ".")
	return e
}

func checkTitles(earlier []expert) func(*found) []schema.Problem {
	return func(a *found) []schema.Problem {
		var out []schema.Problem
		for i, e := range a.Experts {
			if known(earlier, e.Title) || known(a.Experts[:i], e.Title) {
				out = append(out, schema.Problem{
					Path: fmt.Sprintf("experts[%d].expert_title", i), Found: fmt.Sprintf("the title %q once more", e.Title), Want: "a profession that has not been named", Soft: true,
				})
			}
		}
		return out
	}
}

func known(experts []expert, title string) bool {
	return slices.ContainsFunc(experts, func(e expert) bool { return strings.EqualFold(step.Line(e.Title), step.Line(title)) })
}

func titles(experts []expert) string {
	var b strings.Builder
	for _, e := range experts {
		b.WriteString(e.Title + "\n")
	}
	return b.String()
}
