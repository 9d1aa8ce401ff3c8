package tool

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/demo"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

const (
	killPrompt      = "Turn an empty lighthouse near Bergen into a small inn with six rooms for 900,000 NOK within a year."
	kills           = 50 // at least
	killsPerRun     = 10
	killConcurrency = 4
)

var killStart = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// TestKill kills the program again and again, at points all over the run, and goes on each time:
// nothing that was answered is asked again, no file is ever half written, and the plan becomes the
// same one as without a disturbance.
func TestKill(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGKILL on Windows")
	}
	if testing.Short() {
		t.Skip("builds the program and runs it some 60 times")
	}
	t.Parallel()
	answers := record(t)
	server := httptest.NewServer(answers)
	defer server.Close()
	p := buildProgram(t, server.URL)

	clean := p.begin(t)
	p.finish(t, clean)
	want := artifacts(t, clean)
	usual, events := answers.requests(), len(readLog(t, clean))
	t.Logf("an undisturbed run has %d files, %d requests and %d events", len(want), usual, events)

	rng := rand.New(rand.NewPCG(1, 2))
	killed := 0
	for n := 0; killed < kills; n++ {
		if n == 3*kills/killsPerRun {
			t.Fatalf("%d runs are over and only %d kills came in time", n, killed)
		}
		answers.restart()
		dir, before := p.begin(t), killed
		for killed-before < killsPerRun {
			if !p.kill(t, dir, 1+rng.IntN(2*events/killsPerRun)) {
				break // it was faster
			}
			killed++
			for name, data := range artifacts(t, dir) {
				if !bytes.Equal(data, want[name]) {
					t.Errorf("run %d: after a kill %s is not what it should be", n, name)
				}
			}
			answers.forbid(readLog(t, dir))
		}
		p.finish(t, dir)
		got := artifacts(t, dir)
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if !bytes.Equal(got[name], want[name]) {
				t.Errorf("run %d: %s differs from that of an undisturbed run", n, name)
			}
			delete(got, name)
		}
		for name := range got {
			t.Errorf("run %d: an undisturbed run has no %s", n, name)
		}
		if requests, most := answers.requests(), usual+(killed-before)*killConcurrency; requests > most {
			t.Errorf("run %d: %d requests, want at most %d", n, requests, most)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	for _, fault := range answers.faults {
		t.Error(fault)
	}
}

// bank is a server that gives the same answer to the same question, and counts.
type bank struct {
	answers map[string]string   // by question
	keys    map[string][]string // keys of the calls that ask a question

	mu       sync.Mutex
	asked    int
	answered map[string]bool // keys of calls whose answer stands in the log
	faults   []string
}

// record makes the plan once with the demo model and keeps its answers.
func record(t *testing.T) *bank {
	b := &bank{answers: map[string]string{}, keys: map[string][]string{}}
	graph, err := run.NewGraph("test")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "recorded")
	begin(t, path)
	dir, err := rundir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	entry := &llm.Entry{ID: "recorder", Account: "recorder", Model: "recorder", Timeout: time.Minute, MaxTokens: 8192, Slots: 8, Provider: recorder{demo.New(0, 1), b}}
	end, err := run.Execute(t.Context(), "recorded", dir, run.Spec{
		Graph: graph, Hub: llm.NewHub(), Models: []*llm.Entry{entry}, KeepPrompts: true, Version: "test",
	})
	if err != nil || end.Outcome != event.Complete {
		t.Fatalf("the recorded run: %v, %+v", err, end)
	}
	for _, e := range readLog(t, path) {
		if d, ok := e.Data.(event.CallPrompt); ok {
			q := questionOf(t, d.Messages)
			b.keys[q] = append(b.keys[q], d.Key)
		}
	}
	return b
}

type recorder struct {
	llm.Provider
	bank *bank
}

func (r recorder) Send(ctx context.Context, q llm.Request) (llm.Response, error) {
	resp, err := r.Provider.Send(ctx, q)
	messages, jsonErr := json.Marshal(q.Messages)
	if err = errors.Join(err, jsonErr); err != nil {
		return resp, err
	}
	id, err := normalize(messages)
	r.bank.mu.Lock()
	defer r.bank.mu.Unlock()
	r.bank.answers[id] = resp.Text
	return resp, err
}

// normalize names a question by its messages, however their JSON is written.
func normalize(messages []byte) (string, error) {
	var m []llm.Message
	if err := json.Unmarshal(messages, &m); err != nil {
		return "", err
	}
	data, err := json.Marshal(m)
	return fmt.Sprintf("%x", sha256.Sum256(data)), err
}

