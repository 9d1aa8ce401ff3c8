package critique

import (
	"slices"
	"testing"
)

func TestWithout(t *testing.T) {
	t.Parallel()
	list := []reviewed{
		{number: 1, Title: "One", Answers: []string{"a", "b"}},
		{number: 2, Title: "Two", Answers: []string{"c", "d"}},
		{number: 4, Title: "Four", Answers: []string{"e"}},
	}
	for _, c := range []struct {
		name  string
		found []repeat
		kept  []string
		gone  []removed
	}{
		{"nothing", nil, []string{"a", "b", "c", "d", "e"}, nil},
		{"one", []repeat{{"P2.1", "P1.1"}}, []string{"a", "b", "d", "e"}, []removed{{"Two", "c", "a"}}},
		{"a chain", []repeat{{"P2.1", "P1.2"}, {"P1.2", "P4.1"}}, []string{"a", "d", "e"}, []removed{{"One", "b", "e"}, {"Two", "c", "e"}}},
		{"two that point at one another", []repeat{{"P1.1", "P2.1"}, {"P2.1", "P1.1"}}, []string{"b", "c", "d", "e"}, []removed{{"One", "a", "c"}}},
		{"itself", []repeat{{"P1.1", "P1.1"}}, []string{"a", "b", "c", "d", "e"}, nil},
		{"twice", []repeat{{"P1.1", "P2.1"}, {"P1.1", "P2.2"}}, []string{"b", "c", "d", "e"}, []removed{{"One", "a", "c"}}},
		{"the last of a question", []repeat{{"P4.1", "P1.1"}, {"P1.1", "P2.1"}, {"P1.2", "P2.2"}}, []string{"b", "c", "d", "e"}, []removed{{"One", "a", "c"}}},
		{"unknown", []repeat{{"P3.1", "P1.1"}, {"P1.1", "P9.9"}}, []string{"a", "b", "c", "d", "e"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			kept, gone := without(list, c.found)
			var texts []string
			for _, r := range kept {
				texts = append(texts, r.Answers...)
			}
			if !slices.Equal(texts, c.kept) || !slices.Equal(gone, c.gone) {
				t.Errorf("keeps %v, takes out %v", texts, gone)
			}
		})
	}
	if len(list[0].Answers) != 2 || len(list[1].Answers) != 2 {
		t.Errorf("the given list was changed: %v", list)
	}
}

func TestQuotes(t *testing.T) {
	t.Parallel()
	m := newMaterial("The **ovens** cost “40,000 EUR” — more than\n  planned. Staff don’t stay.", "id;Task name\n1;Rent a shop", "日本語の計画です")
	for quote, want := range map[string]bool{
		`the ovens cost "40,000 eur" - more than planned`: true,
		"“Staff don't stay.”":                             true,
		"The ovens cost … more than planned":              true,
		"The ovens [...] Rent a shop":                     true,
		"Rent a shop ... The ovens":                       false, // in the wrong order
		"The ovens cost 50,000 EUR":                       false,
		"日本語の計画":                                          true,
		"日本語の計画書":                                         false,
		"":                                                false,
		" “...” ":                                         false,
	} {
		if got := m.has(quote); got != want {
			t.Errorf("%q stands in the documents: %v, want %v", quote, got, want)
		}
	}
}

func TestCheckRating(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		item  int
		given rating
		paths []string
	}{
		{"good", 4, rating{[]string{"oven is hot"}, "high", "so", "do"}, nil},
		{"no quotes", 4, rating{nil, "high", "so", "do"}, nil},
		{"nothing to do", 4, rating{nil, "low", "so", ""}, []string{"mitigation"}},
		{"no law is broken", 0, rating{nil, "low", "so", ""}, nil},
		{"a law is broken", 0, rating{nil, "high", "so", ""}, []string{"mitigation"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var paths []string
			for _, p := range checkRating(c.item, &c.given) {
				if !p.Soft {
					t.Errorf("%s ends the answer", p)
				}
				paths = append(paths, p.Path)
			}
			if !slices.Equal(paths, c.paths) {
				t.Errorf("finds fault with %v, want %v", paths, c.paths)
			}
		})
	}
}

func TestRisk(t *testing.T) {
	t.Parallel()
	for score, want := range map[[2]int]string{{5, 3}: "CRITICAL", {4, 3}: "HIGH", {3, 3}: "HIGH", {2, 4}: "MEDIUM", {2, 2}: "MEDIUM", {3, 1}: "LOW", {1, 1}: "LOW"} {
		if got := (failure{story: story{Likelihood: score[0], Impact: score[1]}}).risk(); got != want {
			t.Errorf("%v is %s, want %s", score, got, want)
		}
	}
}
