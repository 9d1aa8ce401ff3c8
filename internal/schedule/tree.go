package schedule

import (
	"fmt"
	"math"
	"slices"
)

// Node is one entry of a work breakdown: the project itself, its phases, their tasks, and so on.
type Node struct {
	ID    string
	Title string
	Note  string // plain text about it, for tables and tooltips; see Tooltip
	// Children together are the whole of the node. One without children is a leaf, an activity.
	Children []Node
}

// Estimate says how many days something takes: when all goes well, most likely, and with plausible
// trouble. A Likely of 0 is a milestone; one below 0 is no estimate.
type Estimate struct{ Shortest, Likely, Longest int }

// mostDays bounds one estimate: about a thousand years.
const mostDays = 365_000

// tidy makes the three follow each other, whatever they were. A bound that is missing is the likely.
func (e Estimate) tidy() Estimate {
	e.Likely = min(e.Likely, mostDays)
	if e.Shortest < 0 {
		e.Shortest = e.Likely
	}
	e.Shortest = min(e.Shortest, e.Likely)
	e.Longest = min(max(e.Longest, e.Likely), mostDays)
	return e
}

// on counts in the days of a calendar what is given in days.
func (e Estimate) on(c Calendar) Estimate {
	count := func(days int) int { return int(c.days(float64(days))) }
	return Estimate{count(e.Shortest), count(e.Likely), count(e.Longest)}
}

func (e Estimate) plus(f Estimate) Estimate {
	return Estimate{e.Shortest + f.Shortest, e.Likely + f.Likely, e.Longest + f.Longest}
}

// Distribute gives every leaf its days. A leaf's own estimate stands. What a parent's estimate leaves
// when the estimates below it are taken off is split evenly over the leaves below it that have
// none: in whole days that add up, the first ones getting what cannot be split, each at least one. So
// the estimate of a parent never overrules those of its parts. A leaf no estimate covers takes 1 day.
func Distribute(root Node, estimates map[string]Estimate) map[string]Estimate {
	days := map[string]Estimate{}
	// visit returns the days below n that are known, and the leaves that still have none.
	var visit func(n Node) (Estimate, []string)
	visit = func(n Node) (known Estimate, open []string) {
		own, ok := estimates[n.ID]
		ok = ok && own.Likely >= 0
		own = own.tidy()
		if len(n.Children) == 0 {
			if !ok {
				return known, []string{n.ID}
			}
			days[n.ID] = own
			return own, nil
		}
		for _, c := range n.Children {
			k, o := visit(c)
			known, open = known.plus(k), append(open, o...)
		}
		if !ok || len(open) == 0 {
			return known, open
		}
		for i, id := range open {
			share := func(all, taken int) int {
				rest := max(all-taken, len(open))
				days := rest / len(open)
				if i < rest%len(open) {
					days++
				}
				return days
			}
			e := Estimate{share(own.Shortest, known.Shortest), share(own.Likely, known.Likely), share(own.Longest, known.Longest)}
			days[id] = e.tidy()
		}
		for _, id := range open {
			known = known.plus(days[id])
		}
		return known, nil
	}
	_, open := visit(root)
	for _, id := range open {
		days[id] = Estimate{1, 1, 1}
	}
	return days
}

// tree is a work breakdown taken apart.
type tree struct {
	nodes  []*Node // parents before children
	depth  map[string]int
	parent map[string]string
	leaf   map[string]bool

	calendar Calendar // lags count in its days
}

