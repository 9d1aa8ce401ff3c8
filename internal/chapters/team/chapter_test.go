package team

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

var given = map[plan.Artifact]string{
	plan.Prompt: "Plan:\nOpen a bakery", plan.Decisions: "## Primary Decisions", plan.Scenarios: "# Choosing Our Strategic Path",
	plan.KeyFacts: `{"language":"en","scale":"small"}`, plan.AssumptionsShort: "# Purpose", plan.Assessment: "{}", plan.ProjectPlan: "**Goal Statement:** bread", plan.RelatedResources: "## Suggestion 1",
}

// script answers each step well.
type script map[string]any

// object is an answer as a model writes it: ids are text, also where the file has numbers.
type object = map[string]any

func about(fields func(id int) object) object {
	var list []object
	for _, id := range []int{3, 1, 2} { // models need not keep the order
		item := fields(id)
		item["id"] = fmt.Sprintf("M%d", id)
		list = append(list, item)
	}
	return object{"team_members": list}
}

func wellBehaved() script {
	return script{
		"find_team_members": found{[]role{
			{"Owner", "Answers for\nthe shop.", 1, 1, "", "Nobody signs the lease."},
			{"Baker", "Bakes at night.", 2, 4, "the season", "No bread."},
			{"Helper\nat the till", "Sells.", 1, 2, "", "Customers leave."},
		}},
		"enrich_team_members_with_contract_type": about(func(id int) object {
			return object{"contract_type": []string{"other", "full_time_employee", "part_time_employee"}[id-1], "justification": fmt.Sprintf("Why %d", id)}
		}),
		"enrich_team_members_with_background_story": about(func(id int) object {
			return object{"job_background_story_of_employee": fmt.Sprintf("Whom %d", id), "typical_job_activities": fmt.Sprintf("What %d", id)}
		}),
		"enrich_team_members_with_environment_info": about(func(id int) object {
			return object{"equipment_needs": fmt.Sprintf("Oven <%d>", id), "facility_needs": fmt.Sprintf("Room %d", id)}
		}),
		"review_team": critique{
			[]issue{{"No one\ncleans", "Nobody has the task.", "The helper does it."}},
			[]issue{{"Nights", "One baker is ill.", "Train the owner."}, {"Keys", "Both have them.", "One keeps a list."}},
		},
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
	chaptertest.Golden(t, "team", run.Read(t, plan.Team))

	bare := "id category explanation consequences count"
	contracts := bare + " contract_type contract_type_justification"
	profiles := contracts + " typical_job_activities background_story"
	for _, s := range []struct {
		file plan.Artifact
		path []string
		keys string
	}{
		{plan.TeamFoundRaw, nil, "brainstorm_of_needed_team_members metadata"},
		{plan.TeamFoundRaw, []string{"brainstorm_of_needed_team_members"}, "job_category_title short_explanation people_needed consequences_of_not_having_this_role people_min people_max"},
		{plan.TeamFound, nil, bare},
		{plan.TeamContractRaw, nil, "team_members metadata"},
		{plan.TeamContractRaw, []string{"team_members"}, "id contract_type justification"},
		{plan.TeamContract, nil, contracts},
		{plan.TeamBackgroundRaw, []string{"team_members"}, "id job_background_story_of_employee typical_job_activities"},
		{plan.TeamBackground, nil, profiles},
		{plan.TeamEnvironmentRaw, []string{"team_members"}, "id equipment_needs facility_needs"},
		{plan.TeamEnvironment, nil, profiles + " equipment_needs facility_needs"},
		{plan.TeamReview, nil, "omissions potential_improvements metadata"},
		{plan.TeamReview, []string{"omissions"}, "issue explanation recommendation"},
	} {
		if got := chaptertest.Keys(t, run.Read(t, s.file), s.path...); got != s.keys {
			t.Errorf("%s %v has keys\n%s, want\n%s", s.file.Artifact().Name, s.path, got, s.keys)
		}
	}
	for _, raw := range step.Docs(plan.TeamContractRaw, plan.TeamBackgroundRaw, plan.TeamEnvironmentRaw) {
		var file struct {
			Members []struct {
				ID any `json:"id"`
			} `json:"team_members"`
		}
		if err := json.Unmarshal(run.Read(t, raw), &file); err != nil || file.Members[0].ID != 3.0 {
			t.Errorf("%s: the first id is %#v (%v), want the number 3", raw.Artifact().Name, file.Members[0].ID, err)
		}
	}
	asked := run.Asked["review_team"][0].Messages[1].Content
	if !strings.Contains(asked, "## 2. Baker\n") || !strings.Contains(asked, "**Facility Needs**:\nRoom 3") || strings.Contains(asked, "# Roles\n") {
		t.Errorf("the review is not shown the team:\n%s", asked)
	}
	for name, requests := range run.Asked {
		if n := strings.Count(requests[0].Messages[1].Content, "Open a bakery"); n != 1 {
			t.Errorf("%s shows the prompt %d times", name, n)
		}
	}
}

// The questions about members do not need each other, so five questions take three units of time.
func TestLongestChain(t *testing.T) {
	t.Parallel()
	if got := chaptertest.Chain(t, Chapter); got != 3 {
		t.Errorf("the longest chain has %d calls, want 3", got)
	}
}

func TestDemoHasNothingToComplainAbout(t *testing.T) {
	t.Parallel()
	chaptertest.DemoIsClean(t, Chapter, given)
}

// Losing one of the questions loses what it would have told and nothing else.
func TestDetailsAreIndependent(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"enrich_team_members_with_contract_type", "enrich_team_members_with_background_story", "enrich_team_members_with_environment_info", "review_team"} {
		t.Run(lost, func(t *testing.T) {
			t.Parallel()
			good := string(wellBehaved().run(t).Read(t, plan.Team))
			s := wellBehaved()
			s[lost] = chaptertest.Context()
			run := s.run(t)
			if len(run.Result.Failed) != 1 || len(run.Result.Skipped) != 0 {
				t.Fatalf("failed %v, skipped %v", run.Result.Failed, run.Result.Skipped)
			}
			got := string(run.Read(t, plan.Team))
			for _, p := range []struct{ step, text string }{
				{"enrich_team_members_with_contract_type", "**Contract Type**: `other`\n\n**Contract Type Justification**: Why 1\n\n"},
				{"enrich_team_members_with_background_story", "**Typical Activities**:\nWhat 2\n\n**Background Story**:\nWhom 2\n\n"},
				{"enrich_team_members_with_environment_info", "\n\n**Equipment Needs**:\nOven <3>\n\n**Facility Needs**:\nRoom 3"},
				{"review_team", "# Omissions\n\n## 1. No one cleans"},
			} {
				if !strings.Contains(good, p.text) {
					t.Errorf("the whole page lacks %q", p.text)
				}
				if strings.Contains(got, p.text) == (p.step == lost) {
					t.Errorf("without %s, %q is there: %v", lost, p.text, p.step != lost)
				}
			}
		})
	}
}

