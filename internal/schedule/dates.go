package schedule

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Dates reads the dates that words of a request name: the first and the last day of a date, a month, a
// quarter or a year, and of all of them when there are several. Without a year it is the next one since
// from, and a length of time counts from there. It knows numbers and the names of months in some
// languages; words that it is not sure of, such as a season or 3/4/2027, are not ok.
func Dates(words string, from time.Time) (first, last time.Time, ok bool) {
	r := dateReader{from: day(from.Year(), int(from.Month()), from.Day())}
	text := r.numbers(strings.ToLower(words))
	tokens := strings.FieldsFunc(splitNumbers(text), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	r.months(tokens)
	if r.spans == nil && !r.unsure {
		r.years(tokens)
	}
	if r.spans == nil && !r.unsure {
		r.lengths(tokens)
	}
	if r.unsure {
		return first, last, false
	}
	for i, s := range r.spans {
		if i == 0 || s[0].Before(first) {
			first = s[0]
		}
		if i == 0 || s[1].After(last) {
			last = s[1]
		}
	}
	return first, last, r.spans != nil
}

type dateReader struct {
	from   time.Time
	spans  [][2]time.Time
	unsure bool
}

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

// add notes a date; a day or a month of 0 is not named. Dates that are none are unsure.
func (r *dateReader) add(y, m, d int) {
	first, last := day(y, max(m, 1), max(d, 1)), day(y, 12, 31)
	switch {
	case d > 0:
		last = first
	case m > 0:
		last = first.AddDate(0, 1, -1)
	}
	if m > 12 || d > 0 && first.Day() != d || y < 1900 || y > 2200 {
		r.unsure = true
		return
	}
	r.spans = append(r.spans, [2]time.Time{first, last})
}

var (
	yearFirst = regexp.MustCompile(`\b(\d{4})(?:-|/|\.|年\s*)(\d{1,2})(?:(?:-|/|\.|月\s*)(\d{1,2})日?\b|月|\b)`)
	monthDay  = regexp.MustCompile(`(\d{1,2})月\s*(?:(\d{1,2})日)?`)
	dayFirst  = regexp.MustCompile(`\b(\d{1,2})([./-])\s?(\d{1,2})[./-]\s?(\d{4})\b`)
)

// numbers takes out the dates that are written in digits.
func (r *dateReader) numbers(text string) string {
	text = yearFirst.ReplaceAllStringFunc(text, func(s string) string {
		m := yearFirst.FindStringSubmatch(s)
		r.add(digits(m[1]), digits(m[2]), digits(m[3]))
		return " "
	})
	text = monthDay.ReplaceAllStringFunc(text, func(s string) string {
		m := monthDay.FindStringSubmatch(s)
		r.add(r.next(digits(m[1]), digits(m[2])), digits(m[1]), digits(m[2]))
		return " "
	})
	return dayFirst.ReplaceAllStringFunc(text, func(s string) string {
		m := dayFirst.FindStringSubmatch(s)
		d, month := digits(m[1]), digits(m[3])
		if m[2] != "." && d <= 12 && month <= 12 && d != month {
			r.unsure = true // half of the world puts the day first
			return " "
		}
		if m[2] != "." && month > 12 {
			d, month = month, d
		}
		r.add(digits(m[4]), month, d)
		return " "
	})
}

func digits(s string) int {
	n, _ := strconv.Atoi(s) // "" and what is too long are 0, which is no part of a date
	return n
}

// splitNumbers puts a space between digits and letters.
func splitNumbers(s string) string {
	var b strings.Builder
	var before rune
	for _, c := range s {
		if unicode.IsDigit(before) && unicode.IsLetter(c) || unicode.IsLetter(before) && unicode.IsDigit(c) {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
		before = c
	}
	return b.String()
}

// at returns the number in a place, 0 for none.
func at(tokens []string, i int) int {
	if i < 0 || i >= len(tokens) || len(tokens[i]) > 4 {
		return 0
	}
	return digits(tokens[i])
}

func isYear(n int) bool { return n >= 1900 && n <= 2200 }
func isDay(n int) bool  { return n >= 1 && n <= 31 }

// months finds months by their names, with a day before or behind and a year.
func (r *dateReader) months(tokens []string) {
	for i, t := range tokens {
		near := isDay(at(tokens, i-1)) || isDay(at(tokens, i-2)) || at(tokens, i+1) > 0 || isYear(at(tokens, i+2))
		m := monthOf(t, near)
		if m == 0 {
			continue
		}
		d, next := 0, i+1
		switch {
		case isDay(at(tokens, i-1)):
			d = at(tokens, i-1)
		case isDay(at(tokens, i-2)) && monthOf(tokens[i-1], true) == 0 && len([]rune(tokens[i-1])) <= 2: // 1st of, 1 de
			d = at(tokens, i-2)
		case i >= 3 && isDay(at(tokens, i-3)) && tokens[i-1] == "of":
			d = at(tokens, i-3)
		case isDay(at(tokens, i+1)):
			d, next = at(tokens, i+1), i+2
		}
		y := 0
		for j := next; j < min(next+2, len(tokens)) && y == 0; j++ {
			if isYear(at(tokens, j)) {
				y = at(tokens, j)
			}
		}
		if y == 0 && isYear(at(tokens, i-1)) {
			y = at(tokens, i-1)
		}
		if y == 0 {
			y = r.next(m, d)
		}
		r.add(y, m, d)
	}
}

// next is the year in which a day, or the end of a month when d is 0, comes next.
func (r *dateReader) next(m, d int) int {
	y := r.from.Year()
	end := day(y, m, d)
	if d == 0 {
		end = day(y, m+1, 0)
	}
	if end.Before(r.from) {
		y++
	}
	return y
}

// years finds quarters and years that stand alone.
func (r *dateReader) years(tokens []string) {
	for i := range tokens {
		y := at(tokens, i)
		if !isYear(y) {
			continue
		}
		quarter := 0
		for _, j := range []int{i - 2, i + 1} {
			if j >= 0 && j+1 < len(tokens) && (tokens[j] == "q" || tokens[j] == "t") {
				quarter = at(tokens, j+1)
			}
		}
		if quarter < 1 || quarter > 4 {
			r.add(y, 0, 0)
			continue
		}
		r.spans = append(r.spans, [2]time.Time{day(y, 3*quarter-2, 1), day(y, 3*quarter+1, 0)})
	}
}

// lengths finds lengths of time.
func (r *dateReader) lengths(tokens []string) {
	for i := 0; i+1 < len(tokens); i++ {
		n := at(tokens, i)
		if n == 0 {
			continue
		}
		var t time.Time
		switch unit := tokens[i+1]; {
		case isUnit(dayWords, unit):
			t = r.from.AddDate(0, 0, n)
		case isUnit(weekWords, unit):
			t = r.from.AddDate(0, 0, 7*n)
		case isUnit(monthWords, unit):
			t = r.from.AddDate(0, n, 0)
		case isUnit(yearWords, unit) && n <= 200:
			t = r.from.AddDate(n, 0, 0)
		default:
			continue
		}
		r.spans = append(r.spans, [2]time.Time{t, t})
	}
}

// isUnit tells whether a word is one of those; where words are not set apart, whether it begins so.
func isUnit(words []string, unit string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return w == unit || w >= "\u3000" && strings.HasPrefix(unit, w) })
}

