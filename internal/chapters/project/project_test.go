package project

import (
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

func chapter(steps ...step.Step) step.Chapter {
	return step.Chapter{Name: "project", Prompts: prompts, Steps: steps}
}

func TestProjectPlan(t *testing.T) {
	t.Parallel()
	run := chaptertest.Case{
		Chapters: []step.Chapter{chapter(ProjectPlan)},
		Given: map[plan.Artifact]string{
			plan.Prompt: "Plan:\nOpen a bakery", plan.Decisions: "## Primary Decisions", plan.Scenarios: "# Choosing Our Strategic Path",
			plan.AssumptionsShort: "# Purpose", plan.Assessment: `{"go_no_go_recommendation":"Execute Immediately"}`,
		},
		Answer: func(llm.Request, int) any {
			return projectPlan{
				Goal:         "A bakery that pays its rent.",
				Smart:        smart{"A bakery", "Rent is paid", "Small", "Bread", "9 months"},
				Dependencies: []string{"A lease\nfor five years"}, Resources: []string{"An oven", "Flour"}, Related: []string{}, Tags: []string{"bread", "Lyon", "shop"},
				Risks:        riskSummary{[]string{"No permit"}, []string{"No buyers"}, []string{"Ask first", "Ask fifty people"}},
				Stakeholders: stakeholders{[]string{"The baker"}, []string{}, []string{"A letter per month"}},
				Compliance:   compliance{[]string{}, []string{}, []string{}, []string{}},
			}
		},
	}.Run(t)
	run.MustDo(t)
	chaptertest.Golden(t, "project_plan", run.Read(t, plan.ProjectPlan))
	for _, s := range []struct {
		path []string
		keys string
	}{
		{nil, "goal_statement smart_criteria dependencies resources_required related_goals tags risk_assessment_and_mitigation_strategies stakeholder_analysis regulatory_and_compliance_requirements metadata"},
		{[]string{"smart_criteria"}, "specific measurable achievable relevant time_bound"},
		{[]string{"risk_assessment_and_mitigation_strategies"}, "key_risks diverse_risks mitigation_plans"},
		{[]string{"stakeholder_analysis"}, "primary_stakeholders secondary_stakeholders engagement_strategies"},
		{[]string{"regulatory_and_compliance_requirements"}, "permits_and_licenses compliance_standards regulatory_bodies compliance_actions"},
	} {
		if got := chaptertest.Keys(t, run.Read(t, plan.ProjectPlanRaw), s.path...); got != s.keys {
			t.Errorf("%s %v has keys\n%s, want\n%s", plan.ProjectPlanRaw.Name, s.path, got, s.keys)
		}
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		dir.SamePage(t, plan.ProjectPlan, chaptertest.Load[projectPlan](t, dir, plan.ProjectPlanRaw).Markdown())
	})
}
