package diagnostics

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// A lens is one angle from which the premise is attacked. Name and description are printed.
// The numbers of items differ from lens to lens.
type lens struct {
	Name, Description, prompt string

	reasons, effects, evidence [2]int // least and most items
}

var lenses = []lens{
	{"Integrity", "Are the foundations sound: legitimacy, privacy, precedent, incentives, lock-in, and the premise's own feasibility?", "premise_integrity", [2]int{3, 5}, [2]int{3, 3}, [2]int{0, 3}},
	{"Accountability", "Who answers to whom: rights, oversight, the choice of jurisdiction, and whether promises can be enforced?", "premise_accountability", [2]int{4, 4}, [2]int{4, 4}, [2]int{0, 4}},
	{"Spectrum", "Distinct reasons across ethics, feasibility, governance and society, so that no side goes unlooked at.", "premise_spectrum", [2]int{5, 5}, [2]int{3, 3}, [2]int{0, 3}},
	{"Cascade", "What follows from what follows: knock-on effects, imitation and damage that spreads.", "premise_cascade", [2]int{3, 5}, [2]int{3, 3}, [2]int{0, 3}},
	{"Escalation", "How small cracks grow: from first signs through amplification to the reckoning.", "premise_escalation", [2]int{4, 4}, [2]int{4, 4}, [2]int{0, 4}},
}

// leastLenses is how many must answer for the page to be worth reading.
const leastLenses = 3

// PremiseAttack asks from five angles why the idea should not exist at all. It never approves;
// it is there to make a reader think before the plan is read.
var PremiseAttack = step.Func{
	Name:    "premise_attack",
	About:   "Why the idea should perhaps not exist, from five angles",
	Early:   true,
	Prompts: []string{"premise_integrity", "premise_accountability", "premise_spectrum", "premise_cascade", "premise_escalation"},
	Needs:   step.Docs(plan.Prompt),
	Writes:  step.Docs(plan.PremiseAttackRaw, plan.PremiseAttack),
	Calls:   step.Calls(len(lenses)),
	Run:     attack,
}

type objection struct {
	Thesis     string   `json:"core_thesis"`
	Reasons    []string `json:"reasons"`
	Effects    []string `json:"second_order_effects"`
	Evidence   []string `json:"evidence"`
	BottomLine string   `json:"bottom_line"`
}

// answered is an objection with the lens it came from.
type answered struct {
	objection
	Lens string `json:"lens"`
}

type lensSource struct {
	llm.Source
	Index int    `json:"system_prompt_index"`
	Name  string `json:"system_prompt_name"`
}

type attacks struct {
	List     []answered `json:"response_list"`
	Metadata struct {
		Models []lensSource `json:"models"`
	} `json:"metadata"`
}

func attack(ctx context.Context, w *step.Work) error {
	answers, errs := step.Each(ctx, lenses, func(ctx context.Context, i int, l lens) (llm.Answer[objection], error) {
		return step.Question[objection]{Prompt: l.prompt, Label: fmt.Sprintf("lens/%d", i+1), Rules: []schema.Rule{
			schema.CountOf("reasons", l.reasons[0], l.reasons[1]),
			schema.CountOf("second_order_effects", l.effects[0], l.effects[1]),
			schema.CountOf("evidence", l.evidence[0], l.evidence[1]),
		}}.Ask(ctx, w)
	})
	list, page := []answered{}, ""
	var sources []lensSource
	for i, l := range lenses {
		if errs[i] != nil {
			continue
		}
		list = append(list, answered{answers[i].Value, l.Name})
		sources = append(sources, lensSource{answers[i].Source, i, l.Name})
		if page != "" {
			page += "\n\n\n\n"
		}
		page += answers[i].Value.markdown(len(list), l)
	}
	if err := step.Worst(errs); err != nil && (len(list) < leastLenses || ctx.Err() != nil || endsRun(err)) {
		return err
	}
	for i, err := range errs {
		if err != nil {
			note := event.Quality{Step: w.Step(), Label: fmt.Sprintf("lens/%d", i+1), Note: "the lens " + lenses[i].Name + " gave no answer and is left out"}
			if err := w.Emit(note); err != nil {
				return err
			}
		}
	}
	var raw attacks
	raw.List, raw.Metadata.Models = list, sources
	if err := w.WriteJSON(plan.PremiseAttackRaw, raw); err != nil {
		return err
	}
	return w.WritePage(plan.PremiseAttack, page)
}

func endsRun(err error) bool {
	var le *llm.Error
	if !errors.As(err, &le) {
		return false
	}
	_, ends := le.Ending()
	return ends
}

func (o objection) markdown(k int, l lens) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### Premise Attack %d — %s\n_%s_\n\n**%s**\n\n**Bottom Line:** %s\n\n", k, l.Name, l.Description, o.Thesis, o.BottomLine)
	for _, part := range []struct {
		title string
		items []string
	}{{"Reasons for Rejection", o.Reasons}, {"Second-Order Effects", o.Effects}, {"Evidence", o.Evidence}} {
		if len(part.items) > 0 {
			fmt.Fprintf(&b, "\n#### %s\n\n%s", part.title, step.Bullets(part.items))
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
