package schema

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

const maxNamed = 30 // values listed in one problem

// Problem is one way in which an answer differs from its schema.
type Problem struct {
	Path  string // such as decisions[2].lever_id; empty: the whole answer
	Found string // what is there, in words
	Want  string // what should be there, in words
	Soft  bool   // the answer is usable all the same
}

// String says it in words that a model can act on.
func (p Problem) String() string {
	path := p.Path
	if path == "" {
		path = "the answer"
	}
	return fmt.Sprintf("%s: found %s, want %s", path, p.Found, p.Want)
}

// want says in words what a node takes.
func (s *Schema) want() string {
	var w string
	switch {
	case s.Enum != nil:
		w = "one of " + named(s.Enum)
	case s.Kind == Struct:
		names := make([]string, len(s.Fields))
		for i, f := range s.Fields {
			names[i] = f.Name
		}
		w = "an object with " + named(names)
	case s.Kind == List && s.Once != nil:
		w = "a list of " + s.wantOnce()
	case s.Kind == List && s.Count != nil:
		w = "a list of " + s.Count.String()
	case s.Kind == List:
		w = "a list"
	case s.Kind == String && s.MaxWords > 0:
		w = fmt.Sprintf("text of at most %d words", s.MaxWords)
	case s.Kind == String:
		w = "text"
	case s.Kind == Bool:
		w = "true or false"
	default:
		w = map[Kind]string{Integer: "a whole number", Number: "a number"}[s.Kind]
		if s.Range != nil {
			w += ", " + s.Range.String()
		}
	}
	if s.Nullable {
		w += ", or null"
	}
	return w
}

// show says in words what a tree is.
func show(tree any) string {
	switch t := tree.(type) {
	case nil:
		return "null"
	case Object:
		return "an object"
	case []any:
		return "a list"
	case string:
		if strings.TrimSpace(t) == "" {
			return "empty text"
		}
		return "text " + strconv.Quote(clip(t))
	case json.Number:
		return "number " + clip(t.String())
	}
	return fmt.Sprint(tree)
}

func named(values []string) string {
	var quoted []string
	for _, v := range values[:min(len(values), maxNamed)] {
		quoted = append(quoted, strconv.Quote(v))
	}
	text := strings.Join(quoted, ", ")
	if more := len(values) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// clip shortens model text for a message.
func clip(s string) string {
	const limit = 60
	n := 0
	for i := range s {
		if n++; n > limit {
			return s[:i] + "…"
		}
	}
	return s
}
