package lever

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/plan"
)

// some makes n levers with the UUIDs u1, u2 …, each with one option of its own.
func some(n int) []plan.Lever {
	var out []plan.Lever
	for i := range n {
		s := fmt.Sprint(i + 1)
		out = append(out, plan.Lever{ID: "u" + s, Name: "Lever " + s, Consequences: "c", Options: []string{"same", "own " + s}, Review: "r"})
	}
	return out
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good, doubled, lacking := some(2), some(2), some(2)
	doubled[1].ID = doubled[0].ID
	lacking[1].Options = nil
	for name, tc := range map[string]struct {
		levers []plan.Lever
		want   string // "" is no error
	}{
		"good":    {good, ""},
		"none":    {nil, "no levers"},
		"doubled": {doubled, "u1 stands twice"},
		"lacking": {lacking, "lever 2 lacks"},
	} {
		err := check(tc.levers)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
	}
}

func TestFresh(t *testing.T) {
	t.Parallel()
	p := func(name string, options ...string) proposal {
		return proposal{Name: name, Consequences: "c", Options: options, Review: "r"}
	}
	known := []plan.Lever{{Name: "Opening Hours"}}
	got := fresh(known, []proposal{
		p("opening  hours", "a", "b", "c"),          // taken earlier
		p("Price\nof bread", " a ", "A", "", "b"),   // repaired
		p("PRICE of bread", "x", "y"),               // taken in this round
		p("One way", "only", "ONLY "),               // nothing to choose
		p("Marked", "1. first", "2) second", "- c"), // list marks
		p("Unmarked", "1. FC Köln", "another club"), // not all are marked
		p("Many", "a", "b", "c", "d", "e", "f"),     // at most five
		p("Sixth", "a", "b"),
		p("Seventh", "a", "b"), // a round has room for five
	}, 5)
	var lines []string
	for _, l := range got {
		lines = append(lines, l.Name+": "+strings.Join(l.Options, "|"))
	}
	want := []string{
		"Price of bread: a|b", "Marked: first|second|c", "Unmarked: 1. FC Köln|another club", "Many: a|b|c|d|e", "Sixth: a|b",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("levers (-want +got):\n%s", diff)
	}
}

