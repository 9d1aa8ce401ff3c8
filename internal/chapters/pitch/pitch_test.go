package pitch

import (
	"regexp"
	"slices"
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
	plan.ProjectPlan: "**Goal Statement:** bread", plan.PurposePage: "business", plan.RelatedResources: "## Suggestion 1",
	plan.WBS12: `{"wbs_project":{"id":"7c42f86a-13f2-4666-835c-d300595d600b","description":"Bakery in\nLyon","task_children":[
		{"id":"a","description":"Prepare","task_children":[{"id":"deb101de-a094-4ec3-8f7d-0b0c621e95bc","description":"Rent a shop"}]}]}}`,
}

func TestChapter(t *testing.T) {
	t.Parallel()
	run := chaptertest.Case{
		Chapters: []step.Chapter{Chapter}, Given: given,
		Answer: func(llm.Request, int) any {
			return plan.PitchText{
				Pitch: "# Listen!\nBread <is> good.\n\nWe bake it.", Why: "It is true.", Audience: "The bank", Call: "Come and taste.",
				Risks:   "Two stand out:\n* **Rent:** fixed\n• **Flour:** bought ahead\nBoth are met.",
				Metrics: "- Queues", Benefits: "\n- **Neighbours**: bread\n\n- **Baker**: work\n", Ethics: "", Collaboration: " ", Vision: "A second shop.",
			}
		},
	}.Run(t)
	run.MustDo(t)
	chaptertest.MustAskAll(t, Chapter, run)
	chaptertest.Golden(t, "pitch", run.Read(t, plan.Pitch))
	for _, s := range []struct {
		file plan.Artifact
		keys string
	}{
		{plan.PitchRaw, "pitch why_this_pitch_works target_audience call_to_action risks_and_mitigation metrics_for_success stakeholder_benefits ethical_considerations collaboration_opportunities long_term_vision metadata"},
		{plan.PitchPageRaw, "response_content markdown metadata"},
	} {
		if got := chaptertest.Keys(t, run.Read(t, s.file)); got != s.keys {
			t.Errorf("%s has keys\n%s, want\n%s", s.file.Artifact().Name, got, s.keys)
		}
	}
	if text := run.Asked["create_pitch"][0].Messages[1].Content; !strings.Contains(text, "- Prepare\n  - Rent a shop\n") {
		t.Errorf("the question does not show the work:\n%s", text)
	}
}

// TestRecorded holds our headings to those of recorded pages, whose title and goals a model chose.
func TestRecorded(t *testing.T) {
	t.Parallel()
	heading := regexp.MustCompile(`(?m)^## .*$`)
	own := []string{"## Goals and Objectives", "## Target Audience", "## Why This Pitch Works"}
	headings := func(page string) []string {
		return slices.DeleteFunc(heading.FindAllString(page, -1), func(h string) bool { return slices.Contains(own, h) })
	}
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		got := page("Title", chaptertest.Load[plan.PitchText](t, dir, plan.PitchRaw))
		if diff := cmp.Diff(headings(string(dir.Read(t, plan.Pitch))), headings(got)); diff != "" {
			t.Errorf("headings (-recorded +ours):\n%s", diff)
		}
	})
}
