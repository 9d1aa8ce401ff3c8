package project

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// given is what both steps read.
func given(more map[plan.Artifact]string) map[plan.Artifact]string {
	docs := map[plan.Artifact]string{
		plan.Prompt: "Plan:\nOpen a bakery", plan.Decisions: "## Primary Decisions", plan.Scenarios: "# Choosing Our Strategic Path",
		plan.AssumptionsShort: "# Purpose", plan.ProjectPlan: "**Goal Statement:** A bakery",
	}
	for a, text := range more {
		docs[a] = text
	}
	return docs
}

func TestRelatedResources(t *testing.T) {
	t.Parallel()
	run := chaptertest.Case{Chapters: []step.Chapter{chapter(RelatedResources)}, Given: given(nil), Answer: func(llm.Request, int) any {
		return resources{
			Suggestions: []suggestion{
				{9, "Bread\nschool", "secondary", "It taught.", []string{}, []string{}, []string{"City archive: bread school"}, []string{"Read it"}, "One lesson."},
				{9, "Corner bakery", "primary", "It sold bread.", []string{"Open since 2001", "Two\nshops"}, []string{"Rent rose: it moved"},
					[]string{"Guild of bakers: [annual report](https://bakers.org/)", "mailto:jo@bakers.org"}, []string{"Ask the guild's office"}, "Same street."},
			},
			Summary: "Rent decides.",
		}
	}}.Run(t)
	run.MustDo(t)
	chaptertest.Golden(t, "related_resources", run.Read(t, plan.RelatedResources))
	raw := run.Read(t, plan.RelatedResourcesRaw)
	if got, want := chaptertest.Keys(t, raw), "suggestion_list summary metadata"; got != want {
		t.Errorf("raw has keys %s, want %s", got, want)
	}
	if got, want := chaptertest.Keys(t, raw, "suggestion_list"), "item_index project_name kind project_description success_metrics risks_and_challenges_faced where_to_find_more_information actionable_steps rationale_for_suggestion"; got != want {
		t.Errorf("a suggestion has keys\n%s, want\n%s", got, want)
	}
	var v resources
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"Corner bakery", "Bread school"} {
		if s := v.Suggestions[i]; s.Name != name || s.Index != i+1 {
			t.Errorf("suggestion %d is %q with index %d, want %q", i+1, s.Name, s.Index, name)
		}
	}
	if len(run.Notes) == 0 {
		t.Error("the e-mail address was not remarked on")
	}
}

func TestNoSuggestions(t *testing.T) {
	t.Parallel()
	if got, want := (resources{Summary: "Nothing is known."}).tidy().Markdown(), "## Summary\n\nNothing is known."; got != want {
		t.Errorf("page %q, want %q", got, want)
	}
}

func TestWithoutContacts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		kept    string
		dropped []string
	}{
		"Bakers' guild: annual  report":                        {"Bakers' guild: annual report", nil},
		"Guild, https://bakers.org/a_(b), www.bakers.fr.":      {"Guild, https://bakers.org/a_(b), https://www.bakers.fr.", nil},
		"[Guild](https://bakers.org \"title\")":                {"Guild https://bakers.org", nil},
		"[https://bakers.org/](https://bakers.org/)":           {"https://bakers.org/", nil},
		"Bäckerei: https://bäcker.de/brot":                     {"Bäckerei: https://bäcker.de/brot", nil},
		"See [the report](link to report)":                     {"See the report", []string{"link"}},
		"Guild: [site](#)":                                     {"Guild: site", []string{"#"}},
		"Guild (https://www.example.com/x)":                    {"Guild", []string{"https://www.example.com/x"}},
		"Guild: http://localhost:80/":                          {"Guild", []string{"http://localhost:80/"}},
		"Guild: https://[url]":                                 {"Guild: [url]", []string{"https://"}},
		"Guild: javascript://bakers.org/%0aalert(1)":           {"Guild: (1)", []string{"javascript://bakers.org/%0aalert"}},
		"Guild: https://user:word@bakers.org":                  {"Guild", []string{"https://user:word@bakers.org"}},
		"Ask mailto:jo.do@bakers.org or the office":            {"Ask or the office", []string{"mailto:jo.do@bakers.org"}},
		"[Jo](mailto:jo@bakers.org)":                           {"Jo", []string{"mailto:jo@bakers.org"}},
		"Jo, https://www.linkedin.com/in/jo-doe":               {"Jo", []string{"https://www.linkedin.com/in/jo-doe"}},
		"https://www.linkedin.com/company/bakers":              {"https://www.linkedin.com/company/bakers", nil},
		"jo@bakers.org":                                        {"", []string{"jo@bakers.org"}},
		"- ":                                                   {"", nil},
		"Post of 2020 at https://medium.com/@bakers/rent":      {"Post of 2020 at https://medium.com/@bakers/rent", nil},
		"Guild https://bakers.org/?to=jo@bakers.org, room 3":   {"Guild , room 3", []string{"https://bakers.org/?to=jo@bakers.org"}},
		"Register: 12:30 in room A/B, file C://old, no answer": {"Register: 12:30 in room A/B, file , no answer", []string{"C://old"}},
	} {
		kept, dropped := withoutContacts(text)
		if kept != want.kept || !cmp.Equal(dropped, want.dropped) {
			t.Errorf("%q: kept %q, dropped %q; want %q, %q", text, kept, dropped, want.kept, want.dropped)
		}
	}
}

