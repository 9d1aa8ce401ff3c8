package llm

import (
	"context"
	"time"

	"planexe/internal/llm/answer"
)

// Tries on the same entry after the first, by class.
const (
	maxRateTries  = 5
	maxReasks     = 2
	maxCutTries   = 2
	maxParts      = 2 // requests for the rest of a cut list
	maxFirstByte  = 600 * time.Second
	longRateLimit = 60 * time.Second // beyond, it is the entry that is paused
)

var (
	serverWaits = []time.Duration{1 * time.Second, 3 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second}
	rateWaits   = []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second}
)

// decide applies the policy of an error's class: the same entry again, or the next one, or the
// error that ends the call.
func (w *walk) decide(ctx context.Context, t *tries, x *exchange) (again bool, err *Error) {
	e, le := x.entry, x.err
	if le.EndsCall {
		return false, le
	}
	if x.cut {
		return w.giveRoom(t, x), nil
	}
	switch le.Class {
	case ClassAdapted:
		w.c.hub.learnCap(e, le.MaxTokens)
		if c := t.lastCut; c != nil && w.c.hub.maxCap(e, c.tokens) <= c.limit {
			return w.giveRoom(t, c), nil // the raised cap was refused: do not ask as before
		}
		return true, nil
	case ClassAuth, ClassCredit:
		return false, w.c.takeOut(w.step, le, e, true)
	case ClassConfig, ClassModelUnknown:
		return false, w.c.takeOut(w.step, le, e, false)
	case ClassContext:
		w.lacksRoom(e)
		return false, nil
	case ClassRate:
		return w.rateLimited(t, x)
	case ClassServer, ClassNetwork:
		most := e.Retries
		if le.Class == ClassNetwork && e.Local {
			most = min(most, 1)
		}
		if t.transport >= most || le.NoRetry {
			return false, nil
		}
		d := jitter(serverWaits[min(t.transport, len(serverWaits)-1)])
		t.transport++
		switch after := le.RetryAfter; {
		case after > longRateLimit:
			w.c.hub.account(e).pause(after, le) // which enter looks at
			return true, nil
		case after > 0:
			d = after
		}
		return true, w.pause(ctx, d)
	case ClassTimeout:
		t.timeouts++
		t.firstByte = max(t.firstByte, min(2*t.firstByte, maxFirstByte))
		return t.timeouts <= 1 && !le.NoRetry, nil
	case ClassStall:
		t.stalls++
		return t.stalls <= 1 && !le.NoRetry, nil
	case ClassEmpty, ClassInvalid:
		return w.reask(t, x), nil
	case ClassCancelled, ClassBudget, ClassInternal:
		return false, le
	}
	return false, nil // bad_request, refused
}

// rateLimited pauses the account for everybody. The wait itself is enter's.
func (w *walk) rateLimited(t *tries, x *exchange) (again bool, err *Error) {
	e, d := x.entry, x.err.RetryAfter
	if d <= 0 {
		d = jitter(rateWaits[min(t.rate, len(rateWaits)-1)])
	}
	// Several requests refused at the same time are one refusal.
	if w.c.hub.account(e).pause(d, x.err) {
		w.c.hub.slots.Slow(e.Account)
	}
	if err := w.c.tell(w.step, e, d, x.err); err != nil {
		return false, err
	}
	t.rate++
	t.stay = d <= longRateLimit
	return t.rate <= maxRateTries, nil
}

// lacksRoom lets only entries with more room be asked from now on.
func (w *walk) lacksRoom(e *Entry) {
	if w.tooShort == nil {
		w.tooShort = map[*Entry]bool{}
	}
	w.tooShort[e] = true
	w.needs = max(w.needs, e.Provider.Window())
}

// reask shows the model its wrong answer; false when that was done often enough.
func (w *walk) reask(t *tries, x *exchange) bool {
	if x.failure == nil && t.lacks() && t.askRest() {
		return true
	}
	t.rest = nil
	unreadable := x.err.Class == ClassEmpty || x.failure != nil && (x.failure.Kind == answer.Syntax || x.failure.Kind == answer.Prose)
	if t.unreadable++; !unreadable || w.schema == nil {
		t.unreadable = 0
	}
	// Twice in a row: the way of asking for JSON may be what is broken.
	if t.unreadable >= 2 && x.entry.Provider.StepDown() {
		t.unreadable = 0
	}
	if t.reasks >= maxReasks {
		return false
	}
	t.reasks++
	t.wrong, t.complaint = complain(x.text, x.reading)
	return true
}

// giveRoom makes the next request after a cut answer a different one: with a higher cap, or for
// the rest of a list only. False when neither can be; the entry is then asked for a shorter answer
// in the next round.
func (w *walk) giveRoom(t *tries, x *exchange) bool {
	if w.cut == nil {
		w.cut = map[string]bool{}
	}
	w.cut[x.id()] = true
	t.wrong, t.complaint = "", ""
	t.lowEffort = t.lowEffort || x.resp.ReasoningOnly
	more := false
	switch {
	case t.rest != nil:
		more, t.rest.grew = t.rest.grew, false
	case w.c.hub.maxCap(x.entry, x.tokens) > x.limit:
		if t.cuts < maxCutTries {
			w.c.raiseCap(w.step, x)
			t.cuts++
			t.lastCut = x
			return true
		}
	case w.schema != nil:
		t.rest = salvage(x.resp.Text, w.schema)
		more = t.rest != nil
	}
	return more && t.askRest()
}

// lacks tells whether a list that came in parts is still without items it must have.
func (t *tries) lacks() bool { return t.rest != nil && len(t.rest.missing()) > 0 }

// askRest makes the next request one for the rest of the list; false when that was done often
// enough.
func (t *tries) askRest() bool {
	if t.parts >= maxParts {
		return false
	}
	t.parts++
	t.wrong, t.complaint = t.rest.ask()
	return true
}
