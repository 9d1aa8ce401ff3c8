package lever

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Potential collects levers in one conversation of up to three rounds, so that each round knows the
// levers before it and looks elsewhere.
var Potential = step.Func{
	Name:    "potential_levers",
	About:   "Decisions of the plan that can be set one way or another",
	Prompts: []string{"potential_levers"},
	Needs:   step.Docs(plan.Prompt, plan.PurposePage, plan.PlanTypePage),
	Writes:  step.Docs(plan.PotentialLeversRaw, plan.PotentialLevers),
	Calls:   step.Calls(1, 1, 1),
	Run:     findPotential,
}

const maxOptions = 5 // of a lever

type proposals struct {
	Rationale string     `json:"strategic_rationale"`
	Levers    []proposal `json:"levers"`
	Summary   string     `json:"summary"`
}

type proposal struct {
	Index        int      `json:"lever_index"`
	Name         string   `json:"name"`
	Consequences string   `json:"consequences"`
	Options      []string `json:"options"`
	Review       string   `json:"review_lever"`
}

func findPotential(ctx context.Context, w *step.Work) error {
	counts, err := w.Counts()
	if err != nil {
		return err
	}
	chat, err := step.NewChat(w, "potential_levers", nil)
	if err != nil {
		return err
	}
	var raw struct {
		Responses []proposals           `json:"responses"`
		Levers    []plan.Lever          `json:"levers"`
		Metadata  map[string]llm.Source `json:"metadata"`
	}
	raw.Metadata = map[string]llm.Source{}
	for round := range counts.LeverRounds {
		if round > 0 {
			if err := chat.Add("more", map[string]any{"Names": names(raw.Levers)}); err != nil {
				return err
			}
		}
		got, err := step.Say(ctx, chat, step.Question[proposals]{
			Label: fmt.Sprintf("round/%d", round+1), Stage: round, Check: checkProposals(raw.Levers, counts.Levers),
			Rules: []schema.Rule{schema.CountOf("levers.options", 3, 3)}, // from cautious to bold: none may be cut off
			Sizes: map[string]plan.Range{"levers": {Min: counts.Levers, Max: counts.Levers}},
		})
		if err != nil {
			return err
		}
		raw.Responses = append(raw.Responses, got.Value)
		raw.Levers = append(raw.Levers, fresh(raw.Levers, got.Value.Levers, counts.Levers)...)
		raw.Metadata[fmt.Sprintf("metadata_%d", round+1)] = got.Source
	}
	for i := range raw.Levers {
		raw.Levers[i].ID = w.ID(i + 1)
	}
	if err := w.WriteJSON(plan.PotentialLeversRaw, raw); err != nil {
		return err
	}
	return w.WriteJSON(plan.PotentialLevers, raw.Levers)
}

func names(levers []plan.Lever) string {
	var b strings.Builder
	for _, l := range levers {
		b.WriteString(l.Name + "\n")
	}
	return b.String()
}

// fresh returns the usable levers of a round: at most so many, each with a name that is not taken and
// something to choose from.
func fresh(known []plan.Lever, list []proposal, most int) []plan.Lever {
	var out []plan.Lever
	for _, p := range list {
		options := distinct(unmark(p.Options))
		if len(out) == most || len(options) < 2 || taken(known, p.Name) || taken(out, p.Name) {
			continue
		}
		out = append(out, plan.Lever{
			Name: step.Line(p.Name), Consequences: p.Consequences, Options: options[:min(len(options), maxOptions)], Review: p.Review,
		})
	}
	return out
}

func taken(levers []plan.Lever, name string) bool {
	return slices.ContainsFunc(levers, func(l plan.Lever) bool { return step.Fold(l.Name) == step.Fold(name) })
}

var listMark = regexp.MustCompile(`^\s*(?:[-*•]|\(?\d{1,2}[.)]|\(?[A-Ea-e][.)])\s+`)

// unmark takes list marks away. Only when every item has one is it a mark and not content.
func unmark(items []string) []string {
	out := make([]string, len(items))
	for i, s := range items {
		mark := listMark.FindString(s)
		if mark == "" {
			return items
		}
		out[i] = s[len(mark):]
	}
	return out
}

func checkProposals(known []plan.Lever, most int) func(*proposals) []schema.Problem {
	return func(a *proposals) []schema.Problem {
		var found []schema.Problem
		for i, p := range a.Levers {
			at := fmt.Sprintf("levers[%d]", i)
			earlier := func(o proposal) bool { return step.Fold(o.Name) == step.Fold(p.Name) }
			if taken(known, p.Name) || slices.ContainsFunc(a.Levers[:i], earlier) {
				found = append(found, schema.Problem{
					Path: at + ".name", Found: fmt.Sprintf("the name %q once more", p.Name), Want: "a lever on a theme that no other lever has", Soft: true,
				})
			}
			if n := len(distinct(unmark(p.Options))); n < len(p.Options) {
				found = append(found, schema.Problem{
					Path: at + ".options", Found: fmt.Sprintf("%d different options", n), Want: "options that all differ", Soft: true,
				})
			}
		}
		if len(known) == 0 && len(fresh(nil, a.Levers, most)) == 0 {
			found = append(found, schema.Problem{Path: "levers", Found: "no lever with options to choose from", Want: "levers with options that differ"})
		}
		return found
	}
}
