// Package governance is the chapter on who steers and checks the plan: what could go astray, which
// bodies there are and how they come about, what is passed upwards, and what is watched.
package governance

import (
	"context"
	"embed"
	"fmt"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "governance", Prompts: prompts, Steps: []step.Step{
	Audit,
	Bodies,
	Setup,
	Escalation,
	Monitoring,
	Extra,
	Consolidate,
}}

// base are the documents that begin every question of the chapter.
func base(more ...plan.Artifact) []plan.Artifact {
	return append(step.Docs(plan.Prompt, plan.Decisions, plan.Scenarios, plan.AssumptionsShort, plan.ProjectPlan), more...)
}

// Consolidate puts the pages of the chapter together. A page that is missing costs only itself.
var Consolidate = step.Func{
	Name:   "consolidate_governance",
	About:  "The governance pages in one document",
	Uses:   step.Docs(plan.AuditDetails, plan.Bodies, plan.GovernanceSetup, plan.Escalation, plan.Monitoring, plan.GovernanceExtra),
	Writes: step.Docs(plan.Governance),
	Run: func(_ context.Context, w *step.Work) error {
		parts := []struct {
			title string
			page  plan.Artifact
		}{
			{"Governance Audit", plan.AuditDetails},
			{"Internal Governance Bodies", plan.Bodies},
			{"Governance Implementation Plan", plan.GovernanceSetup},
			{"Decision Escalation Matrix", plan.Escalation},
			{"Monitoring Progress", plan.Monitoring},
			{"Governance Extra", plan.GovernanceExtra},
		}
		var chunks []string
		missing := 0
		for _, p := range parts {
			text, err := w.Page(p.page)
			if err != nil {
				return err
			}
			if text == "" {
				missing++
				text = "This part could not be made."
			}
			chunks = append(chunks, "# "+p.title+"\n\n"+text)
		}
		if missing == len(parts) {
			return fmt.Errorf("none of the governance pages could be made")
		}
		return w.WritePage(plan.Governance, strings.Join(chunks, "\n\n"))
	},
}

// list writes a bold label with its items.
func list(label string, items []string) string {
	return "**" + label + ":**\n\n" + step.Bullets(items) + "\n"
}
