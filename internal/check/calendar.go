package check

import (
	"encoding/csv"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"planexe/internal/plan"
)

// span is a stretch of days, both ends included.
type span struct {
	from, to time.Time
	early    time.Time // end if all goes well; equal to to where nobody knows
	text     string    // the words it stands in
	at       int       // byte at which they stand
	days     bool      // exact to the day
}

var monthNames = []string{
	"january|jan|januar|jänner|janvier|enero|gennaio|janeiro|januari", "february|feb|februar|février|febrero|febbraio|fevereiro|februari",
	"march|mar|märz|mrz|mars|marzo|março|maart", "april|apr|avril|abril|aprile", "may|mai|mayo|maggio|maio|mei", "june|jun|juni|juin|junio|giugno|junho",
	"july|jul|juli|juillet|julio|luglio|julho", "august|aug|août|agosto|augustus", "september|sep|sept|septembre|septiembre|settembre|setembro",
	"october|oct|oktober|okt|octobre|octubre|ottobre|outubro", "november|nov|novembre|noviembre|novembro", "december|dec|dezember|dez|décembre|diciembre|dicembre|dezembro",
}

var (
	month     = `(` + strings.Join(monthNames, "|") + `)`
	dateForms = []struct {
		form    *regexp.Regexp
		y, m, d int // groups; 0: not written
		quarter bool
	}{
		{regexp.MustCompile(`\b(\d{4})-(\d{1,2})-(\d{1,2})\b`), 1, 2, 3, false},
		{regexp.MustCompile(`(?i)\b(\d{4})-` + month + `-(\d{1,2})\b`), 1, 2, 3, false},
		{regexp.MustCompile(`\b(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\b`), 3, 2, 1, false},
		{regexp.MustCompile(`(?i)\b(\d{1,2})(?:\.|st|nd|rd|th|er|º)?\s(?:of\s|de\s)?` + month + `\.?,?\s(?:de\s)?(\d{4})\b`), 3, 2, 1, false},
		{regexp.MustCompile(`(?i)\b` + month + `\.?\s(\d{1,2})(?:st|nd|rd|th)?,?\s(\d{4})\b`), 3, 1, 2, false},
		{regexp.MustCompile(`(\d{4})年(\d{1,2})月(\d{1,2})日`), 1, 2, 3, false},
		{regexp.MustCompile(`(\d{4})年(\d{1,2})月`), 1, 2, 0, false},
		{regexp.MustCompile(`(?i)\b` + month + `\.?,?\s(?:de\s|del\s)?(\d{4})\b`), 2, 1, 0, false},
		{regexp.MustCompile(`\bQ([1-4])[\s/-]?(\d{4})\b`), 2, 1, 0, true},
		{regexp.MustCompile(`\b(\d{4})[\s/-]?Q([1-4])\b`), 1, 2, 0, true},
	}
	yearForm  = regexp.MustCompile(`(?:^|[^\d.,-])(20\d{2})(?:$|[^\d.,-]|[.,](?:$|\D))`)
	dayOfYear = regexp.MustCompile(`(?i)(?:\b(\d{1,2})(?:\.|st|nd|rd|th|er|º)?\s(?:of\s|de\s)?)?\b` + month + `\b(?:\s(\d{1,2})(?:st|nd|rd|th)?\b)?`)
	longForm  = regexp.MustCompile(`(?i)(?:(\d{1,4}(?:[.,]\d{1,2})?)(?:\s?[-–〜]\s?|\s(?:to|bis|à|a)\s))?(?:\b(\d{1,4}(?:[.,]\d{1,2})?)|\b(` + strings.Join(smallNumbers, "|") + `)\b)[\s\x{a0}-]?(?:` + units + `)`)
)

