// Package wbs is the chapter that breaks the work down: phases, their tasks, what tasks wait for
// and how long they take, and the subtasks of each.
package wbs

import (
	"embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"planexe/internal/plan"
	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "wbs", Prompts: prompts, Steps: []step.Step{
	Level1,
	Level2,
	Levels1And2,
	Dependencies,
	Durations,
	Level3,
	Levels1To3,
}}

// task is an activity of level 2 in the words of prompts: models copy T7 right, and UUIDs often not.
type task struct {
	plan.Activity
	label string
	phase int
}

// readTree returns the levels 1 and 2 with their tasks in order. The file may have been edited by
// hand, so what the steps rely on is checked.
func readTree(w *step.Work) (*plan.Breakdown, []task, error) {
	tree, err := step.Read(w, plan.WBS12)
	if err != nil {
		return nil, nil, err
	}
	list := tasks(&tree)
	err = check(&tree)
	if err == nil && len(list) == 0 {
		err = errors.New("it holds no tasks")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w: correct the file or run its step again", plan.WBS12.Name, err)
	}
	return &tree, list, nil
}

// tasks lists what is worked on: the children of phases, and a phase that has none.
func tasks(tree *plan.Breakdown) []task {
	var out []task
	add := func(a plan.Activity, phase int) {
		out = append(out, task{a, "T" + strconv.Itoa(len(out)+1), phase})
	}
	for i, phase := range tree.Project.Children {
		for _, t := range phase.Children {
			add(t, i)
		}
		if len(phase.Children) == 0 {
			add(phase, i)
		}
	}
	return out
}

func check(tree *plan.Breakdown) error {
	seen := map[string]bool{}
	for _, a := range tree.All() {
		switch {
		case a.ID == "" || strings.TrimSpace(a.Title) == "":
			return fmt.Errorf("an activity (id %q, title %q) lacks its id or its title", a.ID, a.Title)
		case seen[a.ID]:
			return fmt.Errorf("the id %s stands twice", a.ID)
		}
		seen[a.ID] = true
	}
	return nil
}

// labels returns the short ids by id.
func labels(list []task) map[string]string {
	out := map[string]string{}
	for _, t := range list {
		out[t.ID] = t.label
	}
	return out
}

// ids returns the ids by short id.
func ids(list []task) map[string]string {
	out := map[string]string{}
	for _, t := range list {
		out[t.label] = t.ID
	}
	return out
}

// names lists the short ids in order.
func names(list []task) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.label)
	}
	return out
}

// phases cuts the list where a phase ends.
func phases(list []task) [][]task {
	var out [][]task
	for i, t := range list {
		if i == 0 || t.phase != list[i-1].phase {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], t)
	}
	return out
}

// Titles are cut at so many characters: names of the plan and of subtasks stand in bars of charts.
const (
	shortTitle = 60
	longTitle  = 100
)

// title makes a heading of what a model wrote: one line, without marks, quotes and the number that
// the program would give it anyway, cut at a word. It may end up empty.
func title(text, number string, limit int) string {
	text = step.Line(text)
	if rest, ok := strings.CutPrefix(text, number); ok && number != "" {
		if after := strings.TrimLeft(rest, ".):"); strings.HasPrefix(after, " ") {
			text = after
		}
	}
	text = strings.NewReplacer("*", "", "`", "").Replace(text)
	// A cell that begins with one of = + - @ would be a formula in a spreadsheet.
	text = strings.TrimLeft(text, " #=+-@•–—")
	text = strings.TrimRight(text, " .,;:")
	const quotes = "\"'“”„«»"
	if inner := strings.TrimLeft(text, quotes); inner != text {
		text = strings.TrimLeft(strings.Trim(inner, quotes+" .,;:"), " =+-@")
	}
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && !unicode.IsSpace(runes[cut]) {
		cut--
	}
	if cut < limit/2 { // a language without spaces
		cut = limit
	}
	return strings.TrimRight(string(runes[:cut]), " .,;:")
}
