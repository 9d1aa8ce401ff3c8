package schedule

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Overview is an HTML page with one drawing: the project's phases and their tasks, and the stated links
// between them.
func (s *Schedule) Overview() []byte {
	var rows []Row
	for _, r := range s.Rows {
		if r.Depth > 0 && r.Depth <= 2 || len(s.Rows) == 1 {
			rows = append(rows, r)
		}
	}
	var links []Dependency
	for _, l := range s.Links {
		if !l.Assumed {
			links = append(links, l)
		}
	}
	return page("Project schedule", s.summary()+s.draw(chart{name: "Gantt chart of phases and tasks", width: chartWidth}, rows, links)+key(), "")
}

// Interactive is an HTML page to look closer with: opening a phase shows all in it on a scale of its own,
// with links, and opening a table there all dates; below a chart is a wide one to zoom in. Pointing at a
// bar tells what the activity is. It works without script, so the report can show it as
// it is. With export, the page alone also offers the table of [Schedule.CSV].
func (s *Schedule) Interactive(export bool) []byte {
	var b strings.Builder
	b.WriteString(s.summary())
	s.critical(&b)
	waits := s.waits()
	for i := 0; i < len(s.Rows); i++ {
		if s.Rows[i].Depth == 0 && len(s.Rows) > 1 {
			continue
		}
		// A phase and all below it stand together.
		end := i + 1
		for end < len(s.Rows) && s.Rows[end].Depth > s.Rows[i].Depth {
			end++
		}
		s.phase(&b, s.Rows[i:end], waits)
		i = end - 1
	}
	b.WriteString(key())
	heading := cmp.Or(plain(s.Title), "Project schedule")
	download := ""
	if export {
		download = fmt.Sprintf("<p><a download=\"%s\" href=\"data:text/csv;charset=utf-8;base64,%s\">Export to CSV</a></p>\n",
			exportName(s.Title), base64.StdEncoding.EncodeToString(s.CSV()))
	}
	return page(heading, b.String(), download)
}

// summary says in words when the project starts and ends, and what that rests on.
func (s *Schedule) summary() string {
	c, d := s.Calendar, s.Duration
	text := "Starts on " + long(c.Start(0))
	if s.StatedStart != "" {
		text += fmt.Sprintf(" (stated: “%s”)", title(s.StatedStart))
	}
	text += fmt.Sprintf(" and is likely finished on %s, after %s", long(c.Last(0, d.Likely)), s.days(d.Likely))
	before := "; "
	if d.Shortest < d.Likely {
		text += fmt.Sprintf("%son %s if all goes well", before, long(c.Last(0, d.Shortest)))
		before = ", "
	}
	if d.Likely < d.Longest {
		text += fmt.Sprintf("%son %s with plausible trouble", before, long(c.Last(0, d.Longest)))
	}
	text = "<p>" + escape(text) + ".</p>\n"
	if s.Deadline != nil {
		text += "<p>" + escape(s.Deadline.verdict(s.titleOf(s.Deadline.Task))) + "</p>\n"
	}
	for _, d := range s.Fixed {
		if s.Deadline == nil || d.Date != s.Deadline.Date {
			text += "<p>" + escape(d.verdict(s.titleOf(d.Task))) + "</p>\n"
		}
	}
	if len(s.Measures) > 0 {
		text += "<details><summary>What is done to keep these dates</summary>\n<ul>\n"
		for _, m := range s.Measures {
			text += "<li>" + escape(plain(m)) + "</li>\n"
		}
		text += "</ul>\n</details>\n"
	}
	basis := "Days are those of the calendar, weekends and holidays included."
	if c.WorkingDays {
		basis = "Work is done from Monday to Friday; holidays are not taken out."
	}
	if s.Mode == Waterfall {
		basis += " Everything is laid end to end; what could run side by side does not."
	}
	return text + "<p>" + basis + "</p>\n"
}

// titleOf returns the title of a node, "" when there is none.
func (s *Schedule) titleOf(id string) string {
	for _, r := range s.Rows {
		if r.ID == id {
			return plain(r.Title)
		}
	}
	return ""
}

