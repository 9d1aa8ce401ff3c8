package llm

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"planexe/internal/event"
)

// Class sorts failures of model calls by what is to be done about them.
type Class string

// The classes. Policy holds what each means for the call.
const (
	ClassOK           Class = "ok"
	ClassAdapted      Class = "adapted"       // the provider learned something; ask again
	ClassConfig       Class = "config"        // the entry is wrong
	ClassAuth         Class = "auth"          // key missing or refused
	ClassCredit       Class = "credit"        // money or quota used up
	ClassModelUnknown Class = "model_unknown" // the provider has no such model
	ClassBadRequest   Class = "bad_request"   // refused for another reason
	ClassContext      Class = "context"       // the prompt is longer than the model takes
	ClassRate         Class = "rate"          // too many requests
	ClassServer       Class = "server"        // the provider is broken
	ClassNetwork      Class = "network"       // the connection is broken
	ClassTimeout      Class = "timeout"       // no first byte
	ClassStall        Class = "stall"         // silence after the first byte
	ClassEmpty        Class = "empty"         // no text
	ClassTruncated    Class = "truncated"     // the output cap cut the answer
	ClassInvalid      Class = "invalid"       // not the JSON that was asked for
	ClassContent      Class = "content"       // valid, but a content rule does not hold
	ClassModelRefused Class = "refused"       // the model does not want to answer
	ClassCancelled    Class = "cancelled"     // we gave up the request
	ClassBudget       Class = "budget"        // a cost or call limit is reached
	ClassInternal     Class = "internal"      // our own fault: disk, bug
)

// Error is a failed request or, with Attempts, a failed call.
type Error struct {
	Class      Class
	Entry      string // id of the entry
	Host       string
	Message    string // for a person: what happened, without secrets
	Advice     string // for a person: the way out
	Status     int    // HTTP status, 0 when there is none
	RetryAfter time.Duration
	NoRetry    bool      // trying the same again cannot help, whatever the class says
	MaxTokens  int       // ClassAdapted: the output cap that was learned
	EndsCall   bool      // nor can another entry or a later try
	EndsRun    bool      // no entry is left, or money: the whole run ends
	Attempts   []Attempt // of a failed call
	Err        error
}

// Attempt is one line of a failed call's story.
type Attempt struct {
	Entry    string
	Form     string
	Class    Class
	Duration time.Duration
	Message  string
}

// Error tells the class, where, and every attempt.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	if e.Message == "" {
		b.WriteString(string(e.Class))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	for i, a := range e.Attempts {
		fmt.Fprintf(&b, "\n  %d. %s %s after %s: %s", i+1, a.Entry, a.Class, a.Duration.Round(time.Millisecond), a.Message)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of an error; an error that is none of ours is internal.
func ClassOf(err error) Class {
	if err == nil {
		return ClassOK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return ClassInternal
}

// Reason puts the error into an event.
func (e *Error) Reason() event.Reason {
	retry := false
	switch e.Class {
	case ClassRate, ClassServer, ClassNetwork, ClassTimeout, ClassStall, ClassEmpty, ClassTruncated, ClassInvalid, ClassBudget:
		retry = true
	}
	return event.Reason{Class: string(e.Class), Message: e.Error(), CanRetry: retry, Advice: e.Advice}
}

// Ending tells whether the error ends the whole run, and how.
func (e *Error) Ending() (event.Outcome, bool) {
	if e.Class == ClassBudget {
		return event.Budget, true
	}
	return event.Failed, e.EndsRun
}
