package schedule

// endToEnd gives every leaf the days that other programs give it when they lay a plan end to end: a
// parent's estimate that is above the sum of its parts is split over the parts without one, over all
// when each has one, and every share is rounded up. A leaf takes at least one day.
func endToEnd(root Node, estimates map[string]Estimate) map[string]Estimate {
	days := map[string]Estimate{}
	each := func(take func(Estimate) int, put func(*Estimate, int)) {
		value := map[string]int{}
		spread(root, func(id string) (int, bool) {
			e, ok := estimates[id]
			return max(take(e.orOne()), 0), ok
		}, value)
		for id, v := range value {
			e := days[id]
			put(&e, max(v, 1))
			days[id] = e
		}
	}
	each(func(e Estimate) int { return e.Shortest }, func(e *Estimate, n int) { e.Shortest = n })
	each(func(e Estimate) int { return e.Likely }, func(e *Estimate, n int) { e.Likely = n })
	each(func(e Estimate) int { return e.Longest }, func(e *Estimate, n int) { e.Longest = n })
	for id, e := range days {
		days[id] = e.tidy()
	}
	return days
}

// orOne reads an estimate below 0 as one day.
func (e Estimate) orOne() Estimate {
	if e.Likely < 0 {
		return Estimate{1, 1, 1}
	}
	return e.tidy()
}

// spread sets the value of each node from its own estimate and what its parent leaves for it.
func spread(n Node, own func(id string) (int, bool), value map[string]int) {
	e, ok := own(n.ID)
	if len(n.Children) == 0 {
		value[n.ID] = 0
		if ok {
			value[n.ID] = e
		}
		return
	}
	sum, known, open := 0, 0, 0
	for _, c := range n.Children {
		spread(c, own, value)
		sum += value[c.ID]
		if _, has := own(c.ID); has {
			known += value[c.ID]
		} else {
			open++
		}
	}
	if ok && e > sum {
		share := 0
		if open == 0 {
			share = roundUp(e, len(n.Children))
		} else {
			share = roundUp(max(e-known, 0), open)
		}
		for _, c := range n.Children {
			if _, has := own(c.ID); !has || open == 0 {
				value[c.ID] = share
			}
		}
		sum = 0
		for _, c := range n.Children {
			sum += value[c.ID]
		}
	}
	value[n.ID] = sum
}

func roundUp(n, parts int) int { return (n + parts - 1) / parts }

// inRow makes all parts of each node follow each other.
func (t *tree) inRow() (assumed []Dependency) {
	for _, n := range t.nodes {
		for i := 1; i < len(n.Children); i++ {
			assumed = append(assumed, Dependency{Link{From: n.Children[i-1].ID, To: n.Children[i].ID, Type: FS}, true})
		}
	}
	return assumed
}
