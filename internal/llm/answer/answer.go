// Package answer takes the JSON out of what a model wrote. Models put it into code fences, talk
// before and after it, think aloud, and make small mistakes; what is certain is repaired, all else
// is a Failure that says what is wrong in words the model can act on.
package answer

import (
	"errors"
	"fmt"
	"strconv"
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
	Cut    Kind = "cut"    // the text ends inside the JSON, or inside the thinking
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
// half of the fields s requires, not yet checked any further, and names what it had to repair. The
// error is a *Failure. Its time grows linearly with the text.
func Extract(text string, s *schema.Schema) (tree any, repairs []string, err error) {
	x := &extraction{schema: s, budget: 8*len(text) + 4096}
	// A text that is JSON throughout is the answer, even if its strings speak of <think> or ```.
	if bare := trim(text); strings.HasPrefix(bare, "{") {
		if c, err := x.read(bare, 0); err == nil && c.end == len(bare) && x.accept(&c) {
			return c.tree, c.repairs, nil
		}
	}
	visible := Visible(text)
	if len(visible) < len(trim(text)) {
		repairs = append(repairs, "thinking removed")
	}
	for _, f := range fences(visible) {
		x.search(visible[:f.end], f.start)
	}
	if x.best != nil {
		repairs = append(repairs, "taken out of a code fence")
	} else {
		x.search(visible, 0)
		if x.best != nil && x.best.size() < len(visible) {
			repairs = append(repairs, "text around the JSON dropped")
		}
	}
	if x.best == nil {
		return nil, nil, x.failure(visible)
	}
	return x.best.tree, append(repairs, x.best.repairs...), nil
}

// extraction is one search for the answer, and what was found in its place.
type extraction struct {
	schema *schema.Schema
	budget int        // bytes that may still be read, against texts that make us read the same again and again
	best   *candidate // the longest acceptable one
	broken *Failure   // the first JSON that could not be read
	echo   bool
	inner  string // in words
}

// candidate is a JSON value in a text.
type candidate struct {
	start, end int
	tree       any
	repairs    []string
}

func (c *candidate) size() int { return c.end - c.start }

// fault is where and why a value could not be read.
type fault struct {
	at, depth int  // the byte, and the brackets open there
	json      bool // it is JSON, not prose with a bracket
	err       error
}

func (f *fault) Error() string { return f.err.Error() }

func (x *extraction) read(text string, start int) (candidate, error) {
	r := &reader{text: text, at: start}
	tree, err := r.value()
	x.budget -= r.at - start
	if err != nil {
		json := r.began || errors.Is(err, errCut) || errors.Is(err, errDeep)
		return candidate{}, &fault{at: r.at, depth: r.depth, json: json, err: err}
	}
	return candidate{start, r.at, tree, r.repairs}, nil
}

// search looks for the answer from a position to the end of the text.
func (x *extraction) search(text string, from int) {
	for x.budget > 0 {
		i := strings.IndexAny(text[from:], "{[")
		if i < 0 {
			return
		}
		start := from + i
		c, err := x.read(text, start)
		f, _ := errors.AsType[*fault](err)
		switch {
		case f == nil:
			if x.accept(&c) && (x.best == nil || c.size() > x.best.size()) {
				x.best = &c
			}
			from = c.end
		case f.json:
			if x.broken == nil {
				x.broken = f.failure(text)
			}
			from = x.skip(text, f) // what stands inside broken JSON is not the answer
		default:
			from = start + 1
		}
	}
}

// skip returns where the brackets that are open at a fault are closed.
func (x *extraction) skip(text string, f *fault) int {
	depth, quoted := f.depth, false
	at := f.at
	for ; at < len(text) && depth > 0; at++ {
		switch c := text[at]; {
		case c == '\\' && quoted:
			at++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	at = min(at, len(text))
	x.budget -= at - f.at
	return at
}

// accept tells whether the candidate is the answer, out of a wrapping it may have.
func (x *extraction) accept(c *candidate) bool {
	o, _ := c.tree.(schema.Object)
	have, need := x.fields(o)
	switch {
	case have == need:
		return true
	case x.echoed(o):
		x.echo = true
		return false
	case 2*have >= need:
		return true
	}
	inner, wrapping := c.tree, ""
	if l, ok := c.tree.([]any); ok && len(l) == 1 {
		inner, wrapping = l[0], "a list"
	} else if len(o) == 1 {
		inner, wrapping = o[0].Value, strconv.Quote(clip(o[0].Name))
	}
	if unwrapped, ok := inner.(schema.Object); ok && wrapping != "" {
		if x.echoed(unwrapped) {
			x.echo = true
			return false
		}
		if have, need := x.fields(unwrapped); 2*have >= need {
			c.tree = unwrapped
			c.repairs = append(c.repairs, "unwrapped from "+wrapping)
			return true
		}
	}
	if x.inner == "" {
		x.inner = inWords(c.tree)
	}
	return false
}

// fields counts the required fields of the answer, and how many of them o has.
func (x *extraction) fields(o schema.Object) (have, need int) {
	has := make(map[string]bool, len(o))
	for _, m := range o {
		has[m.Name] = true
	}
	nullable := 0
	for _, f := range x.schema.Fields {
		switch {
		case f.Schema.Nullable:
			nullable++
		case has[f.Name]:
			have++
		}
	}
	if need = len(x.schema.Fields) - nullable; need > 0 {
		return have, need
	}
	for _, f := range x.schema.Fields { // all may be null: then all count
		if has[f.Name] {
			have++
		}
	}
	return have, nullable
}

// echoed tells whether o is a JSON schema, ours to all likelihood.
func (x *extraction) echoed(o schema.Object) bool {
	for _, name := range []string{"properties", "$defs"} {
		v, _ := o.Get(name)
		described, ok := v.(schema.Object)
		if !ok {
			continue
		}
		if len(o) > 1 || name == "$defs" {
			return true
		}
		for _, m := range described { // {"properties": …} alone may wrap the answer
			if node, ok := m.Value.(schema.Object); ok {
				if _, ok := node.Get("type"); ok {
					return true
				}
			}
		}
	}
	return false
}

func (x *extraction) failure(visible string) *Failure {
	want := x.want()
	switch {
	case x.broken != nil && x.broken.Kind == Cut:
		return x.broken
	case x.echo:
		return &Failure{Echo, "the answer repeats the JSON schema; wanted " + want + " filled with values"}
	case x.broken != nil:
		return x.broken
	case x.inner != "":
		return &Failure{Inner, "the answer is " + x.inner + "; wanted " + want}
	case visible == "":
		return &Failure{Cut, "the text ends before an answer begins; wanted " + want}
	}
	return &Failure{Prose, "the answer holds no JSON object; wanted " + want}
}

func (x *extraction) want() string {
	var names []string
	for _, f := range x.schema.Fields {
		names = append(names, f.Name)
	}
	return "one JSON object with " + list(names)
}

func (f *fault) failure(text string) *Failure {
	before := text[:f.at]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	where := fmt.Sprintf("line %d, column %d", line, column)
	if errors.Is(f.err, errCut) {
		return &Failure{Cut, fmt.Sprintf("%s: %v", where, f.err)}
	}
	return &Failure{Syntax, fmt.Sprintf("%s: %v, found %q", where, f.err, clip(text[f.at:]))}
}

func inWords(tree any) string {
	switch t := tree.(type) {
	case []any:
		return fmt.Sprintf("a list of length %d", len(t))
	case schema.Object:
		var names []string
		for _, m := range t {
			names = append(names, m.Name)
		}
		if names != nil {
			return "an object with " + list(names)
		}
	}
	return "an empty object"
}

// list names some fields.
func list(names []string) string {
	const limit = 20
	var quoted []string
	for _, n := range names[:min(len(names), limit)] {
		quoted = append(quoted, strconv.Quote(clip(n)))
	}
	if len(names) > limit {
		quoted = append(quoted, "…")
	}
	return strings.Join(quoted, ", ")
}

// clip shortens model text for a message.
func clip(s string) string {
	n := 0
	for i := range s {
		if n++; n > 30 {
			return s[:i] + "…"
		}
	}
	return s
}
