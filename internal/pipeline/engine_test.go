package pipeline_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"planexe/internal/event"
	"planexe/internal/pipeline"
)

// What a second execution does after something has changed. The graph: a has two outputs, b reads
// one, c the other and what may be missing, d both.
func TestSecondExecution(t *testing.T) {
	t.Parallel()
	build := func(t *testing.T, recipe string) *pipeline.Graph {
		var steps []pipeline.Step
		for _, d := range []string{"a: in -> a1 a2", "b: a1 -> b1 *bx-{n}", "c: a2 ?opt -> c1", "d: b1 c1 -> d1", "opt: in2 -> opt"} {
			s := st(d)
			s.Run, s.Recipe, s.BySpeed = hashing, recipe, s.Name == "c"
			steps = append(steps, s)
		}
		g, err := pipeline.NewGraph(steps, "in", "in2")
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	rerun := func(steps ...string) func(m *memory) {
		return func(m *memory) { _ = m.Append(event.RerunAsked{Steps: steps}) }
	}
	set := func(pairs ...string) func(m *memory) {
		return func(m *memory) {
			for i := 0; i < len(pairs); i += 2 {
				m.files[pairs[i]] = pairs[i+1]
			}
		}
	}
	for name, c := range map[string]struct {
		change  func(m *memory)
		o       pipeline.Options
		recipe  string
		began   string
		edited  string            // steps that are kept because of a hand's work
		content map[string]string // afterwards
		aside   map[string]string
		why     map[string]string
	}{
		"nothing":                     {change: func(*memory) {}},
		"a given artifact":            {change: set("in2", "new"), began: "c d opt", why: map[string]string{"opt": "in2 changed", "c": "opt changed"}},
		"the root":                    {change: set("in", "new"), began: "a b c d"},
		"an output by hand":           {change: set("a1", "mine"), began: "b d", edited: "a", content: map[string]string{"a1": "mine"}},
		"output and input":            {change: set("a1", "mine", "in", "new"), began: "b d", edited: "a", content: map[string]string{"a1": "mine"}},
		"output by hand, then asked":  {change: func(m *memory) { set("a1", "mine")(m); rerun("a")(m) }, began: "a b c d", aside: map[string]string{"a1": "mine"}, why: map[string]string{"a": "asked for"}},
		"asked":                       {change: rerun("c"), began: "c d"},
		"an output is gone":           {change: func(m *memory) { delete(m.files, "a1") }, began: "a", why: map[string]string{"a": "a1 is missing"}},
		"one gone, the other by hand": {change: func(m *memory) { delete(m.files, "a1"); m.files["a2"] = "mine" }, began: "a c d", content: map[string]string{"a2": "mine"}},
		"an extra by hand":            {change: set("bx-1", "mine"), content: map[string]string{"bx-1": "mine"}},
		"speed":                       {change: func(*memory) {}, o: pipeline.Options{Speed: "fast", Env: &script{speed: "fast"}}, began: "c d", why: map[string]string{"c": "made in speed mode slow"}},
		"prompt":                      {change: func(*memory) {}, recipe: "2"},
		"prompt, refresh":             {change: func(*memory) {}, recipe: "2", o: pipeline.Options{Refresh: true}, began: "a b c d opt"},
		"refresh without change":      {change: func(*memory) {}, o: pipeline.Options{Refresh: true}},
		"output by hand, refresh":     {change: set("d1", "mine"), recipe: "2", o: pipeline.Options{Refresh: true}, began: "a b c opt", edited: "d", content: map[string]string{"d1": "mine"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := build(t, "1")
			m := done(t, g, map[string]string{"in": "1", "in2": "2"}, pipeline.Options{Speed: "slow", Env: &script{speed: "slow"}})
			c.change(m)
			if c.recipe != "" {
				g = build(t, c.recipe)
			}
			if c.o.Speed == "" {
				c.o.Speed, c.o.Env = "slow", &script{speed: "slow"}
			}
			x := m.run(withGraph(t.Context(), g), g, c.o)
			if got := x.began(); got != c.began {
				t.Errorf("began %q, want %q", got, c.began)
			}
			var edited []string
			for _, k := range all[event.StepKept](x) {
				if len(k.Edited) > 0 {
					edited = append(edited, k.Step)
				}
			}
			if sorted(edited) != c.edited {
				t.Errorf("edited %v, want %q", edited, c.edited)
			}
			for name, want := range c.content {
				if m.files[name] != want {
					t.Errorf("%s holds %q, want %q", name, m.files[name], want)
				}
			}
			if len(m.aside) != len(c.aside) || m.aside["a1"] != c.aside["a1"] {
				t.Errorf("set aside %v, want %v", m.aside, c.aside)
			}
			for _, s := range all[event.StepStarted](x) {
				if want := c.why[s.Step]; want != "" && s.Why != want {
					t.Errorf("%s began because %q, want %q", s.Step, s.Why, want)
				}
			}
			// It is settled now: a third execution starts nothing.
			if again := m.run(withGraph(t.Context(), g), g, c.o); again.began() != "" {
				t.Errorf("a third execution began %q", again.began())
			}
		})
	}
}

func TestEditedExtraIsKeptAndSurplusSetAside(t *testing.T) {
	t.Parallel()
	n := 3
	write := func(_ context.Context, w *pipeline.Work) error {
		for _, name := range []string{"x-1", "x-2", "x-3"}[:n] {
			if err := w.Write(name, []byte(name)); err != nil {
				return err
			}
		}
		return w.Write("out", []byte{byte(n)})
	}
	s := st("a: in -> out *x-{n}")
	s.Run = write
	g := newGraph(t, []pipeline.Step{s})
	m := done(t, g, map[string]string{"in": "1", "x-": "foreign", "x-one": "foreign", "ax-2": "foreign"}, pipeline.Options{})
	n = 1
	m.files["in"], m.files["x-2"] = "2", "mine"
	x := m.run(t.Context(), g, pipeline.Options{})
	for _, gone := range []string{"x-2", "x-3"} {
		if _, ok := m.files[gone]; ok {
			t.Errorf("%s of the longer result is still there", gone)
		}
	}
	for _, kept := range []string{"x-1", "x-", "x-one", "ax-2"} {
		if _, ok := m.files[kept]; !ok {
			t.Errorf("%s was removed", kept)
		}
	}
	if m.aside["x-2"] != "mine" || len(m.aside) != 1 {
		t.Errorf("set aside %v, want the hand's work x-2", m.aside)
	}
	if got := len(all[event.ArtifactRemoved](x)); got != 2 {
		t.Errorf("%d removals are told, want 2", got)
	}
}

// Outputs are stored as declared, after the extras: the one that other programs look for comes last.
func TestStoringOrder(t *testing.T) {
	t.Parallel()
	s := st("a: in -> z m b *x-{n}")
	s.Run = func(_ context.Context, w *pipeline.Work) error {
		for _, name := range []string{"b", "x-2", "m", "x-1", "z"} {
			if err := w.Write(name, nil); err != nil {
				return err
			}
		}
		return nil
	}
	m := newMemory(map[string]string{"in": ""})
	var order []string
	for _, a := range all[event.ArtifactWritten](m.run(t.Context(), newGraph(t, []pipeline.Step{s}), pipeline.Options{})) {
		order = append(order, a.Name)
	}
	if want := []string{"x-1", "x-2", "z", "m", "b"}; !slices.Equal(order, want) {
		t.Errorf("stored %v, want %v", order, want)
	}
}

func TestGenerations(t *testing.T) {
	t.Parallel()
	var seen []int
	s := st("a: in -> out")
	s.Run = func(_ context.Context, w *pipeline.Work) error {
		seen = append(seen, w.Generation())
		return w.Write("out", nil)
	}
	g := newGraph(t, []pipeline.Step{s})
	m := newMemory(map[string]string{"in": ""})
	for range 3 {
		m.run(t.Context(), g, pipeline.Options{})
		_ = m.Append(event.RerunAsked{Steps: []string{"a"}})
	}
	_ = m.Append(event.RerunAsked{Steps: []string{"a"}})
	m.run(t.Context(), g, pipeline.Options{})
	if !slices.Equal(seen, []int{0, 1, 2, 4}) {
		t.Errorf("generations %v", seen)
	}
}

// One step ends badly; everything that does not need it goes on.
func TestOneStepFails(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		act   func(context.Context, *pipeline.Work) error
		says  string
		stack bool
	}{
		"error":            {act: func(context.Context, *pipeline.Work) error { return boom }, says: "boom"},
		"panic":            {act: func(context.Context, *pipeline.Work) error { panic("oh no") }, says: "oh no", stack: true},
		"nil map":          {act: func(context.Context, *pipeline.Work) error { var m map[string]int; m["x"] = 1; return nil }, says: "nil map", stack: true},
		"undeclared read":  {act: func(_ context.Context, w *pipeline.Work) error { _, err := w.Read("good"); return err }, says: "step bad reads good: undeclared"},
		"undeclared write": {act: func(_ context.Context, w *pipeline.Work) error { return w.Write("good", nil) }, says: "step bad writes good: undeclared"},
		"own output read":  {act: func(_ context.Context, w *pipeline.Work) error { _, err := w.Read("b1"); return err }, says: "undeclared"},
		"half written": {act: func(_ context.Context, w *pipeline.Work) error {
			return errors.Join(w.Write("b1", []byte("half")), w.Write("bx-1", nil), boom)
		}, says: "boom"},
		"forgotten output": {act: func(_ context.Context, w *pipeline.Work) error {
			bad := w.Write("b1", []byte("half"))
			return errors.Join(bad, errForget)
		}, says: "step bad ended without writing b2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := st("bad: in -> b1 b2 *bx-{n}")
			bad.Run = func(ctx context.Context, w *pipeline.Work) error {
				if err := c.act(ctx, w); !errors.Is(err, errForget) {
					return err
				}
				return nil
			}
			user := st("user: in ?b2 -> u")
			user.Run = func(_ context.Context, w *pipeline.Work) error {
				_, err := w.Read("b2")
				if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, pipeline.ErrUndeclared) {
					return errors.New("a missing document is not told as missing")
				}
				return w.Write("u", []byte("without b2"))
			}
			hash := func(d string) pipeline.Step { s := st(d); s.Run = hashing; return s }
			g := newGraph(t, []pipeline.Step{bad, hash("good: in -> good"), hash("needs: b1 -> n"), hash("deeper: n -> deep"), user, hash("last: u good -> l")})
			m := newMemory(map[string]string{"in": "1"})
			x := m.run(withGraph(t.Context(), g), g, pipeline.Options{})
			if x.err != nil || x.Ending != nil || len(x.Aborted) > 0 {
				t.Errorf("a failing step ended the run: %+v", x)
			}
			if sorted(x.Done) != "good last user" || sorted(x.Skipped) != "deeper needs" {
				t.Errorf("done %v, skipped %v", x.Done, x.Skipped)
			}
			if len(x.Failed) != 1 || x.Failed[0].Step != "bad" || x.Failed[0].Reason.Step != "bad" || !strings.Contains(x.Failed[0].Reason.Message, c.says) {
				t.Fatalf("failed %+v, want bad: %q", x.Failed, c.says)
			}
			told := all[event.StepFailed](x)
			if len(told) != 1 || told[0].Reason != x.Failed[0].Reason || (told[0].Stack != "") != c.stack {
				t.Errorf("told %+v", told)
			}
			because := map[string]string{}
			for _, s := range all[event.StepSkipped](x) {
				because[s.Step] = s.Because
			}
			if because["needs"] != "bad" || because["deeper"] != "needs" {
				t.Errorf("skipped because of %v", because)
			}
			for _, f := range []string{"b1", "b2", "bx-1"} {
				if text, ok := m.files[f]; ok {
					t.Errorf("the failed step left %s: %q", f, text)
				}
			}
		})
	}
}

