package llm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm/answer"
	"planexe/internal/llm/schema"
)

// Limits of one call over all entries and rounds.
const (
	maxRequests = 16 // rate answers not counted
	maxWait     = 20 * time.Minute
	maxRounds   = 4
	maxRejected = 256 << 10 // bytes of a rejected answer that are logged

	maxRateTries  = 5
	maxReasks     = 2
	maxCutTries   = 2
	maxFirstByte  = 600 * time.Second
	longRateLimit = 60 * time.Second
)

var (
	serverWaits = []time.Duration{1 * time.Second, 3 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second}
	rateWaits   = []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second}
	roundWaits  = []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second}
)

// walk is one call's way through the entries: each is tried as its errors allow, then the next;
// after the last one the walk starts again.
type walk struct {
	c *Client
	call

	requests int // that count
	number   int // of the last attempt
	busy     time.Duration
	attempts []Attempt
	last     *Error
	best     *candidate // usable answer with soft problems only
	needs    int        // context length that was too short
}

// candidate is an answer that could be kept.
type candidate struct {
	entry *Entry
	r     reading
}

// tries counts what was tried on one entry in one round.
type tries struct {
	transport, rate, reasks, cuts, timeouts, stalls int
	unreadable                                      int // unparseable answers in a row, in the current form
	firstByte                                       time.Duration
	lowEffort                                       bool
	wrong                                           string // last wrong answer and what to say about it
	complaint                                       string
}

// verdict is what to do after a request.
type verdict int

const (
	again verdict = iota // same entry
	next                 // next entry
	accepted
	ended // the whole call
)

func (w *walk) run(ctx context.Context) (answered, error) {
	for round := range maxRounds {
		if round > 0 {
			if err := w.pause(ctx, roundWaits[round-1]); err != nil {
				return answered{}, err
			}
		}
		entries := w.c.usable()
		for i, e := range entries {
			if win := e.Provider.Window(); w.needs > 0 && win > 0 && win <= w.needs {
				continue
			}
			got, v, err := w.try(ctx, e, entries[i+1:])
			switch v {
			case accepted:
				return got, nil
			case ended:
				return answered{}, err
			}
		}
		// An answer with soft gaps beats another round of asking.
		if w.best != nil {
			return w.c.accept(w.call, w.best.entry, w.best.r)
		}
		if len(w.c.usable()) == 0 {
			return answered{}, w.exhausted(true)
		}
		if w.last != nil && w.last.Class == ClassContext {
			break // the prompt does not get shorter by asking again
		}
	}
	return answered{}, w.exhausted(false)
}

// try asks one entry until it has answered or its tries are used up.
func (w *walk) try(ctx context.Context, e *Entry, others []*Entry) (answered, verdict, error) {
	t := tries{firstByte: e.Timeout}
	for {
		if w.c.isOut(e) {
			return answered{}, next, nil
		}
		if w.requests >= maxRequests || w.busy >= maxWait {
			if w.best != nil {
				got, err := w.c.accept(w.call, w.best.entry, w.best.r)
				return got, okOr(err), err
			}
			return answered{}, ended, w.exhausted(false)
		}
		skip, probe, err := w.admit(ctx, e, others)
		if err != nil {
			return answered{}, ended, err
		}
		if skip {
			return answered{}, next, nil
		}
		got, v, err := w.request(ctx, e, &t, probe, len(others) > 0)
		if v != again {
			return got, v, err
		}
	}
}

func okOr(err error) verdict {
	if err != nil {
		return ended
	}
	return accepted
}

// admit waits for a pause or an open breaker of the entry's account, or says to skip the entry
// when another one can be asked sooner.
func (w *walk) admit(ctx context.Context, e *Entry, others []*Entry) (skip, probe bool, err error) {
	for {
		d, probe := w.c.hub.account(e).wait()
		if d == 0 {
			return false, probe, nil
		}
		for _, o := range others {
			if o.Account == e.Account {
				continue
			}
			a := w.c.hub.account(o)
			a.mu.Lock()
			ready := max(time.Until(a.pausedUntil), time.Until(a.openUntil))
			a.mu.Unlock()
			if ready < d {
				return true, false, nil
			}
		}
		if w.busy+d > maxWait {
			return false, false, w.exhausted(false)
		}
		if err := w.pause(ctx, d); err != nil {
			return false, false, err
		}
	}
}

