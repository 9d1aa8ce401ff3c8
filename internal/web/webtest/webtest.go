// Package webtest drives a browser through pages, for the tests of the web interfaces.
package webtest

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Tab is a browser tab that remembers what the pages must not do.
type Tab struct {
	T   *testing.T
	Ctx context.Context

	mu       sync.Mutex
	Home     string // begins all addresses that may be asked for anything
	problems []string
	Allowed  *regexp.Regexp // problems that the test expects
}

// watch runs in every page before its own script. Whatever a document manages to run calls one of these.
const watch = `
window.broken = [];
for (const name of ["alert", "confirm", "prompt", "open", "print"]) window[name] = () => { broken.push(name + " was called"); };
addEventListener("securitypolicyviolation", (e) => broken.push("the policy stopped " + e.violatedDirective + " " + e.blockedURI));
`

// New starts a browser, or skips the test where there is none.
func New(t *testing.T) *Tab {
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
	b := &Tab{T: t, Ctx: ctx}
	b.Must(chromedp.Listen(ctx, b.hear))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	b.Must(err)
	_, err = chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
	b.Must(err)
	return b
}

// hear notes errors, warnings and requests to other places.
func (b *Tab) hear(event any) {
	problem := ""
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		problem = fmt.Sprintf("the page wrote to the console: %s", e.Type)
	case *runtime.EventExceptionThrown:
		problem = "exception: " + e.ExceptionDetails.Text
	case *log.EventEntryAdded:
		problem = "browser log: " + e.Entry.Text + " " + e.Entry.URL
	case *network.EventRequestWillBeSent:
		b.mu.Lock()
		if at := e.Request.URL; !strings.HasPrefix(at, "data:") && !strings.HasPrefix(at, "about:") && !strings.HasPrefix(at, b.Home+"/") {
			problem = "request for " + e.Request.URL
		}
		b.mu.Unlock()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if problem != "" && (b.Allowed == nil || !b.Allowed.MatchString(problem)) {
		b.problems = append(b.problems, problem)
	}
}

// At makes a handler the browser's world.
func (b *Tab) At(h http.Handler) *httptest.Server {
	b.T.Helper()
	s := httptest.NewServer(h)
	b.T.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	b.mu.Lock()
	b.Home = s.URL
	b.mu.Unlock()
	return s
}

func (b *Tab) Open(path string) {
	b.T.Helper()
	b.Must(chromedp.Do(b.Ctx, chromedp.Navigate(b.Home+path)))
}

// Quiet fails the test when the page has done what it must not.
func (b *Tab) Quiet(what string) {
	b.T.Helper()
	for _, problem := range b.Problems() {
		b.T.Errorf("%s: %s", what, problem)
	}
}

// Problems returns what the page has done that it must not, and forgets it.
func (b *Tab) Problems() []string {
	b.T.Helper()
	broken := Eval[[]string](b, "broken")
	b.mu.Lock()
	defer b.mu.Unlock()
	problems := append(broken, b.problems...)
	b.problems = nil
	return problems
}

func (b *Tab) Must(err error) {
	b.T.Helper()
	if err != nil {
		b.T.Fatal(err)
	}
}

func (b *Tab) Size(width int64) {
	b.T.Helper()
	b.Must(chromedp.Do(b.Ctx, chromedp.EmulateViewport(width, 900)))
}

