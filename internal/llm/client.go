package llm

import (
	"encoding/json"
	"slices"
	"sync"

	"planexe/internal/event"
	"planexe/internal/slots"
)

// Log takes the events of calls. An error means that the journal cannot be written.
type Log func(...event.Data) error

// Options of one run's client.
type Options struct {
	Entries     []*Entry // first is tried first
	Concurrency int      // calls in flight for the run
	MaxCost     float64  // USD over all executions of the run; 0 is no limit
	Journal     *Journal // the run's log so far
	Log         Log
	KeepPrompts bool // log the messages of each call in full
}

// Client asks models for one run.
type Client struct {
	hub     *Hub
	entries []*Entry
	run     *slots.Run
	journal *Journal
	log     Log
	prompts bool
	maxCost float64

	mu       sync.Mutex
	out      map[*Entry]error // entries that are not used again in this run, and why
	caps     map[capKey]int   // output caps raised for a step
	spent    float64
	inFlight float64 // estimated cost of requests under way
	priced   int     // requests with known cost, for the estimate
}

type capKey struct {
	step  string
	entry *Entry
}

// NewClient returns a client of the hub for one run.
func (h *Hub) NewClient(o Options) *Client {
	if o.Journal == nil {
		o.Journal = &Journal{}
	}
	return &Client{
		hub: h, entries: slices.Clone(o.Entries), run: h.slots.Run(o.Concurrency), journal: o.Journal, log: o.Log,
		prompts: o.KeepPrompts, maxCost: o.MaxCost, out: map[*Entry]error{}, caps: map[capKey]int{},
		spent: o.Journal.spent, priced: o.Journal.priced,
	}
}

// Journal is the fold of a log that answers asked questions again: accepted answers by call key,
// and what was spent. The zero value is an empty log.
type Journal struct {
	mu      sync.Mutex
	answers map[string]event.CallAnswered
	spent   float64
	priced  int
}

// Apply folds one event in.
func (j *Journal) Apply(e event.Event) {
	switch d := e.Data.(type) {
	case event.CallAnswered:
		j.keep(d)
	case event.CallAttempt:
		if d.Cost != nil {
			j.spent += *d.Cost
			j.priced++
		}
	}
}

func (j *Journal) keep(a event.CallAnswered) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.answers == nil {
		j.answers = map[string]event.CallAnswered{}
	}
	j.answers[a.Key] = a
}

func (j *Journal) answer(key string) (event.CallAnswered, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	a, ok := j.answers[key]
	return a, ok
}

func (c *Client) takeOut(e *Entry, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out[e] = why
}

// takeOutAccount takes out every entry that shares the account: a bad key is bad for all.
func (c *Client) takeOutAccount(e *Entry, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.entries {
		if x.Account == e.Account {
			c.out[x] = why
		}
	}
}

// usable returns the entries that are not out, in order.
func (c *Client) usable() []*Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	var in []*Entry
	for _, e := range c.entries {
		if c.out[e] == nil {
			in = append(in, e)
		}
	}
	return in
}

func (c *Client) capFor(step string, e *Entry) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.caps[capKey{step, e}]; n > 0 {
		return n
	}
	return e.MaxTokens
}

// raiseCap doubles the output cap for the step's calls on an entry; false when it cannot rise.
func (c *Client) raiseCap(step string, e *Entry, used, promptTokens int) bool {
	next := min(2*used, c.hub.maxCap(e, promptTokens))
	if next <= used {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.caps[capKey{step, e}] = max(next, c.caps[capKey{step, e}])
	return true
}

// reserve books the estimated cost of a request, or refuses it when the limit is reached.
func (c *Client) reserve(e *Entry, promptTokens int) (booked float64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.maxCost <= 0 {
		return 0, nil
	}
	if c.spent+c.inFlight >= c.maxCost {
		return 0, budgetError(c.spent, c.maxCost)
	}
	const usualAnswer = 1500 // tokens
	switch {
	case e.Price != nil:
		booked = (float64(promptTokens)*e.Price.Input + usualAnswer*e.Price.Output) / 1e6
	case c.priced > 0:
		booked = c.spent / float64(c.priced)
	}
	c.inFlight += booked
	return booked, nil
}

// settle replaces the booked estimate by what the request cost; nil is unknown.
func (c *Client) settle(booked float64, cost *float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight -= booked
	if cost != nil {
		c.spent += *cost
		c.priced++
	}
}

// cost returns what a request cost in USD; nil when neither the provider nor the configuration
// says.
func (e *Entry) cost(r Response) *float64 {
	zero := 0.0
	switch {
	case r.Cost != nil:
		return r.Cost
	case e.Local || e.Demo:
		return &zero
	case e.Price == nil:
		return nil
	}
	cached := min(r.Usage.Cached, r.Usage.Prompt)
	inPrice := e.Price.Cached
	if inPrice == 0 {
		inPrice = e.Price.Input
	}
	sum := (float64(r.Usage.Prompt-cached)*e.Price.Input + float64(cached)*inPrice + float64(r.Usage.Completion)*e.Price.Output) / 1e6
	return &sum
}

// costUnknown tells whether a request's cost will not be known: no price, and a provider that
// does not tell.
func (e *Entry) costUnknown() bool {
	return e.Price == nil && !e.Local && !e.Demo && e.Class != "OpenRouter"
}

// answered is an accepted answer with where it came from.
type answered struct {
	content json.RawMessage
	source  Source
}
