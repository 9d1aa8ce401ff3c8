package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"slices"
	"sync"

	"planexe/internal/event"
)

// Options of one execution.
type Options struct {
	Speed   string
	Sizes   Sizes
	Refresh bool     // steps whose prompt or answer type changed run again
	Only    []string // run just these steps; empty is all
	Env     any      // handed to the steps, which know what it is
}

// Failure is a step that ended without a result.
type Failure struct {
	Step   string
	Reason event.Reason
}

// Result is what came of an execution. Ending is set when the run was ended early.
type Result struct {
	Done, Kept []string
	Failed     []Failure
	Skipped    []string
	Aborted    []string // began or not, the run ended before they were done
	Ending     *Ending
}

// Ending ends a whole run: no further step starts and calls in flight are aborted.
type Ending struct {
	Outcome event.Outcome
	Reason  event.Reason
}

func (e *Ending) Error() string { return fmt.Sprintf("run %s: %s", e.Outcome, e.Reason.Message) }

// explainer is an error that can say what a person needs to know.
type explainer interface{ Reason() event.Reason }

// ender is an error that ends the run when it says so.
type ender interface {
	Ending() (event.Outcome, bool)
}

type status int

const (
	waiting status = iota
	ok             // outputs are there
	failed         // no result
	aborted        // the run ended first
)

type engine struct {
	g       *Graph
	store   Store
	records *Records // read only while steps run
	o       Options
	tails   map[string]int
	ended   map[string]chan struct{}
	end     context.CancelCauseFunc

	mu     sync.Mutex
	status map[string]status
	result Result
	broken *StoreError // the first
}

// Run executes what is not up to date. It returns when every step has ended; cancelling ctx
// aborts the calls in flight and starts nothing further. Steps fail alone: what does not need
// their outputs goes on. The error is a failure of the store.
func (g *Graph) Run(ctx context.Context, store Store, r *Records, o Options) (Result, error) {
	run, end := context.WithCancelCause(ctx)
	defer end(nil)
	e := &engine{
		g: g, store: store, records: r, o: o, end: end, tails: g.Tails(o.Sizes),
		ended: map[string]chan struct{}{}, status: map[string]status{},
	}
	for _, n := range g.steps {
		e.ended[n.Name] = make(chan struct{})
	}
	var wg sync.WaitGroup
	for _, n := range g.steps {
		wg.Go(func() {
			defer close(e.ended[n.Name])
			for _, w := range n.waits {
				<-e.ended[w.Name]
			}
			within := run
			if n.Always {
				within = ctx
			}
			s, err := e.step(within, n)
			e.settle(n, s, err)
		})
	}
	wg.Wait()
	if e.broken != nil {
		return e.result, e.broken
	}
	return e.result, nil
}

// step brings one step up to date and says how it ended. Its inputs have ended.
func (e *engine) step(ctx context.Context, n *node) (status, error) {
	if len(e.o.Only) > 0 && !slices.Contains(e.o.Only, n.Name) {
		return e.unchosen(n)
	}
	if ctx.Err() != nil {
		return aborted, nil
	}
	for _, in := range n.Needs {
		p := e.g.producer[in]
		if p == nil {
			continue
		}
		switch e.statusOf(p.Name) {
		case failed:
			e.mu.Lock()
			e.result.Skipped = append(e.result.Skipped, n.Name)
			e.mu.Unlock()
			return failed, e.append(event.StepSkipped{Step: n.Name, Because: p.Name})
		case aborted:
			return aborted, nil
		}
	}
	st, err := e.g.Check(n.Name, e.store, e.records, e.o.Speed, e.o.Refresh)
	if err != nil {
		return failed, err
	}
	// What a step that always runs says depends on how the run goes, too.
	if st.Clean && (!n.Always || len(st.Edited) > 0) {
		e.mu.Lock()
		e.result.Kept = append(e.result.Kept, n.Name)
		e.mu.Unlock()
		return ok, e.append(event.StepKept{Step: n.Name, Edited: st.Edited})
	}
	return e.execute(ctx, n, st.Why)
}

// unchosen says how a step that must not run stands: it has its outputs or it has not.
func (e *engine) unchosen(n *node) (status, error) {
	for _, out := range n.Outputs {
		d, err := digestOf(e.store, out)
		if err != nil {
			return failed, err
		}
		if d == "" {
			return failed, nil
		}
	}
	return ok, nil
}

