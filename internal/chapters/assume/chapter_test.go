package assume

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

var given = map[plan.Artifact]string{
	plan.Prompt: "Plan:\nOpen a bakery", plan.Decisions: "## Primary Decisions", plan.Scenarios: "# Choosing Our Strategic Path",
}

// script answers each step well.
type script map[string]any

func text(s string) *string { return &s }

func wellBehaved() script {
	return script{
		"identify_purpose": purpose{"A bakery", "earn a living with bread in Lyon", "business"},
		"plan_type":        planType{"Bread is baked and sold somewhere.", "physical"},
		"physical_locations": locations{
			Given: true, Requirements: []string{"a chimney", "power for\nthe oven"},
			Places: []location{
				{7, "France", "Lyon, Croix-Rousse", "", "The request names Lyon."},
				{7, " ", "", "", "no place at all"},
				{9, "France", "Lyon, Gerland", "a former workshop", "Suggested: cheap."},
			},
			Summary: "Two quarters.",
		},
		"currency_strategy": money{true, []listed{{"EUR", "All is paid in it."}}, text("EUR"), "Keep the budget in EUR."},
		"identify_risks": risks{[]risk{
			{"Supply", "Flour is late." + strings.Repeat(" The mill has told nobody when it comes.", 60), "Two days.", "high", "low", "Order early."},
			{"Law", "The permit is refused.", "The end.", "medium", "high", "Ask first."},
			{"Money", "The oven breaks.", "A month.", "low", "high", "Insure it."},
		}, "The permit decides."},
		"make_assumptions":    assumptions{questions(8)},
		"distill_assumptions": distilled{[]string{"Rent is 2,000 EUR.", "Two people work there.", "The oven is used.", "Opening is\nin May."}},
		"review_assumptions": review{"Baking", []string{"Flour keeps badly."}, []issue{
			{"No buyer", "Nobody was asked.", "Ask fifty people.", "Sales ± 20 %."},
			{"No oven", "It has no price.", "Get two offers.", "The price is missing."},
			{"No time", "May is soon.", "Start with the permit.", "One month later is one rent more."},
		}, "Ask first."},
		"shorten_identify_risks": "Thinking …\n[START_MARKDOWN]\n# Identify Risks\n## Risk 1\n- **Law**: the permit\n[END_MARKDOWN]\nDone.",
	}
}

func questions(n int) []assumption {
	var out []assumption
	for i := range n {
		out = append(out, assumption{i + 1, fmt.Sprintf("Question %d?", i+1), fmt.Sprintf("Assumption: %d is likely.", i+1), "Title: T\nDescription: D\nDetails: " + strings.Repeat("more ", 70)})
	}
	return out
}

func (s script) run(t *testing.T) *chaptertest.Run {
	t.Helper()
	r := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given, Answer: func(r llm.Request, _ int) any {
		if a, ok := s[r.Name]; ok {
			return a
		}
		return "[START_MARKDOWN]\n- short\n[END_MARKDOWN]"
	}}.Run(t)
	return r
}

func TestChapter(t *testing.T) {
	t.Parallel()
	s := wellBehaved()
	long := s["identify_risks"].(risks)
	long.Summary += strings.Repeat(" It really does.", 60)
	s["identify_risks"] = long
	run := s.run(t)
	run.MustDo(t)
	chaptertest.MustAskAll(t, Chapter, run)

	// The full document holds all pages.
	for _, page := range step.Docs(plan.AssumptionsFull, plan.AssumptionsShort) {
		chaptertest.Golden(t, page.Artifact().Label, run.Read(t, page))
	}

	for _, s := range []struct {
		file plan.Artifact
		path []string // to the object looked at; of lists the first item
		keys string
	}{
		{plan.PurposeRaw, nil, "topic purpose_detailed purpose metadata"},
		{plan.PurposeRaw, []string{"metadata"}, "model_name llm_classname model_id"},
		{plan.PlanTypeRaw, nil, "explanation plan_type metadata"},
		{plan.LocationsRaw, nil, "has_location_in_plan requirements_for_the_physical_locations physical_locations location_summary metadata"},
		{plan.LocationsRaw, []string{"physical_locations"}, "item_index physical_location_broad physical_location_detailed physical_location_specific rationale_for_suggestion"},
		{plan.CurrencyRaw, nil, "money_involved currency_list primary_currency currency_strategy metadata"},
		{plan.CurrencyRaw, []string{"currency_list"}, "currency consideration"},
		{plan.RisksRaw, nil, "risks risk_assessment_summary metadata"},
		{plan.RisksRaw, []string{"risks"}, "risk_area risk_description potential_impact likelihood severity action"},
		{plan.AssumptionsRaw, nil, "question_assumption_list metadata"},
		{plan.AssumptionsRaw, []string{"question_assumption_list"}, "item_index question assumptions assessments"},
		{plan.Assumptions, nil, "question assumptions assessments"},
		{plan.DistilledRaw, nil, "assumption_list metadata"},
		{plan.AssumptionReviewRaw, nil, "expert_domain domain_specific_considerations issues conclusion metadata"},
		{plan.AssumptionReviewRaw, []string{"issues"}, "issue explanation recommendation sensitivity"},
		{plan.ShortRisks, nil, "markdown metadata"},
		{plan.ShortPurpose, nil, "markdown"},
	} {
		if got := chaptertest.Keys(t, run.Read(t, s.file), s.path...); got != s.keys {
			t.Errorf("%s %v has keys\n%s, want\n%s", s.file.Artifact().Name, s.path, got, s.keys)
		}
	}

	var raw locations
	if err := json.Unmarshal(run.Read(t, plan.LocationsRaw), &raw); err != nil {
		t.Fatal(err)
	}
	if len(raw.Places) != 2 || raw.Places[0].Index != 1 || raw.Places[1].Index != 2 {
		t.Errorf("places are %+v, want two, numbered 1 and 2", raw.Places)
	}
	for _, name := range []string{"shorten_purpose", "shorten_plan_type", "shorten_distill_assumptions"} {
		if n := len(run.Asked[name]); n != 0 {
			t.Errorf("%s asked %d times about a document of a few lines", name, n)
		}
	}
	for _, q := range run.Asked["shorten_identify_risks"] {
		if user := q.Messages[1].Content; strings.Contains(user, "**") || strings.Contains(user, "Open a bakery") {
			t.Errorf("shortening shows bold marks or another document:\n%s", user)
		}
	}
}

