package pipeline_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"planexe/internal/event"
	"planexe/internal/pipeline"
)

// memory is a store that can fail on demand.
type memory struct {
	mu    sync.Mutex
	files map[string]string
	aside map[string]string
	log   []event.Event
	ops   int
	// fault is asked before every operation; its error is the operation's. n counts from 1.
	fault func(n int, op, name string) error
	// seen is told every event, while the store is locked.
	seen func(event.Data)
}

func newMemory(files map[string]string) *memory {
	return &memory{files: maps.Clone(files), aside: map[string]string{}}
}

func (m *memory) do(op, name string, f func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ops++
	if m.fault != nil {
		if err := m.fault(m.ops, op, name); err != nil {
			return err
		}
	}
	return f()
}

func (m *memory) Read(name string) (data []byte, err error) {
	err = m.do("read", name, func() error {
		text, ok := m.files[name]
		if !ok {
			return &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
		}
		data = []byte(text)
		return nil
	})
	return data, err
}

func (m *memory) Write(name string, data []byte) error {
	return m.do("write", name, func() error { m.files[name] = string(data); return nil })
}

func (m *memory) Remove(name string) error {
	return m.do("remove", name, func() error { delete(m.files, name); return nil })
}

func (m *memory) SetAside(name string) error {
	return m.do("set aside", name, func() error { m.aside[name] = m.files[name]; return nil })
}

func (m *memory) Names() (names []string, err error) {
	err = m.do("names", "", func() error { names = slices.Sorted(maps.Keys(m.files)); return nil })
	return names, err
}

func (m *memory) Append(data ...event.Data) error {
	return m.do("append", "", func() error {
		for _, d := range data {
			m.log = append(m.log, event.Event{Seq: int64(len(m.log) + 1), Data: d})
			if m.seen != nil {
				m.seen(d)
			}
		}
		return nil
	})
}

func (m *memory) records() *pipeline.Records {
	r := &pipeline.Records{}
	for _, e := range m.log {
		r.Apply(e)
	}
	return r
}

// execution is one run of a graph over a memory, as a process would do it: fold the log, then go.
type execution struct {
	pipeline.Result
	err    error
	events []event.Data
}

func (m *memory) run(ctx context.Context, g *pipeline.Graph, o pipeline.Options) execution {
	before := len(m.log)
	var x execution
	x.Result, x.err = g.Run(ctx, m, m.records(), o)
	for _, e := range m.log[before:] {
		x.events = append(x.events, e.Data)
	}
	return x
}

// all returns the payloads of one type.
func all[T event.Data](x execution) []T {
	var out []T
	for _, d := range x.events {
		if e, ok := d.(T); ok {
			out = append(out, e)
		}
	}
	return out
}

// began returns the sorted names of the steps that started.
func (x execution) began() string {
	var names []string
	for _, s := range all[event.StepStarted](x) {
		names = append(names, s.Step)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func sorted(names []string) string {
	return strings.Join(slices.Sorted(slices.Values(names)), " ")
}

// script is what tests hand to steps as Options.Env.
type script struct {
	mu     sync.Mutex
	before map[string]func(context.Context, *pipeline.Work) error // called before a step's own code
	each   func(context.Context, *pipeline.Work) error
	speed  string
	salt   string // of every output: a model never answers twice the same
}

// hashing writes outputs that say which step made them from what; missing inputs count. The
// number of its extras depends on what it read.
func hashing(ctx context.Context, w *pipeline.Work) error {
	sc, _ := w.Env().(*script)
	if sc == nil {
		sc = &script{}
	}
	sc.mu.Lock()
	before := sc.before[w.Step()]
	sc.mu.Unlock()
	for _, f := range []func(context.Context, *pipeline.Work) error{before, sc.each} {
		if f != nil {
			if err := f(ctx, w); err != nil {
				return err
			}
		}
	}
	g, ok := ctx.Value(graphKey{}).(*pipeline.Graph)
	if !ok {
		return errors.New("the context holds no graph")
	}
	s, _ := g.Step(w.Step())
	var all strings.Builder
	all.WriteString(w.Step() + sc.salt + strconv.Itoa(w.Generation()))
	if s.BySpeed {
		all.WriteString(sc.speed)
	}
	for _, in := range slices.Concat(s.Needs, s.Uses) {
		data, err := w.Read(in)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			all.WriteString("|-")
		case err != nil:
			return err
		default:
			all.WriteString("|" + string(data))
		}
	}
	sum := pipeline.Digest([]byte(all.String()))
	for _, out := range s.Outputs {
		if err := w.Write(out, []byte(out+" "+sum)); err != nil {
			return err
		}
	}
	for _, x := range s.Extras {
		n, _ := strconv.ParseUint(sum[:1], 16, 8)
		for i := range n % 4 {
			if err := w.Write(strings.Replace(x, "{n}", strconv.FormatUint(i+1, 10), 1), []byte(x+" "+sum)); err != nil {
				return err
			}
		}
	}
	return nil
}

type graphKey struct{}

func withGraph(ctx context.Context, g *pipeline.Graph) context.Context {
	return context.WithValue(ctx, graphKey{}, g)
}

// graph builds hashing steps from declarations; the given artifact is "in".
func graph(tb testing.TB, decls ...string) *pipeline.Graph {
	tb.Helper()
	var steps []pipeline.Step
	for _, d := range decls {
		s := st(d)
		s.Run = hashing
		steps = append(steps, s)
	}
	return newGraph(tb, steps)
}

func newGraph(tb testing.TB, steps []pipeline.Step) *pipeline.Graph {
	tb.Helper()
	g, err := pipeline.NewGraph(steps, "in")
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// done is a memory in which the graph has been run without trouble.
func done(t *testing.T, g *pipeline.Graph, files map[string]string, o pipeline.Options) *memory {
	t.Helper()
	m := newMemory(files)
	x := m.run(withGraph(t.Context(), g), g, o)
	if x.err != nil || len(x.Failed)+len(x.Skipped)+len(x.Aborted) > 0 || x.Ending != nil {
		t.Fatalf("undisturbed run: %+v", x)
	}
	return m
}