func (e *engine) execute(ctx context.Context, n *node, why string) (status, error) {
	w := &Work{
		node: n, store: e.store, env: e.o.Env, gen: e.records.Generation(n.Name), outputs: map[string][]byte{},
		stages: n.stages(e.o.Sizes), after: after(n, e.tails),
	}
	if err := e.append(event.StepStarted{Step: n.Name, Generation: w.gen, Why: why}); err != nil {
		return failed, err
	}
	rec, stack, err := e.try(ctx, w)
	if err == nil {
		err = e.append(rec)
	}
	var broken *StoreError
	switch {
	case err == nil:
		e.mu.Lock()
		e.result.Done = append(e.result.Done, n.Name)
		e.mu.Unlock()
		if w.ending != nil {
			w.ending.Reason.Step = n.Name
			e.finish(w.ending.Outcome, w.ending.Reason, w.ending)
		}
		return ok, nil
	case ctx.Err() != nil && !errors.As(err, &broken):
		// A step that fails because its context ended did not fail: it was stopped.
		return aborted, nil
	}
	reason := e.fail(n, err)
	var en ender
	if errors.As(err, &en) {
		if outcome, ends := en.Ending(); ends {
			e.finish(outcome, reason, err)
		}
	}
	return failed, e.append(event.StepFailed{Step: n.Name, Reason: reason, Stack: stack})
}

func (e *engine) fail(n *node, err error) event.Reason {
	reason := reasonOf(err)
	reason.Step = n.Name
	e.mu.Lock()
	defer e.mu.Unlock()
	e.result.Failed = append(e.result.Failed, Failure{n.Name, reason})
	e.breaks(err)
	return reason
}

// breaks keeps the first failure of the store; e.mu is held.
func (e *engine) breaks(err error) {
	if e.broken == nil {
		errors.As(err, &e.broken)
	}
}

// try runs the step's own code; a panic in it is that step's failure and nobody else's.
func (e *engine) try(ctx context.Context, w *Work) (rec event.StepDone, stack string, err error) {
	defer func() {
		if p := recover(); p != nil {
			stack = string(debug.Stack())
			err = &Panic{Value: p}
		}
	}()
	if err := w.load(); err != nil {
		return rec, "", err
	}
	if err := w.node.Run(ctx, w); err != nil {
		return rec, "", err
	}
	digests, err := w.commit(e.records)
	rec = event.StepDone{Step: w.node.Name, Reads: w.reads, Outputs: digests, Recipe: w.node.Recipe}
	if w.node.BySpeed {
		rec.Speed = e.o.Speed
	}
	return rec, "", err
}

// Panic is a bug in a step, caught.
type Panic struct{ Value any }

func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Reason marks it as ours.
func (p *Panic) Reason() event.Reason {
	return event.Reason{Class: "internal", Message: p.Error(), Advice: "this is a bug; the stack is in the run's event log"}
}

func reasonOf(err error) event.Reason {
	var x explainer
	if errors.As(err, &x) {
		return x.Reason()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return event.Reason{Class: "missing", Message: err.Error(), Advice: "run the steps that make the missing artifact first"}
	}
	return event.Reason{Class: "internal", Message: err.Error()}
}

// finish ends the run; the first ending counts.
func (e *engine) finish(outcome event.Outcome, reason event.Reason, cause error) {
	e.mu.Lock()
	first := e.result.Ending == nil
	if first {
		e.result.Ending = &Ending{outcome, reason}
	}
	e.mu.Unlock()
	if first {
		// A log that cannot be written is what is being told here, or will be told by the caller.
		_ = e.append(event.RunEnding{Outcome: outcome, Reason: reason})
		e.end(cause)
	}
}

func (e *engine) statusOf(step string) status {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status[step]
}

// settle records how a step ended. A store that fails ends the run.
func (e *engine) settle(n *node, s status, err error) {
	e.mu.Lock()
	e.status[n.Name] = s
	if s == aborted {
		e.result.Aborted = append(e.result.Aborted, n.Name)
	}
	e.breaks(err)
	e.mu.Unlock()
	if err != nil {
		e.finish(event.Failed, reasonOf(err), err)
	}
}

func (e *engine) append(data event.Data) error {
	if err := e.store.Append(data); err != nil {
		return &StoreError{"write the event log", err}
	}
	return nil
}
