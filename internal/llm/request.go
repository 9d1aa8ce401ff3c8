package llm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm/answer"
	"planexe/internal/llm/schema"
)

// maxRejected is how many bytes of a rejected answer are logged.
const maxRejected = 256 << 10

// exchange is one request and what came of it.
type exchange struct {
	entry    *Entry
	messages []Message
	tokens   int  // of the messages, estimated
	limit    int  // output cap
	low      bool // effort
	started  time.Time
	took     time.Duration
	resp     Response
	cost     *float64
	opened   bool // it opened the breaker

	text string // what was read: the response, or a list answer with its rest
	reading
	cut bool   // the cap ended the answer
	err *Error // nil: usable, perhaps with soft problems
}

// request sends once and decides whether the entry is asked again. A usable answer goes to
// w.best.
func (w *walk) request(ctx context.Context, e *Entry, t *tries) (again bool, err *Error) {
	x := &exchange{entry: e, messages: w.conversation(t)}
	x.tokens = estimate(x.messages)
	if win := e.Provider.Window(); win > 0 && x.tokens >= win {
		if t.wrong != "" { // it fits without the wrong answer
			t.wrong = ""
			return true, nil
		}
		x.err = x.fail(ClassContext, "the prompt has about %d tokens, model %s takes %d", x.tokens, e.Model, win)
		w.note(x)
		w.lacksRoom(e)
		return false, nil
	}
	x.limit, x.low = min(w.c.capFor(w.step, e), w.c.hub.maxCap(e, x.tokens)), t.lowEffort
	for n := 1; len(w.cut) > 0 && w.cut[x.id()]; n++ {
		x.messages = withHint(w.conversation(t), brevity(n))
	}
	if sent, err := w.send(ctx, t, x); err != nil || !sent {
		return false, err
	}
	w.busy += x.took
	if x.opened {
		d, by := w.c.hub.account(e).wait()
		if err := w.c.tell(w.step, e, d, by); err != nil {
			return false, err
		}
	}
	if x.err == nil {
		w.c.hub.slots.Succeeded(e.Account)
		w.judge(t, x)
		if x.err != nil && x.resp.Recorded != nil {
			x.err.EndsCall = true
			x.err.Message = fmt.Sprintf("the recorded answer to the question of %s cannot be used: %s", w.what(), x.err.Message)
		}
	}
	if classOf(x.err) != ClassRate {
		w.requests++
	}
	if err := w.logAttempt(x); err != nil {
		return false, err
	}
	if x.err != nil {
		w.note(x)
		return w.decide(ctx, t, x)
	}
	if err := w.c.checkPriced(w.step, x); err != nil {
		return false, err
	}
	if w.best == nil || len(x.problems) < len(w.best.problems) {
		w.best = &candidate{x.source(), x.reading}
	}
	switch {
	case len(x.problems) == 0, x.resp.Recorded != nil:
		return false, nil
	case t.lacks() && t.askRest():
		return true, nil
	case t.reasks >= maxReasks:
		return false, nil
	}
	t.reasks++
	t.rest = nil
	t.wrong, t.complaint = complain(x.text, x.reading)
	return true, nil
}

// id tells requests of one call apart.
func (x *exchange) id() string { return digest([]any{x.entry.ID, x.limit, x.low, x.messages}) }

// source tells who has answered.
func (x *exchange) source() Source {
	if r := x.resp.Recorded; r != nil {
		return *r
	}
	return Source{x.entry.Model, x.entry.Class, x.entry.ID, x.entry.Demo}
}

// send fills in x. It holds a slot, and its share of the budget, only as long as it takes. Sent is
// false when the entry cannot be asked now.
func (w *walk) send(ctx context.Context, t *tries, x *exchange) (sent bool, err *Error) {
	e := x.entry
	release, probe, err := w.enter(ctx, e, t.stay)
	if err != nil || release == nil {
		return false, err
	}
	booked := 0.0
	x.err = &Error{Class: ClassInternal} // as far as we know until there is an answer
	defer func() {
		release()
		x.opened = w.c.hub.account(e).done(x.err, probe)
		w.c.settle(booked, x.cost)
	}()
	if booked, err = w.c.reserve(e, x.tokens); err != nil {
		return false, err
	}
	x.started = time.Now()
	resp, fault := e.Provider.Send(ctx, Request{
		Key: w.key, Step: w.step, Label: w.label, Messages: x.messages, Schema: w.schema, Name: w.name, MaxTokens: x.limit, FirstByte: t.firstByte, LowEffort: x.low,
	})
	x.took = time.Since(x.started)
	x.resp, x.text = resp, resp.Text
	x.err = asError(ctx, fault, e)
	x.cost = e.cost(resp, x.err)
	return true, nil
}

