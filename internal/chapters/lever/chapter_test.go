package lever

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// scripted is a well-behaved model: 15 levers, the last 8 of which are the first ones once more.
func scripted(r llm.Request, round int) any {
	switch r.Name {
	case "potential_levers":
		a := proposals{Rationale: "why", Summary: "sum"}
		for i := range 5 {
			n := (round-1)*5 + i + 1
			a.Levers = append(a.Levers, proposal{
				Index: i + 1, Name: fmt.Sprintf("Lever %d", n), Consequences: fmt.Sprintf("First → then → at last %d", n),
				Options: []string{fmt.Sprintf("1. careful %d", n), fmt.Sprintf("2. middle %d", n), fmt.Sprintf("3. bold <%d>", n)},
				Review:  fmt.Sprintf("Weighs A & B, forgets C (%d)", n),
			})
		}
		return a
	case "deduplicate_levers":
		var a decisions
		for i := range 15 {
			d := decision{ID: label(i), Class: keep, Justification: "differs"}
			if i >= 7 {
				into := label(i - 7)
				d.Class, d.Into = absorb, &into
			}
			a.Decisions = append(a.Decisions, d)
		}
		return a
	case "enrich_levers":
		var a characterizations
		last := r.Messages[len(r.Messages)-1].Content
		_, tail, _ := strings.Cut(last, "no others: ")
		for _, id := range strings.Split(strings.TrimSuffix(tail, "."), ", ") {
			a.List = append(a.List, characterization{id, "controls " + id, "helps " + id, "hinders " + id})
		}
		return a
	case "focus_on_vital_few_levers":
		a := ratings{Summary: "These five decide."}
		for i, importance := range []string{"Low", "High", "Critical", "Medium", "High", "Medium", "Critical"} {
			a.Assessments = append(a.Assessments, rating{ID: label(i), Name: "some name", Importance: importance, Justification: "much depends on it"})
		}
		return a
	case "candidate_scenarios":
		a := candidates{Title: "A choice", Tension: "Both cannot be had."}
		for i, name := range []string{"**Bold Bread**", "Steady Oven", "Safe Crumbs"} {
			c := candidate{Name: name, Logic: "Bets on something."}
			for _, id := range []string{"L7", "L2", "L3", "L4", "L5"} {
				c.Settings = append(c.Settings, setting{id, fmt.Sprint(3 - i)})
			}
			a.Scenarios = append(a.Scenarios, c)
		}
		return a
	case "select_scenario":
		a := selection{Profile: profile{"a town", "little", "money", "bread", "small and sound"}}
		for i, score := range []int{4, 9, 6} {
			a.Assessments = append(a.Assessments, fit{scenarioID(i), "fits so far", score})
		}
		a.Choice = choice{"S2", []string{"It fits the money.", "Bold Bread\nrisks too much.", "Safe Crumbs reaches too little."}}
		return a
	}
	return "unknown step " + r.Name
}

