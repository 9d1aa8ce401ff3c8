package plan

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SummarizeGantt tells the dates of the Gantt table in a few lines: first and last day of the whole,
// then of each phase. It returns "" when the table is missing or is none.
func SummarizeGantt(table string) string {
	r := csv.NewReader(strings.NewReader(table))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		return ""
	}
	column := func(row []string, name string) string {
		if i := slices.Index(rows[0], name); i >= 0 && i < len(row) {
			return row[i]
		}
		return ""
	}
	const written = "1/2/2006"
	var b strings.Builder
	root := column(rows[1], "project_key")
	for i, row := range rows[1:] {
		if i > 0 && (root == "" || column(row, "project_parent") != root) {
			continue
		}
		start, errStart := time.Parse(written, column(row, "project_start_date"))
		end, errEnd := time.Parse(written, column(row, "project_end_date"))
		if errStart != nil || errEnd != nil {
			continue
		}
		last := end // the table has the first day after the work, people name the last one of it
		if end.After(start) {
			last = end.AddDate(0, 0, -1)
		}
		fmt.Fprintf(&b, "%s to %s, %d days: %s\n", start.Format(time.DateOnly), last.Format(time.DateOnly),
			int(end.Sub(start).Hours()/24), strings.Join(strings.Fields(column(row, "project_name")), " "))
	}
	return b.String()
}
