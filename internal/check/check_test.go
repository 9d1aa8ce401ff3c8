package check

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/plan"
)

// files are the artifacts of a made-up run.
type files map[string]string

func (f files) read(name string) ([]byte, error) {
	text, ok := f[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

// found lists what one check found as "severity: what".
func found(f files, id string) []string {
	var out []string
	for _, x := range Run(f.read).Findings {
		if x.Check == id {
			out = append(out, fmt.Sprintf("%s: %s", x.Severity, x.What))
		}
	}
	return out
}

// one is a case with one page and the facts of the request.
type one struct {
	name  string
	facts plan.Facts
	page  string   // of the project plan
	want  []string // findings
}

func try(t *testing.T, id string, cases []one) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			facts, err := json.Marshal(c.facts)
			if err != nil {
				t.Fatal(err)
			}
			got := found(files{plan.KeyFacts.Name: string(facts), plan.ProjectPlan.Name: c.page}, id)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Ensure that nothing is found, and nothing breaks, where there is nothing.
func TestNothing(t *testing.T) {
	t.Parallel()
	got := Run(files{}.read)
	if len(got.Findings) > 0 || len(got.Checks) != len(checks()) {
		t.Errorf("found %v in nothing", got)
	}
	for _, c := range got.Checks {
		if c.Looked != 0 {
			t.Errorf("%s looked at %d %s of nothing", c.ID, c.Looked, c.Unit)
		}
	}
	if page := Markdown(got); !strings.Contains(page, "Nothing found.") || strings.Contains(page, "| Severity") {
		t.Errorf("the page of a run without findings:\n%s", page)
	}
}

// Ensure that a check that finds the same again and again is bounded, and says what it left out.
func TestBound(t *testing.T) {
	t.Parallel()
	got := Run(files{plan.ProjectPlan.Name: strings.Repeat("## Cost\n\nWe pay by [date].\n\n", 40)}.read)
	if len(got.Findings) != maxFindings {
		t.Errorf("%d findings, want %d", len(got.Findings), maxFindings)
	}
	page := Markdown(got)
	for _, want := range []string{"40 findings.", "15 more findings of the same kinds are left out.", `We pay by \[date\].`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
}

// Ensure that the severest findings stand first, and that no text breaks out of its cell.
func TestPage(t *testing.T) {
	t.Parallel()
	page := Markdown(plan.Findings{
		Checks: []plan.Check{{ID: "x", About: "a|b", Looked: 3, Unit: "words"}, {ID: "y", About: "c", Looked: 1, Unit: "deadlines"}},
		Findings: []plan.Finding{
			{Severity: plan.SeverityNote, File: "strange.md", What: "small."},
			{Severity: plan.SeverityError, File: plan.Team.Name, Section: "A | B\nC", What: "large.", Quote: "<script>`x`"},
			{Severity: plan.SeverityNote, File: "strange.md", What: "Nobody is “Baker”.", Quote: "Baker"},
		},
	})
	want := "| error | Team: A \\| B C | large. “&lt;script&gt;\\`x\\`” |\n| note | strange.md | small. |\n| note | strange.md | Nobody is “Baker”. |\n"
	if !strings.Contains(page, want) || !strings.Contains(page, "| a\\|b | 3 words |\n| c | 1 deadline |") {
		t.Errorf("the page is\n%s", page)
	}
}

// Ensure that a quotation shows where it was cut, not within a word, and without the mark of a list.
func TestQuotes(t *testing.T) {
	t.Parallel()
	words := strings.Repeat("word ", 30)
	for text, want := range map[string]string{
		"- Bake by May.":       "Bake by May.",
		words + "May " + words: "…" + words[:45] + "May " + words[:44] + "…",
		"Bake by May " + words: "Bake by May " + words[:44] + "…",
		"春にMay" + words[:10]:   "春にMayword word",
	} {
		at := strings.Index(text, "May")
		if got := around(text, at, at+3); got != want {
			t.Errorf("around: got %q, want %q", got, want)
		}
	}
	if got, want := shorten(strings.Repeat("word ", 40)), strings.TrimSpace(strings.Repeat("word ", 32))+"…"; got != want {
		t.Errorf("shorten: got %q, want %q", got, want)
	}
	if got := shorten(strings.Repeat("a", 200)); got != strings.Repeat("a", maxQuote)+"…" {
		t.Errorf("shorten: %q", got)
	}
}

// Ensure that no text makes a check panic, and that the same text gives the same findings.
func FuzzRun(f *testing.F) {
	f.Add("# A\n\n| a | b |\n|---|---|\n| Total | €1,0 |\n", `{"language":"de","budget":"1.000 €","deadline":"in 3 Monaten","forbids":["Wörter: a, b"]}`)
	f.Add("- a: $1\n- b: 2%\n- Total: $3\n\n1 + 2 = 4, 31 February 2027, 2027年2月31日 [date", `{"language":"ja","deadline":"2027年"}`)
	f.Add("**Cost allocation:** (50% a, 30% b, 21% c)\n```\n[name]", `{"forbids":["(","no x"]}`)
	f.Add("\xff\xfe €\xff1,1\xff 9’9", `{"budget":"€\u202f5 000"}`)
	f.Fuzz(func(t *testing.T, page, facts string) {
		in := files{
			plan.Prompt.Name: "Plan:\n" + facts + "\n\nToday's date:\n2026-Jan-03", plan.KeyFacts.Name: facts, plan.ProjectPlan.Name: page,
			plan.GanttTable.Name: "project_key,project_start_date,project_end_date,project_parent\nR,1/3/2026,1/3/2027,\n",
			plan.SummaryRaw.Name: fmt.Sprintf(`{"timeline_and_budget":%q}`, page),
		}
		a, b := Run(in.read), Run(in.read)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("two runs differ:\n%s", diff)
		}
		Markdown(a)
	})
}

// Ensure that the Markdown of pages is taken apart into what stands where.
func TestParse(t *testing.T) {
	t.Parallel()
	d := parse("f", body, "> **Demo.** note\n\n# One **two** #\n**Label:** text with `code` and [a link](https://x.y)\n\n- **Item**: x\n  2. y\n\n---\n```\n# no\n```\n| a | b\\|c |\n|:--|--:|\n| 1 | |\n")
	var got []string
	for _, b := range d.blocks {
		got = append(got, fmt.Sprintf("%d/%s/%s/%s/%s/%d", b.form, b.section, b.label, b.text, strings.Join(b.cells, ","), b.group))
	}
	want := []string{
		"1/One two//One two//1", "0/One two/Label/text with code and a link//2", "2/One two/Item/x//3", "2/One two//y//3",
		"3/One two//a | b|c/a,b|c/4", "3/One two//1 | /1,/4",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
