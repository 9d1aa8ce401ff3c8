package llm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"planexe/internal/event"
	"planexe/internal/llm/answer"
	"planexe/internal/llm/schema"
)

// Question is what a step wants to know.
type Question[T any] struct {
	Step       string
	Label      string // which of the step's questions, such as lens/3; "" for the only one
	Messages   []Message
	Fields     map[string]string // what each field means, by path
	Rules      []schema.Rule     // of this question: ids to answer, counts
	Check      func(*T) []schema.Problem
	Urgency    int // length of the chain of calls that waits for this one
	Generation int // raised when a person wants new answers
}

// Markdown is the answer type of free-text questions. The prompt asks the model to put its text
// between StartMarkdown and EndMarkdown.
type Markdown string

// The marks around a free-text answer.
const (
	StartMarkdown = "[START_MARKDOWN]"
	EndMarkdown   = "[END_MARKDOWN]"
)

// Source tells which model gave an answer. It is what raw files keep as metadata.
type Source struct {
	Model string `json:"model_name"`
	Class string `json:"llm_classname"`
	Entry string `json:"model_id"`
	Demo  bool   `json:"demo,omitempty"` // written by the demo model
}

// Answer is an accepted answer.
type Answer[T any] struct {
	Value   T
	Content string // compact JSON of Value, the assistant's turn in a longer conversation
	Source  Source
}

// reading is what came of reading a model's text.
type reading struct {
	content  json.RawMessage // nil when nothing usable was found
	problems []schema.Problem
	repairs  []string
	failure  *answer.Failure
}

// call is a question without its type.
type call struct {
	key, step, label string
	messages         []Message
	schema           *schema.Schema // nil: free text
	name             string
	urgency          int
	read             func(text string) reading
}

// Generate asks until it has a valid answer or knows that there is none to be had; the error is
// then an *Error, or the context's. A question whose accepted answer stands in the run's log is
// answered from there. Soft rules that still do not hold after the re-asks are logged as quality
// notes.
func Generate[T any](ctx context.Context, c *Client, q Question[T]) (Answer[T], error) {
	k, err := newCall(q)
	if err != nil {
		return Answer[T]{}, fmt.Errorf("step %s: %w", q.Step, err)
	}
	a, err := c.ask(ctx, k)
	if err != nil {
		return Answer[T]{}, err
	}
	out := Answer[T]{Content: string(a.content), Source: a.source}
	if err := json.Unmarshal(a.content, &out.Value); err != nil {
		return Answer[T]{}, fmt.Errorf("read the accepted answer of step %s %s: %w", q.Step, q.Label, err)
	}
	return out, nil
}

func newCall[T any](q Question[T]) (call, error) {
	k := call{step: q.Step, label: q.Label, messages: q.Messages, urgency: q.Urgency, name: q.Step}
	digest := "text"
	if _, free := any(*new(T)).(Markdown); free {
		k.read = func(text string) reading { return readMarkdown(q, text) }
	} else {
		s, err := schema.For[T]().With(q.Fields, q.Rules...)
		if err != nil {
			return call{}, err
		}
		k.schema, digest = s, s.Digest()
		k.read = func(text string) reading { return readStruct(q, s, text) }
	}
	k.key = key(q.Step, q.Label, q.Messages, digest, q.Generation)
	return k, nil
}

// key names a question by everything that decides its answer but the model.
func key(step, label string, messages []Message, schemaDigest string, generation int) string {
	return digest([]any{step, label, messages, schemaDigest, generation})
}

func digest(v any) string {
	sum := sha256.Sum256(compact(v))
	return hex.EncodeToString(sum[:16])
}

func readStruct[T any](q Question[T], s *schema.Schema, text string) reading {
	tree, repairs, err := answer.Extract(text, s)
	if err != nil {
		f, ok := err.(*answer.Failure)
		if !ok {
			f = &answer.Failure{Kind: answer.Syntax, Message: err.Error()}
		}
		return reading{failure: f}
	}
	var v T
	problems, more := schema.Decode(s, tree, &v)
	r := reading{problems: problems, repairs: append(repairs, more...)}
	if hard(problems) {
		return r
	}
	return accepted(q, v, r)
}

