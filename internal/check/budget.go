package check

import (
	"fmt"
	"regexp"
	"strings"

	"planexe/internal/plan"
)

var (
	wholeBudget = regexp.MustCompile(`(?i)\b(?:(?:total|overall|entire) (?:project )?budget(?: of| is|:| is set at)?|gesamtbudget(?: von| beträgt| in Höhe von|:)?|budget (?:total|global)(?: de| est de| du projet est de| ?:)?|presupuesto total(?: de| es de|:)?|(?:budget|bilancio) (?:totale|complessivo)(?: di| è di|:)?|orçamento total(?: de| é de|:)?|totale budget(?: van|:)?)[\s:：]*$|(?:総予算|予算総額|总预算)(?:は|为)?[\s:：]*$`)
	budgetWord  = regexp.MustCompile(`(?i)budget|presupuesto|orçamento|bilancio|бюджет|予算|预算|예산`)
	perTime     = regexp.MustCompile(`(?i)[/／]|\b(?:per|pro|par|por|je|each|monthly|yearly|annual(?:ly)?|monatlich|jährlich|mensuel|annuel)\b|[毎每月]`)
)

// budgets compares what the text calls the total budget with the budget of the request.
func budgets(r *run, res *result) {
	stated := amounts(r.facts.Budget, r.facts.Language)
	if len(stated) == 0 || perTime.MatchString(r.facts.Budget) {
		return
	}
	low, high := stated[0].value, stated[0].value
	for _, a := range stated {
		low, high = min(low, a.value), max(high, a.value)
	}
	if len(stated) > 1 || ranged(r.facts.Budget, stated[0].from, stated[0].to) {
		low = 0 // an upper bound or several sums: only more than the largest is a contradiction
	}
	const rounding = 0.05
	r.each(func(b block) {
		if b.kind == outside {
			return
		}
		text := b.full()
		if a, ok := budgetTotal(b, r.facts.Language); ok && same(a.code, stated[0].code) {
			res.looked++
			if a.value > high*(1+rounding) {
				res.add(plan.SeverityError, b, text, fmt.Sprintf("The parts of the budget come to %s; the request states %s.", spell(a.value), shorten(r.facts.Budget)))
				return
			}
		}
		if !b.prose() {
			return
		}
		for _, a := range amounts(text, r.facts.Language) {
			if !wholeBudget.MatchString(text[max(0, a.from-60):a.from]) || ranged(text, a.from, a.to) || !same(a.code, stated[0].code) && !same(stated[0].code, a.code) {
				continue
			}
			res.looked++
			if a.value < low*(1-rounding) || a.value > high*(1+rounding) {
				res.add(plan.SeverityError, b, around(text, a.from, a.to), fmt.Sprintf(
					"The text names a total budget of %s; the request states %s.", strings.TrimSpace(text[a.from:a.to]), shorten(r.facts.Budget)))
			}
		}
	})
}

// budgetTotal returns the sum that a table or list of a budget ends with.
func budgetTotal(b block, lang string) (amount, bool) {
	label := b.label
	switch {
	case b.form == row:
		label = b.cells[0]
	case b.form != item:
		return amount{}, false
	case label == "":
		label, _, _ = strings.Cut(b.text, ":")
	}
	if !isTotal(label) || !budgetWord.MatchString(b.section+" "+label) {
		return amount{}, false
	}
	found := amounts(b.text, lang)
	if len(found) != 1 || ranged(b.text, found[0].from, found[0].to) {
		return amount{}, false
	}
	return found[0], true
}
