package step

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
)

// Question is one question of a step.
type Question[T any] struct {
	Prompt string // name of the prompt file
	Label  string // tells the step's questions apart, such as lens/3; "" for the only one
	Stage  int    // which of the step's serial stages asks it, from 0
	Vars   any    // values of the prompt's templates
	Rules  []schema.Rule
	// Sizes bounds lists, by path, in place of the counts of T's tags. Too few items are asked for once
	// more; what is beyond the most is cut off, since lists begin with what matters most and asking again
	// would cost the whole prompt. A list that must not be cut has a schema.CountOf in Rules.
	Sizes map[string]plan.Range
	Check func(*T) []schema.Problem
}

// shortDocument is how much of each document a second try shows when the prompt was too long for
// every model.
const shortDocument = 6 << 10 // bytes

// Ask renders the prompt and asks. A prompt that no model has room for is asked once more with
// shortened documents.
func (q Question[T]) Ask(ctx context.Context, w *Work) (llm.Answer[T], error) {
	got, err := q.ask(ctx, w, 0)
	if llm.ClassOf(err) == llm.ClassContext {
		q.Label += "/short"
		return q.ask(ctx, w, shortDocument)
	}
	return got, err
}

func (q Question[T]) ask(ctx context.Context, w *Work, limit int) (llm.Answer[T], error) {
	c, err := newChat(w, q.Prompt, q.Vars, limit)
	if err != nil {
		return llm.Answer[T]{}, err
	}
	return llm.Generate(ctx, w.Env.Client, llm.Question[T]{
		Step: w.Step(), Label: q.Label, Messages: c.messages, Fields: c.prompt.fields, Rules: q.rules(), Check: q.check,
		Urgency: w.Tail(q.Stage), Generation: w.Generation(),
	})
}

// Chat is a conversation in which later questions see earlier answers.
type Chat struct {
	w        *Work
	prompt   *prompt
	view     view
	messages []llm.Message
}

// NewChat begins a conversation with the prompt's system and user sections.
func NewChat(w *Work, promptName string, vars any) (*Chat, error) {
	return newChat(w, promptName, vars, 0)
}

func newChat(w *Work, promptName string, vars any, limit int) (*Chat, error) {
	p := w.prompts[promptName]
	if p == nil {
		return nil, fmt.Errorf("step %s has no prompt %q", w.Step(), promptName)
	}
	rules, facts, err := w.rules()
	if err != nil {
		return nil, err
	}
	v := view{read: w.Work.Read, scale: facts.Scale, limit: limit, digests: &w.digests}
	system, err := p.render("system", vars, v)
	if err != nil {
		return nil, err
	}
	user, err := p.render("user", vars, v)
	if err != nil {
		return nil, err
	}
	v.limit = 0 // later turns are short
	return &Chat{w: w, prompt: p, view: v, messages: []llm.Message{
		{Role: llm.System, Content: rules + "\n\n" + system},
		{Role: llm.User, Content: user},
	}}, nil
}

// Add appends a user turn from another section of the prompt.
func (c *Chat) Add(section string, vars any) error {
	text, err := c.prompt.render(section, vars, c.view)
	if err != nil {
		return err
	}
	c.messages = append(c.messages, llm.Message{Role: llm.User, Content: text})
	return nil
}

// Say asks the question that the conversation ends with and keeps the answer as a turn.
func Say[T any](ctx context.Context, c *Chat, q Question[T]) (llm.Answer[T], error) {
	got, err := llm.Generate(ctx, c.w.Env.Client, llm.Question[T]{
		Step: c.w.Step(), Label: q.Label, Messages: c.messages, Fields: c.prompt.fields, Rules: q.rules(), Check: q.check,
		Urgency: c.w.Tail(q.Stage), Generation: c.w.Generation(),
	})
	if err == nil {
		c.messages = append(c.messages, llm.Message{Role: llm.Assistant, Content: got.Content})
	}
	return got, err
}

// rules returns the shared start of every system message, with what the gate's verdict and the key
// facts add, and those facts.
func (w *Work) rules() (string, plan.Facts, error) {
	v, err := Read(w, plan.RedlineVerdict)
	if errors.Is(err, pipeline.ErrUndeclared) { // an early step, which waits for neither
		return houseRules, plan.Facts{}, nil
	}
	if err != nil {
		return "", plan.Facts{}, err
	}
	facts, err := w.Facts()
	if err != nil {
		return "", plan.Facts{}, err
	}
	rules := houseRules + "\n" + describeFacts(facts)
	if v.Verdict != plan.Allow {
		rules += "\n" + framing
	}
	return rules, facts, nil
}

// Each handles items side by side; how many calls really fly at once is the limits' business.
// Results and errors stand in item order, whatever order they arrive in. One item's failure or
// panic does not keep the others from ending, so what they cost is not lost.
func Each[A, B any](ctx context.Context, items []A, f func(ctx context.Context, i int, item A) (B, error)) ([]B, []error) {
	out, errs := make([]B, len(items)), make([]error, len(items))
	var wg sync.WaitGroup
	for i, item := range items {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
				}
			}()
			out[i], errs[i] = f(ctx, i, item)
		})
	}
	wg.Wait()
	return out, errs
}

// All is Each for items that must all succeed; the error is the first in item order, but one that
// ends the run goes before.
func All[A, B any](ctx context.Context, items []A, f func(ctx context.Context, i int, item A) (B, error)) ([]B, error) {
	out, errs := Each(ctx, items, f)
	return out, Worst(errs)
}

// Worst returns the error that says most: one that ends the run, else the first.
func Worst(errs []error) error {
	var first error
	for _, err := range errs {
		var le *llm.Error
		if errors.As(err, &le) {
			if _, ends := le.Ending(); ends || le.Class == llm.ClassCancelled {
				return err
			}
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// OneQuestion tells whether a failure is about one question alone, so that the run can go on without
// its answer.
func OneQuestion(err error) bool {
	var le *llm.Error
	if !errors.As(err, &le) || le.Class == llm.ClassCancelled || le.Class == llm.ClassInternal {
		return false
	}
	_, ends := le.Ending()
	return !ends
}
