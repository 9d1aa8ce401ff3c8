package document

import (
	"context"
	"fmt"

	"planexe/internal/llm"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// DraftToFind says of each source what must be learnt from it.
var DraftToFind = drafter[plan.DocumentToFind]{
	name: "draft_documents_to_find", about: "What must be learnt from each source, and what to do without it",
	size: func(z pipeline.Sizes) int { return z.ToFind },
	from: plan.FilterFind, raw: plan.DraftFindRaw, to: plan.DraftFind,
	head: headOfFind, set: func(d *plan.DocumentToFind, x *plan.Draft) { d.Draft = x },
}.step()

// DraftToCreate says of each document to write what must stand in it.
var DraftToCreate = drafter[plan.DocumentToCreate]{
	name: "draft_documents_to_create", about: "What must stand in each document, and what to do without it",
	size: func(z pipeline.Sizes) int { return z.ToCreate },
	from: plan.FilterCreate, raw: plan.DraftCreateRaw, to: plan.DraftCreate,
	head: headOfCreate, set: func(d *plan.DocumentToCreate, x *plan.Draft) { d.Draft = x },
}.step()

// fastDrafts is how many documents of a list the fast mode drafts.
const fastDrafts = 2

type drafter[T any] struct {
	name, about string
	size        func(pipeline.Sizes) int
	from        plan.JSON[[]T]
	raw         plan.File
	to          plan.JSON[[]T]
	head        func(*T) *plan.Document
	set         func(*T, *plan.Draft)
}

type draft struct {
	Essential []string `json:"essential_information" count:"3-12"`
	Risks     []string `json:"risks_of_poor_quality" count:"2-6"`
	Worst     string   `json:"worst_case_scenario"`
	Best      string   `json:"best_case_scenario"`
	Fallbacks []string `json:"fallback_alternative_approaches" count:"2-5"`
}

func (d drafter[T]) step() step.Func {
	return step.Func{
		Name: d.name, About: d.about, Prompts: []string{d.name},
		Needs: base(), Data: step.Docs(plan.PurposeRaw, d.from), Writes: step.Docs(d.to), Extras: step.Docs(d.raw),
		Calls: func(z pipeline.Sizes) []int {
			if z.Fast {
				return []int{min(d.size(z), fastDrafts)}
			}
			return []int{d.size(z)}
		},
		BySpeed: true, Run: d.run,
	}
}

func (d drafter[T]) run(ctx context.Context, w *step.Work) error {
	list, err := read(w, d.from, d.head)
	if err != nil {
		return err
	}
	p, err := purpose(w)
	if err != nil {
		return err
	}
	n := len(list)
	if w.Env.Fast {
		n = min(n, fastDrafts)
	}
	drafts, err := step.All(ctx, list[:n], func(ctx context.Context, i int, doc T) (llm.Answer[draft], error) {
		d.head(&doc).ID = "" // nothing a model could use
		return step.Question[draft]{
			Prompt: d.name, Label: fmt.Sprintf("document/%d", i+1),
			Vars: map[string]any{"Purpose": p, "Document": doc},
		}.Ask(ctx, w)
	})
	if err != nil {
		return err
	}
	for i, got := range drafts {
		if err := w.WriteItem(d.raw, i+1, got.Value, got.Source); err != nil {
			return err
		}
		d.set(&list[i], new(plan.Draft(got.Value)))
	}
	return w.WriteJSON(d.to, list)
}
