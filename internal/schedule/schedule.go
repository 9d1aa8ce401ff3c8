// Package schedule computes when the activities of a plan can and must happen, and draws it.
//
// [Solve] is the critical-path method over a network of activities, [Arrange] makes such a network of
// a work breakdown and its estimates, and a [Schedule] writes itself as Gantt table and charts. All of
// it is pure: no clock, no files.
package schedule

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Activity is something that takes time. A Duration of 0 is a milestone; the unit is days here, but
// any will do.
type Activity struct {
	ID       string
	Duration float64
}

// Type says which ends of two activities a link holds together.
type Type string

// The types, predecessor first: FS lets the successor start when the predecessor has finished.
const (
	FS Type = "FS"
	SS Type = "SS"
	FF Type = "FF"
	SF Type = "SF"
)

// Link makes one end of To wait for one end of From and Lag more; a negative Lag is a lead. A link
// back with a negative lag is thus a maximum: B→A, SS −5 lets B start at most 5 after A.
type Link struct {
	From string  `json:"from"`
	To   string  `json:"to"`
	Type Type    `json:"type"` // empty means FS
	Lag  float64 `json:"lag"`
}

// Network is what [Solve] solves.
type Network struct {
	Activities []Activity
	Links      []Link
}

// Times are the early and late dates of one activity, in the unit of the durations since the start of
// the project.
type Times struct {
	EarlyStart  float64 `json:"early_start"`
	EarlyFinish float64 `json:"early_finish"`
	LateStart   float64 `json:"late_start"`
	LateFinish  float64 `json:"late_finish"`
	TotalFloat  float64 `json:"total_float"` // how late it may be without delaying the end of the project
	FreeFloat   float64 `json:"free_float"`  // … and without delaying anything else
	Critical    bool    `json:"critical"`    // exactly no total float
}

// Solution is the answer to a Network.
type Solution struct {
	Duration     float64
	CriticalPath []string // ids of one chain of critical activities from the start to the end
	Times        []Times  // in the order of Network.Activities
}

// UnknownError is a link to or from an activity that does not exist.
type UnknownError struct {
	ID   string
	Link Link
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("link from %q to %q: there is no activity %q", e.Link.From, e.Link.To, e.ID)
}

// SelfLinkError is a link from an activity to itself.
type SelfLinkError struct{ ID string }

func (e *SelfLinkError) Error() string {
	return fmt.Sprintf("activity %q is linked to itself", e.ID)
}

// InfeasibleError is a circle of links that needs more time than it leaves: each activity waits for
// the one before it, the first for the last.
type InfeasibleError struct{ IDs []string }

func (e *InfeasibleError) Error() string {
	quoted := make([]string, len(e.IDs))
	for i, id := range e.IDs {
		quoted[i] = fmt.Sprintf("%q", id)
	}
	return fmt.Sprintf("no schedule exists: %s wait for each other in a circle; remove one of their links or shorten its lag", strings.Join(quoted, ", "))
}

// Solve finds the early dates (the least with every start ≥ 0), the duration of the project (the latest
// early finish) and the late dates (the greatest with every finish ≤ that duration). It computes with
// the decimal values of its numbers and without rounding: 0.1 and 0.2 make 0.3. Errors are
// *UnknownError, *SelfLinkError, *InfeasibleError, or say which id or number is wrong.
func Solve(n Network) (*Solution, error) {
	index, err := n.index()
	if err != nil {
		return nil, err
	}
	unit, err := n.unit()
	if err != nil {
		return nil, err
	}
	duration := make([]amount, len(n.Activities))
	for i, a := range n.Activities {
		duration[i] = unit.of(a.Duration)
	}
	// Every link is one inequality: start of to ≥ start of from + weight.
	edges := make([]edge, len(n.Links))
	for k, l := range n.Links {
		e := edge{from: index[l.From], to: index[l.To], weight: unit.of(l.Lag)}
		if l.Type == FS || l.Type == FF || l.Type == "" {
			e.weight = e.weight.plus(duration[e.from])
		}
		if l.Type == FF || l.Type == SF {
			e.weight = e.weight.minus(duration[e.to])
		}
		edges[k] = e
	}
	start, circle := least(len(duration), edges)
	if circle != nil {
		ids := make([]string, len(circle))
		for i, v := range circle {
			ids[i] = n.Activities[v].ID
		}
		return nil, &InfeasibleError{ids}
	}
	var end amount
	for i, s := range start {
		end = end.max(s.plus(duration[i]))
	}
	s := solved{n, edges, duration, start, end, nil, nil}
	s.findFloats()

	out := &Solution{Duration: unit.float(end), CriticalPath: s.criticalPath(), Times: make([]Times, len(duration))}
	for i, d := range duration {
		late := start[i].plus(s.total[i])
		out.Times[i] = Times{
			EarlyStart: unit.float(start[i]), EarlyFinish: unit.float(start[i].plus(d)),
			LateStart: unit.float(late), LateFinish: unit.float(late.plus(d)),
			TotalFloat: unit.float(s.total[i]), FreeFloat: unit.float(s.free[i]), Critical: s.total[i] == amount{},
		}
	}
	return out, nil
}

