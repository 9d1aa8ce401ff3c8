package schedule

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// start and finish of an activity whose start is known.
type span struct{ start, finish *big.Rat }

func rat(f float64) *big.Rat {
	r, _ := new(big.Rat).SetString(fmt.Sprint(f))
	return r
}

// ends picks the two times that a link holds together, of start and finish of both activities.
func ends[T any](l Link, fromStart, fromFinish, toStart, toFinish T) (a, b T) {
	switch l.Type {
	case SS:
		return fromStart, toStart
	case FF:
		return fromFinish, toFinish
	case SF:
		return fromStart, toFinish
	}
	return fromFinish, toStart
}

// missing is by how much a link does not hold; 0 or less when it does.
func missing(l Link, from, to span) *big.Rat {
	a, b := ends(l, from.start, from.finish, to.start, to.finish)
	d := new(big.Rat).Add(a, rat(l.Lag))
	return d.Sub(d, b)
}

// TestSolveAgainstEveryTimetable compares small networks with the truth: all whole-numbered
// timetables are tried, and the earliest and the latest are read off.
func TestSolveAgainstEveryTimetable(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	const horizon = 13 // three durations and lags of at most 2 cannot push further
	feasible, infeasible := 0, 0
	for range 1500 {
		n := Network{}
		for i := range 3 {
			n.Activities = append(n.Activities, Activity{string(rune('A' + i)), float64(r.IntN(3))})
		}
		for range r.IntN(6) {
			i := r.IntN(3)
			j := (i + 1 + r.IntN(2)) % 3
			n.Links = append(n.Links, Link{n.Activities[i].ID, n.Activities[j].ID, []Type{FS, SS, FF, SF}[r.IntN(4)], float64(r.IntN(6) - 3)})
		}
		try := func(s [3]int) bool {
			for _, l := range n.Links {
				f, t := l.From[0]-'A', l.To[0]-'A'
				a, b := ends(l, s[f], s[f]+int(n.Activities[f].Duration), s[t], s[t]+int(n.Activities[t].Duration))
				if a+int(l.Lag) > b {
					return false
				}
			}
			return true
		}
		least, most := [3]int{horizon, horizon, horizon}, [3]int{-1, -1, -1}
		any := false
		each(horizon, func(s [3]int) {
			if try(s) {
				any = true
				for i := range s {
					least[i] = min(least[i], s[i])
				}
			}
		})
		s, err := Solve(n)
		if !any {
			infeasible++
			var e *InfeasibleError
			if !errors.As(err, &e) {
				t.Fatalf("%+v: got %v, want infeasible", n, err)
			}
			continue
		}
		feasible++
		if err != nil {
			t.Fatalf("%+v: %v", n, err)
		}
		end := 0
		for i, a := range n.Activities {
			end = max(end, least[i]+int(a.Duration))
		}
		each(horizon, func(s [3]int) {
			for i, a := range n.Activities {
				if s[i]+int(a.Duration) > end {
					return
				}
			}
			if try(s) {
				for i := range s {
					most[i] = max(most[i], s[i])
				}
			}
		})
		if s.Duration != float64(end) {
			t.Fatalf("%+v: duration %v, want %d", n, s.Duration, end)
		}
		for i, x := range s.Times {
			if x.EarlyStart != float64(least[i]) || x.LateStart != float64(most[i]) {
				t.Fatalf("%+v: %s starts from %v to %v, want %d to %d", n, n.Activities[i].ID, x.EarlyStart, x.LateStart, least[i], most[i])
			}
			// Free float: the furthest it alone can move within the project.
			free := 0
			for s := least; s[i]+int(n.Activities[i].Duration) <= end; s[i]++ {
				if !try(s) {
					break
				}
				free = s[i] - least[i]
			}
			if x.FreeFloat != float64(free) {
				t.Fatalf("%+v: %s has free float %v, want %d", n, n.Activities[i].ID, x.FreeFloat, free)
			}
		}
	}
	if feasible < 500 || infeasible < 150 {
		t.Errorf("%d feasible and %d infeasible networks: the generator is lopsided", feasible, infeasible)
	}
}

