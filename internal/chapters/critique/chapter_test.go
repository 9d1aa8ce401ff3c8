package critique

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/llm/demo"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/step"
)

func given() map[plan.Artifact]string {
	m := map[plan.Artifact]string{
		plan.Prompt:        "Plan:\nOpen a bakery in Lyon",
		plan.ProjectPlan:   "**Goal Statement:** The ovens are “hot” by\nJune.",
		plan.PremiseAttack: "### Premise Attack 1",
		plan.Bodies:        "Owners' Round", plan.Monitoring: "Cash at hand",
		plan.WBS:        `{"wbs_project":{"id":"11111111-2222-4333-8444-555555555555","description":"Bakery","task_children":[{"id":"11111111-2222-4333-8444-666666666666","description":"Rent a shop"}]}}`,
		plan.GanttTable: "project_key,project_name,project_start_date,project_end_date,project_parent\nR,Bakery,1/3/2026,1/13/2026,\nP,Rent a shop,1/3/2026,1/9/2026,R\n",
	}
	for _, a := range bundle() {
		if m[a] == "" {
			m[a] = a.Artifact().Title
		}
	}
	return m
}

var itemNumber = regexp.MustCompile(`Your (?:question|item) is number (\d+),`)

// number is the question or item that a request asks; 0 for none.
func number(r llm.Request) int {
	if m := itemNumber.FindStringSubmatch(r.Messages[1].Content); m != nil {
		n, err := strconv.Atoi(m[1])
		if err == nil {
			return n
		}
	}
	return 0
}

func look(r llm.Request) string {
	for mark, name := range map[string]string{"at the later times": "before", "times before and after": "during", "at the earlier times": "after"} {
		if strings.Contains(r.Messages[1].Content, mark) {
			return name
		}
	}
	return "whole"
}

// scripted is a well-behaved model.
func scripted(r llm.Request, _ int) any {
	n := number(r)
	switch {
	case r.Name == "review_plan" && n > 0:
		a := points{}
		for i := range 3 {
			a.Points = append(a.Points, point{fmt.Sprintf("**Lead %d.%d:**", n, i+1), "It matters,\nso begin."})
		}
		return a
	case r.Name == "review_plan":
		return repeats{[]repeat{{"P3.1", "P1.1"}, {"P3.2", "P3.1"}, {"P3.3", "P1.2"}, {"P1.1", "P3.1"}}}
	case r.Name == "questions_and_answers":
		theme := "the field"
		if !strings.Contains(r.Messages[1].Content, "Your theme is the field") {
			theme = "disputes"
		}
		return pairs{Pairs: []pair{
			{1, "What is <b>proofing</b> & rising?", "A 'rest' of dough.", "Baking."},
			{2, "What about " + theme + "?", "It \"depends\".", "Insight."},
			{3, "What about " + theme + "?", "Said twice.", "None."},
			{4, "What about " + theme + "?", "Said twice.", "None."},
			{5, "What about " + theme + "?", "Said twice.", "None."},
		}, Summary: "About " + theme + "."}
	case r.Name == "premortem":
		a, name := told{}, look(r)
		for i, archetype := range []string{"Market/Human", "Process/Financial", "Technical/Logistical"} {
			likelihood := map[string]int{"before": 2, "during": 5, "after": 1, "whole": 3}[name]
			a.Failures = append(a.Failures, fall{
				belief{fmt.Sprintf("%s belief %d", name, i+1), "Ask | look", "No\noven"},
				story{
					Archetype: archetype, Title: fmt.Sprintf("%s\nfall %d", name, i+1), Analysis: "First this.\n\nThen that.",
					Signs: []string{"Cold\noven", "No flour"}, Owner: "Baker", Likelihood: likelihood, Impact: i + 2,
					Tripwires: []string{"Cash < 1,000 EUR", "No permit by May"}, Playbook: []string{"Stop.", "Count.", "Act."}, StopRule: "No cash for 30 days.",
				},
			})
		}
		return a
	case r.Name == "self_audit":
		switch n {
		case 1:
			return rating{[]string{}, "low", "Baking breaks no law.", ""}
		case 2:
			return rating{[]string{"the OVENS are \"hot\" by June"}, "High", "Nobody\ntried.", "Baker: bake one loaf by day 3."}
		}
		return rating{[]string{"There is a wizard"}, "medium", "Some of it.", "Baker: write it down by week 2."}
	}
	return "unknown step " + r.Name
}

