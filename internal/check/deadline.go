package check

import (
	"fmt"
	"time"

	"planexe/internal/plan"
)

// deadline compares the schedule with the deadline that the request states.
func deadline(r *run, res *result) {
	if r.facts.Deadline == "" || r.plan.to.IsZero() {
		return
	}
	start := r.plan.from
	if s := findDates(r.facts.Start, nil); len(s) > 0 {
		start = s[0].from
	}
	stated := r.facts.Deadline[:min(len(r.facts.Deadline), 1000)]
	end := latest(findEnds(stated, start))
	if end.to.IsZero() {
		end = latest(findDays(stated, start))
	}
	if end.to.IsZero() {
		return
	}
	res.looked++
	at := block{file: r.plan.text}
	finish, limit := r.plan.to.Format(time.DateOnly), end.to.Format(time.DateOnly)
	switch {
	case r.plan.early.After(end.to) && r.plan.early.Before(r.plan.to):
		res.add(plan.SeverityError, at, r.facts.Deadline, fmt.Sprintf(
			"The schedule ends on %s, at the earliest on %s; the stated deadline is %s.", finish, r.plan.early.Format(time.DateOnly), limit))
	case r.plan.to.After(end.to):
		res.add(plan.SeverityError, at, r.facts.Deadline, fmt.Sprintf("The schedule ends on %s; the stated deadline is %s.", finish, limit))
	}
}

func latest(spans []span) span {
	var out span
	for _, s := range spans {
		if s.to.After(out.to) {
			out = s
		}
	}
	return out
}
