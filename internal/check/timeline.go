package check

import (
	"fmt"
	"strings"
	"time"

	"planexe/internal/plan"
)

// timeline compares what the project plan and the summary say about the time of the whole with the
// schedule, up to what the deadline is about where there is one. The longest time and the latest
// date they name count; only a schedule that is longer by a quarter is a contradiction, and who names
// less than a quarter of its time speaks of a part.
func timeline(r *run, res *result) {
	if r.plan.to.IsZero() {
		return
	}
	p, _ := decode[struct {
		Smart struct {
			Time string `json:"time_bound"`
		} `json:"smart_criteria"`
	}](r, plan.ProjectPlanRaw)
	s, _ := decode[struct {
		Time string `json:"timeline_and_budget"`
	}](r, plan.SummaryRaw)
	for _, said := range []struct {
		file plan.File
		text string
	}{{plan.ProjectPlan, p.Smart.Time}, {plan.Summary, s.Time}} {
		text := said.text[:min(len(said.text), 4000)]
		end := latest(findEnds(text, r.plan.from))
		if end.to.IsZero() || end.to.Before(r.plan.from) {
			continue
		}
		res.looked++
		named, takes := end.to.Sub(r.plan.from).Hours()/24, r.plan.to.Sub(r.plan.from).Hours()/24
		if takes > named*1.25 && takes-named > 14 && named >= takes/4 {
			res.add(plan.SeverityError, r.find(said.file, end.text), end.text, fmt.Sprintf(
				"By what the text says the plan ends by %s; the schedule ends on %s.", end.to.Format(time.DateOnly), r.plan.to.Format(time.DateOnly)))
		}
	}
}

// find returns the first block of a page that holds the words, for the sake of its section.
func (r *run) find(page plan.File, text string) block {
	for _, b := range r.doc(page).blocks {
		if text != "" && b.form != heading && strings.Contains(b.text, text) {
			return b
		}
	}
	return block{file: page.Name}
}