func run(t *testing.T, env step.Env, answer func(llm.Request, int) any, facts string) *chaptertest.Run {
	t.Helper()
	g := given()
	if facts != "" {
		g[plan.KeyFacts] = facts
	}
	return chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: g, Answer: answer, Env: env}.Run(t)
}

func TestChapter(t *testing.T) {
	t.Parallel()
	r := run(t, step.Env{}, scripted, "")
	r.MustDo(t)
	chaptertest.MustAskAll(t, Chapter, r)
	for _, page := range step.Docs(plan.ReviewPlan, plan.QA, plan.QAFragment, plan.Premortem, plan.SelfAudit) {
		chaptertest.Golden(t, page.Artifact().Label, r.Read(t, page))
	}
	for _, s := range []struct {
		file plan.Artifact
		path []string
		keys string
	}{
		{plan.ReviewPlanRaw, nil, "question_answers_list repeats_removed metadata"},
		{plan.ReviewPlanRaw, []string{"question_answers_list"}, "title question answers"},
		{plan.QARaw, nil, "question_answer_pairs summary metadata"},
		{plan.QARaw, []string{"question_answer_pairs"}, "item_index question answer rationale"},
		{plan.PremortemRaw, nil, "assumptions_to_kill failure_modes metadata markdown"},
		{plan.PremortemRaw, []string{"metadata"}, "models"},
		{plan.PremortemRaw, []string{"assumptions_to_kill"}, "assumption_id statement test_now falsifier"},
		{plan.PremortemRaw, []string{"failure_modes"}, "failure_mode_index root_cause_assumption_id failure_mode_archetype failure_mode_title risk_analysis early_warning_signs owner likelihood_5 impact_5 tripwires playbook stop_rule"},
		{plan.SelfAuditRaw, nil, "responses metadata checklist_answers_cleaned"},
		{plan.SelfAuditRaw, []string{"responses"}, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"},
		{plan.SelfAuditRaw, []string{"responses", "2"}, "quotes level justification mitigation"},
		{plan.SelfAuditRaw, []string{"checklist_answers_cleaned"}, "index title subtitle level justification mitigation"},
	} {
		if got := chaptertest.Keys(t, r.Read(t, s.file), s.path...); got != s.keys {
			t.Errorf("%s %v has keys\n%s, want\n%s", s.file.Artifact().Name, s.path, got, s.keys)
		}
	}
}

// Ensure that steps make the calls they declare, that the questions of a step differ only behind a
// common start, and that each sees no answers but those it should.
func TestCalls(t *testing.T) {
	t.Parallel()
	steps, err := step.Build("test", Chapter)
	if err != nil {
		t.Fatal(err)
	}
	behind := map[string]string{ // what still belongs to the common start
		"review_plan": `<document name="questions">`, "questions_and_answers": "Your theme", "premortem": `<document name="questions_and_answers">`,
		"self_audit": `<document name="schedule">`,
	}
	for _, c := range []struct {
		name  string
		env   step.Env
		calls map[string]int
	}{
		{"side by side", step.Env{}, map[string]int{"review_plan": 17, "questions_and_answers": 2, "premortem": 3, "self_audit": 20}},
		{"fast", step.Env{Fast: true}, map[string]int{"review_plan": 3, "questions_and_answers": 2, "premortem": 1, "self_audit": 2}},
		{"serial", step.Env{SerialReview: true}, map[string]int{"review_plan": 16, "questions_and_answers": 2, "premortem": 3, "self_audit": 20}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wrong := func(q llm.Request, round int) any { // quotes that are none are asked for again
				a := scripted(q, round)
				if r, ok := a.(rating); ok {
					r.Quotes = []string{}
					return r
				}
				return a
			}
			r := run(t, c.env, wrong, "")
			r.MustDo(t)
			sizes := pipeline.Typical
			sizes.Fast = c.env.Fast
			for _, s := range steps {
				asked := r.Asked[s.Name]
				if len(asked) != c.calls[s.Name] {
					t.Errorf("%s asks %d questions, want %d", s.Name, len(asked), c.calls[s.Name])
				}
				if !c.env.SerialReview && s.Calls(sizes) != len(asked) {
					t.Errorf("%s declares %d calls and makes %d", s.Name, s.Calls(sizes), len(asked))
				}
				start := ""
				if !strings.Contains(asked[0].Messages[1].Content, "- Rent a shop\n") {
					t.Errorf("%s does not show the work breakdown", s.Name)
				}
				for _, q := range asked {
					if s.Name == "review_plan" && number(q) == 0 {
						continue
					}
					head, _, found := strings.Cut(q.Messages[1].Content, behind[s.Name])
					if !found {
						t.Fatalf("%s does not show %s", s.Name, behind[s.Name])
					}
					if start == "" {
						start = q.Messages[0].Content + head
					} else if start != q.Messages[0].Content+head {
						t.Errorf("%s: question %d begins unlike the others", s.Name, number(q))
					}
				}
			}
			for _, name := range []string{"review_plan", "self_audit"} {
				for _, q := range r.Asked[name] {
					n, text := number(q), q.Messages[1].Content
					sees := strings.Contains(text, `<document name="answers_so_far">`) || strings.Contains(text, `<document name="checklist_answers">`)
					if want := c.env.SerialReview && n > 1 || name == "self_audit" && n == len(checklist); sees != want {
						t.Errorf("%s: question %d sees earlier answers: %v, want %v", name, n, sees, want)
					}
				}
			}
			for _, q := range r.Asked["self_audit"] {
				if number(q) == 20 && (!strings.Contains(q.Messages[1].Content, "19. No Adaptive") || !strings.Contains(q.Messages[1].Content, "1. Violates")) {
					t.Error("the last item does not see all the others")
				}
			}
		})
	}
}

