package single

import (
	"slices"

	"planexe/internal/api"
)

// node is a step in the picture of the graph.
type node struct {
	api.Step
	x, y int
}

// edge leads from a step to one that waits for it.
type edge struct {
	x1, y1, x2, y2 int
	done           bool
}

// picture is the graph of a run, drawn from left to right.
type picture struct {
	nodes         []node
	edges         []edge
	width, height int
}

// Sizes of the picture, in its own units.
const (
	columnWidth = 34
	rowHeight   = 28
	margin      = 20
)

// draw lays steps out in columns by the longest way to them; rows are taken close to what a step needs.
// Edges that follow from others are left out.
func draw(steps []api.Step) picture {
	at := map[string]int{}
	for i, s := range steps {
		at[s.Step] = i
	}
	depth := make([]int, len(steps))
	above := make([]map[int]bool, len(steps)) // all that a step needs, directly or not
	row := make([]int, len(steps))
	taken := map[[2]int]bool{}
	var p picture
	for i, s := range steps {
		above[i] = map[int]bool{}
		var direct []int
		for _, name := range s.Needs {
			if j, ok := at[name]; ok && j < i { // steps come in an order in which they can run
				direct = append(direct, j)
				depth[i] = max(depth[i], depth[j]+1)
			}
		}
		sum := 0
		for _, j := range direct {
			above[i][j] = true
			sum += row[j]
			for k := range above[j] {
				above[i][k] = true
			}
		}
		if len(direct) > 0 {
			row[i] = sum / len(direct)
		}
		for step := 1; taken[[2]int{depth[i], row[i]}]; step++ { // the nearest free row
			if step%2 == 1 {
				row[i] += step
			} else {
				row[i] -= step
			}
		}
		taken[[2]int{depth[i], row[i]}] = true
		direct = slices.DeleteFunc(direct, func(j int) bool {
			return slices.ContainsFunc(direct, func(k int) bool { return k != j && above[k][j] })
		})
		for _, j := range direct {
			p.edges = append(p.edges, edge{depth[j], row[j], depth[i], row[i], steps[j].State == api.StepDone})
		}
	}
	if len(steps) == 0 {
		return p
	}
	top := slices.Min(row)
	place := func(column, row int) (x, y int) { return margin + column*columnWidth, margin + (row-top)*rowHeight }
	for i, s := range steps {
		n := node{Step: s}
		n.x, n.y = place(depth[i], row[i])
		p.nodes = append(p.nodes, n)
		p.width, p.height = max(p.width, n.x+margin), max(p.height, n.y+margin)
	}
	for i := range p.edges {
		e := &p.edges[i]
		e.x1, e.y1 = place(e.x1, e.y1)
		e.x2, e.y2 = place(e.x2, e.y2)
	}
	return p
}

// chapter is a group of steps of a list.
type chapter struct {
	name  string
	steps []api.Step
}

// chapters groups steps, in the order in which each group begins.
func chapters(steps []api.Step) []chapter {
	var out []chapter
	for _, s := range steps {
		i := slices.IndexFunc(out, func(c chapter) bool { return c.name == s.Chapter })
		if i < 0 {
			i = len(out)
			out = append(out, chapter{name: s.Chapter})
		}
		out[i].steps = append(out[i].steps, s)
	}
	return out
}

// done counts the steps of a chapter that are done.
func (c chapter) done() int {
	n := 0
	for _, s := range c.steps {
		if s.State == api.StepDone {
			n++
		}
	}
	return n
}

// state is the state of a chapter that matters most.
func (c chapter) state() string {
	for _, state := range []string{api.StepFailed, api.StepRunning, api.StepDirty, api.StepSkipped} {
		if slices.ContainsFunc(c.steps, func(s api.Step) bool { return s.State == state }) {
			return state
		}
	}
	if c.done() == len(c.steps) {
		return api.StepDone
	}
	return api.StepWaiting
}