func takeApart(root *Node) (*tree, error) {
	t := &tree{depth: map[string]int{}, parent: map[string]string{}, leaf: map[string]bool{}}
	var visit func(n *Node, parent string, depth int) error
	visit = func(n *Node, parent string, depth int) error {
		if n.ID == "" {
			return fmt.Errorf("work breakdown: %q has no id", n.Title)
		}
		if _, ok := t.depth[n.ID]; ok {
			return fmt.Errorf("work breakdown: the id %q stands there twice", n.ID)
		}
		t.nodes = append(t.nodes, n)
		t.depth[n.ID], t.parent[n.ID], t.leaf[n.ID] = depth, parent, len(n.Children) == 0
		for i := range n.Children {
			if err := visit(&n.Children[i], n.ID, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return t, visit(root, "", 0)
}

// inside tells whether id is top or somewhere below it.
func (t *tree) inside(id, top string) bool {
	for id != "" && id != top {
		id = t.parent[id]
	}
	return id == top
}

// refuse says why a link cannot be used, if so.
func (t *tree) refuse(l Link) string {
	for _, id := range []string{l.From, l.To} {
		if _, ok := t.depth[id]; !ok {
			return fmt.Sprintf("there is no activity %q", id)
		}
	}
	switch {
	case l.From == l.To:
		return "it links an activity to itself"
	case t.inside(l.From, l.To) || t.inside(l.To, l.From):
		return "one is a part of the other"
	case l.check() != nil:
		return l.check().Error()
	case math.Abs(l.Lag) > mostDays:
		return fmt.Sprintf("a lag of %v days is beyond any plan", l.Lag)
	}
	return ""
}

// assume adds what a work breakdown says without words, where the stated links do not: phases follow
// each other, but what waits for something outside of it only waits for that; subtasks follow each
// other, several on a day where their task has fewer days than parts; tasks begin with their phase, but
// in a plan with few links they follow each other if nothing links any of the phase.
func (t *tree) assume(stated []Dependency, estimates map[string]Estimate, free []string) (assumed []Dependency) {
	waits := map[string]bool{}  // it is somebody's successor
	linked := map[string]bool{} // it, or something in it, is linked
	enters := map[string]bool{} // it, or something in it, waits for something outside of it, or for nothing at all
	for _, id := range free {
		for ; id != ""; id = t.parent[id] {
			enters[id] = true
		}
	}
	for _, d := range stated {
		waits[d.To] = true
		for id := d.From; id != ""; id = t.parent[id] {
			linked[id] = true
		}
		for id := d.To; id != ""; id = t.parent[id] {
			linked[id] = true
			if !t.inside(d.From, id) {
				enters[id] = true
			}
		}
	}
	tasks, few := 0, 0
	for _, n := range t.nodes {
		if t.depth[n.ID] == 2 {
			tasks++
			if linked[n.ID] {
				few++
			}
		}
	}
	sparse := 2*few < tasks

	follow := func(from, to Node) {
		assumed = append(assumed, Dependency{Link{From: from.ID, To: to.ID, Type: FS}, true})
	}
	for _, n := range t.nodes {
		inRow := sparse && !slices.ContainsFunc(n.Children, func(c Node) bool { return linked[c.ID] })
		for i := 1; i < len(n.Children); i++ {
			before, c := n.Children[i-1], n.Children[i]
			if t.depth[c.ID] > 2 {
				if e, ok := estimates[n.ID]; ok && e.Likely > 0 && e.Likely < len(n.Children) && t.bare(n) {
					continue // seated below
				}
			}
			switch depth := t.depth[c.ID]; {
			case depth == 1 && !enters[c.ID], depth == 2 && inRow, depth > 2 && !waits[c.ID]:
				follow(before, c)
			case depth == 1 && !waits[c.ID]:
				for _, task := range c.Children {
					if !enters[task.ID] {
						follow(before, task)
					}
				}
			}
		}
		if e, ok := estimates[n.ID]; ok && t.depth[n.ID] >= 2 && e.Likely > 0 && e.Likely < len(n.Children) && t.bare(n) {
			t.share(n, e.Likely, waits, follow)
		}
	}
	return assumed
}

// bare tells whether all parts of a node are leaves.
func (t *tree) bare(n *Node) bool {
	return !slices.ContainsFunc(n.Children, func(c Node) bool { return !t.leaf[c.ID] })
}

// share seats the parts of a node on its days, several on a day, each day after the one before.
func (t *tree) share(n *Node, days int, waits map[string]bool, follow func(from, to Node)) {
	day := func(i int) int { return i * days / len(n.Children) }
	for i, c := range n.Children {
		if waits[c.ID] {
			continue
		}
		for j := range i {
			if day(j) == day(i)-1 {
				follow(n.Children[j], c)
			}
		}
	}
}
