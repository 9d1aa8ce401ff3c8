package lever

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// DecisionsPage writes the levers as decisions: the vital few first, then the others.
var DecisionsPage = step.Func{
	Name:   "strategic_decisions_markdown",
	About:  "The page of strategic decisions",
	Data:   step.Docs(plan.EnrichedLevers, plan.VitalLevers),
	Writes: step.Docs(plan.Decisions),
	Run: func(_ context.Context, w *step.Work) error {
		all, err := read(w, plan.EnrichedLevers, enriched)
		if err != nil {
			return err
		}
		few, err := step.Read(w, plan.VitalLevers)
		if err != nil {
			return err
		}
		return w.WritePage(plan.Decisions, decisionsPage(all, few))
	},
}

// decisionsPage shows a lever's short id, which its texts may mention, not its UUID.
func decisionsPage(all []plan.Lever, few plan.Vital) string {
	rated := map[string]plan.LeverAssessment{}
	for _, a := range few.Response.Assessments {
		rated[a.ID] = a
	}
	rank := func(l plan.Lever) int {
		if i := slices.Index(importances, rated[l.ID].Importance); i >= 0 {
			return i
		}
		return len(importances)
	}
	primary := slices.Clone(few.Levers)
	slices.SortStableFunc(primary, func(a, b plan.Lever) int { return cmp.Compare(rank(a), rank(b)) })
	var secondary []plan.Lever
	for _, l := range all {
		if !slices.ContainsFunc(primary, func(p plan.Lever) bool { return p.ID == l.ID }) {
			secondary = append(secondary, l)
		}
	}

	var b strings.Builder
	ids := labelled(all)
	n := 0
	block := func(l plan.Lever) {
		n++
		fmt.Fprintf(&b, "\n### Decision %d: %s\n**Lever ID:** `%s`\n\n", n, step.Line(l.Name), cmp.Or(ids[l.ID], l.ID))
		fmt.Fprintf(&b, "**The Core Decision:** %s\n\n**Why It Matters:** %s\n\n**Strategic Choices:**\n\n", l.Description, l.Consequences)
		for i, o := range l.Options {
			fmt.Fprintf(&b, "%d. %s\n", i+1, step.Line(o))
		}
		fmt.Fprintf(&b, "\n**Trade-Off / Risk:** %s\n\n**Strategic Connections:**\n\n**Synergy:** %s\n\n**Conflict:** %s\n", l.Review, l.Synergy, l.Conflict)
		if a, ok := rated[l.ID]; ok {
			fmt.Fprintf(&b, "\n**Justification:** *%s*. %s\n", a.Importance, a.Justification)
		}
	}
	b.WriteString("## Primary Decisions\nThe outcome turns on these decisions; the most important stands first.\n\n")
	if s := strings.TrimSpace(few.Response.Summary); s != "" {
		fmt.Fprintf(&b, "\n%s\n", s)
	}
	for _, l := range primary {
		block(l)
	}
	b.WriteString("\n---\n## Secondary Decisions\n")
	if len(secondary) == 0 {
		b.WriteString("There are none: every decision that was found is a primary one.\n")
	} else {
		b.WriteString("These change less. They are listed so that none is taken by accident.\n")
	}
	for _, l := range secondary {
		block(l)
	}
	return b.String()
}
