package pipeline_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/pipeline"
)

// waits blocks until the run is over, as a call to a model would. It gives up on a run that is
// not ended, so that the test fails and does not hang.
func waits(ctx context.Context, _ *pipeline.Work) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Second):
		return errors.New("the run was not ended")
	}
}

// gated is a graph whose gate decides while a long step is under way.
func gated(t *testing.T) (*pipeline.Graph, func(context.Context, *pipeline.Work) error) {
	var steps []pipeline.Step
	for _, d := range []string{"gate: in -> verdict", "long: in -> long", "after: verdict -> after", "report: ?long ?after -> report", "mark: long after report -> mark"} {
		s := st(d)
		s.Run, s.Always = hashing, s.Name == "report"
		steps = append(steps, s)
	}
	return newGraph(t, steps), func(_ context.Context, w *pipeline.Work) error {
		w.EndRun(&pipeline.Ending{Outcome: event.Refused, Reason: event.Reason{Class: "refused", Message: "no"}})
		return nil
	}
}

func TestStepEndsRun(t *testing.T) {
	t.Parallel()
	g, refuse := gated(t)
	m := newMemory(map[string]string{"in": "1"})
	sc := &script{before: map[string]func(context.Context, *pipeline.Work) error{"gate": refuse, "long": waits}}
	// A gate that said no says so at every resume, whatever its record.
	for range 3 {
		x := m.run(withGraph(t.Context(), g), g, pipeline.Options{Env: sc})
		if x.err != nil || x.Ending == nil || x.Ending.Outcome != event.Refused || x.Ending.Reason.Step != "gate" {
			t.Fatalf("%+v", x)
		}
		if sorted(x.Aborted) != "after long mark" || len(x.Failed) > 0 || !strings.Contains(sorted(append(x.Done, x.Kept...)), "gate report") {
			t.Errorf("%+v", x.Result)
		}
		if got := all[event.RunEnding](x); len(got) != 1 || got[0].Outcome != event.Refused {
			t.Errorf("told %+v", got)
		}
		if m.files["verdict"] == "" || m.files["report"] == "" || m.files["after"] != "" {
			t.Errorf("files %v", m.files)
		}
	}
	// When it lets the run go on, the rest is made and the report again, with what is new.
	x := m.run(withGraph(t.Context(), g), g, pipeline.Options{})
	if x.Ending != nil || x.began() != "after gate long mark report" {
		t.Errorf("began %q, %+v", x.began(), x.Result)
	}
	if x := m.run(withGraph(t.Context(), g), g, pipeline.Options{}); x.began() != "report" {
		t.Errorf("then began %q", x.began())
	}
}

// budget is an error that ends the run.
type budget struct{}

func (budget) Error() string                      { return "no money left" }
func (budget) Reason() event.Reason               { return event.Reason{Class: "budget", Message: "no money left"} }
func (budget) Ending() (event.Outcome, bool)      { return event.Budget, true }
func spend(context.Context, *pipeline.Work) error { return errors.Join(errors.New("call 3"), budget{}) }

func TestErrorEndsRun(t *testing.T) {
	t.Parallel()
	g, _ := gated(t)
	m := newMemory(map[string]string{"in": "1"})
	sc := &script{before: map[string]func(context.Context, *pipeline.Work) error{"after": spend, "long": waits}}
	x := m.run(withGraph(t.Context(), g), g, pipeline.Options{Env: sc})
	if x.Ending == nil || x.Ending.Outcome != event.Budget || x.Ending.Reason.Step != "after" || x.Ending.Reason.Class != "budget" {
		t.Fatalf("%+v", x)
	}
	if len(x.Failed) != 1 || x.Failed[0].Step != "after" || sorted(x.Done) != "gate report" {
		t.Errorf("%+v", x.Result)
	}
	if x = m.run(withGraph(t.Context(), g), g, pipeline.Options{}); sorted(x.Kept) != "gate" || x.began() != "after long mark report" {
		t.Errorf("after a resume kept %v, began %q", x.Kept, x.began())
	}
}

// Two endings at once: the first counts, and only it is told.
func TestFirstEndingCounts(t *testing.T) {
	t.Parallel()
	g := graph(t, "a: in -> a", "b: in -> b", "c: in -> c")
	m := newMemory(map[string]string{"in": "1"})
	var all3 sync.WaitGroup
	all3.Add(3)
	x := m.run(withGraph(t.Context(), g), g, pipeline.Options{Env: &script{each: func(_ context.Context, w *pipeline.Work) error {
		all3.Done()
		all3.Wait() // each is past the point where an ending could keep it from beginning
		w.EndRun(&pipeline.Ending{Outcome: event.Refused, Reason: event.Reason{Message: w.Step()}})
		return nil
	}}})
	if got := all[event.RunEnding](x); len(got) != 1 || x.Ending == nil || got[0].Reason != x.Ending.Reason || len(x.Done) != 3 {
		t.Errorf("told %+v, ending %+v", got, x.Ending)
	}
}

