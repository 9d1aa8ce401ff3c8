package critique

import (
	"cmp"
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

// Premortem imagines that the plan has failed and tells how, from assumptions that did not hold.
// A full run looks at three times of the undertaking side by side. A fast run and a small plan get
// one look at the whole.
var Premortem = step.Func{
	Name:    "premortem",
	About:   "How the plan failed, told in advance",
	Prompts: []string{"premortem"},
	Needs:   step.Docs(plan.Prompt),
	Uses:    bundle(plan.PremiseAttack, plan.ReviewPlan, plan.QA),
	UsesRaw: step.Docs(plan.WBS),
	Writes:  step.Docs(plan.PremortemRaw, plan.Premortem),
	Calls: func(z pipeline.Sizes) []int {
		if z.Fast {
			return []int{1}
		}
		return []int{len(times)}
	},
	BySpeed: true,
	Run:     premortem,
}

// times are the parts of the undertaking that are looked at apart; "whole" is all of it.
var times = []string{"before", "during", "after"}

var (
	assumptionIDs = []string{"A1", "A2", "A3"} // within one answer
	archetypes    = []string{"Process/Financial", "Technical/Logistical", "Market/Human"}
)

type failures struct {
	Assumptions []deadly  `json:"assumptions_to_kill"`
	Modes       []failure `json:"failure_modes"`
}

// deadly is an assumption that ends the plan if it is false.
type deadly struct {
	ID        string `json:"assumption_id"`
	Statement string `json:"statement"`
	Test      string `json:"test_now"`
	Falsifier string `json:"falsifier"`
}

type failure struct {
	Index      int      `json:"failure_mode_index"`
	Assumption string   `json:"root_cause_assumption_id"`
	Archetype  string   `json:"failure_mode_archetype"`
	Title      string   `json:"failure_mode_title"`
	Story      string   `json:"risk_analysis"`
	Signs      []string `json:"early_warning_signs" count:"2-4"`
	Owner      string   `json:"owner"`
	Likelihood int      `json:"likelihood_5" range:"1-5"`
	Impact     int      `json:"impact_5" range:"1-5"`
	Tripwires  []string `json:"tripwires" count:"2-3"`
	Playbook   []string `json:"playbook" count:"3"`
	StopRule   string   `json:"stop_rule"`
}

func (f failure) score() int { return f.Likelihood * f.Impact }

func (f failure) risk() string {
	switch n := f.score(); {
	case n >= 15:
		return "CRITICAL"
	case n >= 9:
		return "HIGH"
	case n >= 4:
		return "MEDIUM"
	}
	return "LOW"
}

func premortem(ctx context.Context, w *step.Work) error {
	looks := times
	facts, err := w.Facts()
	if err != nil {
		return err
	}
	work, err := outline(w)
	if err != nil {
		return err
	}
	if w.Env.Fast || facts.Scale == plan.Trivial || facts.Scale == plan.Small {
		looks = []string{"whole"}
	}
	answers, errs := step.Each(ctx, looks, func(ctx context.Context, _ int, look string) (llm.Answer[failures], error) {
		return step.Question[failures]{
			Prompt: "premortem", Label: look, Vars: map[string]string{"Work": work, "Look": look}, Check: checkRoots,
			Rules: []schema.Rule{
				schema.EachOnce("assumptions_to_kill.assumption_id", assumptionIDs...),
				schema.OneOf("root_cause_assumption_id", assumptionIDs...),
				schema.EachOnce("failure_mode_archetype", archetypes...),
			},
		}.Ask(ctx, w)
	})
	if err := settle(w, errs, 1, func(i int) string { return looks[i] }); err != nil {
		return err
	}
	var raw struct {
		failures
		Metadata struct {
			Models []llm.Source `json:"models"`
		} `json:"metadata"`
		Markdown string `json:"markdown"`
	}
	var parts []failures
	for i, a := range answers {
		if errs[i] == nil {
			parts = append(parts, a.Value)
			raw.Metadata.Models = append(raw.Metadata.Models, a.Source)
		}
	}
	raw.failures = join(parts)
	raw.Markdown = raw.failures.Markdown()
	if err := w.WriteJSON(plan.PremortemRaw, raw); err != nil {
		return err
	}
	return w.WritePage(plan.Premortem, raw.Markdown)
}

// checkRoots wants each assumption to be the root of one failure. It is no rule of the schema because
// a list can have only one such rule, and that is for the archetypes.
func checkRoots(a *failures) []schema.Problem {
	var found []schema.Problem
	for i, f := range a.Modes {
		if slices.ContainsFunc(a.Modes[:i], func(o failure) bool { return o.Assumption == f.Assumption }) {
			found = append(found, schema.Problem{
				Path: fmt.Sprintf("failure_modes[%d].root_cause_assumption_id", i), Found: f.Assumption + " once more",
				Want: "each assumption as the root of exactly one failure",
			})
		}
	}
	return found
}

// join numbers the assumptions of all answers on, keeps each failure with its own, and puts the
// worst failure first.
func join(parts []failures) failures {
	var all failures
	for _, p := range parts {
		renamed := map[string]string{}
		for _, id := range assumptionIDs { // in their own order, whatever order the answer has
			i := slices.IndexFunc(p.Assumptions, func(a deadly) bool { return a.ID == id })
			if i < 0 {
				continue
			}
			a := p.Assumptions[i]
			a.ID = fmt.Sprintf("A%d", len(all.Assumptions)+1)
			renamed[id] = a.ID
			all.Assumptions = append(all.Assumptions, a)
		}
		for _, f := range p.Modes {
			f.Assumption = renamed[f.Assumption]
			all.Modes = append(all.Modes, f)
		}
	}
	slices.SortStableFunc(all.Modes, func(x, y failure) int { return cmp.Compare(y.score(), x.score()) })
	for i := range all.Modes {
		all.Modes[i].Index = i + 1
	}
	return all
}

// Markdown lists assumptions and failures as tables, then each failure in full.
func (a failures) Markdown() string {
	var b strings.Builder
	b.WriteString("A premortem supposes that the plan has failed and asks what led there, while it can still be prevented.\n\n" +
		"## Assumptions to Kill\n\nThe plan stands on these beliefs, and none of them is proven. Test each one now; a single false one is enough to fail.\n\n" +
		"| ID | Assumption | Validation Method | Failure Trigger |\n|----|------------|-------------------|-----------------|\n")
	for _, x := range a.Assumptions {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", x.ID, step.Cell(x.Statement), step.Cell(x.Test), step.Cell(x.Falsifier))
	}
	b.WriteString("\n\n## Failure Scenarios and Mitigation Plans\n\n" +
		"Each scenario begins with one false assumption. It tells how the plan fails, how to notice it in time, what to do then and when to stop.\n\n" +
		"### Summary of Failure Modes\n\n" +
		"| ID | Title | Archetype | Root Cause | Owner | Risk Level |\n|----|-------|-----------|------------|-------|------------|\n")
	for i, f := range a.Modes {
		fmt.Fprintf(&b, "| FM%d | %s | %s | %s | %s | %s (%d/25) |\n",
			i+1, step.Cell(f.Title), f.Archetype, f.Assumption, step.Cell(f.Owner), f.risk(), f.score())
	}
	b.WriteString("\n\n### Failure Modes\n")
	for i, f := range a.Modes {
		if i > 0 {
			b.WriteString("\n---\n")
		}
		fmt.Fprintf(&b, "\n#### FM%d - %s\n\n- **Archetype**: %s\n- **Root Cause**: Assumption %s\n- **Owner**: %s\n"+
			"- **Risk Level:** %s %d/25 (Likelihood %d/5 × Impact %d/5)\n\n##### Failure Story\n%s\n",
			i+1, oneLine(f.Title), f.Archetype, f.Assumption, oneLine(f.Owner), f.risk(), f.score(), f.Likelihood, f.Impact, f.Story)
		fmt.Fprintf(&b, "\n##### Early Warning Signs\n%s\n##### Tripwires\n%s\n##### Response Playbook\n%s\n\n**STOP RULE:** %s\n",
			step.Bullets(f.Signs), step.Bullets(f.Tripwires), step.Bullets(f.Playbook), f.StopRule)
	}
	return b.String()
}
