package report

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"planexe/internal/plan"
)

// openingOf returns the opening of a page, nil when it has none.
func openingOf(doc *html.Node) *html.Node {
	for _, n := range find(doc, class("opening")) {
		return n
	}
	return nil
}

// judged is the run in testdata with another opening.
func judged(t *testing.T, change func(*plan.OpeningPage)) files {
	t.Helper()
	src := files{}
	for _, f := range append(Sources(), plan.KeyFacts.File) {
		if data, err := dir("testdata/run").Read(f.Name); err == nil {
			src[f.Name] = string(data)
		}
	}
	var o plan.OpeningPage
	if err := json.Unmarshal([]byte(src[plan.Opening.Name]), &o); err != nil {
		t.Fatal(err)
	}
	change(&o)
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	src[plan.Opening.Name] = string(data)
	return src
}

// Ensure the report begins with the opening, and each of its lines links to the section it comes from.
func TestOpening(t *testing.T) {
	t.Parallel()
	_, doc := render(t, judged(t, func(*plan.OpeningPage) {}), Meta{Models: []string{"m-1"}, Quality: []string{"Team: 2 of 5."}})
	first := find(doc, tag("section"))[0]
	if attr(first, "id") != openingAnchor {
		t.Fatalf("the report begins with %s", attr(first, "id"))
	}
	text := words(first)
	for _, want := range []string{
		"! Go, with conditions The judgement of the model (m-1) about its own plan:",
		"The rent of the shop is within the budget. from Project Plan",
		"its <date>. from Premortem",
		"Two bakers have said yes. Only if The permit is asked for before 1 February. from Premortem",
		"What it costs 280,000 to 310,000 EUR Three quotes and the rent of two years. from Assumptions",
		"When it is done 1 Mar 2026 Likely after 40 working days from 5 Jan 2026; 1 Feb 2026 if all goes well, 1 May 2026 with plausible trouble. from Gantt Overview",
		"What No permit. Early sign No answer by day 5. Answer Rent the second shop. from Premortem",
		"Ask for the permit. Baker from Team Call the landlord. You from Initial Prompt Vetted",
		"Budget 300,000 EUR Places Lyon Villeurbanne Ruled out no debt Size small from Initial Prompt Vetted",
		"What the checks found 2 errors 1 warning 1 of 2 checks had something to judge, without a model; 2 more of the same are not listed. from Plan Checks",
		"1 note from the making of this plan Team: 2 of 5.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the opening:\n%s", want, text)
		}
	}
	ids := map[string]bool{}
	for _, n := range find(doc, func(n *html.Node) bool { return attr(n, "id") != "" }) {
		ids[attr(n, "id")] = true
	}
	for _, a := range find(first, tag("a")) {
		if !ids[strings.TrimPrefix(attr(a, "href"), "#")] {
			t.Errorf("link to %s, which is not there", attr(a, "href"))
		}
	}
}

func TestOpeningVariants(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change    func(*plan.OpeningPage)
		want, not string
	}{
		"go":             {func(o *plan.OpeningPage) { o.Verdict, o.Conditions = "go", nil }, "✓ Go The judgement", "Only if"},
		"no go":          {func(o *plan.OpeningPage) { o.Verdict = "no_go" }, "✕ No go", ""},
		"no verdict":     {func(o *plan.OpeningPage) { o.Verdict = "perhaps" }, "There is no judgement of this plan: 025-3-opening_page.json holds no verdict.", "What it costs"},
		"unknown cost":   {func(o *plan.OpeningPage) { o.Cost.Amount = nil }, "What it costs Not known Three quotes", ""},
		"empty cost":     {func(o *plan.OpeningPage) { *o.Cost.Amount = " \n" }, "What it costs Not known", ""},
		"no schedule":    {func(o *plan.OpeningPage) { o.Finish = nil }, "When it is done Not known There is no computed schedule.", ""},
		"damaged finish": {func(o *plan.OpeningPage) { o.Finish.Dates[1] = "soon" }, "When it is done Not known", "soon"},
		"one date":       {func(o *plan.OpeningPage) { o.Finish.Dates = [3]string{"2026-02-01", "2026-02-01", "2026-02-01"} }, "from 5 Jan 2026.", "trouble"},
		"long text":      {func(o *plan.OpeningPage) { o.Risk.What = strings.Repeat("word ", 1000) }, "word word…", ""},
		"many lines":     {func(o *plan.OpeningPage) { o.Monday = make([]plan.FirstAction, 50); o.Monday[30].Action = "thirty" }, "What to do on Monday", "thirty"},
		"line breaks":    {func(o *plan.OpeningPage) { o.Reasons[0].Text = "a\n\n\u202eb" }, "a b", "\u202e"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, doc := render(t, judged(t, tc.change), Meta{})
			text := strings.ReplaceAll(words(openingOf(doc)), " …", "…")
			if !strings.Contains(text, tc.want) {
				t.Errorf("no %q:\n%s", tc.want, text)
			}
			if tc.not != "" && strings.Contains(text, tc.not) {
				t.Errorf("%q is there:\n%s", tc.not, text)
			}
		})
	}
}

// Ensure each missing source of the opening is said in its place, and no section of the contract counts
// as missing for it.
func TestMissingOpening(t *testing.T) {
	t.Parallel()
	src := every("words")
	src[plan.GanttOverview.Name], src[plan.GanttInteractive.Name] = "<svg></svg>", "<table><tr><td>1</td></tr></table>"
	src[plan.WBSTable.Name] = "Level 1;Task ID\nHouse;1\n"
	delete(src, plan.ChecksPage.Name)
	src[plan.KeyFacts.Name] = "["
	page, doc := render(t, src, Meta{Missing: map[string]string{
		plan.Opening.Name: "the step opening_page failed: no answer", plan.Checks.Name: "the run ended before the step checks",
	}})
	want := "At a glance There is no judgement of this plan: the step opening_page failed: no answer. " +
		"What the checks found The plan was not checked: the run ended before the step checks."
	if d := cmp.Diff(want, words(openingOf(doc))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !strings.Contains(page, ">21 sections<") || strings.Contains(page, "Plan Checks") || len(find(doc, class("notice"))) > 0 {
		t.Error("sections of ours count as missing")
	}
}

func TestRefusedPlanHasNoOpening(t *testing.T) {
	t.Parallel()
	if _, doc := render(t, judged(t, func(*plan.OpeningPage) {}), Meta{Refused: true}); openingOf(doc) != nil {
		t.Error("a refused plan has an opening")
	}
}
