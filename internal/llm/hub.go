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
	checks   map[*Entry]*check
	capMax   map[*Entry]int // learned largest output cap
}

// check is a preflight that is under way or done.
type check struct {
	done chan struct{} // closed when the rest is set
	at   time.Time
	err  error
}

func (c *check) isOld() bool {
	select {
	case <-c.done:
		return time.Since(c.at) >= checkKept
	default:
		return false
	}
}

// NewHub returns an empty hub.
func NewHub() *Hub {
	return &Hub{slots: slots.New(), accounts: map[string]*account{}, checks: map[*Entry]*check{}, capMax: map[*Entry]int{}}
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
	most := max(65536, e.MaxTokens)
	if n := h.capMax[e]; n > 0 {
		most = min(most, n)
	}
	if w := e.Provider.Window(); w > 0 {
		most = min(most, max(256, w-promptTokens))
	}
	return most
}

// check runs an entry's preflight, or returns the result of a recent one; runs that start at the
// same time share one. A failing check that says nothing certain is no error.
func (h *Hub) check(ctx context.Context, e *Entry) error {
	if e.Problem != nil {
		return e.Problem
	}
	h.mu.Lock()
	c := h.checks[e]
	if c == nil || c.isOld() {
		c = &check{done: make(chan struct{})}
		h.checks[e] = c
		go c.run(context.WithoutCancel(ctx), e) // others may wait for it too
	}
	h.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *check) run(ctx context.Context, e *Entry) {
	defer close(c.done)
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	c.err = e.Provider.Check(ctx)
	if ctx.Err() != nil {
		c.err = nil // too slow to know anything
	}
	c.at = time.Now()
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
// run; the error is a *NoModelError when none is left, or the context's.
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
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, e := range c.entries {
		if reasons[i] == nil && c.maxCost > 0 && e.costUnknown() {
			reasons[i] = unpriced(e)
		}
		if reasons[i] != nil {
			c.out[e] = reasons[i]
			c.news = append(c.news, outNotice("", e, reasons[i]))
		}
	}
	if len(c.out) == len(c.entries) {
		return &NoModelError{c.entries, reasons}
	}
	return nil
}
