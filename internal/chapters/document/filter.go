package document

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// FilterToFind keeps the sources that the first phase depends on most.
var FilterToFind = filter[plan.DocumentToFind]{
	name: "filter_documents_to_find", about: "The few sources that the first phase depends on",
	from: plan.DocumentsToFind, raw: plan.FilterFindRaw, to: plan.FilterFind,
	head: headOfFind, set: func(d *plan.DocumentToFind, i *plan.Impact) { d.Impact = i },
}.step()

// FilterToCreate keeps the documents whose writing helps the first phase most.
var FilterToCreate = filter[plan.DocumentToCreate]{
	name: "filter_documents_to_create", about: "The few documents that have to be written first",
	from: plan.DocumentsToCreate, raw: plan.FilterCreateRaw, to: plan.FilterCreate,
	head: headOfCreate, set: func(d *plan.DocumentToCreate, i *plan.Impact) { d.Impact = i },
}.step()

// ratings are the levels, highest first, and unrated the one of a document that was forgotten.
var ratings = []string{"Critical", "High", "Medium", "Low"}

const (
	unrated = 2
	// vitalFew is how many documents are enough: levels below are not opened then.
	vitalFew = 5
)

type filter[T any] struct {
	name, about string
	from        plan.JSON[[]T]
	raw         plan.File
	to          plan.JSON[[]T]
	head        func(*T) *plan.Document
	set         func(*T, *plan.Impact)
}

type rated struct {
	List    []rating `json:"document_list"`
	Summary string   `json:"summary"`
}

type rating struct {
	ID        string `json:"id"`
	Rationale string `json:"rationale"` // before the rating: a model should argue first
	Impact    string `json:"impact_rating" enum:"Critical,High,Medium,Low"`
}

func (f filter[T]) step() step.Func {
	return step.Func{
		Name: f.name, About: f.about, Prompts: []string{f.name},
		Needs: base(), Data: step.Docs(plan.PurposeRaw, f.from), Writes: step.Docs(f.raw, f.to),
		Calls: step.Once, Run: f.run,
	}
}

func (f filter[T]) run(ctx context.Context, w *step.Work) error {
	list, err := read(w, f.from, f.head)
	if err != nil {
		return err
	}
	if len(list) == 0 { // by hand
		if err := w.WriteRaw(f.raw, number(rated{})); err != nil {
			return err
		}
		return w.WriteJSON(f.to, []T{})
	}
	p, err := purpose(w)
	if err != nil {
		return err
	}
	ids, shown := make([]string, len(list)), make([]plan.Document, len(list))
	for i := range list {
		ids[i], shown[i] = label(i), *f.head(&list[i])
		shown[i].ID = ids[i]
	}
	got, err := step.Question[rated]{
		Prompt: f.name,
		Vars:   map[string]any{"Purpose": p, "Documents": shown, "Count": len(list)},
		Rules:  []schema.Rule{schema.EachOnce("document_list.id", ids...)},
	}.Ask(ctx, w)
	if err != nil {
		return err
	}
	if err := w.WriteRaw(f.raw, number(got.Value), got.Source); err != nil {
		return err
	}
	kept := []T{}
	for i, impact := range vital(len(list), got.Value.List) {
		if impact != nil {
			f.set(&list[i], impact)
			kept = append(kept, list[i])
		}
	}
	return w.WriteJSON(f.to, kept)
}

// label is the short id of the i-th document, from 0.
func label(i int) string { return "D" + strconv.Itoa(i+1) }

// index returns the place of the document with that short id, -1 for none.
func index(id string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(id, "D"))
	if err != nil {
		return -1
	}
	return n - 1
}

// vital returns the impact of each of n documents that stays, and nil for the others. Whole levels
// stay, from the highest down, until there are enough. A document rated twice counts at its higher
// level, one not rated as Medium; unknown ids count for nothing.
func vital(n int, list []rating) []*plan.Impact {
	out := make([]*plan.Impact, n)
	for _, r := range list {
		i := index(r.ID)
		if i < 0 || i >= n {
			continue
		}
		if out[i] == nil || slices.Index(ratings, r.Impact) < slices.Index(ratings, out[i].Rating) {
			out[i] = &plan.Impact{Rating: r.Impact, Rationale: r.Rationale}
		}
	}
	var counts [4]int
	for i := range out {
		if out[i] == nil {
			out[i] = &plan.Impact{Rating: ratings[unrated]}
		}
		counts[slices.Index(ratings, out[i].Rating)]++
	}
	last, kept := 0, counts[0]
	for kept < vitalFew && last < len(ratings)-1 {
		last++
		kept += counts[last]
	}
	for i := range out {
		if slices.Index(ratings, out[i].Rating) > last {
			out[i] = nil
		}
	}
	return out
}

// numbered is the raw file's form of an answer: its ids are numbers from 0.
type numbered struct {
	List    []numberedRating `json:"document_list"`
	Summary string           `json:"summary"`
}

type numberedRating struct {
	ID        int    `json:"id"`
	Rationale string `json:"rationale"`
	Impact    string `json:"impact_rating"`
}

func number(a rated) numbered {
	out := numbered{List: []numberedRating{}, Summary: a.Summary}
	for _, r := range a.List {
		out.List = append(out.List, numberedRating{index(r.ID), r.Rationale, r.Impact})
	}
	return out
}
