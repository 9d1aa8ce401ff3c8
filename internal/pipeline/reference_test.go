package pipeline_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"planexe/internal/pipeline"
)

// refStep is one line of testdata/reference-graph.txt.
type refStep struct {
	name      string
	reads     []int // indexes of steps whose files it reads
	waits     []int // indexes of steps it only waits for
	all, fast []string
}

func reference(tb testing.TB) []refStep {
	tb.Helper()
	f, err := os.Open("testdata/reference-graph.txt")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var steps []refStep
	for in := bufio.NewScanner(f); in.Scan(); {
		if strings.HasPrefix(in.Text(), "#") {
			continue
		}
		col := strings.Split(in.Text(), "|")
		head := strings.Fields(col[0])
		if len(head) != 2 || head[0] != strconv.Itoa(len(steps)+1) {
			tb.Fatalf("line %q is out of order", in.Text())
		}
		s := refStep{name: head[1], all: strings.Fields(col[2])}
		s.fast = s.all
		if len(col) > 3 && strings.TrimSpace(col[3]) != "" {
			s.fast = strings.Fields(col[3])
		}
		for _, d := range strings.Fields(col[1]) {
			if d == "*" {
				for i := range steps {
					s.waits = append(s.waits, i)
				}
				continue
			}
			to := &s.reads
			if rest, only := strings.CutPrefix(d, "~"); only {
				d, to = rest, &s.waits
			}
			n, err := strconv.Atoi(d)
			if err != nil || n > len(steps) {
				tb.Fatalf("%s reads %q, which is no earlier step", s.name, d)
			}
			*to = append(*to, n-1)
		}
		steps = append(steps, s)
	}
	return steps
}

func up(a, b int) int { return (a + b - 1) / b }

// stagesOf reads a column of calls for a plan of some size.
func stagesOf(words []string) func(pipeline.Sizes) []int {
	return func(z pipeline.Sizes) []int {
		var out []int
		for _, w := range words {
			times, n := 1, 0
			if a, b, ok := strings.Cut(w, "x"); ok {
				times, _ = strconv.Atoi(a)
				w = b
			}
			switch w {
			case "L":
				n = up(z.Levers, 5)
			case "F":
				n = z.ToFind
			case "C":
				n = z.ToCreate
			case "D":
				n = up(z.Phases+z.Tasks, 3)
			case "T":
				n = z.Tasks
			default:
				n, _ = strconv.Atoi(w)
			}
			out = append(out, slices.Repeat([]int{n}, times)...)
		}
		return out
	}
}

