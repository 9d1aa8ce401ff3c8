package schedule

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"
)

// Project is what [Arrange] makes a schedule of.
type Project struct {
	Title     string
	Root      Node                // the project, its phases, their tasks, their subtasks …
	Estimates map[string]Estimate // in days of the calendar, by id of a node; see Distribute
	Links     []Link              // between any two nodes of which none is part of the other; lags in days of the calendar
	Free      []string            // ids of nodes that wait for nothing: they begin on day 0, not with their phase
	Calendar  Calendar
	Waterfall bool       // lay everything end to end in the order of the breakdown, as other programs do; links do not count
	Start     string     // the words that state Day0; empty: nobody did
	Deadline  Deadline   // stated date by which the work has to be done; without a date there is none
	Fixed     []Deadline // dates by which single nodes have to be done
	Measures  []string   // what was changed to keep them, for people
}

// Deadline is a date by which the work has to be done.
type Deadline struct {
	Stated string `json:"stated"`          // in these words
	Date   string `json:"date"`            // the last day: 2006-01-02
	Task   string `json:"task,omitempty"`  // id of what has to be done by then; empty: everything
	Finish Finish `json:"finish,omitzero"` // of that task
	// Late says by how many days of the calendar a finish misses it; 0 is in time.
	Late Range `json:"late_days"`
}

// The modes of a schedule.
const (
	Dependencies = "dependencies" // what can run side by side does
	Waterfall    = "waterfall"    // everything end to end
)

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

// Finish is a Range as dates of the last day: 2006-01-02.
type Finish struct {
	Shortest string `json:"shortest"`
	Likely   string `json:"likely"`
	Longest  string `json:"longest"`
}

// Schedule is a project in time. Its JSON form is complete but for the notes.
type Schedule struct {
	Title        string       `json:"title"`
	Mode         string       `json:"mode"` // dependencies or waterfall
	Calendar     Calendar     `json:"calendar"`
	StatedStart  string       `json:"stated_start,omitempty"` // the words that state day 0
	Duration     Range        `json:"duration"`               // in days that count
	Finish       Finish       `json:"finish"`
	Deadline     *Deadline    `json:"deadline,omitempty"`
	Fixed        []Deadline   `json:"fixed_dates,omitempty"`
	Measures     []string     `json:"measures,omitempty"` // by which the dates are kept, for people
	CriticalPath []string     `json:"critical_path"`      // ids of leaves
	Rows         []Row        `json:"rows"`               // parents before children
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
	t.calendar = p.Calendar
	estimates := map[string]Estimate{}
	for id, e := range p.Estimates {
		estimates[id] = e.on(p.Calendar)
	}
	days := Distribute(p.Root, estimates)
	if p.Waterfall {
		days = endToEnd(p.Root, estimates)
	}
	s := &Schedule{Title: p.Title, Mode: Dependencies, Calendar: p.Calendar, StatedStart: p.Start, CriticalPath: []string{}, Links: []Dependency{}, Dropped: []Dropped{}}
	net := t.frame(days)

	var solved [3]*Solution
	if p.Waterfall {
		s.Mode, s.Links = Waterfall, append(s.Links, t.inRow()...)
		solved, err = t.solve(net, days, s.Links)
	} else {
		solved, err = t.link(s, net, days, estimates, p)
	}
	if err != nil {
		return nil, err
	}
	likely := solved[1]
	s.Duration = Range{solved[0].Duration, likely.Duration, solved[2].Duration}
	// With links to finishes a longer activity can start others earlier, so these two may not enclose it.
	s.Duration.Shortest = min(s.Duration.Shortest, likely.Duration, s.Duration.Longest)
	s.Duration.Longest = max(s.Duration.Longest, likely.Duration, solved[0].Duration)
	s.Measures = p.Measures
	s.date(p.Deadline, t.due(p.Fixed, net, solved, p.Calendar))
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

// link gives the schedule the stated links that can be kept, and those that a breakdown implies, and solves.
func (t *tree) link(s *Schedule, net Network, days, estimates map[string]Estimate, p Project) (solved [3]*Solution, err error) {
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
	stated, dropped, _, err := t.fit(net, days, nil, stated)
	if err != nil {
		return solved, err
	}
	s.Dropped = append(s.Dropped, dropped...)
	s.Links, _, solved, err = t.fit(net, days, stated, t.assume(stated, estimates, p.Free))
	return solved, err
}

// due computes when that is done which has to be done by fixed dates. Dates that are none, and those of
// unknown nodes, are left out.
func (t *tree) due(fixed []Deadline, net Network, solved [3]*Solution, c Calendar) (out []Deadline) {
	for _, d := range fixed {
		if _, known := t.depth[d.Task]; !known {
			continue
		}
		id := t.end(d.Task, finishOf)
		i := slices.IndexFunc(net.Activities, func(a Activity) bool { return a.ID == id })
		var last [3]time.Time
		for k, s := range solved {
			// The finish of what has parts is a milestone at the evening of its last day.
			last[k] = c.Last(0, s.Times[i].EarlyFinish)
		}
		if !d.compare(last) {
			continue
		}
		d.Finish = Finish{last[0].Format(isoDate), last[1].Format(isoDate), last[2].Format(isoDate)}
		out = append(out, d)
	}
	return out
}

// compare sets by how much the deadline is missed; false when its date is none.
func (d *Deadline) compare(last [3]time.Time) bool {
	date, err := time.Parse(isoDate, d.Date)
	if err != nil {
		return false
	}
	late := func(t time.Time) float64 { return float64(max(t.Unix()-date.Unix(), 0) / (24 * 60 * 60)) }
	d.Late = Range{late(last[0]), late(last[1]), late(last[2])}
	return true
}

// date turns durations into dates and compares them with the deadline. Where a fixed date says which
// task the deadline is about, only that has to be done by then.
func (s *Schedule) date(d Deadline, fixed []Deadline) {
	var last [3]time.Time
	for k, days := range []float64{s.Duration.Shortest, s.Duration.Likely, s.Duration.Longest} {
		last[k] = s.Calendar.Last(0, days)
	}
	s.Finish = Finish{Shortest: last[0].Format(isoDate), Likely: last[1].Format(isoDate), Longest: last[2].Format(isoDate)}
	s.Fixed = fixed
	if i := slices.IndexFunc(fixed, func(f Deadline) bool { return f.Date == d.Date }); i >= 0 {
		stated := d.Stated
		d = fixed[i]
		d.Stated = stated
		s.Deadline = &d
	} else if d.compare(last) {
		s.Deadline = &d
	}
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
		l.Lag = t.calendar.days(l.Lag)
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
// one possible again, so the first that is too much is found by halving. The solution is that of all that
// stays.
func (t *tree) fit(net Network, days map[string]Estimate, kept, more []Dependency) (_ []Dependency, dropped []Dropped, solved [3]*Solution, err error) {
	fits := func(n int) bool {
		var e error
		solved, e = t.solve(net, days, slices.Concat(kept, more[:n]))
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
	return slices.Concat(kept, more), dropped, solved, err
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
