package llm

import (
	"fmt"

	"planexe/internal/event"
)

// usualAnswer is the length of an answer in tokens that costs are estimated by.
const usualAnswer = 1500

// reserve books the estimated cost of a request, or refuses it when what is spent and what the
// requests under way will cost reach the limit.
func (c *Client) reserve(e *Entry, promptTokens int) (booked float64, err *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.maxCost <= 0 || e.free() {
		return 0, nil
	}
	if c.spent+c.inFlight >= c.maxCost {
		return 0, budgetError(c.spent, c.inFlight, c.maxCost)
	}
	switch {
	case e.Price != nil:
		booked = (float64(promptTokens)*e.Price.Input + usualAnswer*e.Price.Output) / 1e6
	case c.priced > 0: // the provider tells what each request has cost
		booked = c.spent / float64(c.priced)
	}
	c.inFlight += booked
	return booked, nil
}

// settle replaces the booked estimate by what the request cost; nil is unknown.
func (c *Client) settle(booked float64, cost *float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight = max(0, c.inFlight-booked)
	if cost != nil && *cost > 0 {
		c.spent += *cost
		c.priced++
	}
}

// checkPriced takes an entry out whose answer came without the cost that the limit is kept by.
func (c *Client) checkPriced(step string, x *exchange) *Error {
	if c.maxCost <= 0 || x.cost != nil {
		return nil
	}
	return c.takeOut(step, unpriced(x.entry), x.entry, false)
}

func (e *Entry) free() bool { return e.Local || e.Demo }

// cost returns what a request cost in USD; nil when neither the provider nor the configuration
// says. A request that was refused costs nothing; one that broke may have cost something.
func (e *Entry) cost(r Response, fault *Error) *float64 {
	switch nothing := fault != nil && r.Usage == (event.Usage{}); {
	case r.Cost != nil:
		return r.Cost
	case e.free(), nothing && fault.Status >= 400:
		return new(float64)
	case e.Price == nil, nothing:
		return nil
	}
	cached := min(r.Usage.Cached, r.Usage.Prompt)
	sum := (float64(r.Usage.Prompt-cached)*e.Price.Input + float64(cached)*e.Price.Cached + float64(r.Usage.Completion)*e.Price.Output) / 1e6
	return &sum
}

// costUnknown tells whether a request's cost will not be known: no price, and a provider that
// does not tell.
func (e *Entry) costUnknown() bool { return e.Price == nil && !e.free() && e.Class != "OpenRouter" }

func unpriced(e *Entry) *Error {
	return &Error{
		Class: ClassConfig, Entry: e.ID, Message: "its price is not known, so a cost limit cannot be kept",
		Advice: `add "price": {"input": …, "output": …} (USD per million tokens) to the entry, or drop the limit`,
	}
}

func budgetError(spent, underWay, limit float64) *Error {
	return &Error{
		Class: ClassBudget, EndsRun: true,
		Message: fmt.Sprintf("the cost limit of $%.2f is reached: $%.4f spent, about $%.4f under way", limit, spent, underWay),
		Advice:  "resume the run with a higher limit; what is paid for is kept",
	}
}
