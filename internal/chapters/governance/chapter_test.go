package governance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

var given = map[plan.Artifact]string{
	plan.Prompt: "Plan:\nOpen a bakery", plan.Decisions: "## Primary Decisions", plan.Scenarios: "# Choosing Our Strategic Path",
	plan.KeyFacts: `{"language":"en","scale":"small"}`, plan.AssumptionsShort: "# Purpose", plan.ProjectPlan: "**Goal Statement:** bread",
}

// script answers each step well.
type script map[string]any

func board() bodies {
	one := body{
		Name: "Owners' Round", Rationale: "Money must\nnot run out.", Responsibilities: []string{"Direction", "The budget\nabove 5,000 EUR"},
		Setup: []string{"Agree on a date"}, Membership: []string{"Owner", "Baker of another town (independent)"}, Rights: "Spending above 5,000 EUR.",
		Mechanism: "Majority; the owner when divided.", Cadence: "Monthly", Agenda: []string{"Cash"}, Escalation: "To the lender.",
	}
	two := one
	two.Name, two.Above, two.Escalation = "Bakery Team", 1, "To the Owners' Round."
	return bodies{Bodies: []body{one, two}, Sponsor: "The lender"}
}

func wellBehaved() script {
	return script{
		"governance_phase1_audit": audit{
			Corruption: []string{"The owner's cousin sells the oven.", "The inspector\nis given cake."}, Misallocation: []string{"Flour goes home."},
			Procedures: []string{"Two offers above 1,000 EUR."}, Transparency: []string{"A cash book for all."},
		},
		"governance_phase2_bodies": board(),
		"governance_phase3_impl_plan": setup{
			Steps: []setupStep{
				{"The owner drafts the rules\nof the round.", "Owner", "Week 1", []string{"Draft"}, []string{}},
				{"Members agree.", "Owner", "Week 2", []string{"List of members", "Dates"}, []string{"Draft"}},
				{"The first meeting is held.", "Owners' Round", "Week 3", []string{"Minutes"}, []string{"Dates"}},
			},
			Milestones: []milestone{{"Owners' Round", 2, 3}, {"Bakery Team", 2, 2}},
		},
		"governance_phase4_decision_escalation_matrix": escalation{[]issue{
			{"The oven costs more than 5,000 EUR", "owners' round", "Within a week,\nfrom two offers.", "Above the team's limit.", "No bread in May."},
			{"The owners are divided", "The lender", "Hears both.", "Nobody above.", "Standstill."},
		}},
		"governance_phase5_monitoring_progress": monitoring{[]approach{
			{"Cash at hand", []string{"Cash book", "Bank\nstatement"}, "Weekly", "Bakery Team", "The owner cuts opening hours.", "Below 10,000 EUR."},
			{"Loaves sold", []string{"Till"}, "Daily", "Baker", "The team bakes less.", "A fifth is left for three days."},
		}},
		"governance_phase6_extra": extra{[]string{"All parts exist.", "The limits\nagree."}, []string{"Who pays?", "Since when?"}, "Small and sound."},
	}
}

func (s script) run(t *testing.T) *chaptertest.Run {
	t.Helper()
	return chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given, Answer: func(r llm.Request, _ int) any { return s[r.Name] }}.Run(t)
}

func TestChapter(t *testing.T) {
	t.Parallel()
	run := wellBehaved().run(t)
	run.MustDo(t)
	chaptertest.MustAskAll(t, Chapter, run)
	if len(run.Notes) > 0 {
		t.Errorf("notes on good answers: %+v", run.Notes)
	}
	for _, page := range step.Docs(plan.AuditDetails, plan.Bodies, plan.GovernanceSetup, plan.Escalation, plan.Monitoring, plan.GovernanceExtra, plan.Governance) {
		chaptertest.Golden(t, page.Artifact().Label, run.Read(t, page))
	}
	for _, s := range []struct {
		file plan.Artifact
		path []string
		keys string
	}{
		{plan.AuditDetailsRaw, nil, "corruption_list misallocation_list audit_procedures transparency_measures metadata"},
		{plan.BodiesRaw, nil, "internal_governance_bodies sponsor_role metadata"},
		{plan.BodiesRaw, []string{"internal_governance_bodies"}, "name rationale_for_inclusion responsibilities initial_setup_actions membership decision_rights decision_mechanism meeting_cadence typical_agenda_items escalation_path escalates_to_number"},
		{plan.GovernanceSetupRaw, nil, "governance_implementation_plan milestones metadata"},
		{plan.GovernanceSetupRaw, []string{"governance_implementation_plan"}, "step_description responsible_body_or_role suggested_timeframe key_outputs_deliverables dependencies"},
		{plan.EscalationRaw, nil, "decision_escalation_matrix metadata"},
		{plan.EscalationRaw, []string{"decision_escalation_matrix"}, "issue_type escalation_level approval_process rationale negative_consequences"},
		{plan.MonitoringRaw, nil, "monitoring_progress metadata"},
		{plan.MonitoringRaw, []string{"monitoring_progress"}, "approach monitoring_tools_platforms frequency responsible_role adaptation_process adaptation_trigger"},
		{plan.GovernanceExtraRaw, nil, "governance_validation_checks tough_questions summary metadata"},
	} {
		if got := chaptertest.Keys(t, run.Read(t, s.file), s.path...); got != s.keys {
			t.Errorf("%s %v has keys\n%s, want\n%s", s.file.Artifact().Name, s.path, got, s.keys)
		}
	}
	for name, requests := range run.Asked {
		if n := strings.Count(requests[0].Messages[1].Content, "Open a bakery"); n != 1 {
			t.Errorf("%s shows the prompt %d times", name, n)
		}
	}
}

