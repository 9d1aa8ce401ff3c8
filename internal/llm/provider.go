// Package llm asks models questions. Generate is its only door: it returns a valid answer of the
// asked type or one error with a class, and nothing else in the program retries, falls back or
// reads model text.
package llm

import (
	"context"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm/schema"
)

// Role is who said a message.
type Role string

// The roles of a conversation.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is one turn of a conversation. Content goes out verbatim.
type Message struct {
	Role    Role   `json:"role"`
	Content string `json:"content"`
}

// Request is one exchange with a provider.
type Request struct {
	Key       string // of the call, with its step and label: what a recording is looked up by
	Step      string
	Label     string
	Messages  []Message
	Schema    *schema.Schema // nil asks for free text
	Name      string         // name of the schema, [a-z0-9_]
	MaxTokens int            // output cap
	FirstByte time.Duration  // limit until the first byte of the body
	LowEffort bool           // ask a thinking model to think less
}

// Finish is why a model stopped.
type Finish string

// The reasons that matter; anything else a provider says becomes FinishStop.
const (
	FinishStop   Finish = "stop"
	FinishLength Finish = "length" // the output cap was reached
	FinishFilter Finish = "filter" // the provider withheld the answer
)

// Response is a complete answer as it came.
type Response struct {
	Text          string
	Finish        Finish
	Refusal       string // the model's own words of refusal, when the API has a place for them
	ReasoningOnly bool   // thinking came, but no answer
	Form          string // how the schema was sent: json_schema, tools, json_object, text, …
	Usage         event.Usage
	Cost          *float64 // USD as told by the provider; nil when it does not say

	// Recorded is who gave this answer when it comes from a recording: asking again would bring
	// the same. Nil otherwise.
	Recorded *Source
}

// Provider speaks one protocol for one entry of the configuration. It is safe for concurrent use
// and remembers what it learned about its model for the life of the process: refused parameters,
// forms and limits.
type Provider interface {
	// Send asks once. Its errors are *Error. A request that was refused for a reason the
	// provider has now adapted to returns ClassAdapted; sending it again is no new try.
	Send(ctx context.Context, r Request) (Response, error)

	// Check is the preflight: it costs no money and takes at most 5 s. It returns nil when the
	// entry can be used or nothing is known, else an *Error of class config, auth, credit,
	// model_unknown or network.
	Check(ctx context.Context) error

	// StepDown makes later requests use the next simpler way of asking for structured output.
	// It returns false when there is none.
	StepDown() bool

	// Window returns the context length in tokens, 0 when it is not known.
	Window() int
}

// Price is what a model costs in USD per million tokens. Cached is that of input tokens which the
// provider had in its cache.
type Price struct{ Input, Output, Cached float64 }

// Entry is one configured model that can be asked.
type Entry struct {
	ID        string // key in llm_config.json
	Class     string // class name in llm_config.json
	Model     string
	Host      string // for messages to people
	Account   string // base URL and a digest of the key: what rate limits and breakers are shared by
	KeyName   string // where the key came from, such as OPENROUTER_API_KEY; for messages
	Local     bool   // costs nothing
	Demo      bool
	Timeout   time.Duration // until the first byte
	MaxTokens int           // first output cap
	Retries   int           // transport tries after the first
	Slots     int           // calls in flight for the account
	Price     *Price        // nil when unknown
	Provider  Provider
	Problem   error // why the entry cannot be used; nil when it can
}
