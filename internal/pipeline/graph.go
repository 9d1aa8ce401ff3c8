// Package pipeline is the engine: it knows steps, the artifacts they read and write, and nothing
// of models or of what a plan is. From declared reads it derives the graph, checks it, runs what
// is not up to date, and lets one failing step cost only what really depends on it.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Step is one node of the graph. Its place follows from what it reads and writes.
type Step struct {
	Name    string // lower_snake_case, unique
	Chapter string
	About   string   // one line for people
	Needs   []string // artifacts that must exist
	Uses    []string // artifacts to wait for that may be missing in the end
	Outputs []string // artifacts it must write; together they mean that it is done
	Extras  []string // artifacts it may write beside them; {n} stands for a number
	// Stages gives the model calls: stages follow one another, the calls of a stage run side by
	// side. Nil is a step without calls.
	Stages func(Sizes) []int
	// Recipe is a digest of prompts and answer types; only a refresh compares it.
	Recipe string
	// BySpeed says that the result depends on the speed mode.
	BySpeed bool
	// Always lets the step run in every execution, also when the run ends early by refusal, budget
	// or failure: its result tells of that. It must not call models. Outputs changed by hand are kept.
	Always bool
	Run    func(context.Context, *Work) error
}

// Sizes are the quantities that decide how many calls a plan makes.
type Sizes struct {
	Levers   int // after deduplication
	ToFind   int // documents to find that are drafted
	ToCreate int // documents to create that are drafted
	Phases   int // of the work breakdown
	Tasks    int // of the work breakdown's second level
	Fast     bool
}

// The measured profiles: least, median and most of recorded plans.
var (
	Small   = Sizes{Levers: 5, ToFind: 5, ToCreate: 5, Phases: 5, Tasks: 22}
	Typical = Sizes{Levers: 8, ToFind: 6, ToCreate: 8, Phases: 6, Tasks: 30}
	Large   = Sizes{Levers: 11, ToFind: 10, ToCreate: 14, Phases: 10, Tasks: 50}
)

// Graph is a checked set of steps.
type Graph struct {
	steps    []*node // in topological order, stable
	byName   map[string]*node
	producer map[string]*node // artifact → step
	given    map[string]bool
}

type node struct {
	Step
	waits []*node // distinct producers of Needs and Uses
	next  []*node
}

// NewGraph checks the steps and orders them. Given artifacts are supplied by the caller before a
// run. The error names every step with a declaration that cannot hold.
func NewGraph(steps []Step, given ...string) (*Graph, error) {
	g := &Graph{byName: map[string]*node{}, producer: map[string]*node{}, given: map[string]bool{}}
	for _, name := range given {
		g.given[name] = true
	}
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	var nodes []*node
	for _, s := range steps {
		n := &node{Step: s}
		if g.byName[s.Name] != nil {
			bad("step %s is declared twice", s.Name)
			continue
		}
		g.byName[s.Name] = n
		nodes = append(nodes, n)
		if s.Name == "" {
			bad("a step that writes %s has no name", strings.Join(s.Outputs, ", "))
		}
		if len(s.Outputs) == 0 {
			bad("step %s writes nothing", s.Name)
		}
		if s.Run == nil {
			bad("step %s does nothing", s.Name)
		}
		for _, out := range slices.Concat(s.Outputs, s.Extras) {
			if other := g.producer[out]; other != nil {
				bad("steps %s and %s both write %s", other.Name, s.Name, out)
			} else if g.given[out] {
				bad("step %s writes %s, which the caller supplies", s.Name, out)
			}
			g.producer[out] = n
		}
	}
	for _, n := range nodes {
		for _, pattern := range n.Extras {
			for name, other := range g.producer {
				if name != pattern && matches(pattern, name) {
					bad("steps %s and %s both write %s", n.Name, other.Name, name)
				}
			}
		}
		for _, in := range slices.Concat(n.Needs, n.Uses) {
			p := g.producer[in]
			switch {
			case p == n:
				bad("step %s reads its own %s", n.Name, in)
			case p != nil && !slices.Contains(n.waits, p):
				n.waits = append(n.waits, p)
				p.next = append(p.next, n)
			case p == nil && !g.given[in]:
				bad("step %s reads %s, which no step writes", n.Name, in)
			}
		}
		for _, in := range n.Uses {
			if slices.Contains(n.Needs, in) {
				bad("step %s declares %s twice", n.Name, in)
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("the steps do not fit together:\n%w", err)
	}
	return g, g.order(nodes)
}

// order sorts topologically, keeping the declared order where it can.
func (g *Graph) order(nodes []*node) error {
	placed := map[*node]bool{}
	for len(g.steps) < len(nodes) {
		before := len(g.steps)
		for _, n := range nodes {
			if !placed[n] && !slices.ContainsFunc(n.waits, func(w *node) bool { return !placed[w] }) {
				placed[n] = true
				g.steps = append(g.steps, n)
			}
		}
		if len(g.steps) == before {
			var stuck []string
			for _, n := range nodes {
				if !placed[n] {
					stuck = append(stuck, n.Name)
				}
			}
			return fmt.Errorf("steps wait for each other in a circle: %s", strings.Join(stuck, ", "))
		}
	}
	return nil
}

// Steps returns the steps in an order in which they could run one by one.
func (g *Graph) Steps() []Step {
	out := make([]Step, len(g.steps))
	for i, n := range g.steps {
		out[i] = n.Step
	}
	return out
}

// Step returns a step by name.
func (g *Graph) Step(name string) (Step, bool) {
	n := g.byName[name]
	if n == nil {
		return Step{}, false
	}
	return n.Step, true
}

// Waits returns the names of the steps that the named one waits for.
func (g *Graph) Waits(name string) []string {
	n := g.byName[name]
	if n == nil {
		return nil
	}
	var out []string
	for _, w := range n.waits {
		out = append(out, w.Name)
	}
	return out
}

// Producer returns the name of the step that writes an artifact; "" when it is given or unknown.
func (g *Graph) Producer(artifact string) string {
	if n := g.producer[artifact]; n != nil {
		return n.Name
	}
	return ""
}

// Downstream returns the named step and every step that depends on it, in order.
func (g *Graph) Downstream(name string) []string {
	hit := map[*node]bool{g.byName[name]: true}
	var out []string
	for _, n := range g.steps {
		if hit[n] || slices.ContainsFunc(n.waits, func(w *node) bool { return hit[w] }) {
			hit[n] = true
			out = append(out, n.Name)
		}
	}
	return out
}

func (s Step) stages(z Sizes) []int {
	if s.Stages == nil {
		return nil
	}
	return s.Stages(z)
}

// Calls returns how many model calls a step makes.
func (s Step) Calls(z Sizes) int {
	sum := 0
	for _, n := range s.stages(z) {
		sum += n
	}
	return sum
}

// Tails returns for each step the number of calls on the longest chain from its start to the end
// of the plan.
func (g *Graph) Tails(z Sizes) map[string]int {
	tails := make(map[string]int, len(g.steps))
	for _, n := range slices.Backward(g.steps) {
		tails[n.Name] = chain(n.stages(z)) + after(n, tails)
	}
	return tails
}

func after(n *node, tails map[string]int) int {
	longest := 0
	for _, next := range n.next {
		longest = max(longest, tails[next.Name])
	}
	return longest
}

// chain counts the stages that make calls.
func chain(stages []int) int {
	n := 0
	for _, calls := range stages {
		if calls > 0 {
			n++
		}
	}
	return n
}
