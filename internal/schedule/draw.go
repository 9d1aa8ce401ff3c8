package schedule

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"strings"
	"time"
	"unicode"
)

// Sizes of a drawing, in pixels.
const (
	labelWidth = 336
	chartLeft  = labelWidth + 14 // room for arrows
	chartWidth = 600.0
	headHeight = 26
	rowHeight  = 24
	textWidth  = 6.4 // of one letter, about
	mostNote   = 400 // letters of a note
)

// chart says how rows are drawn.
type chart struct {
	name   string
	width  float64 // of the time axis
	labels bool    // names also beside the bars, for charts so wide that the first column is out of sight
	notes  bool    // what a row's note says is told when it is pointed at
}

// drawing is a Gantt chart of some rows on their own scale.
type drawing struct {
	strings.Builder
	chart
	s        *Schedule
	from, to float64 // in days of the calendar since day 0
	height   int
}

// span is from when to when rows last, in whole days of the calendar since day 0.
func (s *Schedule) span(rows []Row) (from, to float64) {
	from, to = math.Inf(1), math.Inf(-1)
	for _, r := range rows {
		from, to = min(from, s.Calendar.from(r.EarlyStart)), max(to, s.Calendar.until(r.EarlyStart, r.EarlyFinish))
	}
	from = math.Floor(from)
	return from, max(to, from+1)
}

// draw draws rows, parents before children, and the links between them, as SVG. It takes its colours from
// the style of the page by the classes gantt-…; nothing in it needs script, style or ids.
func (s *Schedule) draw(c chart, rows []Row, links []Dependency) string {
	d := drawing{chart: c, s: s, height: headHeight + rowHeight*len(rows) + 6}
	d.from, d.to = s.span(rows)
	depth := math.MaxInt
	for _, r := range rows {
		depth = min(depth, r.Depth)
	}
	width := chartLeft + int(c.width) + 10
	fmt.Fprintf(&d, `<svg viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n", width, d.height, width, d.height, escape(c.name))
	d.grid()
	line := map[string]int{}
	for i, r := range rows {
		line[r.ID] = i
		d.row(r, i, i+1 < len(rows) && rows[i+1].Parent == r.ID, r.Depth-depth)
	}
	for _, l := range links {
		i, ok := line[l.From]
		j, too := line[l.To]
		if ok && too {
			d.arrow(l.Type, rows[i], rows[j], i, j)
		}
	}
	d.WriteString("</svg>\n")
	return d.String()
}

// x is the place of a time.
func (d *drawing) x(day float64) float64 {
	return chartLeft + (day-d.from)/(d.to-d.from)*d.width
}

// grid draws the time axis: a line and a date at the start of days, weeks, months or years, one in 50
// pixels at most.
func (d *drawing) grid() {
	most := math.Round(d.width / 50)
	days := d.to - d.from
	first := d.s.Calendar.date(d.from)
	next := func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	format := "2 Jan"
	switch {
	case days <= most:
	case days <= most*7:
		next = func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }
		first = first.AddDate(0, 0, (8-int(first.Weekday()))%7) // a Monday
	default:
		months := 0
		for _, months = range []int{1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000} {
			if days <= most*float64(months)*30.5 {
				break
			}
		}
		for days > most*float64(months)*30.5 {
			months *= 10
		}
		format = "Jan 2006"
		if months >= 12 {
			format = "2006"
		}
		since := first.Year()*12 + int(first.Month()) - 1
		if first.Day() > 1 {
			since++
		}
		since += (months - since%months) % months
		first = time.Date(0, time.Month(since+1), 1, 0, 0, 0, 0, time.UTC)
		next = func(t time.Time) time.Time { return t.AddDate(0, months, 0) }
	}
	zero := d.s.Calendar.date(0)
	for t := first; ; t = next(t) {
		day := float64((t.Unix() - zero.Unix()) / (24 * 60 * 60))
		if day > d.to {
			return
		}
		x := d.x(day)
		fmt.Fprintf(d, `<line class="gantt-grid" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, x, headHeight-6, x, d.height)
		if x < chartLeft+d.width-40 {
			fmt.Fprintf(d, `<text class="gantt-axis" x="%.1f" y="%d">%s</text>`, x, headHeight-10, t.Format(format))
		}
		d.WriteByte('\n')
	}
}

