// Package lever is the chapter that finds the decisions a plan turns on, weaves them into scenarios
// and chooses the one that the rest of the plan follows.
package lever

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "lever", Prompts: prompts, Steps: []step.Step{
	Potential,
	Deduplicate,
	Enrich,
	FocusOnVitalFew,
	DecisionsPage,
	Candidates,
	Select,
	ScenariosPage,
}}

// label is the short id of the i-th lever of a list, from 0. Models copy L7 right, and UUIDs often not.
func label(i int) string { return "L" + strconv.Itoa(i+1) }

// labels returns the short ids of n levers.
func labels(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = label(i)
	}
	return out
}

// labelled returns the short id of each lever by its UUID.
func labelled(levers []plan.Lever) map[string]string {
	out := map[string]string{}
	for i, l := range levers {
		out[l.ID] = label(i)
	}
	return out
}

// read returns the levers that an earlier step wrote. The file may have been edited by hand, so
// what the steps rely on is checked.
func read[T any](w *step.Work, a plan.JSON[T], pick func(T) []plan.Lever) ([]plan.Lever, error) {
	v, err := step.Read(w, a)
	if err != nil {
		return nil, err
	}
	levers := pick(v)
	if err := check(levers); err != nil {
		return nil, fmt.Errorf("%s: %w: correct the file or run its step again", a.Name, err)
	}
	return levers, nil
}

func check(levers []plan.Lever) error {
	if len(levers) == 0 {
		return fmt.Errorf("it holds no levers")
	}
	seen := map[string]bool{}
	for i, l := range levers {
		switch {
		case l.ID == "" || l.Name == "" || l.Consequences == "" || len(l.Options) == 0 || l.Review == "":
			return fmt.Errorf("lever %d lacks one of lever_id, name, consequences, options, review", i+1)
		case seen[l.ID]:
			return fmt.Errorf("lever_id %s stands twice", l.ID)
		}
		seen[l.ID] = true
	}
	return nil
}

func enriched(e plan.Enriched) []plan.Lever { return e.Levers }
func vital(v plan.Vital) []plan.Lever       { return v.Levers }

// sheet shows levers to a model, with what is known of each, under their short ids.
func sheet(levers []plan.Lever, id map[string]string) string {
	var b strings.Builder
	line := func(what, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%s: %s\n", what, step.Line(text))
		}
	}
	for i, l := range levers {
		if i > 0 {
			b.WriteByte('\n')
		}
		line(id[l.ID], l.Name)
		line("What it controls", l.Description)
		line("Consequences", l.Consequences)
		line("Trade-off and weakness", l.Review)
		for n, o := range l.Options {
			line(fmt.Sprintf("Option %d", n+1), o)
		}
		line("Works with", l.Synergy)
		line("Works against", l.Conflict)
	}
	return b.String()
}

// distinct drops blank texts and those that stood before, and makes the others one line each.
func distinct(texts []string) []string {
	var out []string
	for _, t := range texts {
		t = step.Line(t)
		same := func(o string) bool { return step.Fold(o) == step.Fold(t) }
		if t != "" && !slices.ContainsFunc(out, same) {
			out = append(out, t)
		}
	}
	return out
}
