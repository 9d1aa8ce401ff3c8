package wbs

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/step"
)

var given = map[plan.Artifact]string{
	plan.Prompt: "Plan:\nOpen a bakery", plan.Decisions: "## Primary Decisions", plan.Scenarios: "# Choosing Our Strategic Path",
	plan.ProjectPlan: "**Goal Statement:** bread", plan.AssumptionsShort: "# Purpose", plan.DataCollection: "## 1. Rents",
}

var taskID = regexp.MustCompile(`T\d+`)

// asked returns the short ids that the last line of a question names.
func asked(r llm.Request) []string {
	text := strings.TrimSpace(r.Messages[1].Content)
	return taskID.FindAllString(text[strings.LastIndex(text, "\n")+1:], -1)
}

func pointer[T any](v T) *T { return &v }

// scripted is a model that makes a few of the usual mistakes.
func scripted(r llm.Request, _ int) any {
	switch r.Name {
	case "create_wbs_level1":
		return root{" \"Bakery\nin Lyon\" ", "An open bakery."}
	case "create_wbs_level2":
		return breakdown{[]phase{
			{"1", "1. Prepare the *shop*", []subtask{{"1.1", "1.1 Rent a shop"}, {"1.2", "Buy ovens; two"}, {"1.3", "rent a  shop"}}},
			{"2", "Open", []subtask{{"2.1", "Bake"}, {"2.2", "=Sell bread"}}},
		}}
	case "identify_task_dependencies":
		a := waits{Tasks: []wait{}}
		for _, id := range asked(r) {
			t := wait{ID: id, After: []after{}}
			switch id {
			case "T1": // backwards: T4 waits for T3, and T3 for T1
				t.After = append(t.After, after{ID: "T4", Reason: "money"})
			case "T3":
				t.After = append(t.After, after{ID: "T1", Reason: "a place\nto bake"}, after{ID: "T2", Reason: "ovens", Type: pointer("SS"), Lag: pointer(14)})
			case "T4":
				t.After = append(t.After, after{ID: "T3", Reason: "bread"}, after{ID: "T3", Reason: "bread again"})
			}
			a.Tasks = append(a.Tasks, t)
		}
		return a
	case "estimate_task_durations":
		a := estimates{}
		for i, id := range asked(r) {
			a.Details = append(a.Details, plan.Estimate{ID: id, DelayRisks: "The landlord", Mitigation: "Ask early", Min: 9 * i, Likely: 5, Max: 20})
		}
		return a
	case "create_wbs_level3":
		id := asked(r)[0]
		return parts{[]partOfTask{
			{"1. Begin with " + id, "First.", []string{"An owner\n", " "}},
			{"begin with " + id, "Again.", []string{}},
			{"Go on with a name that is much longer than the sixty characters allowed", "Then.", []string{}},
		}}
	}
	return "unknown step " + r.Name
}

func TestChapter(t *testing.T) {
	t.Parallel()
	run := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given, Answer: scripted}.Run(t)
	run.MustDo(t)
	chaptertest.MustAskAll(t, Chapter, run)
	for _, a := range step.Docs(plan.WBS1, plan.WBS2, plan.Dependencies, plan.Durations, plan.WBS, plan.WBSTable) {
		chaptertest.Golden(t, a.Artifact().Label, run.Read(t, a))
	}
	if got := string(run.Read(t, plan.ProjectTitle)); got != "Bakery in Lyon" {
		t.Errorf("title %q", got)
	}
	for _, s := range []struct {
		file plan.Artifact
		path []string
		keys string
	}{
		{plan.WBS1Raw, nil, "project_title final_deliverable metadata"},
		{plan.WBS2Raw, nil, "major_phase_details metadata"},
		{plan.WBS2Raw, []string{"major_phase_details"}, "major_phase_wbs_number major_phase_title subtasks"},
		{plan.WBS2Raw, []string{"major_phase_details", "subtasks"}, "subtask_wbs_number subtask_title"},
		{plan.Dependencies, nil, "task_dependency_details metadata"},
		{plan.File{Name: "022-1-1-task_durations_raw.json"}, nil, "task_details metadata"},
		{plan.File{Name: "023-1-4-wbs_level3_raw.json"}, nil, "subtasks metadata"},
		{plan.File{Name: "023-1-4-wbs_level3_raw.json"}, []string{"subtasks"}, "name description resources_needed"},
		{plan.WBS3, nil, "id name description resources_needed parent_id"},
	} {
		if got := chaptertest.Keys(t, run.Read(t, s.file), s.path...); got != s.keys {
			t.Errorf("%s %v has keys\n%s, want\n%s", s.file.Artifact().Name, s.path, got, s.keys)
		}
	}
	notes := map[string]int{}
	for _, n := range run.Notes {
		if n.Step == Dependencies.Name {
			notes[n.Label]++
		}
	}
	if len(notes) != 1 || notes["phase/1"] != 1 { // T1 waits for T4, and T4 over T3 for T1
		t.Errorf("notes of the dependencies by call: %v, want one of the first", notes)
	}
	last := run.Asked["create_wbs_level3"]
	found := false
	for _, r := range last {
		text := r.Messages[1].Content
		if strings.Contains(text, "\nT2: Buy ovens; two\nPhase: Prepare the shop\nBeside it, not part of it: T1 Rent a shop\nEstimated length: 9 days, at least 5, at most 20\n") {
			found = true
		}
	}
	if !found {
		t.Errorf("no question about level 3 tells what is known of T2")
	}
	calls := map[string]int{"identify_task_dependencies": 2, "estimate_task_durations": 1, "create_wbs_level3": 4}
	for name, least := range calls {
		if n := len(run.Asked[name]); n < least || n > 3*least {
			t.Errorf("%s: %d requests, want %d questions with at most two more rounds each", name, n, least)
		}
	}
}

