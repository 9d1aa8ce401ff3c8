package assume

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/currency"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Currency chooses the money the plan is reckoned in. Codes that are not of ISO 4217 are dropped.
var Currency = step.Ask[money]{
	Name:   "currency_strategy",
	About:  "The money the plan is reckoned in",
	Needs:  step.Docs(plan.Prompt, plan.PurposePage, plan.PlanTypePage, plan.Decisions, plan.Scenarios, plan.Locations),
	Check:  checkMoney,
	Raw:    plan.CurrencyRaw,
	Writes: step.Docs(plan.Currency),
	Then: func(w *step.Work, got llm.Answer[money]) error {
		return w.WritePage(plan.Currency, got.Value.valid().Markdown())
	},
}

type money struct {
	Involved   bool     `json:"money_involved"`
	Currencies []listed `json:"currency_list"`
	Primary    *string  `json:"primary_currency"`
	Strategy   string   `json:"currency_strategy" empty:"ok"`
}

type listed struct {
	Code          string `json:"currency"`
	Consideration string `json:"consideration"`
}

// isoCode returns a currency code as ISO 4217 writes it; false when there is no such money.
func isoCode(text string) (string, bool) {
	unit, err := currency.ParseISO(strings.TrimSpace(text))
	if err != nil || unit == currency.XXX || unit == currency.XTS {
		return "", false
	}
	return unit.String(), true
}

func checkMoney(m *money) []schema.Problem {
	var out []schema.Problem
	add := func(path, found, want string) {
		out = append(out, schema.Problem{Path: path, Found: found, Want: want, Soft: true})
	}
	for i, c := range m.Currencies {
		if _, ok := isoCode(c.Code); !ok {
			add(fmt.Sprintf("currency_list[%d].currency", i), c.Code, "a currency code of ISO 4217, three capital letters")
		}
	}
	switch {
	case m.Involved && len(m.Currencies) == 0:
		add("currency_list", "no currency", "at least the currency in which most is spent")
	case m.Involved && m.Primary == nil:
		add("primary_currency", "null", "one of the listed codes")
	case m.Primary != nil && !m.lists(*m.Primary):
		add("primary_currency", *m.Primary, "one of the codes in currency_list")
	}
	return out
}

func (m money) lists(code string) bool {
	return slices.ContainsFunc(m.Currencies, func(c listed) bool { return strings.EqualFold(c.Code, code) })
}

// valid writes codes as ISO 4217 does and drops those that do not exist or stand twice. Without a
// valid primary currency the first one of the list takes its place.
func (m money) valid() money {
	out := m
	out.Currencies, out.Primary = nil, nil
	for _, c := range m.Currencies {
		if code, ok := isoCode(c.Code); ok && !out.lists(code) {
			out.Currencies = append(out.Currencies, listed{code, c.Consideration})
		}
	}
	if m.Primary != nil {
		if code, ok := isoCode(*m.Primary); ok {
			out.Primary = &code
		}
	}
	if out.Primary == nil && m.Involved && len(out.Currencies) > 0 {
		out.Primary = &out.Currencies[0].Code
	}
	return out
}

// Markdown is what later prompts read.
func (m money) Markdown() string {
	var b strings.Builder
	if m.Involved {
		b.WriteString("This plan involves money.\n")
	} else {
		b.WriteString("This plan **does not** involve money.\n")
	}
	if len(m.Currencies) == 0 {
		b.WriteString("No currency has to be chosen.\n")
	} else {
		var items []string
		for _, c := range m.Currencies {
			items = append(items, fmt.Sprintf("**%s:** %s", c.Code, c.Consideration))
		}
		fmt.Fprintf(&b, "\n## Currencies\n\n%s", step.Bullets(items))
	}
	if m.Primary != nil {
		fmt.Fprintf(&b, "\n**Primary currency:** %s\n", *m.Primary)
	}
	if m.Strategy != "" {
		fmt.Fprintf(&b, "\n**Currency strategy:** %s\n", m.Strategy)
	}
	return strings.TrimRight(b.String(), "\n")
}
