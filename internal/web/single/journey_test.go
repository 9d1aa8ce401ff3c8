package single

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"planexe/internal/api"
	"planexe/internal/config"
	"planexe/internal/llm"
	"planexe/internal/llm/models"
	"planexe/internal/plan"
	"planexe/internal/service"
)

// model is the demo model behind a gate.
type model struct {
	llm.Provider
	mu   sync.Mutex
	gate chan struct{} // requests wait until it is closed; nil lets them through
	err  error
}

func (m *model) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	m.mu.Lock()
	gate, err := m.gate, m.err
	m.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return llm.Response{}, &llm.Error{Class: llm.ClassCancelled, Err: ctx.Err()}
		}
	}
	if err != nil {
		return llm.Response{}, err
	}
	return m.Provider.Send(ctx, r)
}

// hold makes requests wait until the function that it returns is called.
func (m *model) hold() (let func()) {
	gate := make(chan struct{})
	m.set(gate, nil)
	return sync.OnceFunc(func() { m.set(nil, nil); close(gate) })
}

func (m *model) set(gate chan struct{}, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gate, m.err = gate, err
}

// world is a real worker with a model of ours, and a browser at an interface over it.
type world struct {
	*tab
	model  *model
	client *api.Client
	runs   string // directory
}

func newWorld(t *testing.T) *world {
	t.Helper()
	b := newTab(t)
	dir := t.TempDir()
	w := &world{tab: b, model: &model{}, runs: filepath.Join(dir, "run")}
	b.must(os.WriteFile(filepath.Join(dir, config.LLMFile), []byte(`{"demo": {"class": "Demo", "priority": 1}}`), 0o600))
	o := service.Options{
		Version: "test", Log: slog.New(slog.DiscardHandler), Output: io.Discard,
		Env: func() (config.Env, error) { return config.NewEnv(nil, dir), nil },
		Models: func(l config.LLM) []*llm.Entry {
			entries := models.Build(l)
			for _, e := range entries {
				w.model.mu.Lock()
				if e.ID == config.DemoID {
					w.model.Provider, e.Provider = e.Provider, w.model
				}
				w.model.mu.Unlock()
			}
			return entries
		},
	}
	b.must(config.Load(&o.Settings, config.NewEnv(map[string]string{"PLANEXE_RUN_DIR": w.runs})))
	s, err := service.New(o)
	b.must(err)
	s.Start()
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w.client = api.NewClient(server.URL, api.Options{})
	h, err := New(Options{Worker: w.client, Examples: examples(), Log: slog.New(slog.DiscardHandler)})
	b.must(err)
	b.at(h)
	return w
}

// id is the run that the page shows.
func (w *world) id() string {
	w.t.Helper()
	return strings.Split(eval[string](w.tab, "location.pathname"), "/")[2]
}

// shows waits until the page says that the run is in a state.
func (w *world) shows(state string) {
	w.t.Helper()
	w.until("the state "+state, `document.querySelector(".run-title .badge")?.textContent === "`+state+`"`)
}

