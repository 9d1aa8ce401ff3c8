package document

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

// scripted is a well-behaved model: 7 documents to create, one of them named twice, and 3 to find.
func scripted(r llm.Request, round int) any {
	switch r.Name {
	case "identify_documents":
		template := "A kind of template"
		create := func(n int) toCreate {
			return toCreate{
				Name: fmt.Sprintf("Paper %d", n), Description: fmt.Sprintf("settles <%d>\nfor good", n), Role: "Baker",
				Steps: []string{"Ask", "Write\nit"},
			}
		}
		find := func(n int) toFind {
			return toFind{
				Name: fmt.Sprintf("Source %d", n), Description: "holds figures", Recency: "of this year", Role: "Clerk",
				Steps: []string{"Go there"}, Access: "Medium", AccessReason: "a form",
			}
		}
		a := identified{Find: []toFind{find(1), find(2), find(3), find(1), find(2), find(3)}, CreateMore: &[]toCreate{create(7)}}
		for n := range 6 {
			a.Create = append(a.Create, create(n+1))
		}
		a.Create = append(a.Create, toCreate{Name: "paper  2", Description: "again", Role: "r", Steps: []string{"s"}})
		a.Create[0].TemplatePrimary, a.Create[0].TemplateSecondary, a.Create[1].Approval = &template, &template, &template
		return a
	case "filter_documents_to_create":
		a := rated{Summary: "clear"}
		for i, impact := range []string{"High", "Low", "Critical", "High", "Critical", "Medium", "High"} {
			a.List = append(a.List, rating{label(i), "hangs on it", impact})
		}
		return a
	case "filter_documents_to_find":
		return rated{[]rating{{"D1", "r", "Low"}, {"D2", "r", "High"}, {"D3", "r", "Low"}}, "clear"}
	case "draft_documents_to_find", "draft_documents_to_create":
		last := r.Messages[len(r.Messages)-1].Content
		_, name, found := strings.Cut(last, "\ndocument_name: ")
		if !found {
			return "no document in " + last
		}
		name, _, _ = strings.Cut(name, "\n")
		return draft{
			Essential: []string{"List the needs of " + name, "Count", "Compare"}, Risks: []string{"old", "wrong"},
			Worst: "closed", Best: "open", Fallbacks: []string{"ask", "buy"},
		}
	}
	return "unknown step " + r.Name
}

func given(purpose string) map[plan.Artifact]string {
	return map[plan.Artifact]string{
		plan.Prompt: "Plan:\nOpen a bakery", plan.Decisions: "decisions", plan.Scenarios: "scenarios", plan.AssumptionsShort: "assumptions",
		plan.ProjectPlan: "project", plan.RelatedResources: "resources", plan.SWOT: "swot", plan.Team: "team", plan.ExpertCriticism: "experts",
		plan.PurposeRaw: `{"topic":"t","purpose_detailed":"d","purpose":"` + purpose + `"}`,
	}
}

