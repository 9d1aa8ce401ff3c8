package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"planexe/internal/plan"
)

var update = flag.Bool("update", false, "write the golden files")

// files is a run in memory.
type files map[string]string

func (f files) Read(name string) ([]byte, error) {
	if text, ok := f[name]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

// every returns a run in which each document of the report is text.
func every(text string) files {
	f := files{plan.ProjectTitle.Name: text}
	for _, s := range sections() {
		for _, p := range s.parts {
			f[p.file.Name] = text
		}
	}
	return f
}

func render(t testing.TB, src Source, m Meta) (string, *html.Node) {
	t.Helper()
	out, err := Render(src, m)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return string(out), doc
}

// find returns the elements that match, in the order of the page.
func find(n *html.Node, match func(*html.Node) bool) (found []*html.Node) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && match(d) {
			found = append(found, d)
		}
	}
	return found
}

func tag(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.Data == name }
}

func class(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return slices.Contains(strings.Fields(attr(n, "class")), name) }
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func titles(nodes []*html.Node) (titles []string) {
	for _, n := range nodes {
		titles = append(titles, words(find(n, tag("h2"))[0]))
	}
	return titles
}

func TestSectionsInTheContractsOrder(t *testing.T) {
	t.Parallel()
	src := every("words")
	src[plan.GanttOverview.Name] = "<svg><rect/></svg>"
	src[plan.GanttInteractive.Name] = "<table><tr><td>1</td></tr></table>"
	src[plan.WBSTable.Name] = "Level 1;Task ID\nHouse;1\n"
	page, doc := render(t, src, Meta{})
	want := []string{
		"Executive Summary", "Gantt Overview", "Gantt Interactive", "Pitch", "Project Plan", "Strategic Decisions", "Scenarios",
		"Assumptions", "Governance", "Related Resources", "Data Collection", "Documents to Create and Find", "SWOT Analysis", "Team",
		"Expert Criticism", "Work Breakdown Structure", "Review Plan", "Questions & Answers", "Premortem", "Self Audit", "Initial Prompt Vetted", "Plan Checks",
	}
	if d := cmp.Diff(want, titles(find(doc, class("section")))); d != "" {
		t.Errorf("sections (-want +got):\n%s", d)
	}
	for _, c := range []string{"collapsible", "content"} {
		if n := len(find(doc, class(c))); n != len(want) {
			t.Errorf("%d elements of class %s, want %d", n, c, len(want))
		}
	}
	for _, s := range []string{"<!--CONTENT-START-->", "<!--CONTENT-END-->", `class="planexe-report-info"`} {
		if strings.Count(page, s) != 1 {
			t.Errorf("the page does not hold %s exactly once", s)
		}
	}
	open := find(doc, func(n *html.Node) bool {
		return class("collapsible")(n) && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "open" })
	})
	if len(open) != 1 || attr(open[0].Parent, "id") != "executive-summary" {
		t.Errorf("%d sections are open, want the executive summary only", len(open))
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	later := "not part of this run"
	missing := map[string]string{}
	for name := range every("") {
		missing[name] = later
	}
	missing[plan.Scenarios.Name] = "step select_scenario failed"
	missing[plan.Prompt.Name] = "step start failed"
	src := files{plan.Pitch.Name: "Buy <it>", plan.PremiseAttack.Name: "No.", plan.Team.Name: "  \n"}
	_, doc := render(t, src, Meta{Missing: missing, Outcome: "partial", Reason: "One step failed."})

	if d := cmp.Diff([]string{"Pitch", "Initial Prompt Vetted"}, titles(find(doc, class("section")))); d != "" {
		t.Errorf("sections (-want +got):\n%s", d)
	}
	var top string
	for _, n := range find(doc, class("notice")) {
		top += words(n) + "\n"
	}
	for _, want := range []string{"This plan is not complete. One step failed.", "19 sections are not in this report", "Scenarios: step select_scenario failed",
		"Executive Summary, Gantt Overview, Gantt Interactive, Project Plan", "Team: 013-team.md is empty"} {
		if !strings.Contains(top, want) {
			t.Errorf("no %q in the notices:\n%s", want, top)
		}
	}
	if n := len(find(doc, class("absent"))); n != 2 {
		t.Errorf("%d notices in place of neighbouring missing sections, want 2", n)
	}
	vetted := words(find(doc, class("section"))[1])
	if !strings.Contains(vetted, "Not in this report: step start failed") || !strings.Contains(vetted, "No.") {
		t.Errorf("a part that is missing hides those that are not: %s", vetted)
	}
}

func TestRefusedPlanMissesNothing(t *testing.T) {
	t.Parallel()
	src := files{plan.Prompt.Name: "A weapon", plan.RedlinePage.Name: "**Verdict:** 🔴 REFUSE"}
	_, doc := render(t, src, Meta{Outcome: "refused", Reason: "It asks for a weapon."})
	if n := len(find(doc, class("absent"))); n != 0 {
		t.Errorf("%d notices of missing sections", n)
	}
	want := "PlanExe Project Report refused This request was refused. It asks for a weapon."
	if got := words(find(doc, tag("header"))[0]); got != want {
		t.Errorf("header %q, want %q", got, want)
	}
	if d := cmp.Diff([]string{"Initial Prompt Vetted"}, titles(find(doc, class("section")))); d != "" {
		t.Errorf("sections (-want +got):\n%s", d)
	}
}

type broken struct{ files }

func (b broken) Read(name string) ([]byte, error) {
	if name == plan.Pitch.Name {
		return nil, errors.New("open /home/someone/secret: permission denied")
	}
	return b.files.Read(name)
}