// index gives every activity its place, and refuses what cannot be solved.
func (n Network) index() (map[string]int, error) {
	index := make(map[string]int, len(n.Activities))
	for i, a := range n.Activities {
		if a.ID == "" {
			return nil, fmt.Errorf("activity %d has no id", i+1)
		}
		if _, ok := index[a.ID]; ok {
			return nil, fmt.Errorf("two activities have the id %q", a.ID)
		}
		if !(a.Duration >= 0) || math.IsInf(a.Duration, 0) {
			return nil, fmt.Errorf("activity %q: duration %v: want a number of at least 0", a.ID, a.Duration)
		}
		index[a.ID] = i
	}
	for _, l := range n.Links {
		for _, id := range []string{l.From, l.To} {
			if _, ok := index[id]; !ok {
				return nil, &UnknownError{id, l}
			}
		}
		if l.From == l.To {
			return nil, &SelfLinkError{l.From}
		}
		if err := l.check(); err != nil {
			return nil, err
		}
	}
	return index, nil
}

// check tells whether type and lag can be used.
func (l Link) check() error {
	switch l.Type {
	case "", FS, SS, FF, SF:
	default:
		return fmt.Errorf("link from %q to %q: type %q: want FS, SS, FF or SF", l.From, l.To, l.Type)
	}
	if math.IsNaN(l.Lag) || math.IsInf(l.Lag, 0) {
		return fmt.Errorf("link from %q to %q: lag %v: want a number", l.From, l.To, l.Lag)
	}
	return nil
}

// solved is a network with its early dates.
type solved struct {
	Network
	edges           []edge
	duration, start []amount
	end             amount
	total, free     []amount
}

// findFloats finds the late dates by mirroring time: what is left between an activity's late finish and
// the end is the least solution of the network that runs from the end to the start.
func (s *solved) findFloats() {
	s.free = make([]amount, len(s.start))
	for i, d := range s.duration {
		s.free[i] = s.end.minus(s.start[i]).minus(d)
	}
	mirror := make([]edge, len(s.edges))
	for k, e := range s.edges {
		mirror[k] = edge{e.to, e.from, e.weight.plus(s.duration[e.to]).minus(s.duration[e.from])}
		if slack := s.slack(e); slack.less(s.free[e.from]) {
			s.free[e.from] = slack
		}
	}
	rest, _ := least(len(s.start), mirror) // its circles are as long as those of the network
	s.total = make([]amount, len(s.start))
	for i, d := range s.duration {
		s.total[i] = s.end.minus(rest[i]).minus(d).minus(s.start[i])
	}
}

// slack is how much later from could start without moving to.
func (s *solved) slack(e edge) amount { return s.start[e.to].minus(s.start[e.from]).minus(e.weight) }

// criticalPath follows links without slack from the first critical activity to the end of the project,
// always to the earliest next one, by id when that leaves a choice. Every critical activity has such
// a way to the end; only in circles of length 0 can a choice be wrong, and is taken back.
func (s *solved) criticalPath() []string {
	critical := func(i int) bool { return s.total[i] == amount{} }
	order := func(i, j int) int {
		if c := s.start[i].compare(s.start[j]); c != 0 {
			return c
		}
		return cmp.Compare(s.Activities[i].ID, s.Activities[j].ID)
	}
	next := make([][]int, len(s.start))
	for _, e := range s.edges {
		if critical(e.from) && critical(e.to) && s.slack(e) == (amount{}) {
			next[e.from] = append(next[e.from], e.to)
		}
	}
	first := -1
	for i := range s.start {
		if critical(i) && (first < 0 || order(i, first) < 0) {
			first = i
		}
	}
	path := []string{}
	if first < 0 {
		return path
	}
	seen := make([]bool, len(s.start))
	var reach func(int) bool
	reach = func(i int) bool {
		seen[i] = true
		path = append(path, s.Activities[i].ID)
		slices.SortFunc(next[i], order)
		for _, j := range next[i] {
			if !seen[j] && reach(j) {
				return true
			}
		}
		if s.start[i].plus(s.duration[i]) == s.end {
			return true
		}
		path = path[:len(path)-1]
		return false
	}
	reach(first)
	return path
}