// verdict says in words whether the deadline is kept by the work, or by the task of that title.
func (d Deadline) verdict(task string) string {
	date, err := time.Parse(isoDate, d.Date)
	if err != nil {
		return ""
	}
	text := fmt.Sprintf("Deadline: %s (stated: “%s”). ", long(date), title(d.Stated))
	if task != "" {
		text = fmt.Sprintf("Deadline: %s for “%s” (stated: “%s”). ", long(date), title(task), title(d.Stated))
	}
	after := func(days float64) string {
		if days == 1 {
			return "1 day late"
		}
		return fmt.Sprintf("%v days late", days)
	}
	switch {
	case d.Late.Shortest > 0:
		return text + fmt.Sprintf("It cannot be kept as planned: the likely finish is %s, the earliest %s.", after(d.Late.Likely), after(d.Late.Shortest))
	case d.Late.Likely > 0:
		return text + fmt.Sprintf("The likely finish misses it: it is %s; only if all goes well is the deadline kept.", after(d.Late.Likely))
	case d.Late.Longest > 0:
		return text + fmt.Sprintf("The likely finish keeps it; with plausible trouble it is %s.", after(d.Late.Longest))
	}
	return text + "It is kept, even with plausible trouble."
}

func key() string {
	return `<svg viewBox="0 0 640 24" width="640" height="24" role="img" aria-label="Key">` +
		`<rect class="gantt-summary" x="4" y="8" width="24" height="8"/><text x="34" y="16">phase, or task with parts</text>` +
		`<rect class="gantt-bar" x="210" y="5" width="24" height="14" rx="2"/><text x="240" y="16">has time to spare</text>` +
		`<rect class="gantt-critical" x="370" y="5" width="24" height="14" rx="2"/><text x="400" y="16">critical: a delay here delays the end</text></svg>` + "\n"
}

// phase writes one phase with all its parts.
func (s *Schedule) phase(b *strings.Builder, rows []Row, waits map[string]string) {
	name := title(cmp.Or(rows[0].Title, rows[0].ID))
	fmt.Fprintf(b, "<details class=\"gantt-details\"><summary><strong>%s</strong> %s</summary>\n", escape(name), escape(s.when(rows[0])))
	s.zoom(b, name, rows)
	b.WriteString("<details class=\"gantt-details\"><summary>As a table</summary>\n<table><thead><tr><th scope=\"col\">Activity</th><th scope=\"col\">First day</th><th scope=\"col\">Last day</th><th scope=\"col\">Takes</th><th scope=\"col\">To spare</th><th scope=\"col\">After</th></tr></thead>\n<tbody>\n")
	for _, r := range rows {
		spare := s.days(r.TotalFloat)
		if r.Critical {
			spare = "none"
		}
		name := escape(title(cmp.Or(r.Title, r.ID)))
		if r.Summary {
			name = "<strong>" + name + "</strong>"
		}
		fmt.Fprintf(b, "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", name,
			solid(long(s.Calendar.Start(r.EarlyStart))), solid(long(s.Calendar.Last(r.EarlyStart, r.EarlyFinish))),
			solid(s.days(r.Days())), solid(spare), escape(waits[r.ID]))
	}
	b.WriteString("</tbody></table></details>\n</details>\n")
}

// zoom draws rows to fit, and below that, to be opened, four times as wide or so wide that days can be told
// apart. Where the style says so, the second takes the place of the first.
func (s *Schedule) zoom(b *strings.Builder, name string, rows []Row) {
	const wideDay, widest = 20, 4 * chartWidth
	b.WriteString("<div class=\"gantt-zoom\">\n")
	b.WriteString(s.draw(chart{name: "Gantt chart of " + name, width: chartWidth, notes: true}, rows, s.Links))
	from, to := s.span(rows)
	if width := min((to-from)*wideDay, widest); width >= 1.5*chartWidth {
		b.WriteString("<details class=\"gantt-details\"><summary>Zoom in</summary>\n")
		b.WriteString(s.draw(chart{name: "Gantt chart of " + name + ", wide", width: width, labels: true}, rows, s.Links))
		b.WriteString("</details>\n")
	}
	b.WriteString("</div>\n")
}

