package report

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"planexe/internal/plan"
)

// tab is a browser's tab that remembers what a report must not do.
type tab struct {
	t   *testing.T
	ctx context.Context
	dir string

	mu       sync.Mutex
	problems []string
}

// watch runs in every page before its own script. Whatever a document manages to run calls one of these.
const watch = `
window.broken = [];
for (const name of ["alert", "confirm", "prompt", "open", "print", "fetch"]) window[name] = () => { broken.push(name + " was called"); };
addEventListener("securitypolicyviolation", (e) => broken.push("the policy stopped " + e.violatedDirective + " " + e.blockedURI));
`

// newTab starts a browser, or skips the test where there is none.
func newTab(t *testing.T) *tab {
	t.Helper()
	path := ""
	for _, name := range []string{os.Getenv("PLANEXE_CHROMIUM"), "chromium", "google-chrome", "chromium-browser"} {
		if found, err := exec.LookPath(name); name != "" && err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium found: install chromium, or name one in PLANEXE_CHROMIUM")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, dir: t.TempDir()}
	b.must(chromedp.Listen(ctx, b.hear))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	b.must(err)
	_, err = chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
	b.must(err)
	return b
}

// hear notes errors, warnings and requests. The reports lie in a directory of their own: any other address
// is the network, or a file that is none of theirs.
func (b *tab) hear(event any) {
	problem := ""
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		problem = fmt.Sprintf("the page wrote to the console: %s", e.Type)
	case *runtime.EventExceptionThrown:
		problem = "exception: " + e.ExceptionDetails.Text
	case *log.EventEntryAdded:
		problem = "browser log: " + e.Entry.Text
	case *network.EventRequestWillBeSent:
		if at, err := url.Parse(e.Request.URL); err != nil || at.Scheme != "file" || filepath.Dir(at.Path) != b.dir {
			problem = "request for " + e.Request.URL
		}
	}
	if problem != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.problems = append(b.problems, problem)
	}
}

// open shows a report from disk.
func (b *tab) open(name string, src Source, m Meta) {
	b.t.Helper()
	out, err := Render(src, m)
	b.must(err)
	file := filepath.Join(b.dir, name+".html")
	b.must(os.WriteFile(file, out, 0o600))
	b.must(chromedp.Do(b.ctx, chromedp.Navigate("file://"+file)))
}

// notices fails the test when the tab would not see what it watches for.
func (b *tab) notices() {
	b.t.Helper()
	file := filepath.Join(b.dir, "control.html")
	b.must(os.WriteFile(file, []byte(`<meta http-equiv="Content-Security-Policy" content="img-src https:"><script>alert(1); throw 1</script><img src="http://127.0.0.1:9/x">`), 0o600))
	b.must(chromedp.Do(b.ctx, chromedp.Navigate("file://"+file)))
	eval[bool](b, settled[1:])
	seen := fmt.Sprint(eval[[]string](b, "broken"), b.take())
	for _, want := range []string{"alert was called", "the policy stopped img-src", "exception"} {
		if !strings.Contains(seen, want) {
			b.t.Fatalf("the tab does not notice %q: %s", want, seen)
		}
	}
}

// take returns what was noted so far, and forgets it.
func (b *tab) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	problems := b.problems
	b.problems = nil
	return problems
}

// quiet fails the test when the page has done what it must not.
func (b *tab) quiet(what string) {
	b.t.Helper()
	for _, problem := range append(eval[[]string](b, "broken"), b.take()...) {
		b.t.Errorf("%s: %s", what, problem)
	}
}

func (b *tab) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) size(width int64) {
	b.t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(width, 900)))
}

func (b *tab) scheme(name string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	b.must(err)
}

// eval runs a script in the page; a promise is waited for.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	b.must(err)
	return v
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
	b.scheme("light")
	b.size(1200)
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
	b.scheme("dark")
	if dark == light || eval[string](b, paper) != dark {
		t.Errorf("the page is %s in the light, %s in the dark", light, dark)
	}
	b.scheme("light")
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
	b.quiet("the report")
}

// Ensure nothing is wider than the page, all text can be told from what is behind it, and every control
// has a name, on phones and screens, in the light and in the dark.
func TestLooks(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	b.open("report", whole(t), Meta{Models: []string{"m-1"}, Outcome: "partial", Reason: "A step failed.", Demo: true, Quality: []string{"Team: 2 of 5."}})
	eval[bool](b, `for (const d of document.querySelectorAll("details")) d.open = true`+settled)
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, width := range []int64{360, 768, 1200, 1920} {
			b.size(width)
			eval[bool](b, settled[1:])
			if n := eval[int](b, "document.documentElement.scrollWidth"); n > int(width) {
				t.Errorf("%s: the page is %d wide in a window of %d: %v", scheme, n, width, eval[[]string](b, tooWide))
			}
			for _, problem := range eval[[]string](b, looks) {
				t.Errorf("%s, %d: %s", scheme, width, problem)
			}
		}
	}
	b.size(360)
	eval[bool](b, settled[1:])
	if indent := eval[string](b, `getComputedStyle(document.querySelector(".content")).paddingLeft`); indent != "0px" {
		t.Errorf("on a phone the text is indented by %s", indent)
	}
	b.quiet("the report")
}

const tooWide = `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest(".table, .chart, pre")).slice(0, 5).map((e) => e.tagName + "." + e.className)`

// looks lists texts with a contrast below 4.5 (3 for large ones, as WCAG has it), controls without a name and
// ids that stand twice.
const looks = `(() => {
	const found = new Set();
	const rgba = (text) => { const n = text.match(/[\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
	const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
	const behind = (e) => {
		const layers = [];
		for (; e; e = e.parentElement) layers.unshift(rgba(getComputedStyle(e).backgroundColor));
		return layers.reduce((below, top) => over(top, below), [255, 255, 255, 1]);
	};
	const shine = (c) => c.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; (n = texts.nextNode());) {
		const e = n.parentElement;
		if (!n.data.trim() || e.closest("script, style, title, .sr, .skip") || !e.checkVisibility({ visibilityProperty: true })) continue;
		const style = getComputedStyle(e), back = behind(e);
		const ink = over(rgba(e.closest("svg") ? style.fill : style.color), back);
		const [low, high] = [shine(ink), shine(back)].sort((a, b) => a - b);
		const ratio = (high + 0.05) / (low + 0.05), size = parseFloat(style.fontSize);
		const least = size >= 24 || size >= 18.66 && style.fontWeight >= 700 ? 3 : 4.5;
		if (ratio < least) found.add("contrast " + ratio.toFixed(2) + " of " + e.tagName + "." + e.className + ": " + n.data.trim().slice(0, 30));
	}
	for (const e of document.querySelectorAll("a, button, summary, input, [role=img], [role=region], nav")) {
		const name = e.getAttribute("aria-label") || (e.matches("[role], nav, input") ? e.closest("li")?.textContent : e.textContent);
		if (!name?.trim()) found.add("no name: " + e.outerHTML.slice(0, 80));
	}
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
	for (const id of ids.filter((id, i) => ids.indexOf(id) < i)) found.add("two elements have the id " + id);
	if (document.querySelectorAll("h1").length !== 1) found.add("not one h1");
	return [...found];
})()`

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
		b.quiet(fmt.Sprintf("payload %q", payload))
	}
}
