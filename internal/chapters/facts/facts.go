// Package facts is the chapter of what the request itself states. It is asked first and told to
// every later step, so that no step forgets the person's own limits or blows the plan up.
package facts

import (
	"context"
	"embed"
	"fmt"
	"strings"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "facts", Prompts: prompts, Steps: []step.Step{
	KeyFacts,
}}

// KeyFacts reads from the request what is fixed, and how large the undertaking is.
var KeyFacts = step.Func{
	Name:    "key_facts",
	About:   "What the request fixes: money, dates, places, people, demands, language, size",
	Early:   true,
	Prompts: []string{"key_facts"},
	Needs:   step.Docs(plan.Prompt),
	Writes:  step.Docs(plan.KeyFacts),
	Calls:   step.Once,
	Run: func(ctx context.Context, w *step.Work) error {
		request, err := w.Text(plan.Prompt)
		if err != nil {
			return err
		}
		got, err := step.Question[facts]{
			Prompt: "key_facts",
			Check:  func(f *facts) []schema.Problem { return f.check(request) },
		}.Ask(ctx, w)
		if err != nil {
			return err
		}
		return w.WriteRaw(plan.KeyFacts, got.Value.stated(request), got.Source)
	},
}

type facts struct {
	Language string     `json:"language"`
	Scale    plan.Scale `json:"scale" enum:"trivial,small,medium,large"`
	Budget   *string    `json:"budget"`
	Currency *string    `json:"currency"`
	Start    *string    `json:"start_date"`
	Deadline *string    `json:"deadline"`
	Places   []string   `json:"places" count:"0-10"`
	People   []string   `json:"people" count:"0-10"`
	Demands  []string   `json:"demands" count:"0-12"`
	Forbids  []string   `json:"forbids" count:"0-12"`
}

// stated keeps only what the request says, word for word: a fact that does not stand in it would
// become everybody's error.
func (f facts) stated(request string) plan.Facts {
	out := plan.Facts{
		Language: tag(f.Language), Scale: f.Scale, Budget: said(request, f.Budget), Start: said(request, f.Start),
		Deadline: said(request, f.Deadline), Places: quoted(request, f.Places), People: quoted(request, f.People),
		Demands: quoted(request, f.Demands), Forbids: quoted(request, f.Forbids),
	}
	if f.Currency != nil {
		if unit, err := currency.ParseISO(*f.Currency); err == nil {
			out.Currency = unit.String()
		}
	}
	return out
}

func tag(s string) string {
	t, err := language.Parse(strings.TrimSpace(s))
	if err != nil || t == language.Und {
		return ""
	}
	return t.String()
}

func said(request string, s *string) string {
	if s == nil || !contains(request, *s) {
		return ""
	}
	return strings.TrimSpace(*s)
}

func quoted(request string, list []string) []string {
	out := []string{}
	for _, s := range list {
		if contains(request, s) {
			out = append(out, strings.TrimSpace(s))
		}
	}
	return out
}

// contains looks for a quotation as a reader would: case and white space do not count.
func contains(text, quote string) bool {
	quote = step.Fold(quote)
	return quote != "" && strings.Contains(step.Fold(text), quote)
}

// check asks once more for quotations that are none.
func (f *facts) check(request string) []schema.Problem {
	var out []schema.Problem
	look := func(path, s string) {
		if !contains(request, s) {
			out = append(out, schema.Problem{Path: path, Found: fmt.Sprintf("%q, which does not stand in the request", s), Want: "words copied from the request as they stand there", Soft: true})
		}
	}
	for _, x := range []struct {
		path string
		text *string
	}{{"budget", f.Budget}, {"start_date", f.Start}, {"deadline", f.Deadline}} {
		if x.text != nil {
			look(x.path, *x.text)
		}
	}
	for _, x := range []struct {
		path string
		list []string
	}{{"places", f.Places}, {"people", f.People}, {"demands", f.Demands}, {"forbids", f.Forbids}} {
		for i, s := range x.list {
			look(fmt.Sprintf("%s[%d]", x.path, i), s)
		}
	}
	if tag(f.Language) == "" {
		out = append(out, schema.Problem{Path: "language", Found: f.Language, Want: "a language tag such as en, fr or pt-BR", Soft: true})
	}
	return out
}