// monthOf is the number of a month, 0 for other words. An abbreviation counts when it is near a number:
// "des" and "out" are words of their own elsewhere.
func monthOf(word string, near bool) int {
	found := 0
	for i, names := range monthNames {
		for name := range strings.FieldsSeq(names) {
			if name == word {
				return i + 1
			}
			if near && len([]rune(word)) >= 3 && strings.HasPrefix(name, word) {
				if found != 0 && found != i+1 {
					return 0
				}
				found = i + 1
			}
		}
	}
	return found
}

// The names of months and lengths of time in English, German, French, Spanish, Italian, Portuguese,
// Dutch, Danish, Norwegian, Swedish and Polish; months of Polish in the form that dates have.
var monthNames = [12]string{
	"january januar jänner janvier enero gennaio janeiro januari stycznia",
	"february februar feber février fevrier febrero febbraio fevereiro februari lutego",
	"march märz maerz mars marzo março marco maart marts marca",
	"april avril abril aprile kwietnia",
	"may mai mayo maggio maio mei maj maja",
	"june juni juin junio giugno junho czerwca",
	"july juli juillet julio luglio julho lipca",
	"august août aout agosto augustus augusti sierpnia",
	"september septembre septiembre setiembre settembre setembro września",
	"october oktober octobre octubre ottobre outubro października",
	"november novembre noviembre novembro listopada",
	"december dezember décembre decembre diciembre dicembre dezembro desember grudnia",
}

var (
	dayWords   = strings.Fields("day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen dage dager dagar dni 日 天")
	weekWords  = strings.Fields("week weeks woche wochen semaine semaines semana semanas settimana settimane weken uge uger uke uker vecka veckor tygodni 週 周")
	monthWords = strings.Fields("month months monat monate monaten mois mes meses mese mesi mês maand maanden måned måneder månad månader miesięcy か月 ヶ月 カ月 个月 個月")
	yearWords  = strings.Fields("year years jahr jahre jahren an ans année années año años anno anni ano anos jaar år lat 年")
)