func TestOneBadDocumentHarmsNoOther(t *testing.T) {
	t.Parallel()
	src := every("words")
	src[plan.Team.Name] = strings.Repeat("x", maxSource+1)
	src[plan.SWOT.Name] = "odd \xff\x00 bytes \u202e here"
	src[plan.WBSTable.Name] = "only a header"
	page, doc := render(t, broken{src}, Meta{})
	reasons := map[string]string{}
	var index struct {
		Sections []struct {
			Title, Missing string
			Sources        []provenance
		}
	}
	if err := json.Unmarshal([]byte(find(doc, tag("script"))[0].FirstChild.Data), &index); err != nil {
		t.Fatal(err)
	}
	for _, s := range index.Sections {
		if s.Missing != "" {
			reasons[s.Title] = s.Missing
		} else if s.Sources[0].SHA256 == "" {
			t.Errorf("%s has no hash", s.Title)
		}
	}
	chart := "its chart is drawn by a script from the network, which this page does not run; open the file itself"
	want := map[string]string{
		"Pitch": "020-3-pitch.md cannot be read", "Team": "013-team.md is larger than 4 MB",
		"Work Breakdown Structure": "its table has no rows", "Gantt Overview": chart, "Gantt Interactive": chart,
	}
	if d := cmp.Diff(want, reasons); d != "" {
		t.Errorf("missing sections (-want +got):\n%s", d)
	}
	if strings.Contains(page, "someone") || strings.ContainsAny(page, "\x00\u202e") {
		t.Error("a path or a control character has got into the page")
	}
	if !strings.Contains(page, "odd \uFFFD bytes  here") {
		t.Error("the readable part of a damaged document is lost")
	}
}

func TestPartThatPanics(t *testing.T) {
	t.Parallel()
	b := builder{src: files{plan.Pitch.Name: "x"}}
	_, _, err := b.part(part{file: plan.Pitch, render: func(string, place) (content, error) { panic("boom") }}, place{})
	if err == nil || !strings.Contains(err.Error(), "020-3-pitch.md cannot be shown") {
		t.Errorf("got %v", err)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Ü", 300)
	for name, tc := range map[string]struct {
		src        files
		meta       Meta
		want, lang string
	}{
		"nothing known": {files{}, Meta{}, "PlanExe Project Report", "en"},
		"first line":    {files{}, Meta{Title: "Open a bakery", Lang: "de-CH"}, "Open a bakery", "de-CH"},
		"own title":     {files{plan.ProjectTitle.Name: " Brot\n& <Butter> \n"}, Meta{Title: "no", Lang: `en" onload="x`}, "Brot & <Butter>", "en"},
		"long":          {files{}, Meta{Title: long}, long[:400] + "…", "en"},
		"facts":         {files{}, Meta{Made: "2026-03-13T01:14:08Z", Models: []string{"a", "b", "c", "d", "e"}, Speed: "fast_but_skip_details"}, "13 March 2026 a, b, c and 2 more fast, fewer details 0 of 21 sections", "en"},
		"odd date":      {files{}, Meta{Made: "last week"}, "last week", "en"},
		"demo":          {files{}, Meta{Demo: true}, "Demo: written without a model from your own words.", "en"},
		"refused":       {files{}, Meta{Refused: true, Reason: "It asks for a weapon."}, "This request was refused. It asks for a weapon.", "en"},
		"budget":        {files{}, Meta{Outcome: "budget"}, "its budget was used up", "en"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, doc := render(t, tc.src, tc.meta)
			if got := words(find(doc, tag("header"))[0]); !strings.Contains(got, tc.want) {
				t.Errorf("no %q in the header: %s", tc.want, got)
			}
			if got := attr(find(doc, tag("html"))[0], "lang"); got != tc.lang {
				t.Errorf("lang %q, want %q", got, tc.lang)
			}
		})
	}
}

// TestGolden compares a small run with the page it made, and with a second rendering.
func TestGolden(t *testing.T) {
	t.Parallel()
	src := dir("testdata/run")
	meta := Meta{
		Made: "2026-01-03T09:00:00Z", Models: []string{"demo"}, Speed: "fast_but_skip_details", Version: "1.0", Outcome: "partial",
		Reason: "1 step of 23 failed.", Demo: true, Quality: []string{"Team: 2 of 5 people are usable."},
		Missing: map[string]string{plan.Premortem.Name: "step premortem failed"},
	}
	got, _ := render(t, src, meta)
	again, _ := render(t, src, meta)
	if got != again {
		t.Error("the same run gives two different pages")
	}
	// The page's own style and script are not what this test is about.
	got = strings.NewReplacer(style, "", script, "", escape(page{}.policy()), "").Replace(got)
	got = strings.ReplaceAll(got, "><", ">\n<")
	const golden = "testdata/report.golden.html"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("page (-want +got), -update accepts it:\n%s", d)
	}
}

type dir string

func (d dir) Read(name string) ([]byte, error) { return fs.ReadFile(os.DirFS(string(d)), name) }

func TestEveryIDOnce(t *testing.T) {
	t.Parallel()
	src := every("# Team\n\n## Pitch\n\n### Pitch\n\n# Team\n\n#\n\n# content\n")
	_, doc := render(t, src, Meta{})
	seen := map[string]int{}
	for _, n := range find(doc, func(n *html.Node) bool { return attr(n, "id") != "" }) {
		seen[attr(n, "id")]++
	}
	maps.DeleteFunc(seen, func(_ string, n int) bool { return n == 1 })
	if len(seen) > 0 {
		t.Errorf("ids taken more than once: %v", seen)
	}
}
