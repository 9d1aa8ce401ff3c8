package replay

import (
	"cmp"
	"slices"
	"time"

	"planexe/internal/event"
)

// Span returns how long the calls take when at most limit of them are in flight and steps wait for
// each other as given. Within a step a call waits for those that had ended when it was first asked.
func (r *Recording) Span(steps []event.PlannedStep, limit int) time.Duration {
	nodes := r.network(steps)
	var ready, running []*node
	var now time.Duration
	finish := func(n *node) {
		for _, next := range n.next {
			if next.waits--; next.waits == 0 {
				ready = append(ready, next)
			}
		}
	}
	for _, n := range nodes {
		if n.waits == 0 {
			ready = append(ready, n)
		}
	}
	for len(ready)+len(running) > 0 {
		// What takes no time needs no slot; then what the most waits for.
		slices.SortStableFunc(ready, func(a, b *node) int {
			return cmp.Or(cmp.Compare(min(a.took, 1), min(b.took, 1)), cmp.Compare(b.tail, a.tail))
		})
		if len(ready) > 0 && (ready[0].took == 0 || len(running) < max(1, limit)) {
			n := ready[0]
			ready = ready[1:]
			if n.took == 0 {
				finish(n)
				continue
			}
			n.end = now + n.took
			running = append(running, n)
			continue
		}
		first := slices.MinFunc(running, func(a, b *node) int { return cmp.Compare(a.end, b.end) })
		running = slices.DeleteFunc(running, func(n *node) bool { return n == first })
		now = first.end
		finish(first)
	}
	return now
}

// node is a call, or the begin or end of a step, which take no time.
type node struct {
	took  time.Duration
	tail  time.Duration // of the longest chain from here on
	end   time.Duration
	waits int
	next  []*node
}

func link(from, to *node) {
	from.next = append(from.next, to)
	to.waits++
}

// network returns the calls and steps, each before what waits for it. Steps are taken in the order
// given; a need that stands behind its step, or not at all, is not waited for.
func (r *Recording) network(steps []event.PlannedStep) []*node {
	byStep := map[string][]*Call{}
	for i := range r.Calls {
		byStep[r.Calls[i].Step] = append(byStep[r.Calls[i].Step], &r.Calls[i])
	}
	var nodes []*node
	ends := map[string]*node{}
	for _, s := range steps {
		begin, end := &node{}, &node{}
		for _, need := range s.Needs {
			if n := ends[need]; n != nil {
				link(n, begin)
			}
		}
		nodes = append(nodes, begin)
		calls := byStep[s.Name]
		slices.SortStableFunc(calls, func(a, b *Call) int { return cmp.Compare(a.Ended, b.Ended) })
		asked := make([]*node, len(calls))
		for i, c := range calls {
			asked[i] = &node{took: c.Took}
			link(begin, asked[i])
			for j := range i {
				if calls[j].Ended <= c.Began {
					link(asked[j], asked[i])
				}
			}
			link(asked[i], end)
		}
		link(begin, end)
		nodes = append(append(nodes, asked...), end)
		ends[s.Name] = end
	}
	for _, n := range slices.Backward(nodes) {
		for _, next := range n.next {
			n.tail = max(n.tail, next.tail)
		}
		n.tail += n.took
	}
	return nodes
}