// accepted applies the type's own check, the last one, and keeps the value when no hard rule is
// broken.
func accepted[T any](q Question[T], v T, r reading) reading {
	if q.Check != nil {
		r.problems = append(r.problems, q.Check(&v)...)
	}
	if !hard(r.problems) {
		r.content = compact(v)
	}
	return r
}

func readMarkdown[T any](q Question[T], text string) reading {
	body, marked := answer.Text(text, StartMarkdown, EndMarkdown)
	var r reading
	switch {
	case body == "":
		r.problems = append(r.problems, schema.Problem{Found: "no text between the marks", Want: "the text"})
		return r
	case !marked:
		r.problems = append(r.problems, schema.Problem{
			Found: "no marks", Want: "the text between " + StartMarkdown + " and " + EndMarkdown + ", both written out", Soft: true,
		})
	}
	return accepted(q, any(Markdown(body)).(T), r)
}

func compact(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// T is a struct of strings, numbers, bools and lists, or Markdown.
		panic(fmt.Sprintf("answer type cannot be encoded: %v", err))
	}
	return bytes.TrimSpace(b.Bytes())
}

func hard(problems []schema.Problem) bool {
	for _, p := range problems {
		if !p.Soft {
			return true
		}
	}
	return false
}

// ask answers a call from the log or from a model.
func (c *Client) ask(ctx context.Context, k call) (answered, error) {
	if a, ok := c.journal.answer(k.key); ok {
		// Its gaps are told again: the step starts with none.
		if err := c.emit(append(a.gaps[:len(a.gaps):len(a.gaps)], event.CallReused{Key: k.key, Step: k.step, Label: k.label})...); err != nil {
			return answered{}, err
		}
		return answered{a.Answer, Source{a.Model, a.Class, a.Entry, a.Demo}}, nil
	}
	if ctx.Err() != nil {
		return answered{}, cancelled(ctx)
	}
	events := append(c.takeNews(), event.CallStarted{Key: k.key, Step: k.step, Label: k.label})
	if c.prompts {
		events = append(events, event.CallPrompt{Key: k.key, Messages: compact(k.messages)})
	}
	if err := c.emit(events...); err != nil {
		return answered{}, err
	}
	w := walk{c: c, call: k}
	got, err := w.run(ctx)
	if le, ok := err.(*Error); ok && le.Class != ClassCancelled {
		if err := c.emit(event.CallFailed{Key: k.key, Step: k.step, Label: k.label, Reason: le.Reason()}); err != nil {
			return answered{}, err
		}
	}
	return got, err
}

// accept logs an answer, durably and before anybody uses it, behind what is wrong with it.
func (c *Client) accept(k call, from Source, r reading) (answered, error) {
	a := event.CallAnswered{
		Key: k.key, Step: k.step, Label: k.label, Entry: from.Entry, Model: from.Model, Class: from.Class, Demo: from.Demo, Answer: r.content,
	}
	var gaps []event.Data
	for _, p := range r.problems {
		gaps = append(gaps, event.Quality{Step: k.step, Label: k.label, Path: p.Path, Note: p.String()})
	}
	if err := c.emit(append(gaps[:len(gaps):len(gaps)], a)...); err != nil {
		return answered{}, err
	}
	c.journal.keep(a, gaps)
	return answered{r.content, from}, nil
}

func (c *Client) emit(data ...event.Data) *Error {
	if c.log == nil || len(data) == 0 {
		return nil
	}
	if err := c.log(data...); err != nil {
		return &Error{Class: ClassInternal, Message: "cannot write the event log", EndsRun: true, Err: err,
			Advice: "check free space and permissions of the run directory, then resume"}
	}
	return nil
}
