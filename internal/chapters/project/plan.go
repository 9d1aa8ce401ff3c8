package project

import (
	"fmt"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// ProjectPlan asks for the central document that nearly every later step reads: the goal and how
// it is measured, what it depends on, needs and risks, whom it concerns, and which rules apply.
var ProjectPlan = step.Ask[projectPlan]{
	Name:  "project_plan",
	About: "Goal, criteria, dependencies, resources, risks, stakeholders, compliance",
	Needs: step.Docs(plan.Prompt, plan.Decisions, plan.Scenarios, plan.AssumptionsShort, plan.Assessment),
	Raw:   plan.ProjectPlanRaw,
	Page:  plan.ProjectPlan,
}

type projectPlan struct {
	Goal         string       `json:"goal_statement"`
	Smart        smart        `json:"smart_criteria"`
	Dependencies []string     `json:"dependencies" count:"0-8"`
	Resources    []string     `json:"resources_required" count:"0-10"`
	Related      []string     `json:"related_goals" count:"0-4"`
	Tags         []string     `json:"tags" count:"3-10" empty:"ok"`
	Risks        riskSummary  `json:"risk_assessment_and_mitigation_strategies"`
	Stakeholders stakeholders `json:"stakeholder_analysis"`
	Compliance   compliance   `json:"regulatory_and_compliance_requirements"`
}

type smart struct {
	Specific   string `json:"specific"`
	Measurable string `json:"measurable"`
	Achievable string `json:"achievable"`
	Relevant   string `json:"relevant"`
	TimeBound  string `json:"time_bound"`
}

type riskSummary struct {
	Key        []string `json:"key_risks" count:"0-6"`
	Diverse    []string `json:"diverse_risks" count:"0-5"`
	Mitigation []string `json:"mitigation_plans" count:"0-11"`
}

type stakeholders struct {
	Primary    []string `json:"primary_stakeholders" count:"1-8"`
	Secondary  []string `json:"secondary_stakeholders" count:"0-8"`
	Engagement []string `json:"engagement_strategies" count:"0-8"`
}

type compliance struct {
	Permits   []string `json:"permits_and_licenses" count:"0-10"`
	Standards []string `json:"compliance_standards" count:"0-8"`
	Bodies    []string `json:"regulatory_bodies" count:"0-8"`
	Actions   []string `json:"compliance_actions" count:"0-8"`
}

// Markdown prints every heading, also above an empty list.
func (p projectPlan) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "**Goal Statement:** %s\n", p.Goal)
	part := func(level, title string, items []string) {
		fmt.Fprintf(&b, "\n%s %s\n\n%s", level, title, step.Bullets(items))
	}
	part("##", "SMART Criteria", []string{
		"**Specific:** " + p.Smart.Specific, "**Measurable:** " + p.Smart.Measurable, "**Achievable:** " + p.Smart.Achievable,
		"**Relevant:** " + p.Smart.Relevant, "**Time-bound:** " + p.Smart.TimeBound,
	})
	part("##", "Dependencies", p.Dependencies)
	part("##", "Resources Required", p.Resources)
	part("##", "Related Goals", p.Related)
	part("##", "Tags", p.Tags)
	b.WriteString("\n## Risk Assessment and Mitigation Strategies\n\n")
	part("###", "Key Risks", p.Risks.Key)
	part("###", "Diverse Risks", p.Risks.Diverse)
	part("###", "Mitigation Plans", p.Risks.Mitigation)
	b.WriteString("\n## Stakeholder Analysis\n\n")
	part("###", "Primary Stakeholders", p.Stakeholders.Primary)
	part("###", "Secondary Stakeholders", p.Stakeholders.Secondary)
	part("###", "Engagement Strategies", p.Stakeholders.Engagement)
	b.WriteString("\n## Regulatory and Compliance Requirements\n\n")
	part("###", "Permits and Licenses", p.Compliance.Permits)
	part("###", "Compliance Standards", p.Compliance.Standards)
	part("###", "Regulatory Bodies", p.Compliance.Bodies)
	part("###", "Compliance Actions", p.Compliance.Actions)
	return strings.TrimRight(b.String(), "\n")
}
