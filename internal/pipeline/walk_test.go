package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"planexe/internal/event"
	"planexe/internal/pipeline"
)

// A random graph lives through random failures, cancels, broken stores, changed inputs and asked
// reruns. Whatever happened: an execution without trouble makes every step clean, with the very
// outputs of a run that was never disturbed; and no step is done twice for the same inputs.
func TestRandomWalk(t *testing.T) {
	t.Parallel()
	seeds := uint64(300)
	if testing.Short() {
		seeds = 50
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			walk(t, seed)
		})
	}
}

func walk(t *testing.T, seed uint64) {
	g := randomGraph(t, seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	m := newMemory(map[string]string{"in-1": "0", "in-2": "0"})
	watch := &repeats{t: t, done: map[string]event.StepDone{}, asked: map[string]bool{}}
	m.seen = watch.event
	speed := "slow"
	for round := range 2 + rng.IntN(8) {
		switch rng.IntN(6) {
		case 0:
			m.files["in-1"] = fmt.Sprint(rng.IntN(3))
		case 1:
			m.files["in-2"] = fmt.Sprint(rng.IntN(3))
		case 2:
			steps := g.Steps()
			_ = m.Append(event.RerunAsked{Steps: g.Downstream(steps[rng.IntN(len(steps))].Name)})
		case 3:
			speed = []string{"slow", "fast"}[rng.IntN(2)]
		}
		disturbed(t, g, m, rng, speed, round)
		watch.broken = watch.broken || m.fault != nil
		m.fault = nil
	}
	x := m.run(withGraph(t.Context(), g), g, pipeline.Options{Speed: speed, Env: &script{speed: speed}})
	if x.err != nil || len(x.Failed)+len(x.Skipped)+len(x.Aborted) > 0 || x.Ending != nil {
		t.Fatalf("the last execution had no trouble, but %+v", x)
	}
	if len(x.Done)+len(x.Kept) != len(g.Steps()) {
		t.Errorf("%d done and %d kept of %d", len(x.Done), len(x.Kept), len(g.Steps()))
	}
	records := m.records()
	for _, s := range g.Steps() {
		st, err := g.Check(s.Name, m, records, speed, false)
		if err != nil || !st.Clean || len(st.Edited) > 0 {
			t.Errorf("step %s is not clean: %+v %v", s.Name, st, err)
		}
	}
	if again := m.run(withGraph(t.Context(), g), g, pipeline.Options{Speed: speed, Env: &script{speed: speed}}); again.began() != "" {
		t.Errorf("a further execution began %q", again.began())
	}
	undisturbed := newMemory(map[string]string{"in-1": m.files["in-1"], "in-2": m.files["in-2"]})
	for _, e := range m.log { // the same generations
		if d, ok := e.Data.(event.RerunAsked); ok {
			_ = undisturbed.Append(d)
		}
	}
	undisturbed.run(withGraph(t.Context(), g), g, pipeline.Options{Speed: speed, Env: &script{speed: speed}})
	if !maps.Equal(m.files, undisturbed.files) {
		t.Errorf("files\n%v, want\n%v", m.files, undisturbed.files)
	}
	if len(m.aside) > 0 {
		t.Errorf("%v set aside, but nobody edited anything", m.aside)
	}
}

// disturbed is one execution with trouble of one kind.
func disturbed(t *testing.T, g *pipeline.Graph, m *memory, rng *rand.Rand, speed string, round int) {
	ctx, cancel := context.WithCancel(withGraph(t.Context(), g))
	defer cancel()
	kind, at := rng.IntN(5), 1+rng.IntN(60)
	dice := rand.New(rand.NewPCG(uint64(round), rng.Uint64()))
	var mu sync.Mutex
	started := 0
	sc := &script{speed: speed, each: func(ctx context.Context, w *pipeline.Work) error {
		mu.Lock()
		defer mu.Unlock()
		if err := ctx.Err(); err != nil && kind == 1 {
			return err
		}
		started++
		switch {
		case kind == 0 && dice.IntN(4) == 0:
			return errors.New("no luck")
		case kind == 1 && started == 1+at%6:
			cancel()
		case kind == 2 && started == 1+at%6:
			return budget{}
		case kind == 3 && dice.IntN(5) == 0:
			panic("no luck")
		}
		return nil
	}}
	if kind == 4 {
		m.ops = 0
		m.fault = func(n int, _, _ string) error {
			if n >= at {
				return errors.New("disk full")
			}
			return nil
		}
	}
	x := m.run(ctx, g, pipeline.Options{Speed: speed, Env: sc})
	var broken *pipeline.StoreError
	if (x.err != nil) != errors.As(x.err, &broken) || x.err != nil && kind != 4 {
		t.Errorf("round %d: error %v", round, x.err)
	}
	known := len(x.Done) + len(x.Kept) + len(x.Skipped) + len(x.Aborted) + len(x.Failed)
	if want := len(g.Steps()); known != want && x.err == nil {
		t.Errorf("round %d: %d steps ended of %d: %+v", round, known, want, x.Result)
	}
	for _, f := range x.Failed {
		if !strings.Contains("no luck panic: no luck no money left", f.Reason.Message) && kind != 4 {
			t.Errorf("round %d: %s failed: %s", round, f.Step, f.Reason.Message)
		}
	}
}

// repeats watches for steps that are done twice without reason: from the same inputs, in the same
// mode, unasked, while the store was whole.
type repeats struct {
	t      *testing.T
	done   map[string]event.StepDone
	asked  map[string]bool
	broken bool
}

func (r *repeats) event(d event.Data) {
	switch d := d.(type) {
	case event.RerunAsked:
		for _, s := range d.Steps {
			r.asked[s] = true
		}
	case event.StepDone:
		if was, ok := r.done[d.Step]; ok && !r.broken && !r.asked[d.Step] && maps.Equal(was.Reads, d.Reads) && was.Speed == d.Speed {
			r.t.Errorf("step %s was done twice from the same inputs", d.Step)
		}
		r.done[d.Step] = d
		delete(r.asked, d.Step)
	}
}
