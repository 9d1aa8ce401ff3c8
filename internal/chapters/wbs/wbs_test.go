package wbs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/plan"
	"planexe/internal/step"
)

func failing(context.Context, *step.Work) error { return errors.New("no data") }

func TestTitle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, number, want string }{
		{"Rent a shop", "1.1", "Rent a shop"},
		{"1.1 Rent  a\nshop.", "1.1", "Rent a shop"},
		{"1.1. Rent a shop", "1.1", "Rent a shop"},
		{"2) Open", "2", "Open"},
		{"2 ovens arrive", "3", "2 ovens arrive"},
		{"1.1kg of flour bought", "1.1", "1.1kg of flour bought"},
		{"## **\"Open\"**", "", "Open"},
		{"Paint the *sign* \"Open\"", "", "Paint the sign \"Open\""},
		{"„Öffnen.“", "", "Öffnen"},
		{"=HYPERLINK(1)", "", "HYPERLINK(1)"},
		{"'=1+1", "", "1+1"},
		{"***", "", ""},
		{"Einen Laden mit zwei Öfen in einer guten Lage der Stadt Lyon mieten", "", "Einen Laden mit zwei Öfen in einer guten Lage der Stadt Lyon"},
		{strings.Repeat("本", 70), "", strings.Repeat("本", 60)},
	} {
		if got := title(c.text, c.number, shortTitle); got != c.want {
			t.Errorf("title(%q, %q) = %q, want %q", c.text, c.number, got, c.want)
		}
	}
}

func TestSettleBreakdown(t *testing.T) {
	t.Parallel()
	b := breakdown{[]phase{
		{"", "Build", []subtask{{"", "Dig"}, {"", "dig"}, {"", "#"}}},
		{"", "Nothing", []subtask{{"", " "}}},
		{"", "**", []subtask{{"", "Lost"}}},
		{"", "BUILD", []subtask{{"", "DIG"}, {"", "Pour"}}},
		{"", "Use", []subtask{{"", "Dig"}}},
	}}
	var got []string
	for _, p := range b.settle(func(n int) string { return fmt.Sprint(n) }) {
		line := p.ID + " " + p.Title + ":"
		for _, a := range p.Tasks {
			line += " " + a.ID + " " + a.Title
		}
		got = append(got, line)
	}
	if diff := cmp.Diff([]string{"1 Build: 2 Dig 3 Pour", "4 Use: 5 Dig"}, got); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
}

func TestCheckBreakdown(t *testing.T) {
	t.Parallel()
	tasks := func(n int) *breakdown {
		p := phase{Title: "Work"}
		for i := range n {
			p.Tasks = append(p.Tasks, subtask{Title: fmt.Sprint("Do ", i)})
		}
		return &breakdown{[]phase{p}}
	}
	for n, want := range map[int]string{0: "hard", 1: "", 50: "", 51: "soft", 120: "soft", 121: "hard"} {
		got := ""
		for _, p := range checkBreakdown(tasks(n)) {
			got = map[bool]string{true: "soft", false: "hard"}[p.Soft]
		}
		if got != want {
			t.Errorf("%d tasks: problem %q, want %q", n, got, want)
		}
	}
}

func TestUntangle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, wanted, kept, dropped string }{
		{"a chain", "T1>T2 T2>T3", "T1>T2 T2>T3", ""},
		{"backwards without a circle", "T5>T2 T1>T5", "T5>T2 T1>T5", ""},
		{"itself", "T1>T1 T1>T2", "T1>T2", "T1>T1"},
		{"two", "T2>T1 T1>T2", "T1>T2", "T2>T1"},
		{"a long circle", "T9>T1 T1>T4 T4>T10 T10>T9 T4>T9", "T1>T4 T4>T10 T10>T9 T4>T9", "T9>T1"},
		{"twice", "T1>T2 T1>T2", "T1>T2", ""},
		{"two types", "T1>T2 T1>T2:SS", "T1>T2 T1>T2:SS", ""},
	} {
		kept, dropped := untangle(parse(c.wanted))
		if got := write(kept); got != c.kept {
			t.Errorf("%s: kept %s, want %s", c.name, got, c.kept)
		}
		if got := write(dropped); got != c.dropped {
			t.Errorf("%s: dropped %s, want %s", c.name, got, c.dropped)
		}
	}
}

