package report

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"planexe/internal/plan"
	"planexe/internal/web/webtest"
)

// tab is a browser's tab in which reports are read from disk.
type tab struct {
	*webtest.Tab
	dir string
}

func newTab(t *testing.T) *tab {
	t.Helper()
	b := &tab{webtest.New(t), t.TempDir()}
	b.Home = "file://" + filepath.ToSlash(b.dir)
	return b
}

// open shows a report from disk.
func (b *tab) open(name string, src Source, m Meta) {
	b.T.Helper()
	out, err := Render(src, m)
	b.Must(err)
	b.show(name, out)
}

func (b *tab) show(name string, page []byte) {
	b.T.Helper()
	b.Must(os.WriteFile(filepath.Join(b.dir, name+".html"), page, 0o600))
	b.Open("/" + name + ".html")
}

// notices fails the test when the tab would not see what it watches for.
func (b *tab) notices() {
	b.T.Helper()
	b.show("control", []byte(`<meta http-equiv="Content-Security-Policy" content="img-src https:"><script>alert(1); throw 1</script><img src="http://127.0.0.1:9/x">`))
	webtest.Eval[bool](b.Tab, settled[1:])
	seen := fmt.Sprint(b.Problems())
	for _, want := range []string{"alert was called", "the policy stopped img-src", "exception"} {
		if !strings.Contains(seen, want) {
			b.T.Fatalf("the tab does not notice %q: %s", want, seen)
		}
	}
}

func eval[T any](b *tab, script string) T {
	b.T.Helper()
	return webtest.Eval[T](b.Tab, script)
}

// settled is a script's end that waits until the page has reacted.
const settled = `; new Promise((done) => setTimeout(() => requestAnimationFrame(() => done(true))))`

// whole is a run with all there can be, in words that are long and odd.
func whole(t *testing.T) files {
	src := judged(t, func(*plan.OpeningPage) {})
	for name, text := range every("# One\n\nWords, `code` and a [link](https://example.org/a).\n\n## Two\n\n**Severity:** High\n\n**Likelihood:** Low\n\n" +
		"| a | b | c | d | e | f |\n|---|---|---|---|---|---|\n| " + strings.Repeat("words in a cell | ", 6) + "\n\n" + strings.Repeat("Donaudampfschifffahrt", 12) + "\n\n- [x] done\n- [ ] open\n\n> quoted\n\n```\n" + strings.Repeat("x", 300) + "\n```\n") {
		src[name] = cmp.Or(src[name], text)
	}
	src[plan.GanttInteractive.Name] = `<!--HTML_BODY_CONTENT_START--><p>Starts.</p><details class="gantt-details"><summary>Phase</summary>` + drawing +
		`<details class="gantt-details"><summary>As a table</summary><table><tr><th scope="col">a</th></tr><tr><td>b</td></tr></table></details></details><!--HTML_BODY_CONTENT_END-->`
	src[plan.GanttOverview.Name] = drawing
	return src
}

const drawing = `<svg viewBox="0 0 900 60" width="900" height="60" role="img" aria-label="Chart"><g><title>Rent, critical</title><text x="4" y="20">Rent</text>` +
	`<rect class="gantt-critical" x="300" y="5" width="90" height="14"></rect></g><g><text class="gantt-axis" x="4" y="50">Bake</text><rect class="gantt-bar" x="400" y="35" width="90" height="14"></rect></g></svg>`

