package llm

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"planexe/internal/slots"
)

const (
	checkLimit = 5 * time.Second
	checkKept  = 60 * time.Second
)

// Hub is what all runs of a process share: call slots, breakers, pauses and preflight results.
type Hub struct {
	slots *slots.Pool

	mu       sync.Mutex
	accounts map[string]*account
	checks   map[*Entry]check
	capMax   map[*Entry]int // learned largest output cap
}

type check struct {
	at  time.Time
	err error
}

// NewHub returns an empty hub.
func NewHub() *Hub {
	return &Hub{slots: slots.New(), accounts: map[string]*account{}, checks: map[*Entry]check{}, capMax: map[*Entry]int{}}
}

func (h *Hub) account(e *Entry) *account {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.accounts[e.Account]
	if a == nil {
		a = &account{}
		h.accounts[e.Account] = a
	}
	return a
}

// learnCap remembers that a model takes at most n output tokens.
func (h *Hub) learnCap(e *Entry, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n > 0 {
		h.capMax[e] = n
	}
}

// maxCap returns the largest output cap worth asking for.
func (h *Hub) maxCap(e *Entry, promptTokens int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	most := 65536
	if n := h.capMax[e]; n > 0 {
		most = min(most, n)
	}
	if w := e.Provider.Window(); w > 0 {
		most = min(most, max(256, w-promptTokens))
	}
	return most
}

// check runs an entry's preflight, or returns the result of a recent one. A failing check that
// says nothing certain is no error.
func (h *Hub) check(ctx context.Context, e *Entry) error {
	if e.Problem != nil {
		return e.Problem
	}
	h.mu.Lock()
	c, ok := h.checks[e]
	h.mu.Unlock()
	if ok && time.Since(c.at) < checkKept {
		return c.err
	}
	limited, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	err := e.Provider.Check(limited)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if limited.Err() != nil {
		err = nil // too slow to know anything
	}
	h.mu.Lock()
	h.checks[e] = check{time.Now(), err}
	h.mu.Unlock()
	return err
}

// NoModelError says that no entry of a run's list can be used, with a reason for each.
type NoModelError struct {
	Entries []*Entry
	Reasons []error
}

func (e *NoModelError) Error() string {
	var b strings.Builder
	b.WriteString("no model can be used:")
	for i, x := range e.Entries {
		fmt.Fprintf(&b, "\n  %s: %v", x.ID, e.Reasons[i])
		if le, ok := e.Reasons[i].(*Error); ok && le.Advice != "" {
			fmt.Fprintf(&b, " (%s)", le.Advice)
		}
	}
	return b.String()
}

// Preflight checks all entries of the client side by side. Entries that fail are out for this
// run; the error is a *NoModelError when none is left.
func (c *Client) Preflight(ctx context.Context) error {
	reasons := make([]error, len(c.entries))
	var wg sync.WaitGroup
	for i, e := range c.entries {
		wg.Go(func() { reasons[i] = c.hub.check(ctx, e) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	left := 0
	for i, e := range c.entries {
		if err := reasons[i]; err != nil {
			c.takeOut(e, err)
			continue
		}
		if c.maxCost > 0 && e.costUnknown() {
			reasons[i] = &Error{Class: ClassConfig, Entry: e.ID, Message: "its price is not known, so a cost limit cannot be kept",
				Advice: `add "price": {"input": …, "output": …} (USD per million tokens) to the entry, or drop the limit`}
			c.takeOut(e, reasons[i])
			continue
		}
		left++
	}
	if left == 0 {
		return &NoModelError{c.entries, reasons}
	}
	return nil
}