func each(n int, f func([3]int)) {
	for i := range n {
		for j := range n {
			for k := range n {
				f([3]int{i, j, k})
			}
		}
	}
}

// TestSolveAgainstPushing compares larger networks, with decimals, with the plainest method there is:
// push starts by fractions until every link holds, or one has been pushed too often.
func TestSolveAgainstPushing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	kinds := map[string]int{}
	for round := range 1500 {
		n := large(r, 2+r.IntN(12), r.IntN(30))
		switch round % 3 {
		case 1: // circles that hold, some of them exactly
			if s, err := Solve(n); err == nil {
				n = withMaxima(n, s, r.IntN(7), float64(r.IntN(3))/10)
			}
		case 2: // circles of any kind
			for k := range n.Links {
				if l := &n.Links[k]; r.IntN(6) == 0 {
					l.From, l.To, l.Lag = l.To, l.From, l.Lag-8
				}
			}
		}
		early, ok := push(n)
		s, err := Solve(n)
		if !ok {
			kinds["infeasible"]++
			checkCircle(t, n, err)
			continue
		}
		kinds["feasible"]++
		if err != nil {
			t.Fatalf("%+v: %v", n, err)
		}
		end := new(big.Rat)
		for _, x := range early {
			if x.finish.Cmp(end) > 0 {
				end = x.finish
			}
		}
		late := pull(n, end)
		for i, x := range s.Times {
			want := []*big.Rat{early[i].start, early[i].finish, late[i].start, late[i].finish, new(big.Rat).Sub(late[i].start, early[i].start)}
			for k, got := range []float64{x.EarlyStart, x.EarlyFinish, x.LateStart, x.LateFinish, x.TotalFloat} {
				if w, _ := want[k].Float64(); got != w {
					t.Fatalf("%+v: value %d of %s: got %v, want %v", n, k, n.Activities[i].ID, got, w)
				}
			}
			if x.Critical != (want[4].Sign() == 0) || x.FreeFloat < 0 || x.FreeFloat > x.TotalFloat {
				t.Fatalf("%+v: %s: %+v", n, n.Activities[i].ID, x)
			}
		}
		checkPath(t, n, s, early, end)
	}
	if kinds["infeasible"] < 100 || kinds["feasible"] < 500 {
		t.Errorf("%v: the generator is lopsided", kinds)
	}
}

// push moves starts up from 0 until all links hold; it gives up after more rounds than there are
// activities.
func push(n Network) ([]span, bool) {
	at := map[string]int{}
	spans := make([]span, len(n.Activities))
	for i, a := range n.Activities {
		at[a.ID], spans[i] = i, span{new(big.Rat), rat(a.Duration)}
	}
	for range len(spans) + 2 {
		moved := false
		for _, l := range n.Links {
			from, to := spans[at[l.From]], &spans[at[l.To]]
			if by := missing(l, from, *to); by.Sign() > 0 {
				to.start, to.finish = new(big.Rat).Add(to.start, by), new(big.Rat).Add(to.finish, by)
				moved = true
			}
		}
		if !moved {
			return spans, true
		}
	}
	return nil, false
}

// pull moves finishes down from the end until all links hold.
func pull(n Network, end *big.Rat) []span {
	at := map[string]int{}
	spans := make([]span, len(n.Activities))
	for i, a := range n.Activities {
		at[a.ID], spans[i] = i, span{new(big.Rat).Sub(end, rat(a.Duration)), end}
	}
	for moved := true; moved; {
		moved = false
		for _, l := range n.Links {
			from, to := &spans[at[l.From]], spans[at[l.To]]
			if by := missing(l, *from, to); by.Sign() > 0 {
				from.start, from.finish = new(big.Rat).Sub(from.start, by), new(big.Rat).Sub(from.finish, by)
				moved = true
			}
		}
	}
	return spans
}