// Lists have bullets here and had none in the recorded pages, and a link carries a remark.
func TestRecordedResources(t *testing.T) {
	t.Parallel()
	bullet := regexp.MustCompile(`(?m)^- `)
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		got := bullet.ReplaceAllString(chaptertest.Load[resources](t, dir, plan.RelatedResourcesRaw).Markdown(), "")
		want := bullet.ReplaceAllString(string(dir.Read(t, plan.RelatedResources)), "")
		chaptertest.SameStructure(t, plan.RelatedResources.Name, want, got)
	})
}

func TestDataCollection(t *testing.T) {
	t.Parallel()
	a := func(title string, sensitivities ...string) area {
		out := area{7, title, []string{"Rents\nin Lyon"}, []string{"City statistics"}, []string{"Ask a notary"}, "It decides.", []string{"The baker"}, nil, "By week 3.", []string{"Move if not"}}
		for _, s := range sensitivities {
			out.Assumptions = append(out.Assumptions, assumption{5, "Rent is " + s, s})
		}
		return out
	}
	run := chaptertest.Case{
		Chapters: []step.Chapter{chapter(DataCollection)},
		Given:    given(map[plan.Artifact]string{plan.RelatedResources: "## Summary", plan.SWOT: "## Strengths", plan.Team: "# Roles", plan.ExpertCriticism: "# Experts"}),
		Answer: func(llm.Request, int) any {
			return dataCollection{[]area{a("Dull", "low"), a("Mixed\nup", "low", "high"), a("Middling", "medium"), a("Grave", "high", "medium")}, "Begin with rent."}
		},
	}.Run(t)
	run.MustDo(t)
	chaptertest.Golden(t, "data_collection", run.Read(t, plan.DataCollection))
	raw := run.Read(t, plan.DataCollectionRaw)
	for _, s := range []struct{ path, keys string }{
		{"", "data_collection_list summary metadata"},
		{"data_collection_list", "item_index title data_to_collect simulation_steps expert_validation_steps rationale responsible_parties assumptions smart_validation_objective notes"},
		{"data_collection_list assumptions", "item_index assumption sensitivity_score"},
	} {
		if got := chaptertest.Keys(t, raw, strings.Fields(s.path)...); got != s.keys {
			t.Errorf("raw %q has keys\n%s, want\n%s", s.path, got, s.keys)
		}
	}
	var v dataCollection
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	for i, title := range []string{"Mixed up", "Grave", "Middling", "Dull"} {
		if x := v.Areas[i]; x.Title != title || x.Index != i+1 || x.Assumptions[0].Index != 1 {
			t.Errorf("area %d is %q with index %d and first assumption %d, want %q", i+1, x.Title, x.Index, x.Assumptions[0].Index, title)
		}
	}
}

// Every document that may be missing is announced as such and does not stop the step.
func TestDataCollectionAlone(t *testing.T) {
	t.Parallel()
	missing := step.Func{Name: "missing", Writes: step.Docs(plan.RelatedResources, plan.SWOT, plan.Team, plan.ExpertCriticism), Run: func(context.Context, *step.Work) error {
		return errors.New("nothing")
	}}
	run := chaptertest.Case{Chapters: []step.Chapter{chapter(missing, DataCollection)}, Given: given(nil), Answer: func(llm.Request, int) any {
		return dataCollection{[]area{{1, "t", []string{"d"}, []string{"s"}, []string{"e"}, "r", []string{"p"}, []assumption{{1, "a", "low"}}, "o", []string{"n"}}}, "s"}
	}}.Run(t)
	if !run.Has(plan.DataCollection) {
		t.Fatalf("no page; failed %v, skipped %v", run.Result.Failed, run.Result.Skipped)
	}
	if n := strings.Count(run.Asked["data_collection"][0].Messages[1].Content, "could not be made"); n != 4 {
		t.Errorf("%d documents are said to be missing, want 4", n)
	}
}

func TestRecordedDataCollection(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		dir.SamePage(t, plan.DataCollection, chaptertest.Load[dataCollection](t, dir, plan.DataCollectionRaw).Markdown())
	})
}