func questionOf(t *testing.T, messages []byte) string {
	t.Helper()
	q, err := normalize(messages)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodGet {
		fmt.Fprint(w, `{"data": [{"id": "bank"}]}`)
		return
	}
	var body struct{ Messages json.RawMessage }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return // killed while it asked
	}
	q, err := normalize(body.Messages)
	b.mu.Lock()
	b.asked++
	text, known := b.answers[q]
	switch {
	case err != nil || !known:
		b.faults = append(b.faults, fmt.Sprintf("a question that an undisturbed run does not ask: %v %.200s", err, body.Messages))
	case len(b.keys[q]) == 0: // a re-ask
	case !slices.ContainsFunc(b.keys[q], func(key string) bool { return !b.answered[key] }):
		b.faults = append(b.faults, fmt.Sprintf("asked again though the answer is in the log: %.200s", body.Messages))
	}
	b.mu.Unlock()
	time.Sleep(3 * time.Millisecond) // what a model takes, so that a kill meets requests under way
	_ = json.NewEncoder(w).Encode(map[string]any{
		"choices": []any{map[string]any{"message": map[string]any{"content": text}, "finish_reason": "stop"}},
		"usage":   map[string]any{"prompt_tokens": 10, "completion_tokens": 10},
	})
}

func (b *bank) requests() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

// restart begins to count for a new run.
func (b *bank) restart() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked, b.answered = 0, map[string]bool{}
}

// forbid asking again what a log holds the answer to.
func (b *bank) forbid(log []event.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range log {
		if a, ok := e.Data.(event.CallAnswered); ok {
			b.answered[a.Key] = true
		}
	}
}

// program is the built command and where it runs.
type program struct {
	path, dir string
	runs      int
}

func buildProgram(t *testing.T, url string) *program {
	p := &program{dir: t.TempDir()}
	p.path = filepath.Join(p.dir, "planexe")
	if out, err := exec.Command("go", "build", "-o", p.path, "planexe/cmd/planexe").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	config := fmt.Sprintf(`{"bank": {"class": "OpenAI", "max_concurrency": %d, "arguments": {"model": "bank", "api_key": "not-a-secret", "api_base": %q}}}`,
		killConcurrency, url)
	if err := os.WriteFile(filepath.Join(p.dir, "llm_config.json"), []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	return p
}

// begin makes a run directory in which nothing is done yet.
func (p *program) begin(t *testing.T) string {
	p.runs++
	path := filepath.Join(p.dir, fmt.Sprintf("run-%d", p.runs))
	begin(t, path)
	return path
}

func begin(t *testing.T, path string) {
	t.Helper()
	dir, err := rundir.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := run.Begin(dir, killPrompt, killStart); err != nil {
		t.Fatal(err)
	}
}

func (p *program) command(dir string) *exec.Cmd {
	c := exec.Command(p.path, "plan", "--resume", "--run-dir", dir, "--model", "bank")
	c.Dir = p.dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "PLANEXE_CONFIG_PATH=" + p.dir}
	return c
}

// finish lets a run come to its end.
func (p *program) finish(t *testing.T, dir string) {
	t.Helper()
	if out, err := p.command(dir).CombinedOutput(); err != nil {
		t.Fatalf("the run did not complete: %v\n%s", err, out)
	}
}

// kill runs the program until it has added that many events to the log, and kills it. It returns
// false when the program has ended before.
func (p *program) kill(t *testing.T, dir string, after int) bool {
	t.Helper()
	log := filepath.Join(dir, rundir.Hidden, "events.jsonl")
	lines := func() int {
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(data, []byte("\n"))
	}
	until := lines() + after
	c := p.command(dir)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for lines() < until {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("the program ended by itself: %v", err)
			}
			return false
		case <-time.After(time.Millisecond):
		}
	}
	if err := c.Process.Kill(); err != nil {
		return false
	}
	return <-ended != nil
}

func readLog(t *testing.T, path string) []event.Event {
	t.Helper()
	dir, err := rundir.OpenRead(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	var log []event.Event
	if err := dir.Replay(func(e event.Event) { log = append(log, e) }); err != nil {
		t.Fatal(err)
	}
	return log
}

// artifacts returns the files of a run that must be the same in all runs.
func artifacts(t *testing.T, path string) map[string][]byte {
	t.Helper()
	dir, err := rundir.OpenRead(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	names, err := dir.Names()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		if name == rundir.LogName {
			continue
		}
		if files[name], err = dir.Read(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
