package check

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"planexe/internal/plan"
)

var (
	sharesForm  = regexp.MustCompile(`[(（:：]([^()（）:：]{5,300})[)）.。]?`)
	percent     = regexp.MustCompile(`(\d{1,3}(?:[.,]\d{1,2})?)[ \x{a0}]?[%％]`)
	divides     = regexp.MustCompile(`(?i)\b(?:budget|cost|funding|time|resource|revenue|equity|workforce|staff)s? (?:allocation|breakdown|split|distribution)|\b(?:allocation|breakdown|split) of (?:the |total )*(?:budget|costs?|funds|funding|revenue)|\b(?:budget|kosten|mittel)(?:aufteilung|verteilung)|\baufteilung (?:des|der) (?:\w+)?(?:budgets|kosten|mittel)|\b(?:répartition|ventilation) (?:du budget|des (?:coûts|fonds|dépenses))|\b(?:distribución|desglose|reparto) del presupuesto|予算(?:の)?(?:配分|内訳)`)
	sentenceEnd = regexp.MustCompile(`[.!?](?:\s|$)|。`)
	perItem     = regexp.MustCompile(`[,;、，；]`)
)

// shares adds up percentages that are said to divide one budget: a list in brackets or behind a
// colon, right after words such as "budget allocation", one percentage per item.
func shares(r *run, res *result) {
	r.each(func(b block) {
		text := b.full()
		if !strings.ContainsAny(text, "%％") {
			return
		}
		for _, m := range divides.FindAllStringIndex(text, -1) {
			rest := text[m[1]:min(len(text), m[1]+400)]
			list := sharesForm.FindStringSubmatchIndex(rest)
			if list == nil || list[0] > 40 || strings.ContainsAny(rest[:list[0]], ".!?;") {
				continue
			}
			inner := rest[list[2]:list[3]]
			if end := sentenceEnd.FindStringIndex(inner); end != nil {
				inner = inner[:end[0]]
			}
			sum, n := 0.0, 0
			for _, part := range perItem.Split(protect(inner), -1) {
				p := percent.FindAllStringSubmatch(part, -1)
				if len(p) != 1 || ranged(part, strings.Index(part, p[0][0]), strings.Index(part, p[0][0])+len(p[0][0])) {
					n = 0
					break
				}
				v, _, ok := parseNumber(strings.ReplaceAll(p[0][1], ",", "."), "", "en")
				if !ok {
					n = 0
					break
				}
				sum, n = sum+v, n+1
			}
			if n < 3 {
				continue
			}
			res.looked++
			if math.Abs(sum-100) > 1 {
				res.add(plan.SeverityWarning, b, inner, fmt.Sprintf("The shares add up to %s %%.", spell(sum)))
			}
		}
	})
}

var decimalComma = regexp.MustCompile(`(\d),(\d)`)

// protect keeps decimal commas from separating items.
func protect(list string) string { return decimalComma.ReplaceAllString(list, "$1.$2") }
