package assume

import (
	"fmt"
	"regexp"
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

var letters = regexp.MustCompile(`^[A-Z]{3}$`)

func known(code string) bool {
	if !letters.MatchString(code) {
		return false
	}
	_, err := currency.ParseISO(code)
	return err == nil
}

func checkMoney(m *money) []schema.Problem {
	var out []schema.Problem
	add := func(path, found, want string) {
		out = append(out, schema.Problem{Path: path, Found: found, Want: want, Soft: true})
	}
	for i, c := range m.Currencies {
		if !known(c.Code) {
			add(fmt.Sprintf("currency_list[%d].currency", i), c.Code, "a currency code of ISO 4217, three capital letters")
		}
	}
	switch {
	case m.Involved && len(m.Currencies) == 0:
		add("currency_list", "no currency", "at least the currency in which most is spent")
	case m.Involved && m.Primary == nil:
		add("primary_currency", "null", "one of the listed codes")
	case m.Primary != nil && !slices.ContainsFunc(m.Currencies, func(c listed) bool { return c.Code == *m.Primary }):
		add("primary_currency", *m.Primary, "one of the codes in currency_list")
	}
	return out
}

// valid drops codes that do not exist.
func (m money) valid() money {
	m.Currencies = slices.DeleteFunc(slices.Clone(m.Currencies), func(c listed) bool { return !known(c.Code) })
	if m.Primary != nil && !known(*m.Primary) {
		m.Primary = nil
	}
	if m.Primary == nil && m.Involved && len(m.Currencies) > 0 {
		m.Primary = &m.Currencies[0].Code
	}
	return m
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