// pause waits a little more or less than d, so that calls do not come back as one.
func (w *walk) pause(ctx context.Context, d time.Duration) error {
	d += time.Duration((rand.Float64() - 0.5) / 2 * float64(d))
	w.busy += d
	if err := sleep(ctx, d); err != nil {
		return cancelled(ctx)
	}
	return nil
}

func cancelled(ctx context.Context) *Error {
	return &Error{Class: ClassCancelled, Message: "stopped", Err: context.Cause(ctx)}
}

// request sends once and decides what to do with what came of it.
func (w *walk) request(ctx context.Context, e *Entry, t *tries, probe, hasNext bool) (answered, verdict, error) {
	acct := w.c.hub.account(e)
	release, err := w.c.run.Acquire(ctx, e.Account, e.Slots, w.urgency)
	if err != nil {
		acct.done(ClassCancelled, probe, e.Host)
		return answered{}, ended, cancelled(ctx)
	}
	messages := w.conversation(t)
	promptTokens := estimate(messages)
	if win := e.Provider.Window(); win > 0 && promptTokens >= win {
		release()
		acct.done(ClassCancelled, probe, e.Host)
		w.note(e, "", 0, &Error{Class: ClassContext, Entry: e.ID, Message: fmt.Sprintf("prompt of about %d tokens, the model takes %d", promptTokens, win)})
		w.needs = max(w.needs, win)
		return answered{}, next, nil
	}
	booked, err := w.c.reserve(e, promptTokens)
	if err != nil {
		release()
		acct.done(ClassCancelled, probe, e.Host)
		return answered{}, ended, err
	}
	limit := min(w.c.capFor(w.step, e), w.c.hub.maxCap(e, promptTokens))
	started := time.Now()
	resp, err := e.Provider.Send(ctx, Request{
		Messages: messages, Schema: w.schema, Name: w.name, MaxTokens: limit, FirstByte: t.firstByte, LowEffort: t.lowEffort,
	})
	release()
	took := time.Since(started)
	w.busy += took

	le := asError(ctx, err, e)
	var r reading
	if le == nil {
		r, le = w.judge(e, resp, limit)
	}
	cost := e.cost(resp)
	if le != nil && resp.Usage == (event.Usage{}) && resp.Cost == nil {
		cost = nil // nothing came, nothing is known
	}
	w.c.settle(booked, cost)
	if msg := acct.done(classOf(le), probe, e.Host); msg != "" {
		if err := w.c.emit(event.Notice{Step: w.step, Level: "warning", Message: msg}); err != nil {
			return answered{}, ended, err
		}
	}
	if classOf(le) != ClassRate {
		w.requests++
	}
	if err := w.logAttempt(e, resp, r, le, cost, started, took); err != nil {
		return answered{}, ended, err
	}
	if le == nil {
		w.c.hub.slots.Succeeded(e.Account)
		if len(r.problems) == 0 {
			got, err := w.c.accept(w.call, e, r)
			return got, okOr(err), err
		}
		if w.best == nil || len(r.problems) < len(w.best.r.problems) {
			w.best = &candidate{e, r}
		}
		if t.reasks >= maxReasks {
			got, err := w.c.accept(w.call, w.best.entry, w.best.r)
			return got, okOr(err), err
		}
		t.reasks++
		t.wrong, t.complaint = resp.Text, complainProblems(r.problems)
		return answered{}, again, nil
	}
	w.note(e, resp.Form, took, le)
	v, err := w.decide(ctx, e, t, resp, r, le, limit, promptTokens, hasNext)
	return answered{}, v, err
}

