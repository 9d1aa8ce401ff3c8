package check

import (
	"fmt"
	"time"

	"planexe/internal/plan"
)

// dates looks for days that do not exist, and for things to be done on days that have passed when
// the plan starts.
func dates(r *run, res *result) {
	start := r.plan.from
	if start.IsZero() {
		if s, ok := decode[plan.Start](r, plan.StartTime); ok {
			if t, err := time.Parse(time.RFC3339, s.Local); err == nil {
				start = day(t.Year(), int(t.Month()), t.Day())
			}
		}
	}
	given := map[time.Time]bool{}
	for _, d := range findDates(r.prompt, nil) {
		given[d.to] = true
	}
	// Only what is still to be done has to lie ahead. In other documents dates may be history.
	todo := map[string]bool{plan.Assessment.Name: true, plan.GovernanceSetup.Name: true}
	told := block{part: -1}
	r.each(func(b block) {
		found := findDates(b.text, func(s span) {
			res.looked++
			res.add(plan.SeverityError, b, around(b.text, s.at, s.at+len(s.text)), fmt.Sprintf("There is no day %s.", s.text))
		})
		res.looked += len(found)
		if !todo[b.file] || start.IsZero() || told.file == b.file && told.part == b.part && told.section == b.section {
			return
		}
		for _, d := range found {
			if d.to.Before(start.AddDate(0, 0, -1)) && d.to.After(start.AddDate(-3, 0, 0)) && !given[d.to] {
				res.add(plan.SeverityWarning, b, around(b.text, d.at, d.at+len(d.text)), fmt.Sprintf(
					"The day %s lies before the start of the plan, %s.", d.text, start.Format(time.DateOnly)))
				told = b
				return
			}
		}
	})
}