func TestChapter(t *testing.T) {
	t.Parallel()
	run := chaptertest.Case{
		Chapters: []step.Chapter{Chapter},
		Given:    map[plan.Artifact]string{plan.Prompt: "Plan:\nOpen a bakery", plan.PurposePage: "business", plan.PlanTypePage: "physical"},
		Answer:   scripted,
	}.Run(t)
	run.MustDo(t)
	chaptertest.MustAskAll(t, Chapter, run)
	read := func(a plan.Artifact) []byte { return run.Read(t, a) }

	for _, page := range step.Docs(plan.Decisions, plan.Scenarios) {
		chaptertest.Golden(t, page.Artifact().Label, read(page))
	}

	lever := "lever_id name consequences options review"
	shapes := []struct {
		file plan.Artifact
		path []string // to the object looked at; of lists the first item
		keys string
	}{
		{plan.PotentialLeversRaw, nil, "responses levers metadata"},
		{plan.PotentialLeversRaw, []string{"responses"}, "strategic_rationale levers summary"},
		{plan.PotentialLeversRaw, []string{"responses", "levers"}, "lever_index name consequences options review_lever"},
		{plan.PotentialLeversRaw, []string{"levers"}, lever},
		{plan.PotentialLeversRaw, []string{"metadata"}, "metadata_1 metadata_2 metadata_3"},
		{plan.PotentialLevers, nil, lever},
		{plan.DeduplicatedLevers, nil, "response deduplicated_levers metadata"},
		{plan.DeduplicatedLevers, []string{"response", "decisions"}, "lever_id classification justification absorb_into"},
		{plan.DeduplicatedLevers, []string{"deduplicated_levers"}, lever + " deduplication_justification"},
		{plan.EnrichedLevers, nil, "metadata characterized_levers"},
		{plan.EnrichedLevers, []string{"characterized_levers"}, lever + " deduplication_justification description synergy_text conflict_text"},
		{plan.VitalLevers, nil, "response levers metadata"},
		{plan.VitalLevers, []string{"response"}, "lever_assessments summary"},
		{plan.VitalLevers, []string{"response", "lever_assessments"}, "lever_id lever_name strategic_importance justification"},
		{plan.VitalLevers, []string{"levers"}, lever + " description synergy_text conflict_text"},
		{plan.CandidateScenariosRaw, nil, "response metadata"},
		{plan.CandidateScenarios, nil, "analysis_title core_tension scenarios"},
		{plan.CandidateScenarios, []string{"scenarios"}, "scenario_name strategic_logic lever_settings"},
		{plan.SelectedScenarioRaw, nil, "response metadata"},
		{plan.SelectedScenario, nil, "plan_characteristics scenario_assessments final_choice"},
		{plan.SelectedScenario, []string{"plan_characteristics"}, "ambition_and_scale risk_and_novelty complexity_and_constraints domain_and_tone holistic_profile_of_the_plan"},
		{plan.SelectedScenario, []string{"scenario_assessments"}, "scenario_name fit_score fit_assessment"},
		{plan.SelectedScenario, []string{"final_choice"}, "chosen_scenario_name justification"},
	}
	for _, s := range shapes {
		if got := chaptertest.Keys(t, read(s.file), s.path...); got != s.keys {
			t.Errorf("%s %v has keys\n%s, want\n%s", s.file.Artifact().Name, s.path, got, s.keys)
		}
	}

	// Candidates keep their order of keys and write text as it is.
	if want := `"Lever 7": "bold <7>"`; !bytes.Contains(read(plan.CandidateScenarios), []byte(want)) {
		t.Errorf("%s lacks %s:\n%s", plan.CandidateScenarios.Name, want, read(plan.CandidateScenarios))
	}

	first := run.Asked["potential_levers"]
	if len(first) != 3 {
		t.Fatalf("%d 3, want %d", len(first), 3)
	}
	last := first[2].Messages
	if got := roles(last); got != "system user assistant user assistant user" {
		t.Errorf("third round has turns %s", got)
	}
	if !strings.Contains(last[4].Content, `"Lever 10"`) || !strings.Contains(last[5].Content, "Lever 1\n") || !strings.Contains(last[5].Content, "Lever 10\n") {
		t.Errorf("the third round does not show what was found before:\n%s\n%s", last[4].Content, last[5].Content)
	}
	for name, requests := range run.Asked {
		for _, r := range requests {
			if n := strings.Count(r.Messages[1].Content, "Open a bakery"); n != 1 {
				t.Errorf("%s shows the prompt %d times", name, n)
			}
		}
	}
	if n := len(run.Asked["enrich_levers"]); n != 2 {
		t.Errorf("seven levers were enriched in %d calls, want 2", n)
	}
}

func roles(messages []llm.Message) string {
	var out []string
	for _, m := range messages {
		out = append(out, string(m.Role))
	}
	return strings.Join(out, " ")
}