// critical lists the activities that decide the end.
func (s *Schedule) critical(b *strings.Builder) {
	if len(s.CriticalPath) == 0 {
		return
	}
	fmt.Fprintf(b, "<details class=\"gantt-details\"><summary><strong>Critical path</strong> %s: a delay of one delays the end</summary>\n<ol>\n",
		counted(len(s.CriticalPath), "activity", "activities"))
	for _, id := range s.CriticalPath {
		i := slices.IndexFunc(s.Rows, func(r Row) bool { return r.ID == id })
		fmt.Fprintf(b, "<li>%s: %s</li>\n", escape(title(cmp.Or(s.Rows[i].Title, id))), escape(s.when(s.Rows[i])))
	}
	b.WriteString("</ol></details>\n")
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

// titles are the names of the rows, by id.
func (s *Schedule) titles() map[string]string {
	titles := map[string]string{}
	for _, r := range s.Rows {
		titles[r.ID] = title(cmp.Or(r.Title, r.ID))
	}
	return titles
}

// solid keeps a text on one line.
func solid(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") }

// waits says for every row what it waits for.
func (s *Schedule) waits() map[string]string {
	titles := s.titles()
	waits := map[string]string{}
	for _, l := range s.Links {
		name := titles[l.From]
		name += linked[l.Type]
		switch {
		case l.Lag > 0:
			name += ", " + s.days(l.Lag) + " later"
		case l.Lag < 0:
			name += ", " + s.days(-l.Lag) + " earlier"
		}
		if before := waits[l.To]; before != "" {
			name = before + "; " + name
		}
		waits[l.To] = name
	}
	return waits
}

// linked says how a link that is not from finish to start ties two activities.
var linked = map[Type]string{SS: " (from start to start)", FF: " (from finish to finish)", SF: " (from start to finish)"}

var unnamed = regexp.MustCompile(`[^A-Za-z0-9]+`)

// exportName is the name of the table as a download.
func exportName(title string) string {
	return "PlanExe_Export_" + cmp.Or(strings.Trim(unnamed.ReplaceAllString(title, "_"), "_"), "MissingTitle") + ".csv"
}

// page is a whole HTML page around a content. The markers are a contract: the report takes what stands
// between those of the content, and has its own style for the classes.
func page(title, content, behind string) []byte {
	return fmt.Appendf(nil, `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%[1]s</title>
<!--HTML_HEAD_START-->
%[2]s<!--HTML_HEAD_END-->
</head>
<body>
<h1 dir="auto">%[1]s</h1>
<!--HTML_BODY_CONTENT_START-->
%[3]s<!--HTML_BODY_CONTENT_END-->
%[4]s<!--HTML_BODY_SCRIPT_START-->
<!--HTML_BODY_SCRIPT_END-->
</body>
</html>
`, escape(title), style, content, behind)
}

const style = `<style>
:root { color-scheme: light dark; --ink: light-dark(#20242a, #e3e3df); --muted: light-dark(#5b626b, #a0a6ae); --line: light-dark(#dfdbd1, #363b42); }
body { margin: 2rem auto; padding: 0 1rem; max-width: 70rem; background: light-dark(#fcfbf8, #16181b); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; overflow-x: auto; }
svg { display: block; font: 12px system-ui, sans-serif; fill: var(--ink); direction: ltr; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .4rem .7rem; text-align: start; vertical-align: top; border-bottom: 1px solid var(--line); }
summary { cursor: pointer; padding: .2rem 0; }
.gantt-details .gantt-details { margin: .3rem 0 1rem; }
.gantt-grid { stroke: var(--line); fill: none; }
.gantt-axis { fill: var(--muted); }
.gantt-phase { font-weight: 600; }
.gantt-bar { fill: light-dark(#1b5a86, #86c0ea); }
.gantt-summary { fill: var(--muted); }
.gantt-critical { fill: light-dark(#9b2419, #f4a097); }
.gantt-milestone { fill: var(--ink); }
.gantt-link { stroke: var(--muted); fill: none; }
.gantt-zoom { overflow-x: auto; }
.gantt-zoom:has(> details[open]) > svg { display: none; }
@media print { svg { max-width: 100%; height: auto; } }
</style>
`
