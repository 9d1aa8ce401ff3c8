package schedule

import (
	"cmp"
	"slices"
)

// edge demands value[to] ≥ value[from] + weight.
type edge struct {
	from, to int
	weight   amount
}

// least returns the least values ≥ 0 of n variables that satisfy all edges; when there are none, the
// variables of a circle of edges of positive length, in its direction, the lowest first.
//
// Variables are taken in an order in which only circles point backwards, so a network without circles
// takes one look at every edge. Circles are gone through until nothing changes. Some variable of a
// circle of positive length owes its value to itself after at most as many rounds as it has variables.
func least(n int, edges []edge) (values []amount, circle []int) {
	into := group(n, edges, func(e edge) int { return e.to })
	values = make([]amount, n)
	because := make([]int, n) // the variable a value comes from, -1: none
	for i := range because {
		because[i] = -1
	}
	for _, knot := range inOrder(n, edges) {
		for changed := true; changed; {
			changed = false
			for _, v := range knot {
				for _, e := range into.of(v) {
					if x := values[e.from].plus(e.weight); values[v].less(x) {
						values[v], because[v], changed = x, e.from, true
					}
				}
			}
			if len(knot) == 1 {
				break
			}
			if circle := findCircle(knot, because); changed && circle != nil {
				return nil, circle
			}
		}
	}
	return values, nil
}

// findCircle looks for a variable whose value comes, over others, from itself.
func findCircle(knot, because []int) []int {
	const walking, done = 1, 2
	state := make(map[int]int, len(knot))
	for _, v := range knot {
		var walk []int
		for v >= 0 && state[v] == 0 {
			state[v] = walking
			walk = append(walk, v)
			v = because[v]
		}
		if v >= 0 && state[v] == walking {
			circle := walk[slices.Index(walk, v):]
			slices.Reverse(circle)
			lowest := slices.Index(circle, slices.Min(circle))
			return slices.Concat(circle[lowest:], circle[:lowest])
		}
		for _, w := range walk {
			state[w] = done
		}
	}
	return nil
}

// grouped are edges sorted by one of their ends.
type grouped struct {
	edges []edge
	first []int // of every end, and one behind the last
}

func (g grouped) of(v int) []edge { return g.edges[g.first[v]:g.first[v+1]] }

func group(n int, edges []edge, by func(edge) int) grouped {
	g := grouped{make([]edge, len(edges)), make([]int, n+1)}
	for _, e := range edges {
		g.first[by(e)+1]++
	}
	for v := range n {
		g.first[v+1] += g.first[v]
	}
	at := slices.Clone(g.first)
	for _, e := range edges {
		g.edges[at[by(e)]] = e
		at[by(e)]++
	}
	return g
}

// inOrder splits the variables into knots, those that are in circles with each other, so that edges
// between knots point forward (Tarjan's algorithm). Inside a knot as many edges as possible that
// lengthen point forward too.
func inOrder(n int, edges []edge) [][]int {
	out := group(n, edges, func(e edge) int { return e.from })
	low, number := make([]int, n), make([]int, n) // number 0: not seen
	placed := make([]bool, n)
	var stack []int
	var knots [][]int
	count := 0
	var visit func(int)
	visit = func(v int) {
		count++
		number[v], low[v] = count, count
		stack = append(stack, v)
		for _, e := range out.of(v) {
			if number[e.to] == 0 {
				visit(e.to)
			}
			if !placed[e.to] {
				low[v] = min(low[v], low[e.to])
			}
		}
		if low[v] == number[v] {
			i := len(stack) - 1
			for stack[i] != v {
				i--
			}
			knot := slices.Clone(stack[i:])
			for _, w := range knot {
				placed[w] = true
			}
			stack = stack[:i]
			knots = append(knots, knot)
		}
	}
	for v := range n {
		if number[v] == 0 {
			visit(v)
		}
	}
	slices.Reverse(knots)
	if len(knots) < n {
		rank := forward(n, out)
		for _, knot := range knots {
			slices.SortFunc(knot, func(v, w int) int { return cmp.Compare(rank[v], rank[w]) })
		}
	}
	return knots
}

// forward ranks the variables so that edges that do not shorten lead to higher ranks, circles of
// length 0 aside.
func forward(n int, out grouped) []int {
	rank := make([]int, n)
	seen := make([]bool, n)
	next := n
	var visit func(int)
	visit = func(v int) {
		seen[v] = true
		for _, e := range out.of(v) {
			if !e.weight.less(amount{}) && !seen[e.to] {
				visit(e.to)
			}
		}
		next--
		rank[v] = next
	}
	for v := range n {
		if !seen[v] {
			visit(v)
		}
	}
	return rank
}