// checkCircle holds an error to its word: the activities it names, alone and with only the links from
// each to the next, have no schedule.
func checkCircle(t *testing.T, n Network, err error) {
	t.Helper()
	var e *InfeasibleError
	if !errors.As(err, &e) {
		t.Fatalf("%+v: got %v, want infeasible", n, err)
	}
	var circle Network
	for _, a := range n.Activities {
		if slices.Contains(e.IDs, a.ID) {
			circle.Activities = append(circle.Activities, a)
		}
	}
	for i, id := range e.IDs {
		next := e.IDs[(i+1)%len(e.IDs)]
		for _, l := range n.Links {
			if l.From == id && l.To == next {
				circle.Links = append(circle.Links, l)
			}
		}
	}
	if _, ok := push(circle); ok || len(circle.Activities) != len(e.IDs) {
		t.Fatalf("%+v: %v, but these have a schedule", n, err)
	}
}

// checkPath demands a chain of links without slack from a start at 0 to the end of the project.
func checkPath(t *testing.T, n Network, s *Solution, early []span, end *big.Rat) {
	t.Helper()
	at := map[string]int{}
	for i, a := range n.Activities {
		at[a.ID] = i
	}
	p := s.CriticalPath
	if len(p) == 0 || early[at[p[0]]].start.Sign() != 0 || early[at[p[len(p)-1]]].finish.Cmp(end) != 0 {
		t.Fatalf("%+v: path %v does not span the project", n, p)
	}
	seen := map[string]bool{}
	for i, id := range p {
		if !s.Times[at[id]].Critical || seen[id] {
			t.Fatalf("%+v: path %v: %s is not critical, or twice there", n, p, id)
		}
		seen[id] = true
		if i > 0 && !slices.ContainsFunc(n.Links, func(l Link) bool {
			return l.From == p[i-1] && l.To == id && missing(l, early[at[l.From]], early[at[l.To]]).Sign() == 0
		}) {
			t.Fatalf("%+v: path %v: nothing drives %s", n, p, id)
		}
	}
}

// TestSolveLarge checks the size the solver is made for, with and without circles.
func TestSolveLarge(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	n := large(r, 1000, 33000)
	s, err := Solve(n)
	if err != nil {
		t.Fatal(err)
	}
	circles := withMaxima(n, s, 0, 0)
	c, err := Solve(circles)
	if err != nil {
		t.Fatal(err)
	}
	if c.Duration != s.Duration || fmt.Sprint(earlyStarts(c)) != fmt.Sprint(earlyStarts(s)) {
		t.Error("maxima that hold changed the early dates")
	}
	again := withMaxima(n, s, 0, -0.1)
	_, err = Solve(again)
	checkCircle(t, again, err)
}

func earlyStarts(s *Solution) (starts []float64) {
	for _, x := range s.Times {
		starts = append(starts, x.EarlyStart)
	}
	return starts
}

func BenchmarkSolve(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	n := large(r, 1000, 33000)
	s, err := Solve(n)
	if err != nil {
		b.Fatal(err)
	}
	fine := large(r, 1000, 33000)
	for i := range fine.Activities {
		fine.Activities[i].Duration = r.Float64() * 10
	}
	for i := range fine.Links {
		fine.Links[i].Lag = r.NormFloat64()
	}
	back := Network{Activities: make([]Activity, 1000)} // every link is a lead back to front, but those of a chain
	for i := range back.Activities {
		back.Activities[999-i] = Activity{fmt.Sprint(i), 1}
		if i > 0 {
			back.Links = append(back.Links, Link{fmt.Sprint(i - 1), fmt.Sprint(i), FS, 0})
		}
	}
	for len(back.Links) < 33000 {
		i, j := r.IntN(1000), r.IntN(1000)
		if i < j {
			back.Links = append(back.Links, Link{fmt.Sprint(j), fmt.Sprint(i), SS, float64(i - j)})
		}
	}
	for name, n := range map[string]Network{"acyclic": n, "maxima": withMaxima(n, s, 0, 0), "infeasible": withMaxima(n, s, 0, -0.1), "17 digits": fine, "backwards": back} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Solve(n) //nolint:errcheck // one of them is infeasible
			}
		})
	}
}
