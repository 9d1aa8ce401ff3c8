package run_test

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/demo"
	"planexe/internal/pipeline"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

// scripted is the demo model with faults: fault answers a request, or leaves it to the demo model
// by returning false. n counts the requests from 1.
type scripted struct {
	llm.Provider
	fault func(ctx context.Context, n int, r llm.Request) (llm.Response, bool, error)

	mu    sync.Mutex
	asked []string // steps, in the order of asking
}

func (s *scripted) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Name)
	n := len(s.asked)
	s.mu.Unlock()
	if s.fault != nil {
		if resp, done, err := s.fault(ctx, n, r); done {
			return resp, err
		}
	}
	return s.demo(ctx, r)
}

// answers are the demo model's, by question: all runs of these tests ask the same, and the race
// detector makes the demo model slow.
var answers sync.Map

func (s *scripted) demo(ctx context.Context, r llm.Request) (llm.Response, error) {
	key := encode(r.Messages)
	if r.Schema != nil {
		key += r.Schema.Digest()
	}
	if got, ok := answers.Load(key); ok && ctx.Err() == nil {
		return got.(llm.Response), nil
	}
	resp, err := s.Provider.Send(ctx, r)
	if err == nil {
		answers.Store(key, resp)
	}
	return resp, err
}

func (s *scripted) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// failing is a model that cannot answer one step, without waits between tries.
func failing(steps ...string) func(context.Context, int, llm.Request) (llm.Response, bool, error) {
	return func(_ context.Context, _ int, r llm.Request) (llm.Response, bool, error) {
		if slices.Contains(steps, r.Name) {
			return llm.Response{}, true, &llm.Error{Class: llm.ClassContext, Message: "the prompt is too long"}
		}
		return llm.Response{}, false, nil
	}
}

// refusing says no at the gate.
func refusing(_ context.Context, _ int, r llm.Request) (llm.Response, bool, error) {
	const no = `{"verdict":"REFUSE","rationale_short":"It asks for harm.","violation_category":"Illegality","violation_claim":"Harm","violation_capability_uplift":true,"violation_severity":"High"}`
	return llm.Response{Text: no, Finish: llm.FinishStop, Cost: new(float64)}, r.Name == "redline_gate", nil
}

// aRun is one run directory with the model that it is made with.
type aRun struct {
	t     *testing.T
	dir   *rundir.Dir
	graph *pipeline.Graph
	model *scripted
	state run.State // of all executions
	sunk  float64   // least progress seen since the last start, to catch steps back
}

func begin(t *testing.T) *aRun {
	t.Helper()
	dir, err := rundir.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Begin(dir, simPrompt, time.Date(2026, 1, 3, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	return attach(t, dir)
}

func attach(t *testing.T, dir *rundir.Dir) *aRun {
	t.Helper()
	t.Cleanup(func() { dir.Close() })
	graph, err := run.NewGraph("test")
	if err != nil {
		t.Fatal(err)
	}
	r := &aRun{t: t, dir: dir, graph: graph, model: &scripted{Provider: demo.New(0, 1)}}
	if err := dir.Replay(r.state.Apply); err != nil {
		t.Fatal(err)
	}
	dir.Watch(r.watch)
	return r
}

// copy gives a test a directory of its own in the same state.
func (r *aRun) copy(t *testing.T) *aRun {
	t.Helper()
	path := t.TempDir()
	if err := os.CopyFS(path, os.DirFS(r.dir.Path())); err != nil {
		t.Fatal(err)
	}
	dir, err := rundir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return attach(t, dir)
}

// watch folds the events and checks that progress never goes back within an execution.
func (r *aRun) watch(e event.Event) {
	r.state.Apply(e)
	now := r.state.Progress()
	if _, started := e.Data.(event.RunStarted); started {
		r.sunk = 0
	}
	if now < r.sunk || now > 1 {
		r.t.Errorf("progress went from %v to %v at event %d (%s)", r.sunk, now, e.Seq, e.Data.Type())
	}
	r.sunk = now
}

// execute runs with a model that costs a cent per request.
func (r *aRun) execute(ctx context.Context, change func(*run.Spec)) run.End {
	r.t.Helper()
	spec := run.Spec{
		Graph: r.graph, Hub: llm.NewHub(), Version: "test", Why: "tested",
		Models: []*llm.Entry{{
			ID: "stub", Class: "Stub", Model: "stub-1", Host: "stub", Account: "stub", Timeout: time.Minute, MaxTokens: 8192, Slots: 8,
			Price: &llm.Price{Input: 1, Output: 1}, Provider: r.model,
		}},
	}
	if change != nil {
		change(&spec)
	}
	end, err := run.Execute(ctx, "run-1", r.dir, spec)
	if err != nil {
		r.t.Fatal(err)
	}
	return end
}

func (r *aRun) has(name string) bool {
	_, err := r.dir.Read(name)
	return err == nil
}

// artifacts returns the whole directory but for the log.
func (r *aRun) artifacts() map[string]string {
	r.t.Helper()
	names, err := r.dir.Names()
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range names {
		data, err := r.dir.Read(name)
		if err != nil {
			r.t.Fatal(err)
		}
		out[name] = string(data)
	}
	return out
}

func differing(got, want map[string]string) []string {
	var out []string
	for name := range want {
		if got[name] != want[name] {
			out = append(out, name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
