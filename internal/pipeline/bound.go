package pipeline

import "slices"

// Bound simulates the graph with calls of one unit of time, everything else free, at most limit
// calls at once and the longest remaining chain first. It returns the makespan in units: what a
// run cannot beat by much. Limit 0 is no limit.
func (g *Graph) Bound(z Sizes, limit int) int {
	type state struct {
		n      *node
		stages []int // those with calls that are still to come, the running one first
		left   int   // calls of the running stage not yet started
		flying int
		tail   int
		ended  bool
	}
	tails := g.Tails(z)
	states := map[*node]*state{}
	for _, n := range g.steps {
		s := &state{n: n, tail: after(n, tails)}
		for _, calls := range n.stages(z) {
			if calls > 0 {
				s.stages = append(s.stages, calls)
			}
		}
		if len(s.stages) > 0 {
			s.left = s.stages[0]
		}
		states[n] = s
	}
	ready := func(s *state) bool {
		return !s.ended && !slices.ContainsFunc(s.n.waits, func(w *node) bool { return !states[w].ended })
	}
	for time := 0; ; time++ {
		// Steps that have no calls left end at once, and may free others: topological order sees
		// every consequence in one pass.
		open := false
		for _, n := range g.steps {
			s := states[n]
			if ready(s) && len(s.stages) == 0 {
				s.ended = true
			}
			open = open || !s.ended
		}
		if !open {
			return time
		}
		var line []*state
		for _, n := range g.steps {
			if s := states[n]; ready(s) && s.left > 0 {
				line = append(line, s)
			}
		}
		slices.SortStableFunc(line, func(a, b *state) int { return b.tail + len(b.stages) - a.tail - len(a.stages) })
		free := limit
		for _, s := range line {
			n := s.left
			if limit > 0 {
				n = min(n, free)
			}
			s.left -= n
			s.flying += n
			free -= n
		}
		// One unit passes: everything in flight lands.
		for _, s := range states {
			if s.flying > 0 {
				s.flying = 0
				if s.left == 0 {
					s.stages = s.stages[1:]
					if len(s.stages) > 0 {
						s.left = s.stages[0]
					}
				}
			}
		}
	}
}