// Ensure the report works as a reader uses it: from disk, silent, folding, dark, linked.
func TestInBrowser(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	b.Scheme("light")
	b.Size(1200)
	b.open("report", whole(t), Meta{
		Models: []string{"m-1"}, Made: "2026-01-03T09:00:00Z", Version: "1", Outcome: "complete", Demo: true, Quality: []string{"Team: 2 of 5."},
	})
	const folds, open = `document.querySelectorAll("details.collapsible").length`, `document.querySelectorAll("details.collapsible[open]").length`
	all := eval[int](b, folds)
	if n := eval[int](b, open); all != 22 || n != 1 {
		t.Errorf("%d of %d sections are open at first, want 1 of 22", n, all)
	}
	const toggle = `document.getElementById("toggle-sections").click()` + settled
	for _, want := range []int{all, 0} {
		eval[bool](b, toggle)
		if n := eval[int](b, open); n != want {
			t.Errorf("%d sections are open, want %d", n, want)
		}
	}

	// Every link of the opening opens the section it leads to.
	links := eval[[]string](b, `[...document.querySelectorAll(".opening a")].map((a) => a.hash)`)
	if len(links) < 8 {
		t.Errorf("only %d links in the opening", len(links))
	}
	for _, hash := range links {
		script := fmt.Sprintf(`document.querySelector('.opening a[href="%s"]').click()`+settled+`.then(() => document.querySelector('%s details').open)`, hash, hash)
		if !eval[bool](b, script) {
			t.Errorf("the link to %s does not open it", hash)
		}
	}

	// The reader's choice of colours wins over the system's.
	const paper = `getComputedStyle(document.body).backgroundColor`
	light := eval[string](b, paper)
	eval[bool](b, `document.getElementById("toggle-theme").click()`+settled)
	dark := eval[string](b, paper)
	b.Scheme("dark")
	if dark == light || eval[string](b, paper) != dark {
		t.Errorf("the page is %s in the light, %s in the dark", light, dark)
	}
	b.Scheme("light")
	eval[bool](b, `document.getElementById("toggle-theme").click()`+settled)
	if got := eval[string](b, paper); got != light {
		t.Errorf("the page does not come back to %s but has %s", light, got)
	}

	// Charts grow and show the critical path.
	grown := eval[[]float64](b, `(() => {
		const chart = document.querySelector("#gantt-overview .chart"), svg = chart.querySelector("svg");
		const wide = svg.getBoundingClientRect().width;
		document.querySelector("#gantt-overview [aria-label='Make the chart larger']").click();
		const wider = svg.getBoundingClientRect().width;
		document.querySelector("#gantt-overview [aria-pressed]").click();
		return [wide, wider, +getComputedStyle(svg.querySelector(".gantt-bar")).opacity, +getComputedStyle(svg.querySelector(".gantt-critical")).opacity];
	})()`)
	if grown[1] <= grown[0] || grown[2] >= 0.5 || grown[3] != 1 {
		t.Errorf("chart before and after growing, opacity of other and critical bars: %v", grown)
	}
	b.Quiet("the report")
}

// Ensure nothing is wider than the page, all text can be told from what is behind it, and every control
// has a name, on phones and screens, in the light and in the dark.
func TestLooks(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	b.open("report", whole(t), Meta{Models: []string{"m-1"}, Outcome: "partial", Reason: "A step failed.", Demo: true, Quality: []string{"Team: 2 of 5."}})
	eval[bool](b, `for (const d of document.querySelectorAll("details")) d.open = true`+settled)
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		for _, width := range []int64{360, 768, 1200, 1920} {
			b.Size(width)
			eval[bool](b, settled[1:])
			if n := eval[int](b, "document.documentElement.scrollWidth"); n > int(width) {
				t.Errorf("%s: the page is %d wide in a window of %d: %v", scheme, n, width, eval[[]string](b, webtest.TooWide))
			}
			for _, problem := range eval[[]string](b, webtest.Looks) {
				t.Errorf("%s, %d: %s", scheme, width, problem)
			}
		}
		b.Axe("the report, " + scheme)
	}
	b.Size(360)
	eval[bool](b, settled[1:])
	if indent := eval[string](b, `getComputedStyle(document.querySelector(".content")).paddingLeft`); indent != "0px" {
		t.Errorf("on a phone the text is indented by %s", indent)
	}
	b.Quiet("the report")
}

// Ensure that no document of a run can make the report do anything, in a real browser and when everything
// in it is opened, pointed at and focused.
func TestHostileDocumentsInBrowser(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: opens a page for each payload")
	}
	b := newTab(t)
	b.notices()
	for i, payload := range corpus(t) {
		src, meta := hostile(payload)
		b.open(fmt.Sprintf("hostile-%d", i), src, meta)
		before := eval[string](b, "location.href")
		eval[bool](b, `for (const e of document.querySelectorAll("*")) {
			if (e.tagName === "DETAILS") e.open = true;
			for (const type of ["pointerenter", "pointerover", "mouseover", "mouseenter", "focus", "animationend", "load", "error", "toggle"]) e.dispatchEvent(new Event(type, { bubbles: true }));
			if (e.tagName === "A" && !["http:", "https:", "mailto:", "file:"].includes(e.protocol)) broken.push("link to " + e.href);
		}`+settled)
		if after := eval[string](b, "location.href"); after != before {
			t.Errorf("%q moved the page to %s", payload, after)
		}
		b.Quiet(fmt.Sprintf("payload %q", payload))
	}
}