func asError(ctx context.Context, err error, e *Entry) *Error {
	if err == nil { // also after a stop: what is complete is kept
		return nil
	}
	if ctx.Err() != nil {
		return cancelled(ctx)
	}
	var le *Error
	if !errors.As(err, &le) {
		le = &Error{Class: ClassInternal, Entry: e.ID, Message: "the provider failed", Err: err}
	}
	return le
}

func classOf(e *Error) Class {
	if e == nil {
		return ClassOK
	}
	return e.Class
}

func (x *exchange) fail(c Class, format string, args ...any) *Error {
	return &Error{Class: c, Entry: x.entry.ID, Host: x.entry.Host, Message: fmt.Sprintf(format, args...)}
}

// judge reads a complete response: it can be used, perhaps with soft problems, or x.err says why
// not.
func (w *walk) judge(t *tries, x *exchange) {
	resp := x.resp
	if resp.Refusal != "" || resp.Finish == FinishFilter {
		x.err = x.fail(ClassModelRefused, "the model does not want to answer this question")
		return
	}
	capped := resp.Finish == FinishLength || resp.Usage.Completion >= x.limit && x.limit > 0 && !resp.Usage.Estimated
	if isBlank(resp.Text) {
		x.cut = resp.ReasoningOnly || capped
		x.err = x.fail(ClassEmpty, "empty answer")
		if x.cut {
			x.err = x.fail(ClassEmpty, "the model spent its %d tokens on thinking", x.limit)
		}
		return
	}
	if t.rest != nil {
		x.text, x.reading = t.rest.join(resp.Text, w.schema, w.read)
	} else {
		x.reading = w.read(resp.Text)
	}
	switch {
	case x.failure != nil && (capped || x.failure.Kind == answer.Cut), capped && w.schema == nil:
		x.cut = true
		x.err = x.fail(ClassTruncated, "the answer was cut off (output cap %d tokens)", x.limit)
	case x.failure != nil:
		x.err = x.fail(ClassInvalid, "%s", x.failure.Message)
	case x.content == nil:
		x.err = x.fail(ClassInvalid, "%s", firstHard(x.problems))
	}
}

func firstHard(problems []schema.Problem) string {
	for _, p := range problems {
		if !p.Soft {
			return p.String()
		}
	}
	return "no usable answer"
}

// conversation is the question, and after a wrong answer that answer with what is wrong with it:
// never more than the last one.
func (w *walk) conversation(t *tries) []Message {
	if t.complaint == "" {
		return w.messages
	}
	if t.wrong != "" {
		return append(slices.Clone(w.messages), Message{Assistant, t.wrong}, Message{User, t.complaint})
	}
	return withHint(w.messages, t.complaint)
}

// withHint adds to the last turn: two turns of the user in a row are refused by some servers.
func withHint(messages []Message, hint string) []Message {
	m := slices.Clone(messages)
	m[len(m)-1].Content += "\n\n" + hint
	return m
}

// note keeps an attempt for the final error.
func (w *walk) note(x *exchange) {
	if x.err.Class == ClassAdapted {
		return
	}
	w.last = x.err
	w.attempts = append(w.attempts, Attempt{x.entry.ID, x.resp.Form, x.err.Class, x.took, x.err.Message})
}

func (w *walk) logAttempt(x *exchange) *Error {
	w.number++
	from, r := x.source(), x.resp
	a := event.CallAttempt{
		Key: w.key, Step: w.step, Label: w.label, Number: w.number, Entry: from.Entry, Model: from.Model, Form: r.Form, Class: string(classOf(x.err)),
		Finish: string(r.Finish), Repairs: x.repairs, Usage: r.Usage, Cost: x.cost, Started: x.started.UTC(), Duration: x.took,
		Prompt: digest(x.messages),
	}
	switch {
	case x.err != nil:
		a.Message = x.err.Message
	case len(x.problems) > 0:
		a.Class, a.Message = string(ClassContent), x.problems[0].String()
	}
	if a.Class != string(ClassOK) {
		a.Rejected = r.Text[:min(len(r.Text), maxRejected)]
	}
	return w.c.emit(a)
}