var errForget = errors.New("this is no failure")

func TestMissingGivenArtifact(t *testing.T) {
	t.Parallel()
	g := graph(t, "a: in -> a", "b: ?in -> b")
	m := newMemory(map[string]string{})
	x := m.run(withGraph(t.Context(), g), g, pipeline.Options{})
	if sorted(x.Done) != "b" || len(x.Failed) != 1 || !strings.Contains(x.Failed[0].Reason.Message, "in, which step a needs, is missing") || x.Failed[0].Reason.Class != "missing" {
		t.Errorf("%+v", x.Result)
	}
}

func TestOnly(t *testing.T) {
	t.Parallel()
	g := graph(t, "a: in -> a", "b: a -> b", "c: b -> c", "d: ?c -> d")
	m := newMemory(map[string]string{"in": "1"})
	// Nothing is there: c cannot run, and the reason names the step that is missing.
	x := m.run(withGraph(t.Context(), g), g, pipeline.Options{Only: []string{"c", "d"}})
	if x.began() != "d" || sorted(x.Skipped) != "c" || all[event.StepSkipped](x)[0].Because != "b" {
		t.Errorf("began %q, skipped %v", x.began(), x.Skipped)
	}
	m = done(t, g, map[string]string{"in": "1"}, pipeline.Options{})
	m.files["in"] = "2"
	_ = m.Append(event.RerunAsked{Steps: []string{"b"}})
	x = m.run(withGraph(t.Context(), g), g, pipeline.Options{Only: []string{"b"}})
	if x.began() != "b" || len(x.Kept)+len(x.Skipped)+len(x.Failed) > 0 {
		t.Errorf("only b: began %q, %+v", x.began(), x.Result)
	}
	if x = m.run(withGraph(t.Context(), g), g, pipeline.Options{}); x.began() != "a b c d" {
		t.Errorf("afterwards began %q", x.began())
	}
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	g := graph(t, "a: in -> a1 a2", "b: a1 ?c -> b", "c: in -> c", "d: b -> d *d-{n}")
	files := map[string]string{"in": "1", "a1": "x", "a2": "y", "b": "z", "c": "", "foreign.txt": "?"}
	adopt := func(m *memory) error { return g.Adopt(m, m.records()) }

	m := newMemory(files)
	if err := adopt(m); err != nil {
		t.Fatal(err)
	}
	if x := m.run(withGraph(t.Context(), g), g, pipeline.Options{Speed: "any"}); x.began() != "d" || sorted(x.Kept) != "a b c" {
		t.Errorf("began %q, kept %v", x.began(), x.Kept)
	}
	if m.files["a1"] != "x" || m.files["b"] != "z" {
		t.Error("adopted artifacts were changed")
	}
	// From then on it is a run as any other.
	m.files["a1"] = "mine"
	if x := m.run(withGraph(t.Context(), g), g, pipeline.Options{}); x.began() != "b d" {
		t.Errorf("after an edit began %q", x.began())
	}
	before := len(m.log)
	if err := adopt(m); err != nil || len(m.log) != before {
		t.Errorf("a directory with a log was adopted: %v", err)
	}

	// All or nothing: what fails leaves no record, and can be tried again.
	m = newMemory(files)
	m.fault = func(_ int, op, _ string) error {
		if op == "append" {
			return errors.New("disk full")
		}
		return nil
	}
	var broken *pipeline.StoreError
	if err := adopt(m); !errors.As(err, &broken) || len(m.log) != 0 {
		t.Errorf("error %v, %d events", err, len(m.log))
	}
	m.fault = nil
	if err := adopt(m); err != nil || len(m.log) != 3 {
		t.Errorf("second try: %v, %d records", err, len(m.log))
	}

	// An output is missing: the step is not whole, and runs.
	m = newMemory(map[string]string{"in": "1", "a1": "x"})
	if err := adopt(m); err != nil || len(m.log) != 0 {
		t.Errorf("half a step was adopted: %v %v", err, m.log)
	}
	// An empty directory has nothing to adopt and says nothing.
	m = newMemory(nil)
	if err := adopt(m); err != nil || len(m.log) != 0 {
		t.Errorf("nothing was adopted: %v %v", err, m.log)
	}
}

