package llm

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

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
	news     []event.Data     // what the preflight found, told with the first call
	told     map[string]time.Time
	caps     map[capKey]int // output caps raised for a step
	spent    float64
	inFlight float64 // estimated cost of requests under way
	priced   int     // requests that cost something, for the estimate
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
		prompts: o.KeepPrompts, maxCost: o.MaxCost, out: map[*Entry]error{}, told: map[string]time.Time{}, caps: map[capKey]int{},
		spent: o.Journal.spent, priced: o.Journal.priced,
	}
}

// takeOut ends the use of an entry in this run, or of all that share its account: a bad key is bad
// for all of them. It tells people once.
func (c *Client) takeOut(step string, why *Error, e *Entry, account bool) *Error {
	c.mu.Lock()
	var news []event.Data
	for _, x := range c.entries {
		if c.out[x] == nil && (x == e || account && x.Account == e.Account) {
			c.out[x] = why
			news = append(news, outNotice(step, x, why))
		}
	}
	c.mu.Unlock()
	return c.emit(news...)
}

func outNotice(step string, e *Entry, why error) event.Notice {
	return event.Notice{Step: step, Level: "warning", Message: fmt.Sprintf("model %s is not used in this run: %v", e.ID, why)}
}

// takeNews returns what nobody was told yet.
func (c *Client) takeNews() []event.Data {
	c.mu.Lock()
	defer c.mu.Unlock()
	news := c.news
	c.news = nil
	return news
}

// tell says once per wait that calls wait for the host of an entry.
func (c *Client) tell(step string, e *Entry, d time.Duration, by *Error) *Error {
	if by == nil || by.Class != ClassRate && d <= probeTick {
		return nil
	}
	until := time.Now().Add(d)
	c.mu.Lock()
	known := until.Before(c.told[e.Account].Add(time.Second))
	if !known {
		c.told[e.Account] = until
	}
	c.mu.Unlock()
	if known {
		return nil
	}
	n := event.Notice{Step: step, Level: "info", Until: until}
	if seconds := int(d.Seconds() + 0.99); by.Class == ClassRate {
		n.Message = fmt.Sprintf("rate limit at %s, going on in %d s", e.Host, seconds)
	} else {
		n.Level = "warning"
		n.Message = fmt.Sprintf("%s does not answer since %s, asking again in %d s",
			e.Host, c.hub.account(e).silentSince().Local().Format(time.TimeOnly), seconds)
	}
	return c.emit(n)
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

func (c *Client) isOut(e *Entry) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out[e] != nil
}

// whyOut returns the reason why the first entry is out.
func (c *Client) whyOut() *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		if le, ok := c.out[e].(*Error); ok {
			return le
		}
	}
	return nil
}

func (c *Client) capFor(step string, e *Entry) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.caps[capKey{step, e}]; n > 0 {
		return n
	}
	return e.MaxTokens
}

// raiseCap doubles the output cap for the step's calls on the entry, as far as it goes.
func (c *Client) raiseCap(step string, x *exchange) {
	next := min(2*x.limit, c.hub.maxCap(x.entry, x.tokens))
	c.mu.Lock()
	defer c.mu.Unlock()
	k := capKey{step, x.entry}
	c.caps[k] = max(next, c.caps[k])
}

// answered is an accepted answer with where it came from.
type answered struct {
	content json.RawMessage
	source  Source
}