func TestFast(t *testing.T) {
	t.Parallel()
	run := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given, Answer: scripted, Env: step.Env{Fast: true}}.Run(t)
	run.MustDo(t)
	if n := len(load[[]plan.Estimate](t, run, plan.Durations)); n != 4 {
		t.Errorf("%d tasks have a duration, want all 4", n)
	}
	if links := load[plan.TaskDependencies](t, run, plan.Dependencies).Links(); len(links) != 3 {
		t.Errorf("links %v, want 3", links)
	}
	tree := load[plan.Breakdown](t, run, plan.WBS)
	var split []string
	for _, task := range tasks(&tree) {
		if len(task.Children) > 0 {
			split = append(split, task.label)
		}
	}
	if got := strings.Join(split, " "); got != "T1 T2" {
		t.Errorf("split are %s, want the first two", got)
	}
}

func load[T any](t *testing.T, run *chaptertest.Run, a plan.Artifact) (v T) {
	t.Helper()
	if err := json.Unmarshal(run.Read(t, a), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// A task that no model splits stays a task; when most of them fail, the step does.
func TestLevel3WithoutSomeAnswers(t *testing.T) {
	t.Parallel()
	for failing, ok := range map[string]bool{"T2": true, "T1 T2": false} {
		t.Run(failing, func(t *testing.T) {
			t.Parallel()
			run := chaptertest.Case{
				Chapters: []step.Chapter{Chapter}, Given: given,
				Answer: func(r llm.Request, round int) any {
					if r.Name == "create_wbs_level3" && strings.Contains(failing, asked(r)[0]) {
						return chaptertest.Context()
					}
					return scripted(r, round)
				},
			}.Run(t)
			if ok != run.Has(plan.WBS) {
				t.Fatalf("the tree was made: %v, want %v", !ok, ok)
			}
			if !ok {
				return
			}
			note := `"Buy ovens; two" is not split into subtasks: no model gave an answer`
			if !strings.Contains(fmt.Sprint(run.Notes), note) {
				t.Errorf("notes %v lack %q", run.Notes, note)
			}
		})
	}
}

// Data collection and durations help, but nothing is lost without them.
func TestWithoutHelpers(t *testing.T) {
	t.Parallel()
	some := map[plan.Artifact]string{}
	for a, text := range given {
		if a != plan.Artifact(plan.DataCollection) {
			some[a] = text
		}
	}
	missing := step.Chapter{Name: "other", Steps: []step.Step{step.Func{
		Name: "data_collection", Writes: step.Docs(plan.DataCollection), Run: failing,
	}}}
	run := chaptertest.Case{
		Chapters: []step.Chapter{missing, Chapter}, Given: some,
		Answer: func(r llm.Request, round int) any {
			if r.Name == "estimate_task_durations" {
				return chaptertest.Context()
			}
			return scripted(r, round)
		},
	}.Run(t)
	if !run.Has(plan.WBS) || run.Has(plan.Durations) {
		t.Errorf("tree %v, durations %v; failed: %v", run.Has(plan.WBS), run.Has(plan.Durations), run.Result.Failed)
	}
}

func TestCallProfiles(t *testing.T) {
	t.Parallel()
	fast := pipeline.Large
	fast.Fast = true
	for _, c := range []struct {
		name  string
		calls func(pipeline.Sizes) []int
		sizes pipeline.Sizes
		want  int
	}{
		{"dependencies", Dependencies.Calls, pipeline.Large, 10}, {"dependencies, fast", Dependencies.Calls, fast, 1},
		{"durations", Durations.Calls, pipeline.Large, 5}, {"durations, fast", Durations.Calls, fast, 2},
		{"level 3", Level3.Calls, pipeline.Large, 50}, {"level 3, fast", Level3.Calls, fast, 2},
	} {
		if got := c.calls(c.sizes); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: %v calls, want %d", c.name, got, c.want)
		}
	}
}
