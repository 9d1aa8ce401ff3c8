package pipeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"planexe/internal/pipeline"
)

func nothing(context.Context, *pipeline.Work) error { return nil }

// st declares a step: "name: needs ?uses -> outputs *extras".
func st(decl string) pipeline.Step {
	name, rest, _ := strings.Cut(decl, ":")
	in, out, _ := strings.Cut(rest, "->")
	s := pipeline.Step{Name: name, Run: nothing}
	for _, w := range strings.Fields(in) {
		if use, ok := strings.CutPrefix(w, "?"); ok {
			s.Uses = append(s.Uses, use)
		} else {
			s.Needs = append(s.Needs, w)
		}
	}
	for _, w := range strings.Fields(out) {
		if extra, ok := strings.CutPrefix(w, "*"); ok {
			s.Extras = append(s.Extras, extra)
		} else {
			s.Outputs = append(s.Outputs, w)
		}
	}
	return s
}

func TestNewGraphRefuses(t *testing.T) {
	t.Parallel()
	idle := st("idle: -> x")
	idle.Run = nil
	for name, c := range map[string]struct {
		steps []pipeline.Step
		want  []string // parts of the error
	}{
		"twice":            {[]pipeline.Step{st("a: -> x"), st("a: -> y")}, []string{"step a is declared twice"}},
		"no output":        {[]pipeline.Step{st("a: in ->")}, []string{"step a writes nothing"}},
		"no name":          {[]pipeline.Step{st(": -> x")}, []string{"writes x has no name"}},
		"no code":          {[]pipeline.Step{idle}, []string{"step idle does nothing"}},
		"same output":      {[]pipeline.Step{st("a: -> x"), st("b: -> x")}, []string{"a and b both write x"}},
		"output twice":     {[]pipeline.Step{st("a: -> x x")}, []string{"a and a both write x"}},
		"output and extra": {[]pipeline.Step{st("a: -> x"), st("b: -> y *x")}, []string{"a and b both write x"}},
		"numbered extra":   {[]pipeline.Step{st("a: -> x-7.md"), st("b: -> y *x-{n}.md")}, []string{"b and a both write x-7.md"}},
		"writes the given": {[]pipeline.Step{st("a: -> in")}, []string{"step a writes in, which the caller supplies"}},
		"nobody writes it": {[]pipeline.Step{st("a: ghost -> x")}, []string{"step a reads ghost, which no step writes"}},
		"nobody, uses":     {[]pipeline.Step{st("a: ?ghost -> x")}, []string{"step a reads ghost, which no step writes"}},
		"its own":          {[]pipeline.Step{st("a: x -> x")}, []string{"step a reads its own x"}},
		"needs and uses":   {[]pipeline.Step{st("a: in ?in -> x")}, []string{"step a declares in twice"}},
		"circle":           {[]pipeline.Step{st("a: y -> x"), st("b: x -> y"), st("free: -> z")}, []string{"circle: a, b"}},
		"all at once":      {[]pipeline.Step{st("a: ghost -> x"), st("b: -> x"), st("c: ->")}, []string{"step a reads ghost", "a and b both write x", "step c writes nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pipeline.NewGraph(c.steps, "in")
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "free") {
				t.Errorf("error %q names a step without fault", err)
			}
		})
	}
}

func TestGraphShape(t *testing.T) {
	t.Parallel()
	// Declared from the end: the order follows from what is read.
	g, err := pipeline.NewGraph([]pipeline.Step{
		st("end: c.md ?b.md -> end.md"), st("c: a.md -> c.md *c-{n}.md"), st("b: a.md in -> b.md b2.md"), st("a: in -> a.md"), st("lone: in -> lone.md"),
	}, "in")
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, s := range g.Steps() {
		order = append(order, s.Name)
	}
	if want := []string{"a", "lone", "c", "b", "end"}; !slices.Equal(order, want) {
		// Any order in which what is read comes first would do; this one is stable.
		t.Errorf("order %v, want %v", order, want)
	}
	for _, c := range []struct {
		what      string
		got, want []string
	}{
		{"downstream of a", g.Downstream("a"), []string{"a", "c", "b", "end"}},
		{"downstream of end", g.Downstream("end"), []string{"end"}},
		{"downstream of nothing", g.Downstream("ghost"), nil},
		{"end waits for", g.Waits("end"), []string{"c", "b"}},
		{"ghost waits for", g.Waits("ghost"), nil},
		{"producers", []string{g.Producer("b2.md"), g.Producer("in"), g.Producer("ghost")}, []string{"b", "", ""}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if s, ok := g.Step("c"); !ok || s.Outputs[0] != "c.md" {
		t.Errorf("step c: %v %v", s, ok)
	}
	if _, ok := g.Step("ghost"); ok {
		t.Error("a step that was not declared is found")
	}
}

func TestTails(t *testing.T) {
	t.Parallel()
	with := func(decl string, stages ...int) pipeline.Step {
		s := st(decl)
		s.Stages = func(pipeline.Sizes) []int { return stages }
		return s
	}
	g, err := pipeline.NewGraph([]pipeline.Step{
		with("a: -> a", 1), with("b: a -> b", 0, 3, 2), with("c: a -> c"), with("d: b ?c -> d", 5), with("e: c -> e", 1, 1, 1, 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"a": 5, "b": 3, "c": 4, "d": 1, "e": 4}
	for name, n := range g.Tails(pipeline.Typical) {
		if n != want[name] {
			t.Errorf("tail of %s: %d, want %d", name, n, want[name])
		}
	}
}

// randomGraph is the same for the same seed. Steps hash what they read; see hashing.
func randomGraph(tb testing.TB, seed uint64) *pipeline.Graph {
	tb.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	var steps []pipeline.Step
	files := []string{"in-1", "in-2"}
	for i := range 3 + rng.IntN(12) {
		name := fmt.Sprintf("s%02d", i)
		s := pipeline.Step{Name: name, Outputs: []string{name + ".a"}, Run: hashing, BySpeed: rng.IntN(5) == 0}
		if rng.IntN(2) == 0 {
			s.Outputs = append(s.Outputs, name+".b")
		}
		if rng.IntN(3) == 0 {
			s.Extras = []string{name + ".x-{n}"}
		}
		for _, f := range files {
			switch rng.IntN(7) {
			case 0, 1:
				s.Needs = append(s.Needs, f)
			case 2:
				s.Uses = append(s.Uses, f)
			}
		}
		var stages []int
		for range rng.IntN(4) {
			stages = append(stages, rng.IntN(5))
		}
		s.Stages = func(pipeline.Sizes) []int { return stages }
		files = append(files, s.Outputs...)
		steps = append(steps, s)
	}
	rng.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	g, err := pipeline.NewGraph(steps, "in-1", "in-2")
	if err != nil {
		tb.Fatal(err)
	}
	return g
}
