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
	"planexe/internal/web/webtest"
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
	*webtest.Tab
	model  *model
	client *api.Client
	runs   string // directory
}

func newWorld(t *testing.T) *world {
	t.Helper()
	b := webtest.New(t)
	dir := t.TempDir()
	w := &world{Tab: b, model: &model{}, runs: filepath.Join(dir, "run")}
	b.Must(os.WriteFile(filepath.Join(dir, config.LLMFile), []byte(`{"demo": {"class": "Demo", "priority": 1}}`), 0o600))
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
	b.Must(config.Load(&o.Settings, config.NewEnv(map[string]string{"PLANEXE_RUN_DIR": w.runs})))
	s, err := service.New(o)
	b.Must(err)
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
	b.Must(err)
	b.At(h)
	return w
}

// id is the run that the page shows.
func (w *world) id() string {
	w.T.Helper()
	return strings.Split(webtest.Eval[string](w.Tab, "location.pathname"), "/")[2]
}

// shows waits until the page says that the run is in a state.
func (w *world) shows(state string) {
	w.T.Helper()
	w.Until("the state "+state, `document.querySelector(".run-title .badge")?.textContent === "`+state+`"`)
}

// Ensure a plan can be made, watched, stopped, gone on with, read, edited and made again in a browser, through
// reloads, and that a page in use does not jump.
func TestJourney(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	let := w.model.hold()
	w.Open("/")
	w.Until("the estimate", `document.querySelector(".estimate").textContent.includes("calls")`)
	w.Click(".example:nth-child(2) a")
	w.Until("the example in the field and its hints", `document.getElementById("prompt").value.startsWith("Ouvrir") && document.querySelector(".lacks").textContent.includes("Long enough")`)
	webtest.Eval[bool](w.Tab, `(document.execCommand("undo"), true)`)
	w.Until("the text from before", `document.getElementById("prompt").value.startsWith("Open a bicycle")`)
	webtest.Eval[bool](w.Tab, `(() => { const b = [...document.querySelectorAll("button")].find((e) => e.textContent === "Create plan"); b.click(); b.click(); return true; })()`)
	w.shows("Running")
	id := w.id()
	list, err := w.client.Runs(t.Context(), api.ListQuery{})
	w.Must(err)
	if len(list.Runs) != 1 {
		t.Errorf("a double click made %d runs", len(list.Runs))
	}
	w.Until("calls that are under way", `document.querySelectorAll(".calls li").length > 0`)
	w.Until("a meter", `document.querySelector("progress[aria-label*='steps']")`)

	// A reload shows the same. What a person does on the page survives what comes in.
	w.Open("/runs/" + id)
	w.shows("Running")
	webtest.Eval[bool](w.Tab, `(() => {
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
		if !webtest.Eval[bool](w.Tab, "Boolean("+is+")") {
			t.Errorf("not so: %s", what)
		}
	}

	// The report, in the page and alone.
	w.Press("Open report")
	w.Until("the report", `document.querySelector("iframe.report")`)
	if webtest.Eval[bool](w.Tab, `(() => { try { return Boolean(document.querySelector("iframe.report").contentDocument); } catch { return false; } })()`) {
		t.Error("the report is of the same origin")
	}
	w.Open("/runs/" + id + "/report.html")
	w.Until("the report's own script", `document.getElementById("toggle-theme")?.checkVisibility()`)
	for what, script := range map[string]string{
		"reads cookies":        `(() => { try { return document.cookie; } catch { return false; } })()`,
		"calls the interface":  `fetch("/runs").then(() => true, () => false)`,
		"has an origin of its": `self.origin !== "null"`,
	} {
		w.Allowed = nil
		if webtest.Eval[bool](w.Tab, "Promise.resolve("+script+").then(Boolean)") {
			t.Errorf("the report %s", what)
		}
	}
	w.Forget() // the attempts

	// An edit says what follows from it, and makes just that anew.
	w.Open("/runs/" + id + "/files/" + plan.AssumptionsShort.Name)
	w.Press("Edit")
	w.Until("the estimate of an edit", `document.querySelector("form .card").textContent.includes("read this file")`)
	webtest.Eval[bool](w.Tab, `(() => { const f = document.getElementById("text"); f.value += "\nThe roof is made of straw.\n"; return true; })()`)
	let = w.model.hold()
	w.Press("Save and make again")
	w.shows("Running")
	if webtest.Eval[bool](w.Tab, `[...document.querySelectorAll(".node.running title")].some((t) => t.textContent.includes("What can go wrong"))`) {
		t.Error("a step before the edited file runs again")
	}

	// Stopped is not failed, stays so, and can be gone on with.
	w.Press("Stop")
	w.shows("Stopped")
	w.Open("/runs/" + id)
	w.shows("Stopped")
	let()
	w.Press("Resume")
	w.shows("Complete")
	text, _, err := w.client.File(t.Context(), id, plan.AssumptionsShort.Name)
	w.Must(err)
	if !strings.Contains(string(text), "made of straw") {
		t.Error("the edit is lost")
	}

	// The list finds it, and deletes it after a question.
	w.Open("/runs?q=bicycle")
	w.Press("Open a bicycle")
	w.shows("Complete")
	w.Click(".more summary")
	w.Press("Delete…")
	w.Until("the question", `document.getElementById("delete-dialog").open`)
	webtest.Eval[bool](w.Tab, `(document.querySelector("#delete-dialog button").click(), true)`)
	w.Until("an empty list", `location.pathname === "/runs" && document.body.textContent.includes("No plans yet")`)
	w.Quiet("the journey")
}

// Ensure a plan that fails says why, and can be gone on with by other settings.
func TestFailureAndResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model.set(nil, &llm.Error{Class: llm.ClassAuth, Message: "the key is not accepted"})
	w.Open("/")
	w.Press("Create plan")
	w.shows("Failed")
	if text := webtest.Eval[string](w.Tab, `document.querySelector(".notice.poor").innerText`); !strings.Contains(text, "key") || strings.Contains(text, w.runs) {
		t.Errorf("the reason is told as %q", text)
	}
	w.model.set(nil, nil)
	w.Press("Resume with other settings")
	w.Until("the form", `document.getElementById("again-title")`)
	w.Press("Start")
	w.shows("Complete")
	w.Quiet("the failure")
}

// Ensure the page shows the worker's outage, keeps what was known, and comes back by itself.
func TestOutage(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	f := sampleWorker()
	f.run.State, f.run.Running = api.Running, true
	b.At(newUI(t, f, func(o *Options) { o.Log = slog.New(slog.DiscardHandler) }))
	b.Open("/runs/" + sampleID)
	b.Until("the run", `document.querySelector(".run-title .badge").textContent === "Running"`)
	f.change(func(f *fake) { f.down = true })
	b.Until("the outage", `document.querySelector("[data-stale]") && document.querySelector(".run-title h1")`)
	// A worker that starts again needs a moment to take the run up.
	f.change(func(f *fake) { f.down = false; f.run.State, f.run.Running = api.Interrupted, false })
	b.Until("the interruption", `!document.querySelector("[data-stale]") && document.querySelector(".run-title .badge").textContent === "Interrupted"`)
	f.change(func(f *fake) { f.run.State, f.run.Running = api.Running, true })
	b.Until("the run again", `document.querySelector(".run-title .badge").textContent === "Running"`)
	f.change(func(f *fake) { f.run.State, f.run.Running = api.Completed, false })
	b.Until("the end of the run", `!document.querySelector("[data-stale]") && document.querySelector(".run-title .badge").textContent === "Complete"`)
	f.change(func(f *fake) { f.run.State, f.run.Running = api.Running, true })
	b.Open("/runs/" + sampleID)
	f.change(func(f *fake) { f.run.RunID = "another" })
	b.Until("that it is gone", `document.querySelector("[data-stale]")?.textContent.includes("This plan is gone")`)
	b.Quiet("the outage")
}

// Ensure a stream that is cut again and again loses nothing.
func TestCutStream(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	b.Allowed = regexp.MustCompile("/live|INCOMPLETE")
	f := sampleWorker()
	f.run.State, f.run.Running, f.run.ProgressPercentage = api.Running, true, 10
	h := newUI(t, f, nil)
	var streams atomic.Int32
	b.At(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/live") {
			streams.Add(1)
			ctx, cancel := context.WithTimeout(r.Context(), time.Second)
			defer cancel()
			h.ServeHTTP(w, r.WithContext(ctx))
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	}))
	b.Open("/runs/" + sampleID)
	b.Until("a stream", "window.EventSource")
	f.change(func(f *fake) { f.run.ProgressPercentage = 55 })
	b.Until("progress", `document.querySelector("progress").value === 55`)
	for streams.Load() < 2 {
		b.Until("time to pass", "true")
	}
	f.change(func(f *fake) { f.run.State, f.run.Running, f.run.ProgressPercentage = api.Completed, false, 100 })
	b.Until("the end", `document.querySelector(".run-title .badge").textContent === "Complete" && document.querySelectorAll("progress").length === 1`)
	b.Quiet("a stream that is cut")
}

// Ensure what can be done with a mouse can be done with the keys alone: links to skip, dialogs that close and
// give the focus back, every control in reach and visible when it has the focus.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	f := sampleWorker()
	b.At(newUI(t, f, func(o *Options) { o.Opener = &fakeOpener{} }))
	key := func(k string) {
		t.Helper()
		b.Must(chromedp.Do(b.Ctx, chromedp.KeyEvent(k)))
	}
	b.Open("/")
	key(kb.Tab)
	if got := webtest.Eval[string](b, "document.activeElement.className"); got != "skip" {
		t.Errorf("the first stop is %q", got)
	}
	key(kb.Enter)
	if got := webtest.Eval[string](b, "document.activeElement.id"); got != "main" {
		t.Errorf("the skip link leads to %q", got)
	}
	var seen []string
	for range 40 {
		key(kb.Tab)
		if webtest.Eval[bool](b, `document.activeElement === document.body`) {
			break
		}
		seen = append(seen, webtest.Eval[string](b, `document.activeElement.id || document.activeElement.name || document.activeElement.textContent.trim().slice(0, 20)`))
		if webtest.Eval[bool](b, `document.activeElement.matches("button, a, input, select, textarea") && getComputedStyle(document.activeElement).outlineStyle === "none"`) {
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
	b.Open("/runs/" + sampleID)
	webtest.Eval[bool](b, `(document.querySelector(".more").open = true, document.querySelector("[data-dialog]").focus(), true)`)
	key(kb.Enter)
	b.Until("the dialog", `document.getElementById("delete-dialog").open && document.getElementById("delete-dialog").contains(document.activeElement)`)
	key(kb.Escape)
	b.Until("the focus where it was", `!document.getElementById("delete-dialog").open && document.activeElement.matches("[data-dialog]")`)
	if f.deleted > 0 {
		t.Error("Escape deletes")
	}
	b.Quiet("the keyboard")
}

// Ensure that polling takes over where streams do not come through.
func TestPolling(t *testing.T) {
	t.Parallel()
	b := webtest.New(t)
	b.Allowed = blockedStream
	f := sampleWorker()
	f.run.State, f.run.Running = api.Running, true
	b.At(withoutStreams(newUI(t, f, nil)))
	b.Open("/runs/" + sampleID)
	f.change(func(f *fake) { f.run.State, f.run.Running = api.Completed, false })
	b.Until("the end of the run", `document.querySelector(".run-title .badge").textContent === "Complete"`)
	b.Quiet("polling")
}
