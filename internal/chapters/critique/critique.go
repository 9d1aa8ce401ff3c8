// Package critique is the chapter that looks at the finished plan from outside: a review, questions
// of a reader who is new to the field, a premortem and an audit.
package critique

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "critique", Prompts: prompts, Steps: []step.Step{
	Review,
	QuestionsAndAnswers,
	Premortem,
	SelfAudit,
}}

// bundle are the documents of the plan that every step of the chapter looks at. A critique of what
// is there is better than none, so none of them must exist.
func bundle(more ...plan.Artifact) []plan.Artifact {
	return slices.Concat(step.Docs(plan.Decisions, plan.Scenarios, plan.AssumptionsShort, plan.ProjectPlan, plan.DataCollection,
		plan.RelatedResources, plan.SWOT, plan.Team, plan.Pitch, plan.ExpertCriticism), more)
}

// outline is the work breakdown as it stands in prompts, in short, which is without subtasks, and in
// full: without ids, which cost more than titles and say nothing.
func outline(w *step.Work) (short, full string, err error) {
	tree, err := step.Read(w, plan.WBS)
	if errors.Is(err, fs.ErrNotExist) {
		return "(There is none.)", "", nil
	}
	full = tree.Outline(nil)
	for line := range strings.Lines(full) {
		if !strings.HasPrefix(line, "    ") {
			short += line
		}
	}
	return short, full, err
}

// workBreakdown stands in a list of documents to show in full for the work breakdown with its subtasks.
const workBreakdown = "work_breakdown"

// closely tells what a question has to look at in full, beside the digests that all questions share.
func closely(labels []string, work string) (docs []string, breakdown string) {
	for _, l := range labels {
		if l == workBreakdown {
			breakdown = work
		} else {
			docs = append(docs, l)
		}
	}
	return docs, breakdown
}

// askAll asks n questions side by side. In serial mode it asks them one after the other, and each
// is made with the answers before it. An answer that could not be had is nil.
func askAll[T any](ctx context.Context, w *step.Work, n int, question func(i int, earlier []*llm.Answer[T]) step.Question[T]) ([]*llm.Answer[T], []error) {
	one := func(ctx context.Context, i int, earlier []*llm.Answer[T]) (*llm.Answer[T], error) {
		got, err := question(i, earlier).Ask(ctx, w)
		if err != nil {
			return nil, err
		}
		return &got, nil
	}
	if !w.Env.SerialReview {
		return step.Each(ctx, make([]struct{}, n), func(ctx context.Context, i int, _ struct{}) (*llm.Answer[T], error) { return one(ctx, i, nil) })
	}
	answers, errs := make([]*llm.Answer[T], n), make([]error, n)
	for i := range n {
		if answers[i], errs[i] = one(ctx, i, answers[:i]); errs[i] != nil && !step.OneQuestion(errs[i]) {
			break
		}
	}
	return answers, errs
}

// settle decides about questions without an answer. As long as there are at least so many answers,
// the others are noted and left out; otherwise, or when a failure is not about one question, it
// returns the error.
func settle(w *step.Work, errs []error, least int, name func(i int) string) error {
	missing := 0
	for _, err := range errs {
		if err == nil {
			continue
		}
		if missing++; !step.OneQuestion(err) || len(errs)-missing < least {
			return step.Worst(errs)
		}
	}
	for i, err := range errs {
		if err != nil {
			if err := w.Emit(event.Quality{Step: w.Step(), Label: name(i), Note: fmt.Sprintf("no model gave an answer to %s; it is left out", name(i))}); err != nil {
				return err
			}
		}
	}
	return nil
}

// most is three quarters of n: a list with more gaps than that is not worth reading.
func most(n int) int { return (3*n + 3) / 4 }
