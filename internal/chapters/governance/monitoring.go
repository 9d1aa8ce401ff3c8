package governance

import (
	"fmt"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// Monitoring asks what is watched, by whom, and what changes the plan.
var Monitoring = step.Ask[monitoring]{
	Name:  "governance_phase5_monitoring_progress",
	About: "What is watched, by whom, and what makes the plan change",
	Needs: base(),
	Uses:  step.Docs(plan.BodiesRaw, plan.EscalationRaw),
	Sizes: func(c plan.Counts) map[string]plan.Range {
		return map[string]plan.Range{"monitoring_progress": c.Watched}
	},
	Raw:  plan.MonitoringRaw,
	Page: plan.Monitoring,
}

type monitoring struct {
	Progress []approach `json:"monitoring_progress"`
}

type approach struct {
	Approach    string   `json:"approach"`
	Tools       []string `json:"monitoring_tools_platforms" count:"1-5"`
	Frequency   string   `json:"frequency"`
	Responsible string   `json:"responsible_role"`
	Adaptation  string   `json:"adaptation_process"`
	Trigger     string   `json:"adaptation_trigger"`
}

// Markdown is read by people and, as data, by the quality check.
func (a monitoring) Markdown() string {
	var out []string
	for i, x := range a.Progress {
		var tools strings.Builder
		for _, t := range x.Tools {
			fmt.Fprintf(&tools, "  - %s\n", step.Line(t))
		}
		out = append(out, fmt.Sprintf("### %d. %s\n**Monitoring Tools/Platforms:**\n\n%s\n**Frequency:** %s\n\n**Responsible Role:** %s\n\n**Adaptation Process:** %s\n\n**Adaptation Trigger:** %s",
			i+1, step.Line(x.Approach), tools.String(), x.Frequency, x.Responsible, x.Adaptation, x.Trigger))
	}
	return strings.Join(out, "\n\n")
}