func (b *Tab) Scheme(name string) {
	b.T.Helper()
	_, err := chromedp.Call(b.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	b.Must(err)
}

// Eval runs a script in the page; a promise is waited for.
func Eval[T any](b *Tab, script string) T {
	b.T.Helper()
	v, err := chromedp.Run(b.Ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.T.Fatalf("%v in %.300s", err, script)
	}
	return v
}

// Until waits until an expression of the page is true, over page loads too.
func (b *Tab) Until(what, expression string) {
	b.T.Helper()
	end := time.Now().Add(40 * time.Second)
	for {
		v, err := chromedp.Run(b.Ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && v {
			return
		}
		if time.Now().After(end) {
			text, _ := chromedp.Run(b.Ctx, chromedp.Evaluate[string](`location.pathname + ": " + document.querySelector("main")?.innerText.slice(0, 800)`))
			b.T.Fatalf("waited in vain for %s (%s) on %s", what, expression, text)
		}
		_, _ = chromedp.Run(b.Ctx, chromedp.Evaluate[bool](`new Promise((done) => setTimeout(() => done(true), 50))`, chromedp.EvalAwaitPromise))
	}
}

// Click presses what a selector finds, as a person does.
func (b *Tab) Click(selector string) {
	b.T.Helper()
	b.Until(selector, fmt.Sprintf("document.querySelector(%q)", selector))
	Eval[bool](b, fmt.Sprintf("(document.querySelector(%q).click(), true)", selector))
}

// Press clicks a button or link by its words.
func (b *Tab) Press(words string) {
	b.T.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("button, a")].find((e) => e.textContent.trim().startsWith(%q) && e.checkVisibility())`, words)
	b.Until(words, find)
	Eval[bool](b, "("+find+".click(), true)")
}

// Settled is a script's end that waits until the page has reacted.
const Settled = `; new Promise((done) => setTimeout(() => requestAnimationFrame(() => done(true))))`

// Shoot writes a picture of the whole page.
func (b *Tab) Shoot(path string) {
	b.T.Helper()
	data, err := chromedp.Run(b.Ctx, chromedp.FullScreenshot(90))
	b.Must(err)
	b.Must(os.WriteFile(path, data, 0o600))
}

//go:embed axe.min.js.gz
var packed []byte

// axe is axe-core 4.14.1 by Deque Systems under the Mozilla Public License 2.0, as its authors ship it. It is in no
// binary of ours.
var axe = sync.OnceValues(func() (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	script, err := io.ReadAll(r)
	return string(script), err
})

// Axe has an accessibility checker look at the page.
func (b *Tab) Axe(name string) {
	b.T.Helper()
	if !Eval[bool](b, "!!window.axe") {
		script, err := axe()
		b.Must(err)
		Eval[bool](b, script+"; true")
	}
	for _, problem := range Eval[[]string](b, `axe.run(document, {iframes: false}).then((r) => r.violations.map((v) => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")))`) {
		b.T.Errorf("%s: axe: %s", name, problem)
	}
}

// LooksRight fails the test when the page is wider than its window, has text that can hardly be told from what is behind it
// or controls without a name, or something else that the checkers find, on phones and screens, in the light and in the
// dark, with all that folds open. shots is a directory that gets a picture of each; "" is none.
func (b *Tab) LooksRight(name, shots string) {
	b.T.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		for _, width := range []int64{320, 360, 1440} {
			b.Size(width)
			Eval[bool](b, Settled[1:])
			if shots != "" && width != 320 {
				b.Shoot(filepath.Join(shots, fmt.Sprintf("%s-%d-%s", strings.NewReplacer(" ", "-", "/", "-", ",", "").Replace(name), width, scheme)+".png"))
			}
			Eval[bool](b, `for (const d of document.querySelectorAll("details:not(.more)")) d.open = true`+Settled)
			if n := Eval[int](b, "document.documentElement.scrollWidth"); n > int(width) {
				b.T.Errorf("%s, %s: the page is %d wide in a window of %d: %v", name, scheme, n, width, Eval[[]string](b, TooWide))
			}
			for _, problem := range Eval[[]string](b, Looks) {
				b.T.Errorf("%s, %s, %d: %s", name, scheme, width, problem)
			}
			if width != 360 {
				b.Axe(name)
			}
			Eval[bool](b, `for (const d of document.querySelectorAll("details")) d.open = false`+Settled)
		}
	}
}

const TooWide = `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest(".table, .graph, .chart, pre, .tabs, .prose table")).slice(0, 5).map((e) => e.tagName + "." + e.className)`

// Looks lists texts with a contrast below 4.5 (3 for large ones, as WCAG has it), controls without a name or
// too small to hit, fields without a label, and ids that stand twice.
const Looks = `(() => {
	const found = new Set();
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const rgba = (text) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
	const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
	const behind = (e) => {
		const layers = [];
		for (; e; e = e.parentElement) layers.unshift(rgba(getComputedStyle(e).backgroundColor));
		return layers.reduce((below, top) => over(top, below), [255, 255, 255, 1]);
	};
	const shine = (c) => c.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const ratio = (a, b) => { const [low, high] = [shine(a), shine(b)].sort((x, y) => x - y); return (high + 0.05) / (low + 0.05); };
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; (n = texts.nextNode());) {
		const e = n.parentElement;
		if (!n.data.trim() || e.closest("script, style, title, .sr, .skip, option, progress, [disabled]") || !e.checkVisibility({ visibilityProperty: true })) continue;
		const style = getComputedStyle(e), back = behind(e);
		const r = ratio(over(rgba(style.color), back), back), size = parseFloat(style.fontSize);
		const least = size >= 24 || size >= 18.66 && style.fontWeight >= 700 ? 3 : 4.5;
		if (r < least) found.add("contrast " + r.toFixed(2) + " of " + e.tagName + "." + e.className + ": " + n.data.trim().slice(0, 30));
	}
	for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea, button")) {
		if (!e.checkVisibility() || e.closest(".sr")) continue;
		const style = getComputedStyle(e);
		if (e.matches("input, select, textarea") && !e.labels?.length && !e.getAttribute("aria-label")) found.add("no label: " + e.outerHTML.slice(0, 80));
		if (!e.matches("[type=radio], [type=checkbox], .quiet") && ratio(rgba(style.borderTopColor), behind(e.parentElement)) < 3 && ratio(rgba(style.backgroundColor), behind(e.parentElement)) < 3) found.add("the edge of a control is hard to see: " + e.outerHTML.slice(0, 80));
	}
	for (const e of document.querySelectorAll("a, button, summary, [role=img], [role=region], nav, dialog, iframe, progress")) {
		const label = e.getAttribute("aria-labelledby");
		const name = e.getAttribute("aria-label") || label && document.getElementById(label)?.textContent || e.title || e.textContent;
		if (!name?.trim()) found.add("no name: " + e.outerHTML.slice(0, 80));
	}
	for (const e of document.querySelectorAll("button, .button, .tabs a, .menu a, .tag, summary, input:not([type=hidden]), select")) {
		if (!e.checkVisibility() || e.closest(".sr, .choice")) continue;
		const box = e.getBoundingClientRect();
		if (box.height < 24 || box.width < 24) found.add("smaller than 24 pixels: " + e.outerHTML.slice(0, 80));
	}
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
	for (const id of ids.filter((id, i) => ids.indexOf(id) < i)) found.add("two elements have the id " + id);
	if (document.querySelectorAll("h1").length !== 1) found.add("not one h1");
	if (document.querySelector("[style], [onclick]")) found.add("inline style or handler");
	return [...found];
})()`

// Forget forgets what the page has done that it must not.
func (b *Tab) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = nil
}