// Ensure that a few missing answers are left out and noted, and that more of them fail the step.
func TestGaps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		lost   func(llm.Request) bool
		failed []string
		notes  int
	}{
		{"some", func(r llm.Request) bool {
			return number(r) == 4 || r.Name == "premortem" && look(r) == "before" || strings.Contains(r.Messages[1].Content, "Your theme is the field")
		}, nil, 4},
		{"the passes at the end", func(r llm.Request) bool { return r.Name == "review_plan" && number(r) == 0 || number(r) == 20 }, nil, 2},
		{"many", func(r llm.Request) bool {
			return number(r) > 10 || r.Name == "premortem" || r.Name == "questions_and_answers"
		},
			[]string{"premortem", "questions_and_answers", "review_plan", "self_audit"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, step.Env{}, func(q llm.Request, round int) any {
				if c.lost(q) {
					return chaptertest.Context()
				}
				return scripted(q, round)
			}, "")
			var failed []string
			for _, f := range r.Result.Failed {
				failed = append(failed, f.Step)
			}
			slices.Sort(failed)
			if !slices.Equal(failed, c.failed) {
				t.Fatalf("steps %v failed, want %v", failed, c.failed)
			}
			notes := 0
			for _, n := range r.Notes {
				if strings.Contains(n.Note, "no model") {
					notes++
				}
			}
			if notes != c.notes {
				t.Errorf("%d gaps are noted, want %d: %+v", notes, c.notes, r.Notes)
			}
			if c.failed != nil {
				return
			}
			var pre failures
			if err := json.Unmarshal(r.Read(t, plan.PremortemRaw), &pre); err != nil {
				t.Fatal(err)
			}
			for i, a := range pre.Assumptions {
				if a.ID != fmt.Sprintf("A%d", i+1) {
					t.Errorf("assumption %d has id %s", i+1, a.ID)
				}
				if !slices.ContainsFunc(pre.Modes, func(f failure) bool {
					return f.Assumption == a.ID && strings.ReplaceAll(f.Title, "\nfall", " belief") == a.Statement
				}) {
					t.Errorf("no failure goes back to %+v", a)
				}
			}
		})
	}
}

// Ensure that small plans are asked for less.
func TestSmallPlan(t *testing.T) {
	t.Parallel()
	r := run(t, step.Env{}, func(q llm.Request, round int) any {
		if q.Name == "review_plan" && number(q) == 0 {
			return repeats{}
		}
		return scripted(q, round)
	}, `{"language":"en","scale":"small"}`)
	r.MustDo(t)
	if n := len(r.Asked["premortem"]); n != 1 {
		t.Errorf("the premortem asks %d times", n)
	}
	for _, q := range r.Asked["review_plan"] {
		if number(q) > 0 && !strings.Contains(q.Messages[1].Content, "exactly 2 points") {
			t.Errorf("question %d asks for other than 2 points", number(q))
		}
	}
	if page := string(r.Read(t, plan.ReviewPlan)); strings.Contains(page, "Lead 1.3") || !strings.Contains(page, "Lead 1.2") {
		t.Errorf("the page does not hold two points of three:\n%.600s", page)
	}
}