func TestMembersMustBeAnsweredOnce(t *testing.T) {
	t.Parallel()
	item := func(id any) object {
		return object{"id": id, "equipment_needs": "x", "facility_needs": "y"}
	}
	for name, list := range map[string][]object{
		"one is missing":   {item("1"), item("2")},
		"one stands twice": {item("1"), item("2"), item("3"), item("3")},
		"one is unknown":   {item("1"), item("2"), item("3"), item("4")},
		"no ids":           {item("T1"), item("T2"), item("T3")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := wellBehaved()
			const asked = "enrich_team_members_with_environment_info"
			run := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given, Answer: func(r llm.Request, round int) any {
				if r.Name == asked && round == 1 {
					return object{"team_members": list}
				}
				return s[r.Name]
			}}.Run(t)
			run.MustDo(t)
			if n := len(run.Asked[asked]); n != 2 {
				t.Errorf("asked %d times, want a second time with what is wrong", n)
			}
		})
	}
}

func TestEditedTeam(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		file string
		err  string
	}{
		"gaps in the ids": {`[{"id":7,"category":"Owner"},{"id":2,"category":"Baker"}]`, ""},
		"nobody":          {`[]`, "holds no members"},
		"an id twice":     {`[{"id":1,"category":"Owner"},{"id":1,"category":"Baker"}]`, "id 1 stands twice"},
		"another file":    {`{"team":[]}`, "does not hold what it should"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[plan.Artifact]string{plan.TeamFound: tc.file}
			for a, text := range given {
				files[a] = text
			}
			run := chaptertest.Case{
				Chapters: []step.Chapter{{Name: "team", Prompts: prompts, Steps: []step.Step{ContractType, AddContractType}}},
				Given:    files,
				Answer: func(llm.Request, int) any {
					return object{"team_members": []object{
						{"id": "M2", "contract_type": "other", "justification": "b"}, {"id": "M7", "contract_type": "Agency Temp", "justification": "a"},
					}}
				},
			}.Run(t)
			if tc.err != "" {
				if len(run.Result.Failed) != 2 || !strings.Contains(run.Result.Failed[0].Reason.Message, tc.err) {
					t.Errorf("failed %v, want both steps to say %q", run.Result.Failed, tc.err)
				}
				return
			}
			run.MustDo(t)
			var got []plan.TeamMember
			if err := json.Unmarshal(run.Read(t, plan.TeamContract), &got); err != nil {
				t.Fatal(err)
			}
			want := []plan.TeamMember{
				{ID: 7, Category: "Owner", ContractType: "agency_temp", ContractJustification: "a"},
				{ID: 2, Category: "Baker", ContractType: "other", ContractJustification: "b"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