// Ensure a plan can be made, watched, stopped, gone on with, read, edited and made again in a browser, through
// reloads, and that a page in use does not jump.
func TestJourney(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	let := w.model.hold()
	w.open("/")
	w.until("the estimate", `document.querySelector(".estimate").textContent.includes("calls")`)
	w.click(".example:nth-child(2) a")
	w.until("the example in the field and its hints", `document.getElementById("prompt").value.startsWith("Ouvrir") && document.querySelector(".lacks").textContent.includes("Long enough")`)
	eval[bool](w.tab, `(document.execCommand("undo"), true)`)
	w.until("the text from before", `document.getElementById("prompt").value.startsWith("Open a bicycle")`)
	eval[bool](w.tab, `(() => { const b = [...document.querySelectorAll("button")].find((e) => e.textContent === "Create plan"); b.click(); b.click(); return true; })()`)
	w.shows("Running")
	id := w.id()
	list, err := w.client.Runs(t.Context(), api.ListQuery{})
	w.must(err)
	if len(list.Runs) != 1 {
		t.Errorf("a double click made %d runs", len(list.Runs))
	}
	w.until("calls that are under way", `document.querySelectorAll(".calls li").length > 0`)
	w.until("a meter", `document.querySelector("progress[aria-label*='steps']")`)

	// A reload shows the same. What a person does on the page survives what comes in.
	w.open("/runs/" + id)
	w.shows("Running")
	eval[bool](w.tab, `(() => {
		const fold = document.querySelector("details.fold"); fold.open = true; fold.querySelector("summary").focus();
		getSelection().selectAllChildren(document.querySelector("#read-title")); scrollTo(0, 120);
		window.kept = fold; return true; })()`)
	let()
	w.shows("Complete")
	for what, is := range map[string]string{
		"the fold is open":       `window.kept.isConnected && window.kept.open`,
		"the focus stays":        `document.activeElement === window.kept.querySelector("summary")`,
		"the selection stays":    `getSelection().toString() === "Ready to read"`,
		"the page has no jump":   `scrollY === 120`,
		"all can be read":        `document.querySelectorAll(".reading a").length > 18`,
		"the graph is filled":    `document.querySelectorAll(".node.done").length > 60 && !document.querySelector(".node.waiting")`,
		"the end is told":        `document.querySelector("[data-news]").dataset.news === "Complete"`,
		"no step is out of date": `!document.querySelector(".again, .dirty")`,
	} {
		if !eval[bool](w.tab, "Boolean("+is+")") {
			t.Errorf("not so: %s", what)
		}
	}

	// The report, in the page and alone.
	w.press("Open report")
	w.until("the report", `document.querySelector("iframe.report")`)
	if eval[bool](w.tab, `(() => { try { return Boolean(document.querySelector("iframe.report").contentDocument); } catch { return false; } })()`) {
		t.Error("the report is of the same origin")
	}
	w.open("/runs/" + id + "/report.html")
	w.until("the report's own script", `document.getElementById("toggle-theme")?.checkVisibility()`)
	for what, script := range map[string]string{
		"reads cookies":        `(() => { try { return document.cookie; } catch { return false; } })()`,
		"calls the interface":  `fetch("/runs").then(() => true, () => false)`,
		"has an origin of its": `self.origin !== "null"`,
	} {
		w.allowed = nil
		if eval[bool](w.tab, "Promise.resolve("+script+").then(Boolean)") {
			t.Errorf("the report %s", what)
		}
	}
	w.mu.Lock()
	w.problems = nil // of the attempts
	w.mu.Unlock()

	// An edit says what follows from it, and makes just that anew.
	w.open("/runs/" + id + "/files/" + plan.AssumptionsShort.Name)
	w.press("Edit")
	w.until("the estimate of an edit", `document.querySelector("form .card").textContent.includes("read this file")`)
	eval[bool](w.tab, `(() => { const f = document.getElementById("text"); f.value += "\nThe roof is made of straw.\n"; return true; })()`)
	let = w.model.hold()
	w.press("Save and make again")
	w.shows("Running")
	if eval[bool](w.tab, `[...document.querySelectorAll(".node.running title")].some((t) => t.textContent.includes("What can go wrong"))`) {
		t.Error("a step before the edited file runs again")
	}

	// Stopped is not failed, stays so, and can be gone on with.
	w.press("Stop")
	w.shows("Stopped")
	w.open("/runs/" + id)
	w.shows("Stopped")
	let()
	w.press("Resume")
	w.shows("Complete")
	text, _, err := w.client.File(t.Context(), id, plan.AssumptionsShort.Name)
	w.must(err)
	if !strings.Contains(string(text), "made of straw") {
		t.Error("the edit is lost")
	}

	// The list finds it, and deletes it after a question.
	w.open("/runs?q=bicycle")
	w.press("Open a bicycle")
	w.shows("Complete")
	w.click(".more summary")
	w.press("Delete…")
	w.until("the question", `document.getElementById("delete-dialog").open`)
	eval[bool](w.tab, `(document.querySelector("#delete-dialog button").click(), true)`)
	w.until("an empty list", `location.pathname === "/runs" && document.body.textContent.includes("No plans yet")`)
	w.quiet("the journey")
}

// Ensure a plan that fails says why, and can be gone on with by other settings.
func TestFailureAndResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model.set(nil, &llm.Error{Class: llm.ClassAuth, Message: "the key is not accepted"})
	w.open("/")
	w.press("Create plan")
	w.shows("Failed")
	if text := eval[string](w.tab, `document.querySelector(".notice.poor").innerText`); !strings.Contains(text, "key") || strings.Contains(text, w.runs) {
		t.Errorf("the reason is told as %q", text)
	}
	w.model.set(nil, nil)
	w.press("Resume with other settings")
	w.until("the form", `document.getElementById("again-title")`)
	w.press("Start")
	w.shows("Complete")
	w.quiet("the failure")
}

