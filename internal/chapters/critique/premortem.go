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

var archetypes = []string{"Process/Financial", "Technical/Logistical", "Market/Human"}

// told is what a model tells: each failure together with the belief it begins with, so that no ids
// are needed to say which belongs to which.
type told struct {
	Failures []fall `json:"failures"`
}

type fall struct {
	belief
	story
}

type belief struct {
	Statement string `json:"statement"`
	Test      string `json:"test_now"`
	Falsifier string `json:"falsifier"`
}

type story struct {
	Archetype  string   `json:"failure_mode_archetype"`
	Title      string   `json:"failure_mode_title"`
	Analysis   string   `json:"risk_analysis"`
	Signs      []string `json:"early_warning_signs" count:"2-4"`
	Owner      string   `json:"owner"`
	Likelihood int      `json:"likelihood_5" range:"1-5"`
	Impact     int      `json:"impact_5" range:"1-5"`
	Tripwires  []string `json:"tripwires" count:"2-3"`
	Playbook   []string `json:"playbook" count:"3"`
	StopRule   string   `json:"stop_rule"`
}

// failures is what the files hold.
type failures struct {
	Assumptions []assumption `json:"assumptions_to_kill"`
	Modes       []failure    `json:"failure_modes"`
}

type assumption struct {
	ID string `json:"assumption_id"` // A1, A2 …
	belief
}

type failure struct {
	Index      int    `json:"failure_mode_index"`
	Assumption string `json:"root_cause_assumption_id"`
	story
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
	work, _, err := outline(w)
	if err != nil {
		return err
	}
	if w.Env.Fast || facts.Scale == plan.Trivial || facts.Scale == plan.Small {
		looks = []string{"whole"}
	}
	answers, errs := step.Each(ctx, looks, func(ctx context.Context, _ int, look string) (llm.Answer[told], error) {
		return step.Question[told]{
			Prompt: "premortem", Label: look, Vars: map[string]string{"Work": work, "Look": look},
			Rules: []schema.Rule{schema.EachOnce("failure_mode_archetype", archetypes...)},
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
	var parts []told
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

// join numbers the beliefs of all answers and puts the worst failure first.
func join(parts []told) failures {
	var all failures
	for _, p := range parts {
		for _, f := range p.Failures {
			id := fmt.Sprintf("A%d", len(all.Assumptions)+1)
			all.Assumptions = append(all.Assumptions, assumption{id, f.belief})
			all.Modes = append(all.Modes, failure{Assumption: id, story: f.story})
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
			i+1, step.Line(f.Title), f.Archetype, f.Assumption, step.Line(f.Owner), f.risk(), f.score(), f.Likelihood, f.Impact, f.Analysis)
		fmt.Fprintf(&b, "\n##### Early Warning Signs\n%s\n##### Tripwires\n%s\n##### Response Playbook\n%s\n\n**STOP RULE:** %s\n",
			step.Bullets(f.Signs), step.Bullets(f.Tripwires), step.Bullets(f.Playbook), f.StopRule)
	}
	return b.String()
}
