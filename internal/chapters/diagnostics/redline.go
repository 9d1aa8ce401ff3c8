package diagnostics

import (
	"context"
	"fmt"
	"strings"

	"planexe/internal/event"
	"planexe/internal/llm/schema"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// RedlineGate decides whether the request may be planned in full, only in outline, or not at all.
// A refusal ends the run unless the operator lets it go on; the other verdicts reach every later
// prompt.
var RedlineGate = step.Func{
	Name:    "redline_gate",
	About:   "Whether the request may be planned in full, in outline, or not at all",
	Early:   true,
	Prompts: []string{"redline_gate"},
	Needs:   step.Docs(plan.Prompt),
	Writes:  step.Docs(plan.RedlineVerdict, plan.RedlinePage),
	Calls:   step.Once,
	Run:     gate,
}

// redline is plan.Redline with the limits a model has to keep.
type redline struct {
	Verdict   string  `json:"verdict" enum:"ALLOW,ALLOW_WITH_SAFETY_FRAMING,REFUSE"`
	Rationale string  `json:"rationale_short" words:"40"`
	Category  *string `json:"violation_category" enum:"Severe Harm,Physical Harm,Psychological Harm,Illegality,Criminal Facilitation,Safety Compliance,Weapons,Biorisk,Cybersecurity Abuse,Privacy Violation,Extremism/Terrorism,Child Safety,Hate/Harassment,Financial Crime,Property Damage / Critical Infrastructure,Environmental Harm,Medical Risk,Self-Harm,Exploitation/Coercion,Human Subjects / Non-therapeutic Experimentation,Safeguard Evasion,Capability Uplift,Other"`
	Claim     *string `json:"violation_claim" empty:"ok"`
	Uplift    *bool   `json:"violation_capability_uplift"`
	Severity  *string `json:"violation_severity" enum:"High,Medium,Low"`
}

func gate(ctx context.Context, w *step.Work) error {
	got, err := step.Question[redline]{Prompt: "redline_gate", Check: checkRedline}.Ask(ctx, w)
	if err != nil {
		return err
	}
	v := settle(got.Value)
	if err := w.WriteRaw(plan.RedlineVerdict, v, got.Source); err != nil {
		return err
	}
	if err := w.WritePage(plan.RedlinePage, redlinePage(v)); err != nil {
		return err
	}
	if v.Verdict == plan.RefuseToPlan && !w.Env.AllowRefused {
		w.EndRun(&pipeline.Ending{Outcome: event.Refused, Reason: event.Reason{
			Class:   "refused",
			Message: "the request was refused: " + v.Rationale,
			Advice:  "change the request; an operator who takes responsibility can set PLANEXE_REDLINE=warn and resume",
		}})
	}
	return nil
}

// checkRedline asks once more for a refusal that does not say what it refuses.
func checkRedline(v *redline) []schema.Problem {
	if v.Verdict == plan.RefuseToPlan && (v.Category == nil || blank(v.Claim)) {
		return []schema.Problem{{
			Path: "violation_claim", Found: "a refusal without category or claim",
			Want: "violation_category, violation_claim and violation_severity when the verdict is REFUSE", Soft: true,
		}}
	}
	return nil
}

func blank(s *string) bool { return s == nil || strings.TrimSpace(*s) == "" }

// settle makes the violation fields agree with the verdict: all of them for a refusal, none
// otherwise.
func settle(v redline) plan.Redline {
	out := plan.Redline{Verdict: v.Verdict, Rationale: v.Rationale}
	if v.Verdict != plan.RefuseToPlan {
		return out
	}
	out.Category, out.Claim, out.Severity, out.Uplift = v.Category, v.Claim, v.Severity, v.Uplift
	other, high, uplift := "Other", "High", true
	if out.Category == nil {
		out.Category = &other
	}
	if blank(out.Claim) {
		out.Claim = &v.Rationale
	}
	if out.Severity == nil {
		out.Severity = &high
	}
	if out.Uplift == nil {
		out.Uplift = &uplift
	}
	return out
}

func redlinePage(v plan.Redline) string {
	icon := map[string]string{plan.Allow: "🟢", plan.AllowFramed: "🟡", plan.RefuseToPlan: "🔴"}[v.Verdict]
	var b strings.Builder
	fmt.Fprintf(&b, "**Verdict:** %s %s\n\n**Rationale:** %s", icon, strings.ReplaceAll(v.Verdict, "_", " "), v.Rationale)
	if v.Verdict != plan.RefuseToPlan {
		return b.String()
	}
	uplift := "No"
	if *v.Uplift {
		uplift = "Yes"
	}
	fmt.Fprintf(&b, "\n\n### Violation Details\n\n| Detail                | Value |\n|-----------------------|-------|\n")
	fmt.Fprintf(&b, "| **Category**              | %s |\n| **Claim**                 | %s |\n| **Capability Uplift**     | %s |\n| **Severity**              | %s |",
		step.Cell(*v.Category), step.Cell(*v.Claim), uplift, step.Cell(*v.Severity))
	return b.String()
}
