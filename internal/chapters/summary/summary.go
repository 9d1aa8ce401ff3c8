// Package summary is the chapter that tells the whole plan on one page and judges it, after all else
// is known.
package summary

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
var Chapter = step.Chapter{Name: "summary", Prompts: prompts, Steps: []step.Step{ExecutiveSummary, OpeningPage}}

// ExecutiveSummary is made last, so that it can name dates, the likeliest failures and what the
// audit found.
var ExecutiveSummary = step.Func{
	Name:    "executive_summary",
	About:   "The plan on one page",
	Prompts: []string{"executive_summary"},
	Needs:   step.Docs(plan.Prompt),
	Uses: step.Docs(plan.Decisions, plan.Scenarios, plan.AssumptionsShort, plan.Assessment, plan.ProjectPlan, plan.DataCollection,
		plan.RelatedResources, plan.SWOT, plan.Team, plan.Pitch, plan.ExpertCriticism, plan.ReviewPlan, plan.Premortem, plan.SelfAudit),
	UsesRaw: step.Docs(plan.GanttTable),
	Writes:  step.Docs(plan.SummaryRaw, plan.Summary),
	Calls:   step.Once,
	Run:     summarize,
}

type summary struct {
	Audience     string `json:"audience_tailoring"`
	Focus        string `json:"focus_and_context"`
	Purpose      string `json:"purpose_and_goals"`
	Deliverables string `json:"key_deliverables_and_outcomes"`
	Timeline     string `json:"timeline_and_budget"`
	Risks        string `json:"risks_and_mitigations"`
	Action       string `json:"action_orientation"`
	Takeaway     string `json:"overall_takeaway"`
	Feedback     string `json:"feedback"`
}

func summarize(ctx context.Context, w *step.Work) error {
	table, err := w.Text(plan.GanttTable)
	if err != nil {
		return err
	}
	got, err := step.Question[summary]{
		Prompt: "executive_summary", Vars: map[string]string{"Schedule": plan.SummarizeGantt(table)},
	}.Ask(ctx, w)
	if err != nil {
		return err
	}
	var raw struct {
		summary
		Page string `json:"markdown"`
	}
	raw.summary, raw.Page = got.Value, got.Value.Markdown()
	if err := w.WriteRaw(plan.SummaryRaw, raw, got.Source); err != nil {
		return err
	}
	return w.WritePage(plan.Summary, raw.Page)
}

func (a summary) Markdown() string {
	var parts []string
	for _, p := range []struct{ title, text string }{
		{"Focus and Context", a.Focus},
		{"Purpose and Goals", a.Purpose},
		{"Key Deliverables and Outcomes", a.Deliverables},
		{"Timeline and Budget", a.Timeline},
		{"Risks and Mitigations", a.Risks},
		{"Audience Tailoring", a.Audience},
		{"Action Orientation", a.Action},
		{"Overall Takeaway", a.Takeaway},
		{"Feedback", a.Feedback},
	} {
		parts = append(parts, fmt.Sprintf("## %s\n%s", p.title, p.text))
	}
	return spaceLists(strings.Join(parts, "\n\n"))
}

// spaceLists sets lists apart from the text around them by empty lines, as some renderers demand.
// Lines that begin with spaces belong to the list they stand in.
func spaceLists(text string) string {
	var out []string
	inList, blank := false, false
	for line := range strings.SplitSeq(text, "\n") {
		item := strings.HasPrefix(line, "- ")
		goesOn := inList && strings.HasPrefix(line, " ")
		switch empty := strings.TrimSpace(line) == ""; {
		case empty:
			inList, blank = false, true
			out = append(out, line)
			continue
		case item && !inList && !blank && len(out) > 0, inList && !item && !goesOn:
			out = append(out, "")
		}
		out = append(out, line)
		inList, blank = item || goesOn, false
	}
	if inList {
		out = append(out, "")
	}
	return strings.Join(out, "\n")
}
