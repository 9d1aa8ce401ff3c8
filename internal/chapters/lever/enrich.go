package lever

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Enrich describes each lever and how it plays together with the others, a few levers per call.
var Enrich = step.Func{
	Name:    "enrich_levers",
	About:   "What each lever controls, what it helps and what it hinders",
	Prompts: []string{"enrich_levers"},
	Needs:   step.Docs(plan.Prompt, plan.PurposePage, plan.PlanTypePage),
	Data:    step.Docs(plan.DeduplicatedLevers),
	Writes:  step.Docs(plan.EnrichedLevers),
	Calls:   func(z pipeline.Sizes) []int { return []int{(z.Levers + batchSize - 1) / batchSize} },
	Run:     enrich,
}

// batchSize is how many levers a call describes: short enough that an answer is not cut.
const batchSize = 5

type characterizations struct {
	List []characterization `json:"characterizations"`
}

type characterization struct {
	ID          string `json:"lever_id"`
	Description string `json:"description"`
	Synergy     string `json:"synergy_text"`
	Conflict    string `json:"conflict_text"`
}

func enrich(ctx context.Context, w *step.Work) error {
	levers, err := read(w, plan.DeduplicatedLevers, func(d plan.Deduplicated) []plan.Lever { return d.Levers })
	if err != nil {
		return err
	}
	all := sheet(levers, labelled(levers))
	batches := slices.Collect(slices.Chunk(labels(len(levers)), batchSize))
	answers, err := step.All(ctx, batches, func(ctx context.Context, i int, ids []string) (llm.Answer[characterizations], error) {
		return step.Question[characterizations]{
			Prompt: "enrich_levers",
			Label:  fmt.Sprintf("batch/%d", i+1),
			Vars:   map[string]any{"All": all, "Batch": strings.Join(ids, ", ")},
			Rules:  []schema.Rule{schema.EachOnce("characterizations.lever_id", ids...)},
		}.Ask(ctx, w)
	})
	if err != nil {
		return err
	}
	// This file has its metadata first.
	var raw struct {
		Metadata []llm.Source `json:"metadata"`
		Levers   []plan.Lever `json:"characterized_levers"`
	}
	var list []characterization
	for _, a := range answers {
		raw.Metadata = append(raw.Metadata, a.Source)
		list = append(list, a.Value.List...)
	}
	raw.Levers = characterize(levers, list)
	return w.WriteJSON(plan.EnrichedLevers, raw)
}

// characterize puts the texts into their levers.
func characterize(levers []plan.Lever, list []characterization) []plan.Lever {
	out := slices.Clone(levers)
	ids := labels(len(levers))
	for _, c := range list {
		if i := slices.Index(ids, c.ID); i >= 0 {
			out[i].Description, out[i].Synergy, out[i].Conflict = c.Description, c.Synergy, c.Conflict
		}
	}
	return out
}