// units are the words for days, weeks, months and years, a group for each.
const units = `(days?\b|tage?n?\b|jours?\b|d[ií]as?\b|giorn[io]\b|dagen\b|日間|天)|(weeks?\b|wochen?\b|semaines?\b|semanas?\b|settiman[ae]\b|weken\b|週間|周)|(months?\b|monate?n?\b|mois\b|mes(?:es)?\b|mes[ei]\b|maanden\b|[かヶカケ]月|个月|個月)|(years?\b|jahre?n?\b|ans?\b|années?\b|años?\b|ann[io]\b|anos?\b|jaar\b|年)`

// smallNumbers are the written numbers from one to twelve, a list of languages for each.
var smallNumbers = []string{
	"one|ein|eine|einem|einen|einer|un|une|una|uno", "two|zwei|deux|dos|due", "three|drei|trois|tres|tre", "four|vier|quatre|cuatro|quattro", "five|fünf|cinq|cinco|cinque",
	"six|sechs|seis|sei", "seven|sieben|sept|siete|sette", "eight|acht|huit|ocho|otto", "nine|neun|neuf|nueve|nove", "ten|zehn|dix|diez|dieci",
	"eleven|elf|onze|once|undici", "twelve|zwölf|douze|doce|dodici",
}

// position returns the 1-based place of a word in lists of alternatives; 0 when it is in none.
func position(lists []string, w string) int {
	w = strings.ToLower(w)
	for i, l := range lists {
		for name := range strings.SplitSeq(l, "|") {
			if name == w {
				return i + 1
			}
		}
	}
	return 0
}

// findDates returns the dates of a text with the year written. Impossible is called for those that
// no calendar has.
func findDates(text string, impossible func(span)) []span {
	if !hasAny(text, "19", "20", "21") {
		return nil
	}
	var out []span
	taken := map[int]bool{}
	for _, f := range dateForms {
		for _, m := range f.form.FindAllStringSubmatchIndex(text, -1) {
			if overlaps(taken, m[0], m[1]) {
				continue
			}
			group := func(i int) int {
				if i == 0 {
					return 0
				}
				w := text[m[2*i]:m[2*i+1]]
				if n, err := strconv.Atoi(w); err == nil {
					return n
				}
				return position(monthNames, w)
			}
			y, mo, d := group(f.y), group(f.m), group(f.d)
			s := span{text: text[m[0]:m[1]], at: m[0]}
			if y < 1900 || y >= 2200 {
				continue
			}
			switch {
			case f.quarter:
				s.from = day(y, 3*mo-2, 1)
				s.to = s.from.AddDate(0, 3, -1)
			case f.d == 0:
				if mo < 1 || mo > 12 {
					continue
				}
				s.from = day(y, mo, 1)
				s.to = s.from.AddDate(0, 1, -1)
			default:
				s.from, s.days = day(y, mo, d), true
				s.to = s.from
				if int(s.from.Month()) != mo || s.from.Day() != d || d == 0 {
					if impossible != nil && mo >= 1 && mo <= 12 && d >= 28 && d <= 31 {
						impossible(s)
					}
					take(taken, m[0], m[1])
					continue
				}
			}
			take(taken, m[0], m[1])
			out = append(out, s)
		}
	}
	return out
}

// findEnds returns the times until which a text may mean: dates and years, and stretches of time
// from the start on.
func findEnds(text string, start time.Time) []span {
	out := findDates(text, nil)
	taken := map[int]bool{}
	for _, s := range out {
		take(taken, s.at, s.at+len(s.text))
	}
	out = append(out, findStretches(text, start)...)
	for _, m := range yearForm.FindAllStringSubmatchIndex(text, -1) {
		if overlaps(taken, m[2], m[3]) {
			continue
		}
		y, _ := strconv.Atoi(text[m[2]:m[3]])
		out = append(out, span{from: day(y, 1, 1), to: day(y, 12, 31), text: text[m[2]:m[3]]})
	}
	return out
}

