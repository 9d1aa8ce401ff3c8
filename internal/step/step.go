// Package step holds the pieces that steps of the plan are made of. Most steps are an Ask: one
// question, a raw file and a page made of the answer. Steps with loops, conversations or several
// questions are a Func, built from the same pieces: Question, Each, Chat and the writers of Work.
package step

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
)

// Chapter is a group of steps that belong together, with their prompts.
type Chapter struct {
	Name    string
	Prompts fs.FS // holds prompts/<name>.md
	Steps   []Step
}

// Step is a declaration that becomes a node of the graph: an Ask or a Func.
type Step interface {
	build(b *builder) (pipeline.Step, error)
}

// Env is what steps of one run share. It travels through pipeline.Options.
type Env struct {
	Client *llm.Client
	Seed   string // of derived ids: equal for equal prompts
	Demo   bool   // the answers are the demo model's
	Sample bool   // the answers are a recording's, shown as an example
	Fast   bool
	// SerialReview asks the review and the audit one question after the other, each shown the answers before it.
	SerialReview bool
	// AllowRefused lets a run go on that the gate refused.
	AllowRefused bool
	// Report renders the report of this run; read gives artifacts.
	Report func(read func(name string) ([]byte, error)) ([]byte, error)
}

// Docs lists artifacts; it reads well in declarations.
func Docs(a ...plan.Artifact) []plan.Artifact { return a }

// Build turns chapters into the steps of a graph. The error names every step whose prompt does
// not fit its declaration. Version joins the recipe of each step.
func Build(version string, chapters ...Chapter) ([]pipeline.Step, error) {
	var steps []pipeline.Step
	var errs []error
	for _, ch := range chapters {
		b := &builder{chapter: ch, version: version}
		for _, s := range ch.Steps {
			built, err := s.build(b)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			steps = append(steps, built)
		}
	}
	return steps, errors.Join(errs...)
}

// Pager is an answer that can be shown as a page.
type Pager interface{ Markdown() string }

// Ask is a step that asks one question. Its prompt is prompts/<Name>.md.
type Ask[T any] struct {
	Name  string
	About string // one line for people
	// Early steps are asked at the start, beside the redline gate. All others wait for its
	// verdict and for the key facts, and are told of both.
	Early bool
	Needs []plan.Artifact // documents shown in the prompt
	Uses  []plan.Artifact // documents shown in the prompt, or said to be missing
	Data  []plan.Artifact // read by Vars or Then, not shown as documents

	Vars  func(*Work) (any, error)                // further values of the prompt
	Rules func(*Work) ([]schema.Rule, error)      // ids and counts known only now
	Sizes func(plan.Counts) map[string]plan.Range // see Question
	Check func(*T) []schema.Problem               // what no schema can say

	Raw  plan.Artifact // the answer and which model gave it
	Page plan.Artifact // made by T's Markdown method; nil for none
	// Then writes the artifacts of Writes from the answer.
	Then   func(*Work, llm.Answer[T]) error
	Writes []plan.Artifact
}

func (a Ask[T]) build(b *builder) (pipeline.Step, error) {
	writes := []plan.Artifact{a.Raw}
	if a.Page != nil {
		writes = append(writes, a.Page)
	}
	return Func{
		Name: a.Name, About: a.About, Early: a.Early, Prompts: []string{a.Name},
		Needs: a.Needs, Uses: a.Uses, Data: a.Data, Writes: append(writes, a.Writes...),
		Calls: Once, types: []*schema.Schema{schema.For[T]()},
		Run: a.run,
	}.build(b)
}

func (a Ask[T]) run(ctx context.Context, w *Work) error {
	q := Question[T]{Prompt: a.Name, Check: a.Check}
	var err error
	if a.Vars != nil {
		if q.Vars, err = a.Vars(w); err != nil {
			return err
		}
	}
	if a.Rules != nil {
		if q.Rules, err = a.Rules(w); err != nil {
			return err
		}
	}
	if a.Sizes != nil {
		counts, err := w.Counts()
		if err != nil {
			return err
		}
		q.Sizes = a.Sizes(counts)
	}
	got, err := q.Ask(ctx, w)
	if err != nil {
		return err
	}
	if err := w.WriteRaw(a.Raw, got.Value, got.Source); err != nil {
		return err
	}
	if a.Page != nil {
		page, ok := any(got.Value).(Pager)
		if !ok {
			return fmt.Errorf("step %s: %T has no Markdown method", a.Name, got.Value)
		}
		if err := w.WritePage(a.Page, page.Markdown()); err != nil {
			return err
		}
	}
	if a.Then != nil {
		return a.Then(w, got)
	}
	return nil
}

// Func is a step with code of its own.
type Func struct {
	Name    string
	About   string
	Early   bool     // see Ask
	Prompts []string // names of its prompt files
	Needs   []plan.Artifact
	Uses    []plan.Artifact
	Data    []plan.Artifact // must exist; read as data, not shown as documents
	UsesRaw []plan.Artifact // may be missing; read as data, not shown as documents
	Writes  []plan.Artifact
	Extras  []plan.Artifact // undeclared files beside them
	Calls   func(pipeline.Sizes) []int
	BySpeed bool
	Always  bool
	Run     func(context.Context, *Work) error

	types []*schema.Schema
}

// Once is the call profile of a step with one call.
func Once(pipeline.Sizes) []int { return []int{1} }

// Calls is the call profile of a step whose stages do not depend on the plan's size.
func Calls(stages ...int) func(pipeline.Sizes) []int {
	return func(pipeline.Sizes) []int { return stages }
}

func (f Func) build(b *builder) (pipeline.Step, error) {
	prompts, recipe, err := b.prompts(f)
	if err != nil {
		return pipeline.Step{}, fmt.Errorf("step %s: %w", f.Name, err)
	}
	needs, uses := names(f.Needs, f.Data), names(f.Uses, f.UsesRaw)
	if len(f.Prompts) > 0 && !f.Early {
		needs, uses = append(needs, plan.RedlineVerdict.Name), append(uses, plan.KeyFacts.Name)
	}
	return pipeline.Step{
		Name: f.Name, Chapter: b.chapter.Name, About: f.About,
		Needs: needs, Uses: uses, Outputs: names(f.Writes), Extras: names(f.Extras),
		Stages: f.Calls, Recipe: recipe, BySpeed: f.BySpeed, Always: f.Always,
		Run: func(ctx context.Context, pw *pipeline.Work) error {
			env, ok := pw.Env().(*Env)
			if !ok {
				return fmt.Errorf("step %s runs without step.Env", f.Name)
			}
			return f.Run(ctx, &Work{Work: pw, Env: env, prompts: prompts})
		},
	}, nil
}

func names(lists ...[]plan.Artifact) []string {
	var out []string
	for _, l := range lists {
		for _, a := range l {
			out = append(out, a.Artifact().Name)
		}
	}
	return out
}