func TestCheckProposals(t *testing.T) {
	t.Parallel()
	answer := &proposals{Levers: []proposal{
		{Name: "Place", Options: []string{"a", "b", "c"}},
		{Name: "place", Options: []string{"a", "a", "b"}},
	}}
	for name, tc := range map[string]struct {
		known  []plan.Lever
		answer *proposals
		soft   int
		hard   int
	}{
		"name and option twice": {nil, answer, 2, 0},
		"known name":            {[]plan.Lever{{Name: "PLACE"}}, answer, 3, 0},
		"nothing usable":        {nil, &proposals{Levers: []proposal{{Name: "x", Options: []string{"a"}}}}, 0, 1},
	} {
		soft, hard := 0, 0
		for _, p := range checkProposals(tc.known, 5)(tc.answer) {
			if p.Soft {
				soft++
			} else {
				hard++
			}
		}
		if soft != tc.soft || hard != tc.hard {
			t.Errorf("%s: %d soft and %d hard problems, want %d and %d", name, soft, hard, tc.soft, tc.hard)
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	// Levers 6 to 10 of each case stay, so that restoring does not hide what is tested.
	rest := []int{5, 6, 7, 8, 9}
	for name, tc := range map[string]struct{ wish, want []int }{
		"all stay":                 {[]int{0, 1, 2, 3, 4}, []int{0, 1, 2, 3, 4}},
		"absorb and remove":        {[]int{0, 0, gone, 3, 4}, []int{0, 0, gone, 3, 4}},
		"chain":                    {[]int{1, 2, 3, 3, 4}, []int{3, 3, 3, 3, 4}},
		"circle of two":            {[]int{1, 0, 2, 3, 4}, []int{0, 0, 2, 3, 4}},
		"circle with a way in":     {[]int{3, 1, 4, 2, 3}, []int{2, 1, 2, 2, 2}},
		"into a removed one":       {[]int{1, gone, 2, 3, 4}, []int{1, 1, 2, 3, 4}},
		"chain into a removed one": {[]int{1, 2, gone, 3, 4}, []int{2, 2, 2, 3, 4}},
	} {
		got, restored := settle(append(tc.wish, rest...), 5)
		if diff := cmp.Diff(append(tc.want, rest...), got); diff != "" || restored != 0 {
			t.Errorf("%s: %d restored, places (-want +got):\n%s", name, restored, diff)
		}
	}
}

func TestSettleLeavesFive(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		wish     []int
		want     []int
		restored int
	}{
		"all removed":         {[]int{gone, gone, gone, gone, gone, gone, gone}, []int{0, 1, 2, 3, 4, gone, gone}, 5},
		"all into the last":   {[]int{6, 6, 6, 6, 6, 6, 6}, []int{0, 1, 2, 3, 6, 6, 6}, 4},
		"all into each other": {[]int{1, 2, 3, 4, 5, 0}, []int{0, 1, 2, 3, 4, 0}, 4},
		"fewer than five":     {[]int{0, 0, gone}, []int{0, 1, 2}, 2},
	} {
		got, restored := settle(tc.wish, 5)
		if diff := cmp.Diff(tc.want, got); diff != "" || restored != tc.restored {
			t.Errorf("%s: %d restored, want %d; places (-want +got):\n%s", name, restored, tc.restored, diff)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	into := func(id string) *string { return &id }
	kept, restored := merge(some(9), []decision{
		{ID: "L1", Class: keep, Justification: "own theme"},
		{ID: "L1", Class: "remove", Justification: "second thoughts do not count"},
		{ID: "L2", Class: absorb, Justification: "same", Into: into("L1")},
		{ID: "L3", Class: absorb, Justification: "unknown target", Into: into("L99")},
		{ID: "L4", Class: absorb, Justification: "no target"},
		{ID: "L5", Class: absorb, Justification: "itself", Into: into("L5")},
		{ID: "L6", Class: "remove", Justification: "nothing new"},
		{ID: "L7", Class: absorb, Justification: "same too", Into: into("L1")},
		{ID: "L42", Class: "remove", Justification: "unknown"},
	}, 5)
	if restored != 0 {
		t.Errorf("%d restored, want none", restored)
	}
	var got []string
	for _, l := range kept {
		got = append(got, l.ID+" "+strings.Join(l.Options, "|"))
		if l.Justification == "" {
			t.Errorf("%s has no justification", l.ID)
		}
	}
	want := []string{
		"u1 same|own 1|own 2|own 7", "u3 same|own 3", "u4 same|own 4", "u5 same|own 5", "u8 same|own 8", "u9 same|own 9",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("levers (-want +got):\n%s", diff)
	}
	if kept[0].Justification != "own theme" {
		t.Errorf("justification of L1 is %q, want that of the first decision", kept[0].Justification)
	}
}

func TestMergeTakesFiveOptionsAtMost(t *testing.T) {
	t.Parallel()
	levers := some(12)
	var list []decision
	for i := range 7 {
		id := "L12"
		list = append(list, decision{ID: label(i), Class: absorb, Justification: "same", Into: &id})
	}
	kept, _ := merge(levers, list, 5)
	if got := strings.Join(kept[len(kept)-1].Options, "|"); got != "same|own 12|own 1|own 2|own 3" {
		t.Errorf("options are %s", got)
	}
	if len(levers[11].Options) != 2 {
		t.Errorf("merge changed its input: %v", levers[11].Options)
	}
}

func TestCheckDecisions(t *testing.T) {
	t.Parallel()
	l1, l2 := "L1", "L2"
	got := checkDecisions(&decisions{Decisions: []decision{
		{ID: "L1", Class: absorb, Into: &l2}, {ID: "L2", Class: absorb}, {ID: "L1", Class: absorb, Into: &l1}, {ID: "L3", Class: keep, Into: &l1},
	}})
	if len(got) != 2 || got[0].Path != "decisions[1].absorb_into" || got[1].Path != "decisions[2].absorb_into" || !got[0].Soft || !got[1].Soft {
		t.Errorf("problems: %v", got)
	}
}

func TestCharacterize(t *testing.T) {
	t.Parallel()
	got := characterize(some(3), []characterization{
		{"L2", "early", "s", "c"}, {"L9", "unknown", "s", "c"}, {"L2", "late", "s2", "c2"}, {"L1", "one", "s", "c"},
	})
	var lines []string
	for _, l := range got {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", l.ID, l.Description, l.Synergy, l.Conflict))
	}
	if diff := cmp.Diff([]string{"u1 one s c", "u2 late s2 c2", "u3   "}, lines); diff != "" {
		t.Errorf("levers (-want +got):\n%s", diff)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	a := func(pairs ...string) []plan.LeverAssessment {
		var out []plan.LeverAssessment
		for _, p := range pairs {
			id, importance, _ := strings.Cut(p, " ")
			out = append(out, plan.LeverAssessment{ID: id, Importance: importance})
		}
		return out
	}
	for name, tc := range map[string]struct {
		levers int
		list   []plan.LeverAssessment
		want   string
	}{
		"in the levers' order":         {8, a("u8 Critical", "u1 Low", "u6 High", "u2 Medium", "u5 High", "u3 Critical", "u7 Low", "u4 Medium"), "u2 u3 u5 u6 u8"},
		"first answered of equals":     {7, a("u7 High", "u6 High", "u5 High", "u4 High", "u3 High", "u2 High", "u1 High"), "u3 u4 u5 u6 u7"},
		"unknown and doubled ids":      {7, a("u9 Critical", "u7 Critical", "u7 Critical", "u7 High", "u6 High"), "u1 u2 u3 u6 u7"},
		"no ratings":                   {6, nil, "u1 u2 u3 u4 u5"},
		"rated low before not rated":   {7, a("u7 Low"), "u1 u2 u3 u4 u7"},
		"fewer levers than are wanted": {3, a("u2 Critical"), "u1 u2 u3"},
	} {
		var got []string
		for _, l := range choose(some(tc.levers), tc.list, 5) {
			got = append(got, l.ID)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: chose %v, want %s", name, got, tc.want)
		}
	}
}

func TestCheckRatings(t *testing.T) {
	t.Parallel()
	a := &ratings{}
	for range 5 {
		a.Assessments = append(a.Assessments, rating{Importance: "Critical"})
	}
	if got := checkRatings(5)(a); got != nil {
		t.Errorf("five Critical ones: %v", got)
	}
	a.Assessments = append(a.Assessments, rating{Importance: "Critical"})
	if got := checkRatings(5)(a); len(got) != 1 || !got[0].Soft {
		t.Errorf("six Critical ones: %v, want one soft problem", got)
	}
}

func TestAssessmentsGetNamesOfTheFile(t *testing.T) {
	t.Parallel()
	got := assessments(some(2), []rating{{ID: "L2", Name: "miscopied", Importance: "High", Justification: "j"}})
	want := []plan.LeverAssessment{{ID: "u2", Name: "Lever 2", Importance: "High", Justification: "j"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