// findDays returns days and months written without a year: the next ones from the start on.
func findDays(text string, start time.Time) []span {
	var out []span
	for _, m := range dayOfYear.FindAllStringSubmatch(text, -1) {
		mo := position(monthNames, m[2])
		d, _ := strconv.Atoi(m[1] + m[3])
		if m[1] != "" && m[3] != "" || d > 31 || mo == 0 || d == 0 && (m[2] == "may" || m[2] == "mar") {
			continue
		}
		s := span{from: day(start.Year(), mo, max(d, 1)), text: strings.TrimSpace(m[0]), days: d > 0}
		if s.to = s.from; d == 0 {
			s.to = s.from.AddDate(0, 1, -1)
		}
		if s.to.Before(start) {
			s.from, s.to = s.from.AddDate(1, 0, 0), s.to.AddDate(1, 0, 0)
		}
		out = append(out, s)
	}
	return out
}

// findStretches returns lengths of time as spans that begin at start.
func findStretches(text string, start time.Time) []span {
	if start.IsZero() {
		return nil
	}
	var out []span
	for _, m := range longForm.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseFloat(strings.ReplaceAll(m[2], ",", "."), 64)
		if err != nil {
			n = float64(position(smallNumbers, m[3]))
		}
		perUnit := 0.0
		for i, d := range []float64{1, 7, 30.4375, 365.25} {
			if m[4+i] != "" {
				perUnit = d
			}
		}
		if n <= 0 || n*perUnit > 365.25*200 || perUnit > 300 && n > 200 {
			continue
		}
		out = append(out, span{from: start, to: start.AddDate(0, 0, int(n*perUnit+0.5)), text: strings.TrimSpace(m[0])})
	}
	return out
}

// hasAny tells whether a text holds one of the words: expressions are slow, most texts have none.
func hasAny(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

func overlaps(taken map[int]bool, from, to int) bool {
	for i := from; i < to; i++ {
		if taken[i] {
			return true
		}
	}
	return false
}

func take(taken map[int]bool, from, to int) {
	for i := from; i < to; i++ {
		taken[i] = true
	}
}

// schedule reads when the plan's work begins and ends: from the schedule as data, or else from the
// Gantt table that all programs of the contract write.
func schedule(r *run) span {
	var s struct {
		Duration struct{ Shortest, Likely float64 }
		Deadline struct {
			Finish struct{ Shortest, Likely string }
		} // of the task that the deadline is about
		Rows []struct {
			Start, Last string
			Depth       int
		}
	}
	data, err := r.read(plan.Schedule.Name)
	if err == nil && json.Unmarshal(data, &s) == nil && len(s.Rows) > 0 {
		from, errFrom := time.Parse(time.DateOnly, s.Rows[0].Start)
		to, errTo := time.Parse(time.DateOnly, s.Rows[0].Last)
		if errFrom == nil && errTo == nil && s.Rows[0].Depth == 0 {
			out := span{from: from, to: to, early: to, text: plan.Schedule.Name}
			if d := s.Duration; d.Shortest > 0 && d.Likely >= d.Shortest {
				out.early = from.AddDate(0, 0, int(to.Sub(from).Hours()/24*d.Shortest/d.Likely))
			}
			early, errEarly := time.Parse(time.DateOnly, s.Deadline.Finish.Shortest)
			likely, errLikely := time.Parse(time.DateOnly, s.Deadline.Finish.Likely)
			if errEarly == nil && errLikely == nil {
				out.early, out.to = early, likely // what follows it has no deadline
			}
			return out
		}
	}
	rows := csv.NewReader(strings.NewReader(r.text(plan.GanttTable)))
	rows.FieldsPerRecord = -1
	head, err := rows.Read()
	if err != nil {
		return span{}
	}
	first, err := rows.Read()
	if err != nil {
		return span{}
	}
	cell := map[string]string{}
	for i, name := range head {
		if i < len(first) {
			cell[name] = first[i]
		}
	}
	const written = "1/2/2006"
	from, errFrom := time.Parse(written, cell["project_start_date"])
	to, errTo := time.Parse(written, cell["project_end_date"])
	if errFrom != nil || errTo != nil || cell["project_parent"] != "" {
		return span{}
	}
	return span{from: from, to: to, early: to, text: plan.GanttTable.Name}
}
