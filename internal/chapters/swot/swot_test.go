package swot

import (
	"regexp"
	"strings"
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

func runFor(t *testing.T, purpose string) *chaptertest.Run {
	t.Helper()
	return chaptertest.Case{
		Chapters: []step.Chapter{Chapter},
		Given: map[plan.Artifact]string{
			plan.Prompt: "Plan:\nOpen a bakery", plan.Decisions: "## Primary Decisions", plan.Scenarios: "# Choosing Our Strategic Path",
			plan.AssumptionsShort: "# Purpose", plan.Assessment: `{"feedback":[]}`, plan.ProjectPlan: "**Goal Statement:** A bakery",
			plan.PurposePage: "Bread", plan.RelatedResources: "## Summary",
			plan.PurposeRaw: `{"topic":"Bread <1 kg","purpose_detailed":"To sell bread","purpose":"` + purpose + `","metadata":{"model_name":"m"}}`,
		},
		Answer: func(llm.Request, int) any {
			two := func(s string) []string { return []string{s + "\none", s + " two"} }
			return swot{two("s"), two("w"), two("o"), two("t"), two("r"), two("g"), two("a"), two("m"), append(two("q"), "q3", "q4", "q5")}
		},
	}.Run(t)
}

func TestAnalysis(t *testing.T) {
	t.Parallel()
	run := runFor(t, "business")
	run.MustDo(t)
	chaptertest.MustAskAll(t, Chapter, run)
	chaptertest.Golden(t, "swot_analysis", run.Read(t, plan.SWOT))
	for _, s := range []struct{ path, keys string }{
		{"", "topic purpose purpose_detailed response_purpose response_conduct metadata"},
		{"response_purpose", "topic purpose_detailed purpose metadata"},
		{"response_conduct", "strengths weaknesses opportunities threats recommendations strategic_objectives assumptions missing_information user_questions metadata"},
		{"response_conduct metadata", "model_name llm_classname model_id"},
	} {
		if got := chaptertest.Keys(t, run.Read(t, plan.SWOTRaw), strings.Fields(s.path)...); got != s.keys {
			t.Errorf("raw %q has keys\n%s, want\n%s", s.path, got, s.keys)
		}
	}
}

// Each purpose is asked in its own way; the words of a variant stand in no other.
func TestVariants(t *testing.T) {
	t.Parallel()
	marks := map[string]string{"business": "customers and rivals", "personal": "experienced friend", "other": "practitioner of the field"}
	for purpose := range marks {
		run := runFor(t, purpose)
		run.MustDo(t)
		system := run.Asked["swot_analysis"][0].Messages[0].Content
		for of, mark := range marks {
			if got := strings.Contains(system, mark); got != (of == purpose) {
				t.Errorf("%s: the system message has the part for %s: %v", purpose, of, got)
			}
		}
	}
}

func TestUnknownPurpose(t *testing.T) {
	t.Parallel()
	run := runFor(t, "leisure")
	if len(run.Result.Failed) != 1 || !strings.Contains(run.Result.Failed[0].Reason.Message, `the purpose is "leisure"`) {
		t.Errorf("failed %v, want the purpose named", run.Result.Failed)
	}
	if len(run.Asked["swot_analysis"]) > 0 {
		t.Error("a model was asked")
	}
}

// The recorded headings end in pictograms, which ours leave out.
func TestRecorded(t *testing.T) {
	t.Parallel()
	pictograms := regexp.MustCompile(`(?m)^(## [A-Za-z ]*[A-Za-z]) [^\x00-\x7f].*$`)
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		type raw struct {
			Conduct swot `json:"response_conduct"`
		}
		got := chaptertest.Load[raw](t, dir, plan.SWOTRaw).Conduct.Markdown()
		chaptertest.SameStructure(t, plan.SWOT.Name, pictograms.ReplaceAllString(string(dir.Read(t, plan.SWOT)), "$1"), got)
	})
}
