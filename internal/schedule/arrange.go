package schedule

import (
	"errors"
	"fmt"
	"slices"
	"sort"
)

// Project is what [Arrange] makes a schedule of.
type Project struct {
	Title     string
	Root      Node                // the project, its phases, their tasks, their subtasks …
	Estimates map[string]Estimate // in days, by id of a node; see Distribute
	Links     []Link              // between any two nodes of which none is part of the other
	Calendar  Calendar
}

// Dependency is a link the schedule keeps.
type Dependency struct {
	Link
	Assumed bool `json:"assumed,omitempty"` // nobody stated it: it follows from the order of the breakdown
}

// Dropped is a stated link that could not be kept.
type Dropped struct {
	Link
	Reason string `json:"reason"`
}

// Row is one node of the work breakdown with its dates. A node with children spans them, and is as
// critical as the most critical of them.
type Row struct {
	ID      string `json:"id"`
	Parent  string `json:"parent,omitempty"` // empty: the project
	Title   string `json:"title"`
	Note    string `json:"-"`
	Depth   int    `json:"depth"` // 0: the project
	Summary bool   `json:"summary,omitempty"`
	Times
	Start string `json:"start"` // date of the first day: 2006-01-02
	Last  string `json:"last"`  // date of the last day of work
}

// Days is how long it takes; 0 is a milestone.
func (r Row) Days() float64 { return r.EarlyFinish - r.EarlyStart }

// Range is a number of days when all activities take their shortest, likely and longest time. Shortest
// ≤ Likely ≤ Longest.
type Range struct {
	Shortest float64 `json:"shortest"`
	Likely   float64 `json:"likely"`
	Longest  float64 `json:"longest"`
}

// Schedule is a project in time. Its JSON form is complete but for the notes.
type Schedule struct {
	Title        string       `json:"title"`
	Calendar     Calendar     `json:"calendar"`
	Duration     Range        `json:"duration"`
	CriticalPath []string     `json:"critical_path"` // ids of leaves
	Rows         []Row        `json:"rows"`          // parents before children
	Links        []Dependency `json:"links"`
	Dropped      []Dropped    `json:"dropped"`
}

// The ends of a node with children are milestones of their own in the network. A zero byte keeps their
// ids apart from those of nodes.
func startOf(id string) string  { return "\x00start " + id }
func finishOf(id string) string { return "\x00finish " + id }

// Arrange schedules a project: it gives every leaf its days, drops the links that make no sense or leave
// no schedule, adds those that a breakdown implies, and solves. An error is one of the breakdown: an id
// that is empty or stands there twice.
func Arrange(p Project) (*Schedule, error) {
	t, err := takeApart(&p.Root)
	if err != nil {
		return nil, err
	}
	days := Distribute(p.Root, p.Estimates)
	s := &Schedule{Title: p.Title, Calendar: p.Calendar, CriticalPath: []string{}, Links: []Dependency{}, Dropped: []Dropped{}}
	net := t.frame(days)

	var stated []Dependency
	for _, l := range p.Links {
		if l.Type == "" {
			l.Type = FS
		}
		reason := t.refuse(l)
		if reason == "" && slices.ContainsFunc(stated, func(d Dependency) bool { return d.Link == l }) {
			reason = "it stands there twice"
		}
		if reason != "" {
			if l.check() != nil {
				l.Lag = 0 // JSON knows no NaN
			}
			s.Dropped = append(s.Dropped, Dropped{l, reason})
			continue
		}
		stated = append(stated, Dependency{Link: l})
	}
	stated, dropped, err := t.fit(net, days, nil, stated)
	if err != nil {
		return nil, err
	}
	s.Dropped = append(s.Dropped, dropped...)
	s.Links, _, err = t.fit(net, days, stated, t.assume(stated))
	if err != nil {
		return nil, err
	}

	solved, err := t.solve(net, days, s.Links)
	if err != nil {
		return nil, err
	}
	likely := solved[1]
	s.Duration = Range{solved[0].Duration, likely.Duration, solved[2].Duration}
	// With links to finishes a longer activity can start others earlier, so these two may not enclose it.
	s.Duration.Shortest = min(s.Duration.Shortest, likely.Duration, s.Duration.Longest)
	s.Duration.Longest = max(s.Duration.Longest, likely.Duration, solved[0].Duration)
	for _, id := range likely.CriticalPath {
		if t.leaf[id] {
			s.CriticalPath = append(s.CriticalPath, id)
		}
	}
	times := map[string]Times{}
	for i, a := range net.Activities {
		times[a.ID] = likely.Times[i]
	}
	s.Rows = t.rollUp(times, p.Calendar)
	return s, nil
}

