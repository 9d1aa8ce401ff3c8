package check

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"planexe/internal/plan"
)

// totalWords are what rows and items with a total begin with.
var totalWords = strings.Fields("total totals totale totaal totalt totaux sum summe gesamt gesamtsumme gesamtkosten insgesamt somme suma soma yhteensä toplam итого всего razem celkem 合計 合计 总计 總計 総計 합계 총계")

func isTotal(label string) bool {
	ws := words(label)
	if len(ws) == 0 || len(ws) > 5 {
		return false
	}
	for _, t := range totalWords {
		if ws[0].fold == t || script([]rune(t)[0]) == 1 && strings.HasPrefix(label, t) {
			return true
		}
	}
	return ws[0].fold == "grand" && len(ws) > 1 && isTotal(label[ws[1].from:])
}

// figure is the one number of a table cell or list item.
type figure struct {
	number
	unit string // currency, "%" or ""
}

var cellNumber = regexp.MustCompile(`^[~≈+]?\s*(` + numeral + `)(` + scale + `)?\s*(%)?$`)

// only returns the number of a text that holds nothing else, or nothing else of money.
func only(text, lang string, strict bool) (figure, bool) {
	text = strings.TrimSpace(text)
	if m := cellNumber.FindStringSubmatch(text); m != nil {
		v, grain, ok := parseNumber(m[1], m[2], lang)
		return figure{number{v, grain, 0, len(text)}, m[3]}, ok
	}
	found := amounts(text, lang)
	if len(found) != 1 || ranged(text, found[0].from, found[0].to) || strict && strings.Trim(text[:found[0].from]+text[found[0].to:], " ~≈.") != "" {
		return figure{}, false
	}
	return figure{found[0].number, found[0].code}, true
}

var sumForm = regexp.MustCompile(`(?:[$€£]\s?)?(` + numeral + `)((?:\s?%?\s?[+]\s?(?:[$€£]\s?)?(?:` + numeral + `))+)\s?%?\s?=\s?(?:[$€£]\s?)?(` + numeral + `)`)

// totals adds up tables and lists that end with a total, and sums written out.
func totals(r *run, res *result) {
	lang := r.facts.Language
	for _, d := range r.docs {
		for i := 0; i < len(d.blocks); {
			j := i + 1
			for j < len(d.blocks) && d.blocks[j].group == d.blocks[i].group && d.blocks[i].group > 0 {
				j++
			}
			switch group := d.blocks[i:j]; group[0].form {
			case row:
				totalRow(group, lang, res)
			case item:
				totalItem(group, lang, res)
			}
			for _, b := range d.blocks[i:j] {
				writtenSum(b, lang, res)
			}
			i = j
		}
	}
}

func totalRow(rows []block, lang string, res *result) {
	last := rows[len(rows)-1]
	if len(rows) < 4 || len(last.cells) < 2 || !isTotal(last.cells[0]) {
		return
	}
	if slices.ContainsFunc(rows[1:len(rows)-1], func(b block) bool { return isTotal(b.cells[0]) }) {
		return
	}
	for c := 1; c < len(last.cells); c++ {
		total, ok := only(last.cells[c], lang, true)
		var parts []figure
		for _, b := range rows[1 : len(rows)-1] {
			if c >= len(b.cells) {
				ok = false
				break
			}
			if strings.Trim(b.cells[c], " -–—") == "" {
				continue
			}
			f, fine := only(b.cells[c], lang, true)
			ok = ok && fine
			parts = append(parts, f)
		}
		if ok {
			compare(last, last.cells[c], total, parts, res)
		}
	}
}

func totalItem(items []block, lang string, res *result) {
	last := items[len(items)-1]
	label, text := last.label, last.text
	if label == "" {
		label, text, _ = strings.Cut(last.text, ":")
	}
	total, ok := only(text, lang, false)
	if !ok || !isTotal(label) || len(items) < 3 {
		return
	}
	var parts []figure
	for _, b := range items[:len(items)-1] {
		text := b.text
		if b.label == "" {
			if _, after, found := strings.Cut(text, ":"); found {
				text = after
			}
		}
		f, fine := only(text, lang, false)
		if !fine {
			return
		}
		parts = append(parts, f)
	}
	compare(last, last.text, total, parts, res)
}

// slack is how much a figure may be off: half of its last digit, nothing for what is counted.
func (f figure) slack() float64 {
	if f.grain == 1 && f.value < 100 && f.unit != "%" {
		return 0
	}
	return f.grain / 2
}

// compare judges a total. Twice the total is one with subtotals among its parts.
func compare(at block, quote string, total figure, parts []figure, res *result) {
	if len(parts) < 2 {
		return
	}
	sum, slack := 0.0, total.slack()
	for _, p := range parts {
		if p.unit != total.unit && p.unit != "" && total.unit != "" {
			return
		}
		sum += p.value
		slack += p.slack()
	}
	res.looked++
	slack = max(slack, math.Abs(total.value)*1e-9)
	if math.Abs(sum-total.value) > slack && math.Abs(sum/2-total.value) > slack {
		res.add(plan.SeverityError, at, quote, fmt.Sprintf("The total is given as %s; its parts add up to %s.", spell(total.value), spell(sum)))
	}
}

func writtenSum(b block, lang string, res *result) {
	if !hasAny(b.text, "+") || !hasAny(b.text, "=") {
		return
	}
	for _, m := range sumForm.FindAllStringSubmatchIndex(b.text, -1) {
		if glued(b.text, m[0]) || cut(b.text, m[1]) {
			continue
		}
		whole := b.text[m[2]:m[5]]
		var parts []figure
		for _, n := range strings.Split(whole, "+") {
			f, ok := only(strings.Trim(n, " $€£%"), lang, true)
			if !ok {
				parts = nil
				break
			}
			parts = append(parts, f)
		}
		total, ok := only(b.text[m[6]:m[7]], lang, true)
		if _, rest := numberAfter(b.text, m[7]); ok && !rest {
			compare(b, b.text[m[0]:m[1]], total, parts, res)
		}
	}
}

var scaleNext = regexp.MustCompile(`^` + scale)

// numberAfter tells whether a scale word follows: then the parts have another unit.
func numberAfter(text string, i int) (string, bool) {
	s := scaleNext.FindString(text[i:])
	return s, s != ""
}

// spell writes a number with its thousands apart.
func spell(v float64) string {
	s := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
	whole, fraction, dotted := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dotted {
		return whole + "." + fraction
	}
	return whole
}
