package expert

import (
	"encoding/json"
	"fmt"
	"os"
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
	plan.AssumptionsShort: "# Purpose", plan.ProjectPlan: "**Goal Statement:** A bakery", plan.SWOT: "## Strengths",
}

var whole = step.Chapter{Name: "expert", Prompts: prompts, Steps: []step.Step{PreProjectAssessment, Review}}

func review(who string) reviewer {
	r := reviewer{Title: who + " title", Name: who + " name"}
	for i := range 4 {
		r.Feedback = append(r.Feedback, feedback{i + 1, fmt.Sprintf("%s item %d", who, i+1), "do it"})
	}
	return r
}

func runWith(t *testing.T, verdict string) *chaptertest.Run {
	t.Helper()
	docs := map[plan.Artifact]string{plan.RedlineVerdict: `{"verdict":"` + verdict + `","rationale_short":"r"}`}
	for a, text := range given {
		docs[a] = text
	}
	run := chaptertest.Case{Chapters: []step.Chapter{whole}, Given: docs, Answer: func(r llm.Request, round int) any {
		if r.Name == "expert_review" {
			return reviewAnswer(r, round)
		}
		return assessment{review("first"), review("second"), "sum", "Proceed with Caution: ask first."}
	}}.Run(t)
	run.MustDo(t)
	return run
}

func TestAssessment(t *testing.T) {
	t.Parallel()
	run := runWith(t, plan.Allow)
	chaptertest.MustAskAll(t, whole, run)
	for _, s := range []struct {
		file plan.Artifact
		path []string
		keys string
	}{
		{plan.AssessmentRaw, nil, "expert1 expert2 combined_summary go_no_go_recommendation metadata"},
		{plan.AssessmentRaw, []string{"expert2"}, "expert_title expert_full_name feedback_item_list"},
		{plan.AssessmentRaw, []string{"expert1", "feedback_item_list"}, "feedback_index feedback_title feedback_description"},
		{plan.Assessment, nil, "go_no_go_recommendation combined_summary feedback"},
		{plan.Assessment, []string{"feedback"}, "title description"},
	} {
		if got := chaptertest.Keys(t, run.Read(t, s.file), s.path...); got != s.keys {
			t.Errorf("%s %v has keys\n%s, want\n%s", s.file.Artifact().Name, s.path, got, s.keys)
		}
	}
	var clean plan.PreProject
	if err := json.Unmarshal(run.Read(t, plan.Assessment), &clean); err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, f := range clean.Feedback {
		titles = append(titles, f.Title)
	}
	want := []string{"first item 1", "first item 2", "first item 3", "first item 4", "second item 1", "second item 2", "second item 3", "second item 4"}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Errorf("feedback (-want +got):\n%s", diff)
	}
	if text := string(run.Read(t, plan.Assessment)); strings.Contains(text, "first name") || strings.Contains(text, "second title") {
		t.Errorf("the reviewers stand in the clean file:\n%s", text)
	}
}

// The gate's verdict reaches the system message of every step that is not early; this chapter
// stands for all.
func TestSafetyFraming(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../step/shared/framing.md")
	if err != nil {
		t.Fatal(err)
	}
	framing := strings.TrimSpace(string(text))
	for verdict, want := range map[string]bool{plan.Allow: false, plan.AllowFramed: true, plan.RefuseToPlan: true} {
		system := runWith(t, verdict).Asked["pre_project_assessment"][0].Messages[0].Content
		if got := strings.Contains(system, framing); got != want {
			t.Errorf("%s: the system message has the safety framing: %v", verdict, got)
		}
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		got := chaptertest.Load[assessment](t, dir, plan.AssessmentRaw).clean()
		if diff := cmp.Diff(chaptertest.Load[plan.PreProject](t, dir, plan.Assessment), got); diff != "" {
			t.Errorf("%s (-recorded +ours):\n%s", plan.Assessment.Name, diff)
		}
	})
}
