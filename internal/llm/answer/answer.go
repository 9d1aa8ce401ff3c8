// Package answer takes the JSON out of what a model wrote. Models put it into code fences, talk
// before and after it, think aloud, and make small mistakes; what is certain is repaired, all else
// is a Failure that says what is wrong in words the model can act on.
package answer

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"planexe/internal/llm/schema"
)

// Kind is what is wrong with a text that yields no answer.
type Kind string

// The kinds.
const (
	Prose  Kind = "prose"  // no JSON at all
	Syntax Kind = "syntax" // JSON beyond repair
	Cut    Kind = "cut"    // the text ends inside the JSON
	Echo   Kind = "echo"   // our schema came back
	Inner  Kind = "inner"  // JSON, but not the object that was asked for
)

// Failure is the error of Extract.
type Failure struct {
	Kind    Kind
	Message string // of Syntax and Cut: with line and column in Visible(text)
}

// Error returns the message.
func (f *Failure) Error() string { return f.Message }

// Extract returns the JSON object in a model's text as a tree (see schema.Object) that has at least
// half of the fields of s, not yet checked any further, and names what it had to repair. The error
// is a *Failure. Time grows linearly with the text.
func Extract(text string, s *schema.Schema) (tree any, repairs []string, err error) {
	x := &extraction{schema: s, budget: 8*len(text) + 4096}
	// A text that is all JSON is the answer, even if its strings speak of <think> or ```.
	if bare := strings.TrimSpace(strings.TrimPrefix(text, bom)); strings.HasPrefix(bare, "{") {
		if c, end, err := x.read(bare, 0); err == nil && end == len(bare) && x.accept(&c) {
			return c.tree, c.repairs, nil
		}
	}
	visible := Visible(text)
	if len(visible) < len(strings.TrimSpace(text)) {
		repairs = append(repairs, "thinking removed")
	}
	for _, fence := range fences(visible) {
		x.search(visible[:fence.end], fence.start)
	}
	if x.best != nil {
		repairs = append(repairs, "taken out of a code fence")
	} else {
		x.search(visible, 0)
		if x.best != nil && len(x.best.source) < len(visible) {
			repairs = append(repairs, "text around the JSON dropped")
		}
	}
	if x.best == nil {
		return nil, nil, x.failure(visible)
	}
	return x.best.tree, append(repairs, x.best.repairs...), nil
}

// extraction is one search for the answer, and what went wrong on the way.
type extraction struct {
	schema *schema.Schema
	budget int        // bytes that may still be read
	best   *candidate // the longest acceptable one
	broken *Failure   // the first JSON that could not be read
	echo   bool
	inner  string // what was found in place of the answer, in words
}

type candidate struct {
	source  string
	tree    any
	repairs []string
}

// search looks for candidates from a position to the end of the text.
func (x *extraction) search(text string, from int) {
	for x.budget > 0 {
		i := strings.IndexAny(text[from:], "{[")
		if i < 0 {
			return
		}
		start := from + i
		x.budget -= i
		c, end, err := x.read(text, start)
		var fault *fault
		switch {
		case err == nil:
			if x.accept(&c) && (x.best == nil || len(c.source) > len(x.best.source)) {
				x.best = &c
			}
			from = end
		case errors.As(err, &fault) && (fault.began || fault.err != errSyntax):
			// What stands inside broken JSON is not the answer: go on behind it.
			if x.broken == nil {
				x.broken = fault.failure(text)
			}
			from = x.skip(text, fault.at, fault.depth)
		default:
			from = start + 1
		}
	}
}