// variant builds the reference's graph with one output per step.
//
//	B  every call is scheduled on its own
//	C  B without edges that only order, and each shortening starts when its document is ready
//	D  C with the questions of the self audit side by side
//	F  D with the questions of the review side by side
func variant(tb testing.TB, v string, run func(context.Context, *pipeline.Work) error) *pipeline.Graph {
	tb.Helper()
	if run == nil {
		run = func(context.Context, *pipeline.Work) error { return errors.New("not made to run") }
	}
	ref := reference(tb)
	var steps []pipeline.Step
	for _, s := range ref {
		all, fast := stagesOf(s.all), stagesOf(s.fast)
		st := pipeline.Step{Name: s.name, Outputs: []string{s.name}, Run: run}
		for _, d := range s.reads {
			st.Needs = append(st.Needs, ref[d].name)
		}
		for _, d := range s.waits {
			if v == "B" || s.name == "complete" {
				st.Needs = append(st.Needs, ref[d].name)
			}
		}
		switch {
		case s.name == "self_audit" && v >= "D":
			all = stagesOf([]string{"20"})
		case s.name == "review_plan" && v >= "F":
			all = stagesOf([]string{"16"})
		case s.name == "consolidate_assumptions" && v >= "C":
			for _, d := range s.reads {
				short := pipeline.Step{Name: "shorten_" + ref[d].name, Needs: []string{ref[d].name}, Stages: stagesOf([]string{"1"}), Run: run}
				short.Outputs = []string{short.Name}
				steps = append(steps, short)
				st.Needs = append(st.Needs, short.Name)
			}
			all, fast = stagesOf(nil), stagesOf(nil)
		}
		st.Stages = func(z pipeline.Sizes) []int {
			if z.Fast {
				return fast(z)
			}
			return all(z)
		}
		steps = append(steps, st)
	}
	g, err := pipeline.NewGraph(steps)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func TestBound(t *testing.T) {
	t.Parallel()
	fast := pipeline.Typical
	fast.Fast = true
	for _, c := range []struct {
		variant string
		size    string
		z       pipeline.Sizes
		calls   int
		want    [4]int // without limit, and with 4, 8, 16 calls at once
	}{
		{"B", "small", pipeline.Small, 141, [4]int{70, 78, 73, 71}},
		{"B", "typical", pipeline.Typical, 157, [4]int{70, 81, 74, 71}},
		{"B", "large", pipeline.Large, 196, [4]int{70, 88, 78, 74}},
		{"B", "fast", fast, 76, [4]int{37, 38, 37, 37}},
		{"C", "typical", pipeline.Typical, 157, [4]int{70, 80, 74, 71}},
		{"D", "small", pipeline.Small, 141, [4]int{51, 62, 56, 53}},
		{"D", "typical", pipeline.Typical, 157, [4]int{51, 65, 57, 53}},
		{"D", "large", pipeline.Large, 196, [4]int{51, 72, 61, 56}},
		{"F", "small", pipeline.Small, 141, [4]int{36, 50, 42, 38}},
		{"F", "typical", pipeline.Typical, 157, [4]int{36, 53, 43, 38}},
		{"F", "large", pipeline.Large, 196, [4]int{36, 62, 47, 41}},
	} {
		t.Run(c.variant+" "+c.size, func(t *testing.T) {
			t.Parallel()
			g := variant(t, c.variant, nil)
			calls, longest := 0, 0
			tails := g.Tails(c.z)
			for _, s := range g.Steps() {
				calls += s.Calls(c.z)
				longest = max(longest, tails[s.Name])
			}
			if calls != c.calls {
				t.Errorf("%d calls, want %d", calls, c.calls)
			}
			if longest != c.want[0] {
				t.Errorf("the longest chain has %d calls, want %d", longest, c.want[0])
			}
			for i, limit := range []int{0, 4, 8, 16} {
				if got := g.Bound(c.z, limit); got != c.want[i] {
					t.Errorf("limit %d: %d units, want %d", limit, got, c.want[i])
				}
			}
			if got := g.Bound(c.z, 1); got != c.calls {
				t.Errorf("limit 1: %d units, want one per call: %d", got, c.calls)
			}
		})
	}
}

// The fixture says the same as the contract's machine-readable form, where that is at hand.
func TestReferenceFixture(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../shared/spec/pipeline.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("shared/spec/pipeline.json is not here; the fixture is not compared with it")
	}
	if err != nil {
		t.Fatal(err)
	}
	var spec []struct {
		Task   string                    `json:"task"`
		Inputs []struct{ Task string }   `json:"inputs"`
		Order  []string                  `json:"ordering_only"`
		Calls  struct{ All, Fast []int } `json:"call_stages"`
		Tail   int                       `json:"tail_calls_all"`
	}
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	ref := reference(t)
	if len(spec) != len(ref) {
		t.Fatalf("%d steps, want %d", len(ref), len(spec))
	}
	index := map[string]int{}
	for i, s := range spec {
		index[s.Task] = i
	}
	tails := variant(t, "B", nil).Tails(pipeline.Typical)
	for i, s := range spec {
		reads, waits := []int{}, []int{}
		for _, in := range s.Inputs {
			reads = append(reads, index[in.Task])
		}
		for _, w := range s.Order {
			waits = append(waits, index[w])
		}
		for _, c := range []struct {
			what      string
			got, want []int
		}{
			{"reads", ref[i].reads, reads}, {"waits", ref[i].waits, waits},
			{"calls", stagesOf(ref[i].all)(pipeline.Typical), s.Calls.All}, {"fast calls", stagesOf(ref[i].fast)(pipeline.Typical), s.Calls.Fast},
		} {
			if c.what == "reads" || c.what == "waits" {
				slices.Sort(c.want)
				c.want = slices.Compact(c.want)
			}
			if !slices.Equal(c.got, c.want) {
				t.Errorf("%s (%s): %s %v, want %v", ref[i].name, s.Task, c.what, c.got, c.want)
			}
		}
		if got := tails[ref[i].name]; got != s.Tail {
			t.Errorf("%s: tail %d, want %d", ref[i].name, got, s.Tail)
		}
	}
}

// Whatever the graph, a run is at least as long as its longest chain and as its calls shared
// evenly, and at most as long as its calls one by one.
func TestBoundIsPossible(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		g := randomGraph(t, seed)
		z := pipeline.Sizes{}
		calls, longest := 0, 0
		for _, s := range g.Steps() {
			calls += s.Calls(z)
			longest = max(longest, g.Tails(z)[s.Name])
		}
		if got := g.Bound(z, 0); got != longest {
			t.Errorf("seed %d: %d units without limit, want the longest chain %d", seed, got, longest)
		}
		for _, limit := range []int{1, 2, 5} {
			got := g.Bound(z, limit)
			if least := max(longest, up(calls, limit)); got < least || got > max(calls, longest) {
				t.Errorf("seed %d limit %d: %d units, possible are %d to %d", seed, limit, got, least, calls)
			}
		}
	}
}
