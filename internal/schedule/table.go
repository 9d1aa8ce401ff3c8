package schedule

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Tooltip is the text about a node: what it is, what it delivers, what it needs; empty ones are left
// out.
func Tooltip(title, deliverable, description string, resources []string) string {
	parts := []string{title}
	if deliverable != "" {
		parts = append(parts, "Final deliverable:\n"+deliverable)
	}
	if description != "" {
		parts = append(parts, "Description:\n"+description)
	}
	if len(resources) > 0 {
		parts = append(parts, "Resources needed:\n• "+strings.Join(resources, "\n• "))
	}
	return strings.Join(parts, "\n\n")
}

// CSV is the schedule as a table that other planning tools import: one line per row, by early start. The
// end date is the first one after the work.
func (s *Schedule) CSV() []byte {
	rows := slices.Clone(s.Rows)
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.EarlyStart, b.EarlyStart) })
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = cmp.Or(r.Title, r.ID)
	}
	number(names)

	var b strings.Builder
	b.WriteString("project_key,project_name,project_description,project_start_date,project_end_date,project_progress,project_parent,originating_department\n")
	for i, r := range rows {
		note := cmp.Or(r.Note, "No description")
		if note == names[i] {
			note = ""
		}
		start := s.Calendar.Start(r.EarlyStart)
		end := start
		if whole := math.Floor(r.Days()); whole > 0 {
			end = s.Calendar.Start(math.Floor(r.EarlyStart)+whole-1).AddDate(0, 0, 1)
		}
		for j, f := range []string{r.ID, names[i], note, american(start), american(end), "0", r.Parent, "PlanExe"} {
			if j > 0 {
				b.WriteByte(',')
			}
			if strings.ContainsAny(f, ",\"\r\n") {
				f = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
			}
			b.WriteString(f)
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

func american(t time.Time) string { return fmt.Sprintf("%d/%d/%d", t.Month(), t.Day(), t.Year()) }

// number adds " (1)", " (2)" … to names that differ in nothing but their case.
func number(names []string) {
	fold := func(s string) string { return strings.ToLower(strings.ToUpper(s)) }
	total, seen := map[string]int{}, map[string]int{}
	for _, n := range names {
		total[fold(n)]++
	}
	for i, n := range names {
		if f := fold(n); total[f] > 1 {
			seen[f]++
			names[i] = fmt.Sprintf("%s (%d)", n, seen[f])
		}
	}
}
