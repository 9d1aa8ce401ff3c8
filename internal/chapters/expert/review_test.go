package expert

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

func person(title string) expert {
	return expert{title, "ovens, flour", "The oven is old", "Look at the oven", "measuring", `"oven", Lyon.`}
}

func critique(who string) criticism {
	c := criticism{Primary: []string{who + " first"}, Secondary: []string{"Read\non", "Wait"}, FollowUp: "The oven."}
	for _, title := range []string{"No\noven", "No flour", "No shop"} {
		c.Issues = append(c.Issues, issue{7, title, who + " says so.", []string{"oven", "money"}, "Buy one.", "No bread.", "Hope."})
	}
	return c
}

// reviewAnswer has the second round name one expert of the first again.
func reviewAnswer(r llm.Request, round int) any {
	last := r.Messages[len(r.Messages)-1].Content
	switch {
	case strings.Contains(last, "Oven Fitter") && strings.Contains(last, "your_profession"):
		return critique("The fitter")
	case strings.Contains(last, "your_profession"):
		return critique("The lawyer")
	case round == 1:
		return found{[]expert{person("Oven\nFitter"), person("Tenancy Lawyer")}}
	}
	return found{[]expert{person("tenancy  lawyer"), person("Miller"), person("Neighbour")}}
}

func TestReview(t *testing.T) {
	t.Parallel()
	run := runWith(t, plan.Allow)
	chaptertest.Golden(t, "expert_criticism", run.Read(t, plan.ExpertCriticism))
	second := plan.File{Name: strings.Replace(plan.ExpertCriticismRaw.Name, "{n}", "2", 1)}
	for _, s := range []struct {
		file plan.Artifact
		path []string
		keys string
	}{
		{plan.ExpertsRaw, nil, "experts metadata"},
		{plan.ExpertsRaw, []string{"experts"}, "expert_title expert_knowledge expert_why expert_what expert_relevant_skills expert_search_query"},
		{plan.ExpertsRaw, []string{"metadata"}, "result1 result2"},
		{plan.ExpertsRaw, []string{"metadata", "result2"}, "model_name llm_classname model_id expert_count"},
		{plan.Experts, nil, "id title knowledge why what skills search_query"},
		{second, nil, "negative_feedback_list user_primary_actions user_secondary_actions follow_up_consultation metadata"},
		{second, []string{"negative_feedback_list"}, "feedback_index feedback_title feedback_verbose feedback_problem_tags feedback_mitigation feedback_consequence feedback_root_cause"},
	} {
		if got := chaptertest.Keys(t, run.Read(t, s.file), s.path...); got != s.keys {
			t.Errorf("%s %v has keys\n%s, want\n%s", s.file.Artifact().Name, s.path, got, s.keys)
		}
	}
	var experts []listing
	if err := json.Unmarshal(run.Read(t, plan.Experts), &experts); err != nil {
		t.Fatal(err)
	}
	var got []string
	ids := map[string]bool{}
	for _, e := range experts {
		got = append(got, e.Title)
		ids[e.ID] = true
	}
	if diff := cmp.Diff([]string{"Oven Fitter", "Tenancy Lawyer", "Miller", "Neighbour"}, got); diff != "" {
		t.Errorf("experts (-want +got):\n%s", diff)
	}
	if len(ids) != len(experts) {
		t.Errorf("%d experts have %d ids", len(experts), len(ids))
	}
	if experts[0].Search != "oven, Lyon" {
		t.Errorf("search words %q", experts[0].Search)
	}
	var c criticism
	if err := json.Unmarshal(run.Read(t, second), &c); err != nil {
		t.Fatal(err)
	}
	for i, x := range c.Issues {
		if x.Index != i+1 || strings.Contains(x.Title, "\n") {
			t.Errorf("issue %d has index %d and title %q", i+1, x.Index, x.Title)
		}
	}
}

// The questions to the experts share all but the end, so that a provider can reuse what it has read.
func TestCriticismsBeginAlike(t *testing.T) {
	t.Parallel()
	var asked []llm.Request
	for _, r := range runWith(t, plan.Allow).Asked["expert_review"] {
		if strings.Contains(r.Messages[len(r.Messages)-1].Content, "your_profession") {
			asked = append(asked, r)
		}
	}
	if len(asked) != 2 {
		t.Fatalf("%d experts were asked, want %d", len(asked), 2)
	}
	prefix := func(r llm.Request) string {
		before, _, _ := strings.Cut(r.Messages[1].Content, "<document name=\"your_profession\">")
		return r.Messages[0].Content + before
	}
	if prefix(asked[0]) != prefix(asked[1]) {
		t.Error("the questions differ before the expert is shown")
	}
}

func TestReviewFails(t *testing.T) {
	t.Parallel()
	docs := map[plan.Artifact]string{plan.Assessment: `{"feedback":[]}`}
	for a, text := range given {
		docs[a] = text
	}
	run := chaptertest.Case{
		Chapters: []step.Chapter{{Name: "expert", Prompts: prompts, Steps: []step.Step{Review}}}, Given: docs,
		Answer: func(r llm.Request, round int) any {
			if strings.Contains(r.Messages[len(r.Messages)-1].Content, "Tenancy Lawyer") && round > 2 {
				return chaptertest.Context()
			}
			return reviewAnswer(r, round)
		},
	}.Run(t)
	if len(run.Result.Failed) != 1 || run.Has(plan.ExpertCriticism) {
		t.Errorf("failed %v, page written %v; want a failed step without a page", run.Result.Failed, run.Has(plan.ExpertCriticism))
	}
}

func TestCheckTitles(t *testing.T) {
	t.Parallel()
	answer := found{[]expert{{Title: "Miller"}, {Title: " LAWYER"}, {Title: "miller"}}}
	var got []string
	for _, p := range checkTitles([]expert{{Title: "Lawyer"}})(&answer) {
		if !p.Soft {
			t.Errorf("%s is hard", p.Path)
		}
		got = append(got, p.Path)
	}
	if diff := cmp.Diff([]string{"experts[1].expert_title", "experts[2].expert_title"}, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestRecordedReview(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		experts := chaptertest.Load[found](t, dir, plan.ExpertsRaw).Experts
		var list []criticism
		for n := range 2 {
			list = append(list, chaptertest.Load[criticism](t, dir, plan.File{Name: strings.Replace(plan.ExpertCriticismRaw.Name, "{n}", fmt.Sprint(n+1), 1)}))
		}
		// Whoever was not asked cannot have failed to answer: our heading of the last part differs.
		recorded := strings.Replace(string(dir.Read(t, plan.ExpertCriticism)), "# The following experts did not provide feedback:", othersHeading, 1)
		chaptertest.SameStructure(t, plan.ExpertCriticism.Name, recorded, reviewPage(experts, list))
	})
}
