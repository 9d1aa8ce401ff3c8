package lever

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/plan"
)

func testFrame() frame {
	all := some(4)
	all[1].Options = []string{"a", "b", "c"}
	all[3].Options = []string{"d", "e", "f", "g"}
	return newFrame(all, []plan.Lever{all[1], all[3]}) // L2 and L4
}

func TestFrameKeepsIds(t *testing.T) {
	t.Parallel()
	f := testFrame()
	if diff := cmp.Diff([]string{"L2", "L4"}, f.ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	added := newFrame(some(2), append(some(2), plan.Lever{ID: "by hand"}))
	if diff := cmp.Diff([]string{"L1", "L2", "L3"}, added.ids); diff != "" {
		t.Errorf("ids with a lever added by hand (-want +got):\n%s", diff)
	}
}

func TestSettleCandidates(t *testing.T) {
	t.Parallel()
	c := func(name string, settings ...setting) candidate {
		return candidate{Name: name, Logic: "l", Settings: settings}
	}
	got := testFrame().settle(candidates{Scenarios: []candidate{
		c("“Bold”", setting{"L4", "4"}, setting{"L2", "1"}), // order of the levers, not of the answer
		c("bold", setting{"L2", "9"}, setting{"L4", "0"}),   // too high, too low, name twice
		c("Third", setting{"L7", "1"}),                      // unknown id, nothing set
		c("Fourth", setting{"L2", "1"}, setting{"L4", "1"}), // one too many
	}})
	var lines []string
	for _, s := range got.Scenarios {
		lines = append(lines, fmt.Sprintf("%s: %v", s.Name, s.Settings))
	}
	want := []string{
		"Bold: [{Lever 2 a} {Lever 4 g}]",
		"bold (2): [{Lever 2 c} {Lever 4 d}]",
		"Third: [{Lever 2 b} {Lever 4 e}]",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("scenarios (-want +got):\n%s", diff)
	}
}

func TestCheckCandidates(t *testing.T) {
	t.Parallel()
	answer := &candidates{Scenarios: []candidate{
		{Name: "One", Settings: []setting{{"L2", "1"}, {"L4", "5"}}},
		{Name: "ONE", Settings: []setting{{"L4", "4"}, {"L2", "1"}}},
		{Name: "Two", Settings: []setting{{"L2", "2"}, {"L4", "1"}}},
	}}
	var got []string
	for _, p := range testFrame().check(answer) {
		got = append(got, p.Path)
		if !p.Soft {
			t.Errorf("%v is hard, but the answer can be repaired", p)
		}
	}
	want := []string{"scenarios[0].lever_settings[1].option", "scenarios[1].scenario_name", "scenarios[1].lever_settings"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	list := []plan.Scenario{{Name: "Bold"}, {Name: "Steady"}, {Name: "Careful"}}
	scores := []fit{{"S3", "third", 7}, {"S1", "first", 4}, {"S2", "second", 8}}
	for name, tc := range map[string]struct {
		answer selection
		want   string
	}{
		"by id, in the scenarios' order": {selection{Assessments: scores, Choice: choice{"S3", []string{"one", "two"}}},
			"Bold 4, Steady 8, Careful 7 → Careful: - one\n- two"},
		"marks of a list stand once": {selection{Assessments: scores, Choice: choice{"S2", []string{"* one", "* two"}}},
			"Bold 4, Steady 8, Careful 7 → Steady: - one\n- two"},
		"an unknown choice becomes the highest score": {selection{Assessments: scores, Choice: choice{"Bold!", []string{"one"}}},
			"Bold 4, Steady 8, Careful 7 → Steady: - one"},
		"an assessment is missing": {selection{Assessments: scores[:1], Choice: choice{"S1", []string{"one"}}},
			"Careful 7 → Bold: - one"},
	} {
		s := named(tc.answer, list)
		var fits []string
		for _, f := range s.Assessments {
			fits = append(fits, fmt.Sprintf("%s %d", f.Name, f.Score))
		}
		got := fmt.Sprintf("%s → %s: %s", strings.Join(fits, ", "), s.Choice.Name, s.Choice.Justification)
		if got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

func TestCheckSelection(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		scores [2]int
		ok     bool
	}{"highest": {[2]int{9, 3}, true}, "equal": {[2]int{5, 5}, true}, "lower": {[2]int{4, 6}, false}} {
		got := checkSelection(&selection{Assessments: []fit{{"S1", "", tc.scores[0]}, {"S2", "", tc.scores[1]}}, Choice: choice{ID: "S1"}})
		if (len(got) == 0) != tc.ok || len(got) > 0 && !got[0].Soft {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestCheckScenarios(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		list []plan.Scenario
		ok   bool
	}{
		"good": {[]plan.Scenario{{Name: "A"}, {Name: "B"}}, true}, "none": {nil, false},
		"twice": {[]plan.Scenario{{Name: "A"}, {Name: "a "}}, false}, "no name": {[]plan.Scenario{{}}, false},
	} {
		if err := checkScenarios(tc.list); (err == nil) != tc.ok {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestScenariosPage(t *testing.T) {
	t.Parallel()
	list := []plan.Scenario{{Name: "Only One", Logic: "l", Settings: plan.Settings{{Lever: "Place", Option: "here"}}}}
	var sel plan.Selection
	sel.Choice.Name, sel.Choice.Justification = " only one", "- because"
	got, err := scenariosPage(list, sel)
	if err != nil {
		t.Fatal(err)
	}
	want := "### Only One\n**Strategic Logic:** l\n\n**Key Strategic Decisions:**\n\n- **Place:** here\n\n" +
		"**The Decisive Factors:**\n\n- because\n\n---\n## Alternative Paths"
	if !strings.HasSuffix(got, want) {
		t.Errorf("a page without scores and alternatives ends with\n%s\nwant\n%s", got, want)
	}
	sel.Choice.Name = "None of them"
	if _, err := scenariosPage(list, sel); err == nil || !strings.Contains(err.Error(), `"None of them"`) {
		t.Errorf("unknown choice: error %v, want one that names it", err)
	}
}

func TestDecisionsPageWithoutRatings(t *testing.T) {
	t.Parallel()
	all := some(2)
	got := decisionsPage(all, plan.Vital{Levers: all})
	if strings.Contains(got, "Justification") {
		t.Errorf("a justification without a rating:\n%s", got)
	}
	if !strings.HasPrefix(got, "## Primary Decisions\n") || !strings.Contains(got, ".\n\n\n### Decision 1: Lever 1\n") {
		t.Errorf("without a summary the page begins with\n%.200s", got)
	}
	if !strings.Contains(got, "**Conflict:** \n\n---\n## Secondary Decisions\n") || !strings.HasSuffix(got, ".\n") {
		t.Errorf("without secondary decisions the page ends with\n%s", got)
	}
}
