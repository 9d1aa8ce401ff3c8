package assume

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// parts are the documents of the consolidated assumptions, in order. Each is shortened by a step
// of its own, which begins as soon as that document is there.
var parts = []struct {
	name, title string
	full        plan.File
	short       plan.JSON[plan.Shortened]
}{
	{"purpose", "Purpose", plan.PurposePage, plan.ShortPurpose},
	{"plan_type", "Plan Type", plan.PlanTypePage, plan.ShortPlanType},
	{"physical_locations", "Physical Locations", plan.Locations, plan.ShortLocations},
	{"currency_strategy", "Currency Strategy", plan.Currency, plan.ShortCurrency},
	{"identify_risks", "Identify Risks", plan.Risks, plan.ShortRisks},
	{"make_assumptions", "Make Assumptions", plan.AssumptionsPage, plan.ShortAssumptions},
	{"distill_assumptions", "Distill Assumptions", plan.Distilled, plan.ShortDistilled},
	{"review_assumptions", "Review Assumptions", plan.AssumptionReview, plan.ShortReview},
}

// smallDocument is short enough to be copied without asking a model.
const smallDocument = 2400 // bytes, about 400 words

func shortenings() []step.Step {
	var steps []step.Step
	for _, p := range parts {
		steps = append(steps, step.Func{
			Name:    "shorten_" + p.name,
			About:   "A shorter " + p.title + " for later prompts",
			Prompts: []string{"shorten_document"},
			Data:    step.Docs(p.full),
			Writes:  step.Docs(p.short),
			Calls:   step.Once,
			Run: func(ctx context.Context, w *step.Work) error {
				return shorten(ctx, w, p.title, p.full, p.short)
			},
		})
	}
	return steps
}

func shorten(ctx context.Context, w *step.Work, title string, from plan.File, to plan.JSON[plan.Shortened]) error {
	text, err := w.Page(from)
	if err != nil {
		return err
	}
	source := plain(text)
	if len(source) < smallDocument {
		return w.WriteJSON(to, plan.Shortened{Markdown: source})
	}
	got, err := step.Question[llm.Markdown]{
		Prompt: "shorten_document", Vars: map[string]string{"Title": title, "Text": source},
		Check: func(m *llm.Markdown) []schema.Problem {
			if len(*m) >= len(source) {
				return []schema.Problem{{Found: fmt.Sprintf("%d characters", len(*m)), Want: fmt.Sprintf("clearly fewer than the document's %d", len(source)), Soft: true}}
			}
			return nil
		},
	}.Ask(ctx, w)
	// Nearly all later steps wait for this text, so they get the whole of it rather than nothing.
	if err != nil {
		if !step.OneQuestion(err) {
			return err
		}
		if err := w.Emit(event.Quality{Step: w.Step(), Note: "no model shortened the text; the full text is used"}); err != nil {
			return err
		}
		return w.WriteJSON(to, plan.Shortened{Markdown: source})
	}
	short := withoutTitle(plain(string(got.Value)), title)
	if short == "" || len(short) >= len(source) {
		short = source
		if err := w.Emit(event.Quality{Step: w.Step(), Note: "the shortened text was no shorter; the full text is used"}); err != nil {
			return err
		}
	}
	return w.WriteRaw(to, plan.Shortened{Markdown: short}, got.Source)
}

var (
	bold      = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	underline = regexp.MustCompile(`__([^_]+)__`)
)

// plain trims and removes bold marks, which cost tokens and say nothing to a model.
func plain(text string) string {
	return strings.TrimSpace(underline.ReplaceAllString(bold.ReplaceAllString(text, "$1"), "$1"))
}

// withoutTitle drops a first heading that repeats the document's title: the program adds it.
func withoutTitle(text, title string) string {
	first, rest, _ := strings.Cut(text, "\n")
	if strings.EqualFold(strings.TrimSpace(strings.TrimLeft(first, "# ")), title) {
		return strings.TrimSpace(rest)
	}
	return text
}

// Consolidate puts the documents together, in full for people and in short for later prompts.
var Consolidate = step.Func{
	Name:   "consolidate_assumptions_markdown",
	About:  "All assumptions in one document, in full and in short",
	Data:   sources(),
	Writes: step.Docs(plan.AssumptionsFull, plan.AssumptionsShort),
	Run: func(_ context.Context, w *step.Work) error {
		var full, short []string
		for _, p := range parts {
			text, err := w.Page(p.full)
			if err != nil {
				return err
			}
			full = append(full, fmt.Sprintf("# %s\n\n%s", p.title, text))
			s, err := step.Read(w, p.short)
			if err != nil {
				return err
			}
			short = append(short, fmt.Sprintf("# %s\n%s", p.title, s.Markdown))
		}
		if err := w.WritePage(plan.AssumptionsFull, strings.Join(full, "\n\n")); err != nil {
			return err
		}
		return w.WritePage(plan.AssumptionsShort, strings.Join(short, "\n\n"))
	},
}

func sources() []plan.Artifact {
	var out []plan.Artifact
	for _, p := range parts {
		out = append(out, p.full, p.short)
	}
	return out
}