func TestNeedsThatAreNewMakeDirty(t *testing.T) {
	t.Parallel()
	m := done(t, graph(t, "a: in -> a", "b: in -> b"), map[string]string{"in": "1"}, pipeline.Options{})
	g := graph(t, "a: in -> a", "b: in ?a -> b")
	x := m.run(withGraph(t.Context(), g), g, pipeline.Options{})
	if x.began() != "b" || all[event.StepStarted](x)[0].Why != "a is read now" {
		t.Errorf("began %q: %+v", x.began(), x.events)
	}
}

func TestWorkTail(t *testing.T) {
	t.Parallel()
	var got []int
	a := st("a: in -> a")
	a.Stages = func(pipeline.Sizes) []int { return []int{2, 0, 3} }
	a.Run = func(_ context.Context, w *pipeline.Work) error {
		for stage := range 5 {
			got = append(got, w.Tail(stage))
		}
		return w.Write("a", nil)
	}
	b := st("b: a -> b")
	b.Stages = func(pipeline.Sizes) []int { return []int{1, 1, 1} }
	b.Run = func(_ context.Context, w *pipeline.Work) error { return w.Write("b", nil) }
	g := newGraph(t, []pipeline.Step{a, b})
	newMemory(map[string]string{"in": ""}).run(t.Context(), g, pipeline.Options{})
	if !slices.Equal(got, []int{5, 4, 4, 3, 3}) {
		t.Errorf("tails %v", got)
	}
}
