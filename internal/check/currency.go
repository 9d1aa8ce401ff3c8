package check

import (
	"fmt"
	"slices"
	"strings"

	"planexe/internal/plan"
)

// foreign looks for amounts in currencies that neither the request nor the currency strategy names.
// An amount beside one in a currency of the plan is a conversion.
func foreign(r *run, res *result) {
	allowed := codeWord.FindAllString(r.text(plan.Currency)+" "+r.prompt+" "+r.facts.Currency, -1)
	if c, ok := decode[struct {
		List []struct {
			Code string `json:"currency"`
		} `json:"currency_list"`
	}](r, plan.CurrencyRaw); ok {
		for _, x := range c.List {
			allowed = append(allowed, x.Code)
		}
	}
	if r.facts.Currency != "" {
		allowed = append(allowed, r.facts.Currency)
	}
	if len(allowed) == 0 {
		return
	}
	for _, a := range amounts(r.prompt, r.facts.Language) {
		allowed = append(allowed, a.code)
	}
	ours := func(a amount) bool {
		return slices.ContainsFunc(allowed, func(c string) bool { return same(a.code, c) })
	}
	r.each(func(b block) {
		if b.kind != body {
			return
		}
		found := amounts(b.text, r.facts.Language)
		res.looked += len(found)
		if slices.ContainsFunc(found, ours) {
			return
		}
		for _, a := range found {
			res.add(plan.SeverityWarning, b, around(b.text, a.from, a.to), fmt.Sprintf(
				"The amount %s is in a currency that the plan does not use.", strings.TrimSpace(b.text[a.from:a.to])))
			return
		}
	})
}