// Ensure the page shows the worker's outage, keeps what was known, and comes back by itself.
func TestOutage(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	f := sampleWorker()
	f.run.State, f.run.Running = api.Running, true
	b.at(newUI(t, f, func(o *Options) { o.Log = slog.New(slog.DiscardHandler) }))
	b.open("/runs/" + sampleID)
	b.until("the run", `document.querySelector(".run-title .badge").textContent === "Running"`)
	f.change(func(f *fake) { f.down = true })
	b.until("the outage", `document.querySelector("[data-stale]") && document.querySelector(".run-title h1")`)
	// A worker that starts again needs a moment to take the run up.
	f.change(func(f *fake) { f.down = false; f.run.State, f.run.Running = api.Interrupted, false })
	b.until("the interruption", `!document.querySelector("[data-stale]") && document.querySelector(".run-title .badge").textContent === "Interrupted"`)
	f.change(func(f *fake) { f.run.State, f.run.Running = api.Running, true })
	b.until("the run again", `document.querySelector(".run-title .badge").textContent === "Running"`)
	f.change(func(f *fake) { f.run.State, f.run.Running = api.Completed, false })
	b.until("the end of the run", `!document.querySelector("[data-stale]") && document.querySelector(".run-title .badge").textContent === "Complete"`)
	f.change(func(f *fake) { f.run.State, f.run.Running = api.Running, true })
	b.open("/runs/" + sampleID)
	f.change(func(f *fake) { f.run.RunID = "another" })
	b.until("that it is gone", `document.querySelector("[data-stale]")?.textContent.includes("This plan is gone")`)
	b.quiet("the outage")
}

// Ensure a stream that is cut again and again loses nothing.
func TestCutStream(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	b.allowed = regexp.MustCompile("/live|INCOMPLETE")
	f := sampleWorker()
	f.run.State, f.run.Running, f.run.ProgressPercentage = api.Running, true, 10
	h := newUI(t, f, nil)
	var streams atomic.Int32
	b.at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/live") {
			streams.Add(1)
			ctx, cancel := context.WithTimeout(r.Context(), time.Second)
			defer cancel()
			h.ServeHTTP(w, r.WithContext(ctx))
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	}))
	b.open("/runs/" + sampleID)
	b.until("a stream", "window.EventSource")
	f.change(func(f *fake) { f.run.ProgressPercentage = 55 })
	b.until("progress", `document.querySelector("progress").value === 55`)
	for streams.Load() < 2 {
		b.until("time to pass", "true")
	}
	f.change(func(f *fake) { f.run.State, f.run.Running, f.run.ProgressPercentage = api.Completed, false, 100 })
	b.until("the end", `document.querySelector(".run-title .badge").textContent === "Complete" && document.querySelectorAll("progress").length === 1`)
	b.quiet("a stream that is cut")
}

// Ensure what can be done with a mouse can be done with the keys alone: links to skip, dialogs that close and
// give the focus back, every control in reach and visible when it has the focus.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	f := sampleWorker()
	b.at(newUI(t, f, func(o *Options) { o.Opener = &fakeOpener{} }))
	key := func(k string) {
		t.Helper()
		b.must(chromedp.Do(b.ctx, chromedp.KeyEvent(k)))
	}
	b.open("/")
	key(kb.Tab)
	if got := eval[string](b, "document.activeElement.className"); got != "skip" {
		t.Errorf("the first stop is %q", got)
	}
	key(kb.Enter)
	if got := eval[string](b, "document.activeElement.id"); got != "main" {
		t.Errorf("the skip link leads to %q", got)
	}
	var seen []string
	for range 40 {
		key(kb.Tab)
		if eval[bool](b, `document.activeElement === document.body`) {
			break
		}
		seen = append(seen, eval[string](b, `document.activeElement.id || document.activeElement.name || document.activeElement.textContent.trim().slice(0, 20)`))
		if eval[bool](b, `document.activeElement.matches("button, a, input, select, textarea") && getComputedStyle(document.activeElement).outlineStyle === "none"`) {
			t.Errorf("the focus cannot be seen on %s", seen[len(seen)-1])
		}
	}
	last := -1
	for _, want := range []string{"prompt", "model", "speed", "max_cost", "Create plan", "examples-search"} {
		at := slices.Index(seen, want)
		if at <= last {
			t.Errorf("%s is not in its place: %q", want, seen)
		}
		last = at
	}
	b.open("/runs/" + sampleID)
	eval[bool](b, `(document.querySelector(".more").open = true, document.querySelector("[data-dialog]").focus(), true)`)
	key(kb.Enter)
	b.until("the dialog", `document.getElementById("delete-dialog").open && document.getElementById("delete-dialog").contains(document.activeElement)`)
	key(kb.Escape)
	b.until("the focus where it was", `!document.getElementById("delete-dialog").open && document.activeElement.matches("[data-dialog]")`)
	if f.deleted > 0 {
		t.Error("Escape deletes")
	}
	b.quiet("the keyboard")
}

// Ensure that polling takes over where streams do not come through.
func TestPolling(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	b.allowed = blockedStream
	f := sampleWorker()
	f.run.State, f.run.Running = api.Running, true
	b.at(withoutStreams(newUI(t, f, nil)))
	b.open("/runs/" + sampleID)
	f.change(func(f *fake) { f.run.State, f.run.Running = api.Completed, false })
	b.until("the end of the run", `document.querySelector(".run-title .badge").textContent === "Complete"`)
	b.quiet("polling")
}