func TestChapter(t *testing.T) {
	t.Parallel()
	run := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given("business"), Answer: scripted}.Run(t)
	run.MustDo(t)
	chaptertest.MustAskAll(t, Chapter, run)
	for _, page := range step.Docs(plan.Documents, plan.DocumentsPage) {
		chaptertest.Golden(t, page.Artifact().Label, run.Read(t, page))
	}
	if len(run.Notes) > 0 {
		t.Errorf("quality notes on good answers: %v", run.Notes)
	}

	const (
		create = "document_name description responsible_role_type document_template_primary document_template_secondary steps_to_create approval_authorities"
		find   = "document_name description recency_requirement responsible_role_type steps_to_find access_difficulty"
		impact = " impact_rating impact_rationale"
		drafts = "essential_information risks_of_poor_quality worst_case_scenario best_case_scenario fallback_alternative_approaches"
	)
	for _, s := range []struct {
		file plan.File
		path []string
		keys string
	}{
		{plan.DocumentsRaw, nil, "documents_to_create documents_to_find documents_to_create_part2 documents_to_find_part2 metadata"},
		{plan.DocumentsRaw, []string{"documents_to_create"}, create},
		{plan.DocumentsRaw, []string{"documents_to_find"}, find},
		{plan.DocumentsToCreate.File, nil, "id " + create},
		{plan.DocumentsToFind.File, nil, "id " + find},
		{plan.FilterFindRaw, nil, "document_list summary metadata"},
		{plan.FilterFindRaw, []string{"document_list"}, "id rationale impact_rating"},
		{plan.FilterCreate.File, nil, "id " + create + impact},
		{plan.FilterFind.File, nil, "id " + find + impact},
		{item(plan.DraftCreateRaw, 1), nil, drafts + " metadata"},
		{item(plan.DraftFindRaw, 3), nil, drafts + " metadata"},
		{plan.DraftCreate.File, nil, "id " + create + impact + " " + drafts},
		{plan.DraftFind.File, nil, "id " + find + impact + " " + drafts},
	} {
		if got := chaptertest.Keys(t, run.Read(t, s.file), s.path...); got != s.keys {
			t.Errorf("%s %v has keys\n%s, want\n%s", s.file.Name, s.path, got, s.keys)
		}
	}
	for _, part := range []string{`"documents_to_find_part2": []`, `"document_template_primary": null`, `"access_difficulty": "Medium: a form"`} {
		if text := string(run.Read(t, plan.DocumentsRaw)); !strings.Contains(text, part) {
			t.Errorf("%s lacks %s:\n%s", plan.DocumentsRaw.Name, part, text)
		}
	}
	if text := string(run.Read(t, plan.FilterCreateRaw)); !strings.Contains(text, `"id": 0,`) || !strings.Contains(text, `"id": 6,`) {
		t.Errorf("%s has no ids from 0 to 6:\n%s", plan.FilterCreateRaw.Name, text)
	}

	// Two Critical and three High ones are five; Paper 2 and Paper 6 are left out.
	if got, want := names(t, run, plan.DraftCreate.File), "Paper 1, Paper 3, Paper 4, Paper 5, Paper 7"; got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	if got, want := names(t, run, plan.DraftFind.File), "Source 1, Source 2, Source 3"; got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	if n := len(run.Asked["draft_documents_to_create"]); n != 5 {
		t.Errorf("%d drafts, want 5", n)
	}
	ids := map[string]bool{}
	for _, a := range []plan.File{plan.DocumentsToCreate.File, plan.DocumentsToFind.File} {
		for _, d := range documents(t, run, a) {
			ids[d.ID] = true
		}
	}
	if len(ids) != 10 || ids[""] {
		t.Errorf("the ids of ten documents are %v", ids)
	}
	for name, requests := range run.Asked {
		for _, r := range requests {
			if n := strings.Count(r.Messages[1].Content, "Open a bakery"); n != 1 {
				t.Errorf("%s shows the prompt %d times", name, n)
			}
		}
	}
}

// TestFast: the first two of each list are drafted; the others stay, without empty headings.
func TestFast(t *testing.T) {
	t.Parallel()
	run := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given("personal"), Answer: scripted, Env: step.Env{Fast: true}}.Run(t)
	run.MustDo(t)
	for _, name := range []string{"draft_documents_to_create", "draft_documents_to_find"} {
		if n := len(run.Asked[name]); n != fastDrafts {
			t.Errorf("%s asked %d times, want %d", name, n, fastDrafts)
		}
	}
	page := string(run.Read(t, plan.DocumentsPage))
	if got := strings.Count(page, "\n## "); got != 8 {
		t.Errorf("%d documents on the page, want 8", got)
	}
	if got := strings.Count(page, "**Worst Case Scenario**"); got != 4 {
		t.Errorf("%d drafts on the page, want 4", got)
	}
	if run.Has(item(plan.DraftFindRaw, 3)) {
		t.Error("a third draft was written")
	}
}