// Ensure that what an answer says wrong is taken out and told in one note.
func TestWaits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 40)
	a := waits{Tasks: []wait{
		{ID: "T1", After: []after{{ID: "T1"}, {ID: "T77"}, {ID: "a document\nabout ovens and more"}, {ID: " t2 ", Reason: long}}},
		{ID: "T2", After: []after{{ID: "T3"}, {ID: "T4"}, {ID: "T5"}}},
		{ID: "T2", After: []after{{ID: "T6"}, {ID: "T7"}, {ID: "T8"}}},
	}}
	var m mends
	links := a.links([]string{"T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8"}, &m)
	if got, want := write(links), "T2>T1 T3>T2 T4>T2 T5>T2 T6>T2"; got != want {
		t.Errorf("links %s, want %s", got, want)
	}
	if n := len(strings.Fields(links[0].Reason)); n != reasonWords+1 {
		t.Errorf("a reason has %d words: %s", n, links[0].Reason)
	}
	want := "links were left out: 1 of a task to itself (such as of “Rent” to “Rent”); 2 to tasks that do not exist (such as of “Rent” to “T77”); 2 beyond the 4 a task may have (such as of “Bake” to “Eat”)"
	if got := m.note(map[string]string{"T1": "Rent", "T2": "Bake", "T7": "Eat"}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// parse reads links such as T1>T2 or T1>T2:SS.
func parse(text string) (out []plan.Link) {
	for _, s := range strings.Fields(text) {
		from, to, _ := strings.Cut(s, ">")
		to, kind, ok := strings.Cut(to, ":")
		if !ok {
			kind = plan.FinishToStart
		}
		out = append(out, plan.Link{Predecessor: from, Successor: to, Type: kind})
	}
	return out
}

func write(links []plan.Link) string {
	var out []string
	for _, l := range links {
		s := l.Predecessor + ">" + l.Successor
		if l.Type != plan.FinishToStart {
			s += ":" + l.Type
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestSettleEstimate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want [3]int }{
		{[3]int{5, 7, 20}, [3]int{5, 7, 20}},
		{[3]int{20, 7, 5}, [3]int{5, 7, 20}},
		{[3]int{0, -1, 3}, [3]int{1, 1, 3}},
		{[3]int{10, 99999, 20}, [3]int{10, 20, 3650}},
	} {
		e := settleEstimate(plan.Estimate{Min: c.in[0], Likely: c.in[1], Max: c.in[2]})
		if got := [3]int{e.Min, e.Likely, e.Max}; got != c.want {
			t.Errorf("%v became %v, want %v", c.in, got, c.want)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	tree := plan.Breakdown{Project: plan.Activity{ID: "r", Children: []plan.Activity{
		{ID: "p", Children: []plan.Activity{{ID: "a"}, {ID: "b"}}}, {ID: "alone"},
	}}}
	lost := merge(&tree, []plan.Subtask{
		{ID: "1", ParentID: "a"}, {ID: "2", ParentID: "alone"}, {ID: "3", ParentID: "a"}, {ID: "4", ParentID: "1"}, {ID: "5", ParentID: "p"}, {ID: "6", ParentID: "?"},
	})
	var got []string
	for level, a := range tree.All() {
		got = append(got, fmt.Sprintf("%d:%s", level, a.ID))
	}
	if want := "1:r 2:p 3:a 4:1 4:3 3:b 2:alone 3:2"; strings.Join(got, " ") != want {
		t.Errorf("tree %v, want %s", got, want)
	}
	if lost != 3 {
		t.Errorf("%d subtasks have no task, want 3", lost)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		child plan.Activity
		want  string // "" is no error
	}{
		{plan.Activity{ID: "a", Title: "A"}, ""},
		{plan.Activity{ID: "r", Title: "A"}, "r stands twice"},
		{plan.Activity{ID: "a", Title: " "}, "lacks"},
		{plan.Activity{Title: "A"}, "lacks"},
	} {
		err := check(&plan.Breakdown{Project: plan.Activity{ID: "r", Title: "R", Children: []plan.Activity{c.child}}})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.child, err, c.want)
		}
	}
}

// TestRecorded makes the trees and the table of recorded runs from their parts.
func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		run := chaptertest.Case{
			Chapters: []step.Chapter{{Name: "trees", Steps: []step.Step{Levels1And2, Levels1To3}}},
			Given: map[plan.Artifact]string{
				plan.WBS1: string(dir.Read(t, plan.WBS1)), plan.WBS2: string(dir.Read(t, plan.WBS2)), plan.WBS3: string(dir.Read(t, plan.WBS3)),
			},
		}.Run(t)
		run.MustDo(t)
		for _, a := range step.Docs(plan.WBS12, plan.WBS) {
			var want, got any
			if err := errors.Join(json.Unmarshal(dir.Read(t, a), &want), json.Unmarshal(run.Read(t, a), &got)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-recorded +ours):\n%s", a.Artifact().Name, diff)
			}
		}
		if diff := cmp.Diff(string(dir.Read(t, plan.WBSTable)), string(run.Read(t, plan.WBSTable))); diff != "" {
			t.Errorf("table (-recorded +ours):\n%s", diff)
		}
		links := chaptertest.Load[plan.TaskDependencies](t, dir, plan.Dependencies).Links()
		if len(links) == 0 || links[0].Type != plan.FinishToStart || links[0].Reason == "" {
			t.Errorf("%d links were read of the recorded dependencies", len(links))
		}
	})
}

// Ensure that a breakdown which somebody has edited into something unusable is refused with the reason.
func TestEditedBreakdown(t *testing.T) {
	t.Parallel()
	for tree, want := range map[string]string{
		`{"wbs_project":{"id":"p","description":"P","task_children":[{"id":"a","description":"A"},{"id":"a","description":"B"}]}}`: "the id a stands twice",
		`{"wbs_project":{"id":"p","description":"P"}}`: "it holds no tasks",
	} {
		run := chaptertest.Case{
			Chapters: []step.Chapter{{Name: "trees", Steps: []step.Step{Levels1To3}}},
			Given:    map[plan.Artifact]string{plan.WBS12: tree, plan.WBS3: `[]`},
		}.Run(t)
		if len(run.Result.Failed) != 1 || !strings.Contains(run.Result.Failed[0].Reason.Message, want+": correct the file") {
			t.Errorf("%s: %+v", tree, run.Result.Failed)
		}
	}
}
