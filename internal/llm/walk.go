package llm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Limits of one call over all entries and rounds.
const (
	maxRequests = 16               // rate answers not counted
	maxWait     = 20 * time.Minute // no wait ends and no request begins later
	maxRounds   = 4
)

var roundWaits = []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second}

// walk is one call's way through the entries: each is tried as its errors allow, then the next;
// after the last one the walk starts again.
type walk struct {
	c *Client
	call

	round    int
	requests int // that count
	number   int // of the last attempt
	busy     time.Duration
	attempts []Attempt
	last     *Error

	best     *candidate      // usable answer with the fewest soft problems
	needs    int             // context length that was too short
	tooShort map[*Entry]bool // entries that said so themselves
	cut      map[string]bool // requests whose answers were cut, which are not sent again
}

// candidate is an answer that can be kept.
type candidate struct {
	from Source
	reading
}

// tries counts what was tried on one entry in one round.
type tries struct {
	transport, rate, reasks, cuts, timeouts, stalls int

	unreadable int // answers in a row that are no JSON, in the current form
	firstByte  time.Duration
	lowEffort  bool
	stay       bool      // wait for this entry, even if another one could be asked sooner
	lastCut    *exchange // whose cap was raised since
	rest       *partial  // list answer of which the rest is asked for
	parts      int       // how often
	wrong      string    // last wrong answer and what to say about it
	complaint  string
}

func (w *walk) run(ctx context.Context) (answered, error) {
	err := w.rounds(ctx)
	// An answer with gaps beats every error but a stop, after which they can still be closed.
	if w.best == nil || classOf(err) == ClassCancelled || classOf(err) == ClassInternal {
		return answered{}, err
	}
	return w.c.accept(w.call, w.best.from, w.best.reading)
}

// rounds returns nil as soon as one entry has given a usable answer.
func (w *walk) rounds(ctx context.Context) *Error {
	for w.round = range maxRounds {
		if w.round > 0 {
			if err := w.pause(ctx, jitter(roundWaits[w.round-1])); err != nil {
				return err
			}
		}
		for _, e := range w.candidates() {
			if err := w.try(ctx, e); err != nil || w.best != nil {
				return err
			}
		}
		if len(w.candidates()) == 0 {
			break
		}
	}
	return w.exhausted()
}

// candidates returns the entries that are not out and may have room for the prompt.
func (w *walk) candidates() []*Entry {
	return slices.DeleteFunc(w.c.usable(), func(e *Entry) bool {
		win := e.Provider.Window()
		return w.tooShort[e] || win > 0 && win <= w.needs
	})
}

// try asks one entry until it has answered or its tries are used up.
func (w *walk) try(ctx context.Context, e *Entry) *Error {
	t := tries{firstByte: e.Timeout}
	for {
		if w.requests >= maxRequests || w.busy >= maxWait {
			return w.exhausted()
		}
		if again, err := w.request(ctx, e, &t); err != nil || !again {
			return err
		}
	}
}

// enter waits until the entry may be asked and a slot is free, and returns what gives the slot
// back; nil when the entry is out or another one can be asked sooner.
func (w *walk) enter(ctx context.Context, e *Entry, stay bool) (release func(), probe bool, err *Error) {
	a := w.c.hub.account(e)
	for !w.c.isOut(e) {
		if d, by := a.wait(); d > 0 {
			if w.last == nil {
				w.last = by
			}
			if !stay && w.sooner(e, d) {
				return nil, false, nil
			}
			if err := w.c.tell(w.step, e, d, by); err != nil {
				return nil, false, err
			}
			// Not all at once, and none too early.
			if err := w.pause(ctx, d+time.Duration(rand.Float64()/4*float64(d))); err != nil {
				return nil, false, err
			}
			continue
		}
		release, err := w.c.run.Acquire(ctx, e.Account, e.Slots, w.urgency)
		if err != nil {
			return nil, false, cancelled(ctx)
		}
		// While it waited for the slot, others may have found out more about the entry.
		if !w.c.isOut(e) {
			if probe, ok := a.enter(); ok {
				return release, probe, nil
			}
		}
		release()
	}
	return nil, false, nil
}

// sooner tells whether the walk comes to another entry that has to wait less than d.
func (w *walk) sooner(e *Entry, d time.Duration) bool {
	others := w.candidates()
	if i := slices.Index(others, e); w.round == maxRounds-1 && i >= 0 {
		others = others[i+1:]
	}
	return slices.ContainsFunc(others, func(o *Entry) bool {
		left, _ := w.c.hub.account(o).wait()
		return o.Account != e.Account && left < d
	})
}

// pause waits on the call's own time.
func (w *walk) pause(ctx context.Context, d time.Duration) *Error {
	if w.busy+d > maxWait {
		return w.exhausted()
	}
	w.busy += d
	if sleep(ctx, d) != nil {
		return cancelled(ctx)
	}
	return nil
}

func cancelled(ctx context.Context) *Error {
	return &Error{Class: ClassCancelled, Message: "stopped", Err: context.Cause(ctx)}
}

// exhausted is the call's final error: the last class, with every attempt.
func (w *walk) exhausted() *Error {
	noneLeft := len(w.c.usable()) == 0
	last := w.last
	if noneLeft && (last == nil || !last.Class.endsEntry()) {
		last = w.c.whyOut()
	}
	out := &Error{Class: ClassInternal, Message: "there is no model to ask"}
	if last != nil {
		out = &Error{Class: last.Class, Entry: last.Entry, Host: last.Host, Status: last.Status, Message: last.Message, Advice: last.Advice}
	}
	out.EndsRun, out.Attempts = noneLeft, w.attempts
	if out.Advice == "" {
		out.Advice = adviceFor(out.Class)
	}
	out.Message = fmt.Sprintf("no model answered the question of %s: %s", w.what(), out.Message)
	return out
}

// what names the call for people.
func (k call) what() string {
	if k.label == "" {
		return k.step
	}
	return k.step + " (" + k.label + ")"
}