// Once the context is cancelled no step starts, not even one that always runs, and the steps
// under way are neither done nor failed.
func TestCancel(t *testing.T) {
	t.Parallel()
	g, _ := gated(t)
	m := newMemory(map[string]string{"in": "1"})
	ctx, cancel := context.WithCancel(withGraph(t.Context(), g))
	defer cancel()
	// gate cancels after long has begun, so what long does is certain.
	begun := make(chan struct{})
	sc := &script{before: map[string]func(context.Context, *pipeline.Work) error{
		"long": func(ctx context.Context, w *pipeline.Work) error { close(begun); return waits(ctx, w) },
		"gate": func(context.Context, *pipeline.Work) error { <-begun; cancel(); return nil },
	}}
	x := m.run(ctx, g, pipeline.Options{Env: sc})
	if x.err != nil || x.Ending != nil || len(x.Failed)+len(x.Skipped) > 0 {
		t.Errorf("%+v", x)
	}
	// What was whole when the stop came is kept: it is paid for.
	if x.began() != "gate long" || sorted(x.Done) != "gate" || sorted(x.Aborted) != "after long mark report" {
		t.Errorf("began %q, done %v, aborted %v", x.began(), x.Done, x.Aborted)
	}
	if x = m.run(ctx, g, pipeline.Options{}); x.began() != "" || len(x.Aborted) != 5 {
		t.Errorf("under a dead context began %q, aborted %v", x.began(), x.Aborted)
	}
	if x = m.run(withGraph(t.Context(), g), g, pipeline.Options{}); x.began() != "after long mark report" {
		t.Errorf("after a resume began %q", x.began())
	}
}

// The store breaks at every possible moment, as when the disk is full or the process is killed
// there. The run ends and says so; when the store is back a resume makes of it what it would have
// been, and nothing that a step wrote is taken for a person's work.
func TestStoreBreaksAnywhere(t *testing.T) {
	t.Parallel()
	g := graph(t, "a: in -> a1 a2 *ax-{n}", "b: a1 -> b1 b2", "c: a2 ?b2 -> c", "d: b1 c -> d1 d2 d3 *dx-{n}")
	fresh := func() *memory { return newMemory(map[string]string{"in": "1"}) }
	changed := func() *memory {
		m := fresh()
		m.run(withGraph(t.Context(), g), g, pipeline.Options{})
		m.files["in"], m.ops = "2", 0
		return m
	}
	asked := func() *memory {
		m := changed()
		m.files["a1"] = "mine"
		_ = m.Append(event.RerunAsked{Steps: []string{"a", "b", "c", "d"}})
		m.ops = 0
		return m
	}
	for name, start := range map[string]func() *memory{"new run": fresh, "changed input": changed, "asked anew": asked} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			undisturbed := start()
			undisturbed.run(withGraph(t.Context(), g), g, pipeline.Options{})
			for _, lasting := range []bool{true, false} { // from then on, or once
				for at := 1; ; at++ {
					m := start()
					m.fault = func(n int, op, name string) error {
						if n == at || lasting && n > at {
							return errors.New("disk full")
						}
						return nil
					}
					x := m.run(withGraph(t.Context(), g), g, pipeline.Options{})
					if m.ops < at {
						if at < 30 {
							t.Errorf("only %d operations", m.ops)
						}
						break
					}
					var broken *pipeline.StoreError
					if !errors.As(x.err, &broken) || x.Ending == nil || x.Ending.Outcome != event.Failed || !strings.Contains(x.Ending.Reason.Advice, "free space") {
						t.Errorf("operation %d: error %v, ending %+v", at, x.err, x.Ending)
					}
					m.fault = nil
					x = m.run(withGraph(t.Context(), g), g, pipeline.Options{})
					if x.err != nil || len(x.Failed)+len(x.Skipped)+len(x.Aborted) > 0 {
						t.Errorf("operation %d: resume %+v", at, x)
					}
					if !maps.Equal(m.files, undisturbed.files) {
						t.Errorf("operation %d (lasting %v): files %v, want %v", at, lasting, m.files, undisturbed.files)
					}
					if x = m.run(withGraph(t.Context(), g), g, pipeline.Options{}); x.began() != "" {
						t.Errorf("operation %d: then began %q", at, x.began())
					}
				}
			}
		})
	}
}

// A store that breaks while the run is being cancelled is told all the same.
func TestStoreBreaksDuringCancel(t *testing.T) {
	t.Parallel()
	g := graph(t, "a: in -> a")
	m := newMemory(map[string]string{"in": "1"})
	ctx, cancel := context.WithCancel(withGraph(t.Context(), g))
	m.fault = func(_ int, op, _ string) error {
		if op == "write" {
			cancel()
			return errors.New("disk full")
		}
		return nil
	}
	x := m.run(ctx, g, pipeline.Options{})
	var broken *pipeline.StoreError
	if !errors.As(x.err, &broken) || broken.Doing != "write a" {
		t.Errorf("error %v", x.err)
	}
}

// A person edits an output after the run was killed while it stored others: the edit is kept.
func TestEditAfterCutShort(t *testing.T) {
	t.Parallel()
	g := graph(t, "a: in -> a1 a2 a3", "b: a1 a2 a3 -> b")
	m := done(t, g, map[string]string{"in": "1"}, pipeline.Options{})
	m.files["in"] = "2"
	old := m.files["a3"]
	writes := 0
	m.fault = func(_ int, op, _ string) error {
		if op == "write" {
			writes++
		}
		if writes > 1 {
			return errors.New("killed")
		}
		return nil
	}
	m.run(withGraph(t.Context(), g), g, pipeline.Options{})
	m.fault = nil
	m.files["a2"] = "mine"
	x := m.run(withGraph(t.Context(), g), g, pipeline.Options{})
	if x.began() != "a b" || m.files["a2"] != "mine" || m.files["a3"] == old {
		t.Errorf("began %q, files %v", x.began(), m.files)
	}
	if x = m.run(withGraph(t.Context(), g), g, pipeline.Options{}); x.began() != "" || m.files["a2"] != "mine" {
		t.Errorf("then began %q, a2 %q", x.began(), m.files["a2"])
	}
}