// Ensure that the demo model's answers are no wrong quotations: it has none.
func TestDemo(t *testing.T) {
	t.Parallel()
	r := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given(), Model: demo.New(0, 1), Env: step.Env{Demo: true}}.Run(t)
	r.MustDo(t)
	if page := string(r.Read(t, plan.SelfAudit)); strings.Contains(page, notFound) || strings.Contains(page, "“") {
		t.Errorf("the demo quotes:\n%s", page)
	}
	if n := len(r.Asked["self_audit"]); n != 20 {
		t.Errorf("the audit took %d requests", n)
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		list := chaptertest.Load[struct {
			List []reviewed `json:"question_answers_list"`
		}](t, dir, plan.ReviewPlanRaw).List
		for i := range list {
			list[i].number = i + 1
			if list[i].Title != reviewQuestions[i].Title {
				t.Errorf("review %d is called %s", i+1, list[i].Title)
			}
		}
		dir.SamePage(t, plan.ReviewPlan, reviewPage(list))

		qa := chaptertest.Load[pairs](t, dir, plan.QARaw)
		dir.SamePage(t, plan.QA, qa.Markdown())
		if got, want := strings.ReplaceAll(qa.html(), "&#39;", "&#x27;"), string(dir.Read(t, plan.QAFragment)); strings.ReplaceAll(got, "&#34;", "&quot;") != want {
			t.Errorf("the fragment is\n%s\nwant\n%s", got, want)
		}

		dir.SamePage(t, plan.Premortem, chaptertest.Load[failures](t, dir, plan.PremortemRaw).Markdown())

		audit := chaptertest.Load[struct {
			Cleaned []rated `json:"checklist_answers_cleaned"`
		}](t, dir, plan.SelfAuditRaw).Cleaned
		for i, r := range audit {
			if r.Title != checklist[i].Title {
				t.Errorf("item %d is called %s", i+1, r.Title)
			}
		}
		page := auditPage(audit)
		for _, l := range levels { // the meanings are ours
			page = strings.ReplaceAll(page, l.meaning, map[string]string{
				"high": "Existential blocker without credible mitigation.", "medium": "Material risk with plausible path.", "low": "Minor/controlled risk.",
			}[l.name])
		}
		dir.SamePage(t, plan.SelfAudit, page)
	})
}

// Ensure that documents that could not be made cost no step, and that the models are told.
func TestMissingDocuments(t *testing.T) {
	t.Parallel()
	g := given()
	broken := step.Chapter{Name: "broken"}
	for _, a := range step.Docs(plan.Team, plan.WBS, plan.GanttTable, plan.ProjectPlan) {
		delete(g, a)
		broken.Steps = append(broken.Steps, step.Func{
			Name: "make_" + a.Artifact().Label, Writes: step.Docs(a), Calls: step.Calls(),
			Run: func(context.Context, *step.Work) error { return errors.New("broken") },
		})
	}
	r := chaptertest.Case{Chapters: []step.Chapter{broken, Chapter}, Given: g, Answer: scripted}.Run(t)
	if len(r.Result.Failed) != len(broken.Steps) || len(r.Result.Skipped) > 0 {
		t.Fatalf("failed: %v, skipped: %v", r.Result.Failed, r.Result.Skipped)
	}
	asked := r.Asked["self_audit"][0].Messages[1].Content
	for _, want := range []string{"<document name=\"team\">\n(This document could not be made.", "<document name=\"work_breakdown\">\n(There is none.)", "There is no computed schedule."} {
		if !strings.Contains(asked, want) {
			t.Errorf("the audit is not told %q:\n%s", want, asked)
		}
	}
}

// Ensure that an answer whose failures are not one of each kind, or whose scores are none, is asked
// for again.
func TestWrongPremortem(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*told){
		"one archetype for two": func(a *told) { a.Failures[1].Archetype = a.Failures[0].Archetype },
		"an unknown archetype":  func(a *told) { a.Failures[1].Archetype = "Bad luck" },
		"a failure too few":     func(a *told) { a.Failures = a.Failures[1:] },
		"a score of six":        func(a *told) { a.Failures[0].Impact = 6 },
		"no assumption":         func(a *told) { a.Failures[0].Statement = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, step.Env{Fast: true}, func(q llm.Request, round int) any {
				a := scripted(q, round)
				if f, ok := a.(told); ok && round == 1 {
					spoil(&f)
					return f
				}
				return a
			}, "")
			r.MustDo(t)
			if n := len(r.Asked["premortem"]); n != 2 {
				t.Errorf("%d requests, want a second one", n)
			}
		})
	}
}