func TestDigitalPlanHasNoPlace(t *testing.T) {
	t.Parallel()
	s := wellBehaved()
	s["plan_type"] = planType{"All of it is text.", "digital"}
	run := s.run(t)
	run.MustDo(t)
	if n := len(run.Asked["physical_locations"]); n != 0 {
		t.Errorf("a digital plan was asked for places %d times", n)
	}
	var raw map[string]string
	if err := json.Unmarshal(run.Read(t, plan.LocationsRaw), &raw); err != nil {
		t.Fatal(err)
	}
	page := string(run.Read(t, plan.Locations))
	if len(raw) != 1 || raw["comment"] == "" || raw["comment"] != page {
		t.Errorf("raw file is %v and the page %q, want the same sentence in both", raw, page)
	}
}

func TestShortenFallsBackToTheWholeText(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer any
		note   string // part of it; "" for none
	}{
		"shorter":         {"[START_MARKDOWN]\n- short\n[END_MARKDOWN]", ""},
		"longer":          {"[START_MARKDOWN]\n" + strings.Repeat("much more text ", 400) + "\n[END_MARKDOWN]", "no shorter"},
		"title only":      {"[START_MARKDOWN]\n# Make Assumptions\n[END_MARKDOWN]", "no shorter"},
		"no model can":    {chaptertest.Context(), "no model"},
		"without marks":   {"- short", "no marks"},
		"a mark is wrong": {"[END_MARKDOWN]\n- short\n[START_MARKDOWN]", "no marks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := wellBehaved()
			s["shorten_make_assumptions"] = tc.answer
			run := s.run(t)
			run.MustDo(t)
			short := strings.TrimSpace(part(string(run.Read(t, plan.AssumptionsShort)), "# Make Assumptions\n", "# Distill"))
			whole := strings.TrimSpace(plain(string(run.Read(t, plan.AssumptionsPage))))
			if wantWhole := tc.note != "" && tc.note != "no marks"; (short == whole) != wantWhole {
				t.Errorf("the short document holds\n%.300s", short)
			}
			if !strings.HasSuffix(short, "- short") && short != whole {
				t.Errorf("the short document holds neither the answer nor the source:\n%s", short)
			}
			found := ""
			for _, n := range run.Notes {
				if n.Step == "shorten_make_assumptions" {
					found += n.Note + "\n"
				}
			}
			if (found == "") != (tc.note == "") || !strings.Contains(found, tc.note) {
				t.Errorf("notes are %q, want one with %q", found, tc.note)
			}
		})
	}
}

func part(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func TestShortenKeepsErrorsThatEndTheRun(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"too long":  {&llm.Error{Class: llm.ClassContext}, true},
		"invalid":   {&llm.Error{Class: llm.ClassInvalid}, true},
		"no models": {&llm.Error{Class: llm.ClassAuth, EndsRun: true}, false},
		"budget":    {&llm.Error{Class: llm.ClassBudget}, false},
		"stopped":   {&llm.Error{Class: llm.ClassCancelled}, false},
		"a bug":     {&llm.Error{Class: llm.ClassInternal}, false},
		"another":   {fmt.Errorf("no such section"), false},
	} {
		if got := step.OneQuestion(fmt.Errorf("wrapped: %w", tc.err)); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}