func asError(ctx context.Context, err error, e *Entry) *Error {
	if err == nil {
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

// judge sorts a complete response: a reading that can be used, perhaps with soft problems, or an
// error.
func (w *walk) judge(e *Entry, resp Response, limit int) (reading, *Error) {
	fail := func(c Class, format string, args ...any) *Error {
		return &Error{Class: c, Entry: e.ID, Host: e.Host, Message: fmt.Sprintf(format, args...)}
	}
	if resp.Refusal != "" || resp.Finish == FinishFilter {
		return reading{}, fail(ClassModelRefused, "the model does not want to answer this question")
	}
	cut := resp.Finish == FinishLength || (resp.Usage.Completion >= limit && !resp.Usage.Estimated)
	if isBlank(resp.Text) {
		switch {
		case resp.ReasoningOnly || cut:
			return reading{}, fail(ClassTruncated, "the model spent its %d tokens on thinking", limit)
		default:
			return reading{}, fail(ClassEmpty, "empty answer")
		}
	}
	r := w.read(resp.Text)
	switch {
	case cut && (r.content == nil || w.schema == nil):
		return r, fail(ClassTruncated, "the answer was cut off at %d tokens", limit)
	case r.failure != nil && r.failure.Kind == answer.Cut:
		return r, fail(ClassTruncated, "the answer was cut off")
	case r.failure != nil:
		return r, fail(ClassInvalid, "%s", r.failure.Message)
	case r.content == nil:
		return r, fail(ClassInvalid, "%s", firstHard(r.problems))
	}
	return r, nil
}

func firstHard(problems []schema.Problem) string {
	for _, p := range problems {
		if !p.Soft {
			return p.String()
		}
	}
	return "no usable answer"
}

// decide applies the policy of an error's class.
func (w *walk) decide(ctx context.Context, e *Entry, t *tries, resp Response, r reading, le *Error, limit, promptTokens int, hasNext bool) (verdict, error) {
	wait := func(tries *int, most int, waits []time.Duration) (verdict, error) {
		if *tries >= most || le.NoRetry {
			return next, nil
		}
		d := waits[min(*tries, len(waits)-1)]
		if le.RetryAfter > 0 {
			d = le.RetryAfter
		}
		*tries++
		if err := w.pause(ctx, d); err != nil {
			return ended, err
		}
		return again, nil
	}
	switch le.Class {
	case ClassAdapted:
		w.c.hub.learnCap(e, le.MaxTokens)
		return again, nil
	case ClassAuth, ClassCredit:
		w.c.takeOutAccount(e, le)
		return next, nil
	case ClassConfig, ClassModelUnknown:
		w.c.takeOut(e, le)
		return next, nil
	case ClassContext:
		w.needs = max(w.needs, e.Provider.Window())
		return next, nil
	case ClassRate:
		return w.rateLimited(ctx, e, t, le)
	case ClassServer, ClassNetwork:
		most := e.Retries
		if hasNext {
			most = min(most, 2)
		}
		if le.Class == ClassNetwork && e.Local {
			most = min(most, 1)
		}
		return wait(&t.transport, most, serverWaits)
	case ClassTimeout:
		t.firstByte = min(2*t.firstByte, maxFirstByte)
		return wait(&t.timeouts, 1, []time.Duration{0})
	case ClassStall:
		return wait(&t.stalls, 1, []time.Duration{0})
	case ClassTruncated:
		t.lowEffort = t.lowEffort || resp.ReasoningOnly
		if t.cuts >= maxCutTries || !w.c.raiseCap(w.step, e, limit, promptTokens) {
			return next, nil
		}
		t.cuts++
		t.wrong, t.complaint = "", "" // asked anew with more room
		return again, nil
	case ClassEmpty, ClassInvalid:
		if w.schema != nil && (le.Class == ClassEmpty || r.failure != nil) {
			// Twice unreadable in a row: the way of asking for JSON may be what is broken.
			if t.unreadable++; t.unreadable >= 2 && e.Provider.StepDown() {
				t.unreadable = 0
			}
		} else {
			t.unreadable = 0
		}
		if t.reasks >= maxReasks {
			return next, nil
		}
		t.reasks++
		t.wrong, t.complaint = complain(resp.Text, r)
		return again, nil
	case ClassCancelled, ClassBudget, ClassInternal:
		return ended, le
	}
	return next, nil // bad_request, refused
}

// rateLimited pauses the account for everybody.
func (w *walk) rateLimited(ctx context.Context, e *Entry, t *tries, le *Error) (verdict, error) {
	d := le.RetryAfter
	if d == 0 {
		d = rateWaits[min(t.rate, len(rateWaits)-1)]
		d += time.Duration((rand.Float64() - 0.5) / 2 * float64(d))
	}
	w.c.hub.account(e).pause(d)
	w.c.hub.slots.Slow(e.Account)
	until := time.Now().Add(d)
	err := w.c.emit(event.Notice{Step: w.step, Level: "info", Until: until,
		Message: fmt.Sprintf("rate limit at %s, going on in %d s", e.Host, int(d.Seconds()+0.99))})
	if err != nil {
		return ended, err
	}
	if t.rate >= maxRateTries || d > longRateLimit {
		return next, nil
	}
	t.rate++
	w.busy += d
	if sleep(ctx, d) != nil {
		return ended, cancelled(ctx)
	}
	return again, nil
}

// conversation is the question, and after a wrong answer that answer with what is wrong with it:
// never more than the last one.
func (w *walk) conversation(t *tries) []Message {
	if t.complaint == "" {
		return w.messages
	}
	m := slices.Clone(w.messages)
	if t.wrong != "" {
		m = append(m, Message{Assistant, t.wrong})
		return append(m, Message{User, t.complaint})
	}
	// Two user turns in a row are refused by some servers.
	last := &m[len(m)-1]
	last.Content += "\n\n" + t.complaint
	return m
}

func (w *walk) note(e *Entry, form string, took time.Duration, le *Error) {
	if le.Class == ClassAdapted {
		return
	}
	w.last = le
	w.attempts = append(w.attempts, Attempt{e.ID, form, le.Class, took, le.Message})
}

// exhausted is the call's final error: the last class, with every attempt.
func (w *walk) exhausted(noneLeft bool) *Error {
	out := &Error{Class: ClassInternal, EndsRun: noneLeft, Attempts: w.attempts}
	last := w.last
	if noneLeft {
		if last == nil || !last.Class.endsEntry() {
			last = w.c.whyOut()
		}
	}
	if last != nil {
		out.Class, out.Entry, out.Host, out.Status = last.Class, last.Entry, last.Host, last.Status
		out.Message, out.Advice = last.Message, last.Advice
		if out.Advice == "" {
			out.Advice = adviceFor(last.Class)
		}
	}
	what := w.step
	if w.label != "" {
		what += " (" + w.label + ")"
	}
	out.Message = fmt.Sprintf("no model answered the question of %s: %s", what, out.Message)
	return out
}

func (w *walk) logAttempt(e *Entry, resp Response, r reading, le *Error, cost *float64, started time.Time, took time.Duration) error {
	w.number++
	a := event.CallAttempt{
		Key: w.key, Step: w.step, Label: w.label, Number: w.number, Entry: e.ID, Model: e.Model, Form: resp.Form, Class: string(classOf(le)),
		Finish: string(resp.Finish), Repairs: r.repairs, Usage: resp.Usage, Cost: cost, Started: started.UTC(), Duration: took, Prompt: w.key,
	}
	if le != nil {
		a.Message = le.Message
	}
	if le != nil || len(r.problems) > 0 {
		a.Rejected = resp.Text[:min(len(resp.Text), maxRejected)]
		if le == nil {
			a.Class, a.Message = string(ClassContent), r.problems[0].String()
		}
	}
	return w.c.emit(a)
}