// frame is the network without links between nodes: leaves, and around the children of each other node
// a milestone at the start and one at the finish.
func (t *tree) frame(days map[string]Estimate) Network {
	var net Network
	for _, n := range t.nodes {
		if t.leaf[n.ID] {
			net.Activities = append(net.Activities, Activity{ID: n.ID})
			continue
		}
		net.Activities = append(net.Activities, Activity{ID: startOf(n.ID)}, Activity{ID: finishOf(n.ID)})
		for _, c := range n.Children {
			net.Links = append(net.Links,
				Link{From: startOf(n.ID), To: t.end(c.ID, startOf)}, Link{From: t.end(c.ID, finishOf), To: finishOf(n.ID)})
		}
	}
	return net
}

// end is the activity of the network that stands for one end of a node.
func (t *tree) end(id string, of func(string) string) string {
	if t.leaf[id] {
		return id
	}
	return of(id)
}

// solve solves the network with the shortest, the likely and the longest durations.
func (t *tree) solve(net Network, days map[string]Estimate, links []Dependency) (solved [3]*Solution, err error) {
	net.Links = slices.Clone(net.Links)
	for _, d := range links {
		l := d.Link
		from, to := finishOf, startOf
		if l.Type == SS || l.Type == SF {
			from = startOf
		}
		if l.Type == FF || l.Type == SF {
			to = finishOf
		}
		// The ends of a summary are milestones: whichever end of these a link names is the same.
		l.From, l.To = t.end(l.From, from), t.end(l.To, to)
		net.Links = append(net.Links, l)
	}
	for k, take := range []func(Estimate) int{
		func(e Estimate) int { return e.Shortest }, func(e Estimate) int { return e.Likely }, func(e Estimate) int { return e.Longest },
	} {
		net.Activities = slices.Clone(net.Activities)
		for i, a := range net.Activities {
			net.Activities[i].Duration = float64(take(days[a.ID]))
		}
		if solved[k], err = Solve(net); err != nil {
			return solved, err
		}
	}
	return solved, nil
}

// fit adds links in their order, without those that would leave no schedule. More links never make
// one possible again, so the first that is too much is found by halving.
func (t *tree) fit(net Network, days map[string]Estimate, kept, more []Dependency) (_ []Dependency, dropped []Dropped, err error) {
	fits := func(n int) bool {
		_, e := t.solve(net, days, slices.Concat(kept, more[:n]))
		var infeasible *InfeasibleError
		if e != nil && !errors.As(e, &infeasible) {
			err = fmt.Errorf("work breakdown: %w", e)
		}
		return e == nil
	}
	for !fits(len(more)) && err == nil {
		n := sort.Search(len(more), func(n int) bool { return !fits(n + 1) })
		kept = slices.Concat(kept, more[:n])
		dropped = append(dropped, Dropped{more[n].Link, "with the links before it, it leaves no possible schedule"})
		more = more[n+1:]
	}
	return slices.Concat(kept, more), dropped, err
}

// rollUp makes the rows: leaves have their own times, others span those of their children and the
// milestone of their finish, which a link can move behind them.
func (t *tree) rollUp(times map[string]Times, c Calendar) []Row {
	rows := make([]Row, len(t.nodes))
	at := map[string]int{}
	for i, n := range t.nodes {
		at[n.ID] = i
		rows[i] = Row{ID: n.ID, Parent: t.parent[n.ID], Title: n.Title, Note: n.Note, Depth: t.depth[n.ID], Summary: !t.leaf[n.ID], Times: times[n.ID]}
		if rows[i].Summary {
			rows[i].Times = times[finishOf(n.ID)]
		}
	}
	for i := len(rows) - 1; i >= 0; i-- {
		r := &rows[i]
		r.Start, r.Last = c.Start(r.EarlyStart).Format(isoDate), c.Last(r.EarlyStart, r.EarlyFinish).Format(isoDate)
		if r.Parent == "" {
			continue
		}
		p := &rows[at[r.Parent]].Times
		p.EarlyStart, p.EarlyFinish = min(p.EarlyStart, r.EarlyStart), max(p.EarlyFinish, r.EarlyFinish)
		p.LateStart, p.LateFinish = min(p.LateStart, r.LateStart), max(p.LateFinish, r.LateFinish)
		p.TotalFloat, p.FreeFloat = min(p.TotalFloat, r.TotalFloat), min(p.FreeFloat, r.FreeFloat)
		p.Critical = p.Critical || r.Critical
	}
	return rows
}
