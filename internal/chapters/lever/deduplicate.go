package lever

import (
	"context"
	"fmt"
	"slices"

	"planexe/internal/event"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Deduplicate merges levers that are the same decision in other words.
var Deduplicate = step.Func{
	Name:    "deduplicate_levers",
	About:   "Levers that say the same become one",
	Prompts: []string{"deduplicate_levers"},
	Needs:   step.Docs(plan.Prompt, plan.PurposePage, plan.PlanTypePage),
	Data:    step.Docs(plan.PotentialLevers),
	Writes:  step.Docs(plan.DeduplicatedLevers),
	Calls:   step.Once,
	Run:     deduplicate,
}

const (
	keep   = "keep"
	absorb = "absorb"
)

type decisions struct {
	Decisions []decision `json:"decisions"`
}

type decision struct {
	ID            string  `json:"lever_id"`
	Class         string  `json:"classification" enum:"keep,absorb,remove"`
	Justification string  `json:"justification"`
	Into          *string `json:"absorb_into"` // our addition: the reference had the target in prose only
}

func deduplicate(ctx context.Context, w *step.Work) error {
	levers, err := read(w, plan.PotentialLevers, func(l []plan.Lever) []plan.Lever { return l })
	if err != nil {
		return err
	}
	counts, err := w.Counts()
	if err != nil {
		return err
	}
	ids := labels(len(levers))
	got, err := step.Question[decisions]{
		Prompt: "deduplicate_levers",
		Vars:   map[string]any{"Levers": sheet(levers, labelled(levers)), "Count": len(levers)},
		Rules:  []schema.Rule{schema.EachOnce("decisions.lever_id", ids...), schema.OneOf("decisions.absorb_into", ids...)},
		Check:  checkDecisions,
	}.Ask(ctx, w)
	if err != nil {
		return err
	}
	var raw struct {
		Response decisions    `json:"response"`
		Levers   []plan.Lever `json:"deduplicated_levers"`
	}
	var restored int
	raw.Levers, restored = merge(levers, got.Value.Decisions, counts.VitalLevers)
	if restored > 0 {
		note := fmt.Sprintf("%d levers that were to be merged or removed stay, so that there are enough", restored)
		if err := w.Emit(event.Quality{Step: w.Step(), Path: "decisions", Note: note}); err != nil {
			return err
		}
	}
	for _, d := range got.Value.Decisions {
		d.ID = uuid(levers, d.ID)
		if d.Into != nil {
			*d.Into = uuid(levers, *d.Into)
		}
		raw.Response.Decisions = append(raw.Response.Decisions, d)
	}
	return w.WriteRaw(plan.DeduplicatedLevers, raw, got.Source)
}

// uuid returns the lever_id that a short id stands for; what is none stays.
func uuid(levers []plan.Lever, id string) string {
	if i := slices.Index(labels(len(levers)), id); i >= 0 {
		return levers[i].ID
	}
	return id
}

func checkDecisions(a *decisions) []schema.Problem {
	var found []schema.Problem
	for i, d := range a.Decisions {
		at := fmt.Sprintf("decisions[%d].absorb_into", i)
		switch {
		case d.Class == absorb && d.Into == nil:
			found = append(found, schema.Problem{Path: at, Found: "nothing", Want: "the id of the lever that takes this one in", Soft: true})
		case d.Class == absorb && *d.Into == d.ID:
			found = append(found, schema.Problem{Path: at, Found: "the lever itself", Want: "the id of another lever", Soft: true})
		}
	}
	return found
}

// merge carries the decisions out. Options of a lever that is absorbed go to the lever that takes
// it in. At least so many levers stay. It also tells how many levers were restored because too few would have been left.
func merge(levers []plan.Lever, list []decision, least int) (kept []plan.Lever, restored int) {
	ids := labels(len(levers))
	byLever := make([]*decision, len(levers))
	for _, d := range list {
		if i := slices.Index(ids, d.ID); i >= 0 && byLever[i] == nil {
			byLever[i] = &d
		}
	}
	wish := make([]int, len(levers))
	for i, d := range byLever {
		wish[i] = i
		switch {
		case d == nil || d.Class == keep:
		case d.Class != absorb:
			wish[i] = gone
		case d.Into != nil && slices.Contains(ids, *d.Into):
			wish[i] = slices.Index(ids, *d.Into)
		}
	}
	places, restored := settle(wish, least)
	out := make([]plan.Lever, len(levers))
	for i, l := range levers {
		out[i] = l
		out[i].Options = distinct(l.Options)
		out[i].Justification = justify(byLever[i])
	}
	for i, p := range places {
		if p != i && p != gone {
			all := distinct(slices.Concat(out[p].Options, levers[i].Options))
			out[p].Options = all[:min(len(all), max(maxOptions, len(out[p].Options)))]
		}
	}
	for i, p := range places {
		if p == i {
			kept = append(kept, out[i])
		}
	}
	return kept, restored
}

func justify(d *decision) string {
	switch {
	case d == nil:
		return "Kept: no decision was given."
	case d.Class == keep:
		return d.Justification
	}
	return fmt.Sprintf("Kept although judged %q, because other levers go into it or too few would be left. The judgement was: %s", d.Class, d.Justification)
}

// gone is the place of a removed lever.
const gone = -1

// settle says for each lever where it ends: its own index when it stays, that of the lever that
// takes it in, or gone. Chains of wishes lead to their last lever, a circle to its earliest, and
// what takes others in stays. Levers are restored in order while fewer than the least would stay.
func settle(wish []int, least int) (places []int, restored int) {
	places = make([]int, len(wish))
	for i := range wish {
		places[i] = end(wish, i)
	}
	for i, p := range slices.Clone(places) {
		if p != gone && p != i {
			places[p] = p
		}
	}
	stay := 0
	for i, p := range places {
		if p == i {
			stay++
		}
	}
	for i, p := range places {
		if p != i && stay < least {
			places[i] = i
			stay++
			restored++
		}
	}
	return places, restored
}

// end follows the wishes from lever i to where they lead.
func end(wish []int, i int) int {
	if wish[i] == gone {
		return gone
	}
	var path []int
	for wish[i] != i && wish[i] != gone {
		if at := slices.Index(path, i); at >= 0 {
			return slices.Min(path[at:])
		}
		path = append(path, i)
		i = wish[i]
	}
	return i
}