// TestVariants: each question has a text of its own for each purpose, and none is left empty.
func TestVariants(t *testing.T) {
	t.Parallel()
	systems := map[string]map[string]string{}
	for _, purpose := range []string{"business", "personal", "other"} {
		run := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given(purpose), Answer: scripted}.Run(t)
		run.MustDo(t)
		for name, requests := range run.Asked {
			system := requests[0].Messages[0].Content
			for other, text := range systems[name] {
				if text == system {
					t.Errorf("%s is asked the same for %s and %s", name, purpose, other)
				}
			}
			if strings.Contains(system[strings.LastIndex(system, "\n\nYou "):], "\n\n\n") {
				t.Errorf("%s, %s: a condition leaves empty lines", name, purpose)
			}
			if systems[name] == nil {
				systems[name] = map[string]string{}
			}
			systems[name][purpose] = system
		}
	}
	if len(systems) != 5 {
		t.Errorf("%d steps were asked, want 5", len(systems))
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		chapter step.Chapter
		given   map[plan.Artifact]string
		answer  func(llm.Request, int) any
		step    string
		want    []string
	}{
		"an unknown purpose": {Chapter, given("fun"), scripted, "identify_documents", []string{plan.PurposeRaw.Name, `"fun"`, "business, personal, other"}},
		"a draft that no model gives": {Chapter, given("other"), func(r llm.Request, round int) any {
			if r.Name == "draft_documents_to_create" && strings.Contains(r.Messages[1].Content, "document_name: Paper 4\n") {
				return chaptertest.Context()
			}
			return scripted(r, round)
		}, "draft_documents_to_create", []string{"document/3"}},
		"a document without a name": {only(FilterToFind), with(given("other"), plan.DocumentsToFind, `[{"document_name":"a","description":"b"},{"id":"1"}]`),
			scripted, "filter_documents_to_find", []string{plan.DocumentsToFind.Name, "document 2"}},
	} {
		run := chaptertest.Case{Chapters: []step.Chapter{tc.chapter}, Given: tc.given, Answer: tc.answer}.Run(t)
		var message string
		for _, f := range run.Result.Failed {
			if f.Step == tc.step {
				message = f.Reason.Message
			}
		}
		for _, part := range tc.want {
			if !strings.Contains(message, part) {
				t.Errorf("%s: %s failed with %q, which lacks %s", name, tc.step, message, part)
			}
		}
		if run.Has(plan.DraftCreate) {
			t.Errorf("%s: %s was written", name, plan.DraftCreate.Name)
		}
	}
}

// TestForgotten: a model that rates no document but one still gets its answer used.
func TestForgotten(t *testing.T) {
	t.Parallel()
	docs := `[{"document_name":"A","description":"a"},{"document_name":"B","description":"b"}]`
	run := chaptertest.Case{
		Chapters: []step.Chapter{only(FilterToCreate)}, Given: with(given("other"), plan.DocumentsToCreate, docs),
		Answer: func(llm.Request, int) any { return rated{[]rating{{"D2", "r", "Critical"}}, "s"} },
	}.Run(t)
	run.MustDo(t)
	if got := names(t, run, plan.FilterCreate.File); got != "A, B" {
		t.Errorf("kept %s, want A, B", got)
	}
	if len(run.Notes) == 0 {
		t.Error("no quality note says that a rating is missing")
	}
}

// TestNothingToFilter: a list emptied by hand costs no call.
func TestNothingToFilter(t *testing.T) {
	t.Parallel()
	run := chaptertest.Case{
		Chapters: []step.Chapter{only(FilterToFind, DraftToFind)}, Given: with(given("other"), plan.DocumentsToFind, "[]"), Answer: scripted,
	}.Run(t)
	run.MustDo(t)
	if got := string(run.Read(t, plan.DraftFind)); strings.TrimSpace(got) != "[]" || len(run.Asked) > 0 {
		t.Errorf("%d steps asked for %s", len(run.Asked), got)
	}
}

// TestWithoutSupport: the lists are made also when documents that only help could not be made.
func TestWithoutSupport(t *testing.T) {
	t.Parallel()
	docs := given("business")
	delete(docs, plan.Team)
	failing := step.Chapter{Name: "team", Prompts: prompts, Steps: []step.Step{step.Func{
		Name: "team_markdown", Data: step.Docs(plan.RelatedResources), Writes: step.Docs(plan.Team), Run: failed,
	}}}
	run := chaptertest.Case{Chapters: []step.Chapter{failing, only(Identify)}, Given: docs, Answer: scripted}.Run(t)
	if !run.Has(plan.DocumentsToFind) {
		t.Errorf("no list without the team: %v", run.Result.Failed)
	}
}

func only(steps ...step.Step) step.Chapter {
	return step.Chapter{Name: Chapter.Name, Prompts: prompts, Steps: steps}
}

func with(docs map[plan.Artifact]string, a plan.Artifact, text string) map[plan.Artifact]string {
	docs[a] = text
	return docs
}

func item(f plan.File, n int) plan.File {
	f.Name = strings.Replace(f.Name, "{n}", fmt.Sprint(n), 1)
	return f
}

func documents(t *testing.T, run *chaptertest.Run, a plan.File) []plan.Document {
	t.Helper()
	var list []plan.Document
	if err := json.Unmarshal(run.Read(t, a), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func names(t *testing.T, run *chaptertest.Run, a plan.File) string {
	t.Helper()
	var out []string
	for _, d := range documents(t, run, a) {
		out = append(out, d.Name)
	}
	return strings.Join(out, ", ")
}