// row draws one line: the title, cut to its room, and the bar; both say all there is when pointed at.
func (d *drawing) row(r Row, i int, summary bool, indent int) {
	y := headHeight + rowHeight*i
	name := plain(cmp.Or(r.Title, r.ID))
	about := title(name) + ": " + d.s.when(r)
	if r.Critical {
		about += ", critical"
	} else if !summary {
		about += ", " + d.s.days(r.TotalFloat) + " to spare"
	}
	if _, note, ok := strings.Cut(r.Note, "\n\n"); ok && d.notes {
		about += "\n" + cut(plain(note), mostNote*textWidth)
	}
	left := 4 + 14*min(indent, 6)
	room := float64(labelWidth - left - 10)
	class, weight := "gantt-bar", ""
	switch {
	case summary:
		class, weight = "gantt-summary", ` class="gantt-phase"`
		room /= 1.15 // bold
	case r.Days() <= 0:
		class = "gantt-milestone"
	}
	if r.Critical && !summary {
		class = "gantt-critical"
	}
	fmt.Fprintf(d, `<g><title>%s</title><text%s x="%d" y="%d">%s</text>`, escape(about), weight, left, y+16, escape(title(cut(name, room))))
	from, to := d.ends(r)
	switch {
	case r.Days() <= 0:
		fmt.Fprintf(d, `<polygon class="%s" points="%.1f,%d %.1f,%d %.1f,%d %.1f,%d"/>`, class, from, y+5, from+7, y+12, from, y+19, from-7, y+12)
	case summary:
		fmt.Fprintf(d, `<rect class="%s" x="%.1f" y="%d" width="%.1f" height="8"/>`, class, from, y+8, max(to-from, 2))
	default:
		fmt.Fprintf(d, `<rect class="%s" x="%.1f" y="%d" width="%.1f" height="14" rx="2"/>`, class, from, y+5, max(to-from, 2))
	}
	if room := chartLeft + d.width - to - 20; d.labels && room > 40 {
		fmt.Fprintf(d, `<text class="gantt-axis" x="%.1f" y="%d">%s</text>`, to+12, y+16, escape(title(cut(name, min(room, labelWidth)))))
	}
	d.WriteString("</g>\n")
}

// ends are the places of a row's start and finish.
func (d *drawing) ends(r Row) (from, to float64) {
	return d.x(d.s.Calendar.from(r.EarlyStart)), d.x(d.s.Calendar.until(r.EarlyStart, r.EarlyFinish))
}

// arrow draws a link: out of one bar and into the other, with a bend between their lines when there is
// no straight way down.
func (d *drawing) arrow(t Type, from, to Row, i, j int) {
	x1, end1 := d.ends(from)
	x2, end2 := d.ends(to)
	out, in := -5.0, -5.0
	if t == FS || t == FF {
		x1, out = end1, 5
	}
	if t == FF || t == SF {
		x2, in = end2, 5
	}
	y1, y2 := headHeight+rowHeight*i+12, headHeight+rowHeight*j+12
	fmt.Fprintf(d, `<path class="gantt-link" d="M%.1f %dH%.1f`, x1, y1, x1+out)
	if across := x2 + 2*in; (across-x1-out)*in > 0 {
		between := y2 - rowHeight/2
		if j < i {
			between += rowHeight
		}
		fmt.Fprintf(d, "V%dH%.1f", between, across)
	}
	fmt.Fprintf(d, `V%dH%.1fM%.1f %dL%.1f %dL%.1f %d"/>`+"\n", y2, x2, x2+in, y2-3, x2, y2, x2+in, y2+3)
}

// when says a row's dates and days for people.
func (s *Schedule) when(r Row) string {
	start, last := s.Calendar.Start(r.EarlyStart), s.Calendar.Last(r.EarlyStart, r.EarlyFinish)
	switch {
	case r.Days() <= 0:
		return long(start)
	case start.Equal(last):
		return long(start) + ", " + s.days(r.Days())
	}
	return long(start) + " to " + long(last) + ", " + s.days(r.Days())
}

func long(t time.Time) string { return t.Format("2 Jan 2006") }

// days is a number of days with its noun, in two decimals at most.
func (s *Schedule) days(n float64) string {
	noun := "day"
	if s.Calendar.WorkingDays {
		noun = "working day"
	}
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%v %s", math.Round(n*100)/100, noun)
}

// escape makes text of anything.
func escape(s string) string { return html.EscapeString(s) }

// plain is a title as one line without characters that steer rather than show.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// title is a text as one line whose direction leaves what stands around it alone: an ellipsis stands at
// the end of Arabic words, not at their right.
func title(s string) string {
	s = plain(s)
	if strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko)
	}) {
		return "\u2068" + s + "\u2069"
	}
	return s
}

// cut shortens a line to about a width in pixels.
func cut(s string, width float64) string {
	used := 0.0
	for i, r := range s {
		w := textWidth
		if r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r >= 0x1F000) {
			w = 12
		}
		if used += w; used > width {
			return strings.TrimSpace(s[:i]) + "…"
		}
	}
	return s
}