// Set-up and escalation do not need each other, so six questions take five units of time.
func TestLongestChain(t *testing.T) {
	t.Parallel()
	if got := chaptertest.Chain(t, Chapter); got != 5 {
		t.Errorf("the longest chain has %d calls, want 5", got)
	}
}

func TestDemoHasNothingToComplainAbout(t *testing.T) {
	t.Parallel()
	chaptertest.DemoIsClean(t, Chapter, given)
}

func TestBodiesMustBeKnown(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		step   string
		answer any
	}{
		"nobody has this name":         {"governance_phase4_decision_escalation_matrix", escalation{[]issue{{"x", "Board of Directors", "x", "x", "x"}}}},
		"a body is not set up":         {"governance_phase3_impl_plan", setup{wellBehaved()["governance_phase3_impl_plan"].(setup).Steps, []milestone{{"Bakery Team", 1, 1}}}},
		"a body is set up that is not": {"governance_phase3_impl_plan", setup{wellBehaved()["governance_phase3_impl_plan"].(setup).Steps, []milestone{{"Owners' Round", 1, 1}, {"Bakery Team", 1, 1}, {"Board", 1, 1}}}},
		"no body at all":               {"governance_phase2_bodies", bodies{Sponsor: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := wellBehaved()
			good := s[tc.step]
			run := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given, Answer: func(r llm.Request, round int) any {
				if r.Name == tc.step && round == 1 {
					return tc.answer
				}
				if r.Name == tc.step {
					return good
				}
				return s[r.Name]
			}}.Run(t)
			run.MustDo(t)
			if n := len(run.Asked[tc.step]); n != 2 {
				t.Errorf("asked %d times, want a second time with what is wrong", n)
			}
		})
	}
}

func TestOneFailureCostsOnlyItsReaders(t *testing.T) {
	t.Parallel()
	s := wellBehaved()
	s["governance_phase2_bodies"] = chaptertest.Context()
	run := s.run(t)
	if len(run.Result.Failed) != 1 || len(run.Result.Skipped) != 2 {
		t.Errorf("failed %v and skipped %v, want the bodies and the two steps that need their names", run.Result.Failed, run.Result.Skipped)
	}
	page := string(run.Read(t, plan.Governance))
	if want := "# Internal Governance Bodies\n\nThis part could not be made.\n\n# Governance Implementation Plan\n\nThis part"; !strings.Contains(page, want) {
		t.Errorf("the document lacks %q:\n%s", want, page)
	}
	if !strings.Contains(page, "# Monitoring Progress\n\n### 1. Cash at hand") || !run.Has(plan.GovernanceExtra) {
		t.Errorf("the other parts are missing:\n%s", page)
	}
	asked := run.Asked["governance_phase5_monitoring_progress"][0].Messages[1].Content
	if !strings.Contains(asked, "could not be made") {
		t.Error("the question about monitoring does not say that the bodies are missing")
	}

	for name := range s {
		s[name] = chaptertest.Context()
	}
	run = s.run(t)
	if run.Has(plan.Governance) {
		t.Errorf("a document was made of nothing:\n%s", run.Read(t, plan.Governance))
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		same(t, dir, plan.AuditDetails, chaptertest.Load[audit](t, dir, plan.AuditDetailsRaw))
		same(t, dir, plan.Bodies, chaptertest.Load[bodies](t, dir, plan.BodiesRaw))
		same(t, dir, plan.GovernanceSetup, chaptertest.Load[setup](t, dir, plan.GovernanceSetupRaw))
		same(t, dir, plan.Escalation, chaptertest.Load[escalation](t, dir, plan.EscalationRaw))
		same(t, dir, plan.Monitoring, chaptertest.Load[monitoring](t, dir, plan.MonitoringRaw))
		same(t, dir, plan.GovernanceExtra, chaptertest.Load[extra](t, dir, plan.GovernanceExtraRaw))
		parts := map[plan.Artifact]string{}
		for _, a := range Consolidate.Uses {
			parts[a] = string(dir.Read(t, a))
		}
		run := chaptertest.Case{Chapters: []step.Chapter{{Name: "governance", Steps: []step.Step{Consolidate}}}, Given: parts}.Run(t)
		run.MustDo(t)
		if diff := cmp.Diff(string(dir.Read(t, plan.Governance)), string(run.Read(t, plan.Governance))); diff != "" {
			t.Errorf("%s (-recorded +ours):\n%s", plan.Governance.Name, diff)
		}
	})
}

func same(t *testing.T, dir chaptertest.Recorded, a plan.Artifact, answer step.Pager) {
	t.Helper()
	if diff := cmp.Diff(string(dir.Read(t, a)), answer.Markdown()); diff != "" {
		t.Errorf("%s (-recorded +ours):\n%s", a.Artifact().Name, diff)
	}
}
