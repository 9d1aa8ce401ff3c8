package critique

import (
	"context"
	"fmt"
	"html"
	"slices"
	"strings"

	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// QuestionsAndAnswers explains the plan to a reader who is new to its field. Two questions are
// asked side by side; their themes do not overlap.
var QuestionsAndAnswers = step.Func{
	Name:    "questions_and_answers",
	About:   "What a reader who is new to the field would ask",
	Prompts: []string{"questions_and_answers"},
	Needs:   step.Docs(plan.Prompt),
	Uses:    bundle(plan.ReviewPlan),
	UsesRaw: step.Docs(plan.WBS),
	Writes:  step.Docs(plan.QARaw, plan.QA, plan.QAFragment),
	Calls:   step.Calls(qaThemes),
	Run:     questionsAndAnswers,
}

// qaThemes are terms and methods, and risks and controversies.
const qaThemes = 2

type pairs struct {
	Pairs   []pair `json:"question_answer_pairs"`
	Summary string `json:"summary"`
}

type pair struct {
	Index     int    `json:"item_index"`
	Question  string `json:"question"`
	Answer    string `json:"answer"`
	Rationale string `json:"rationale"`
}

func questionsAndAnswers(ctx context.Context, w *step.Work) error {
	work, _, err := outline(w)
	if err != nil {
		return err
	}
	counts, err := w.Counts()
	if err != nil {
		return err
	}
	answers, errs := step.Each(ctx, make([]struct{}, qaThemes), func(ctx context.Context, i int, _ struct{}) (llm.Answer[pairs], error) {
		return step.Question[pairs]{
			Prompt: "questions_and_answers", Label: fmt.Sprintf("theme/%d", i+1), Vars: map[string]any{"Work": work, "Theme": i + 1},
			Sizes: map[string]plan.Range{"question_answer_pairs": counts.Pairs},
		}.Ask(ctx, w)
	})
	if err := settle(w, errs, 1, func(i int) string { return fmt.Sprintf("theme %d", i+1) }); err != nil {
		return err
	}
	var parts []pairs
	var sources []llm.Source
	for i, a := range answers {
		if errs[i] == nil {
			parts, sources = append(parts, a.Value), append(sources, a.Source)
		}
	}
	all := merge(parts)
	if err := w.WriteRaw(plan.QARaw, all, sources...); err != nil {
		return err
	}
	if err := w.WritePage(plan.QA, all.Markdown()); err != nil {
		return err
	}
	return w.Work.Write(plan.QAFragment.Name, []byte(all.html()))
}

// merge numbers the pairs of all themes by position and drops a question that stood before.
func merge(parts []pairs) pairs {
	all := pairs{Pairs: []pair{}}
	var summaries []string
	for _, p := range parts {
		for _, x := range p.Pairs {
			if slices.ContainsFunc(all.Pairs, func(o pair) bool { return fold(o.Question) == fold(x.Question) }) {
				continue
			}
			x.Index = len(all.Pairs) + 1
			all.Pairs = append(all.Pairs, x)
		}
		summaries = append(summaries, p.Summary)
	}
	all.Summary = strings.Join(summaries, "\n\n")
	return all
}

func (a pairs) Markdown() string {
	var b strings.Builder
	for i, p := range a.Pairs {
		fmt.Fprintf(&b, "\n## Question Answer Pair %d\n**Question**: %s\n**Answer**: %s\n**Rationale**: %s\n", i+1, step.Line(p.Question), p.Answer, step.Line(p.Rationale))
	}
	fmt.Fprintf(&b, "\n## Summary\n%s", a.Summary)
	return b.String()
}

// html is a fragment for the report: questions and answers only.
func (a pairs) html() string {
	var lines []string
	for i, p := range a.Pairs {
		lines = append(lines, fmt.Sprintf("<div class=\"question-answer-pair\"><p><strong>%d.</strong> %s</p>\n<p>%s</p></div>",
			i+1, html.EscapeString(p.Question), html.EscapeString(p.Answer)))
	}
	return strings.Join(lines, "\n")
}
