package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MarshalJSON writes the JSON schema in the subset that every provider and grammar compiler takes:
// type, description, enum, items, properties in order, required (all) and additionalProperties
// false, all inline. Counts, ranges and word limits stand in the descriptions, in words.
func (s *Schema) MarshalJSON() ([]byte, error) { return Marshal(s.document()) }

// String returns what MarshalJSON writes. Put this into prompts: json.Marshal would escape it.
func (s *Schema) String() string {
	text, err := s.MarshalJSON()
	if err != nil {
		panic(fmt.Sprintf("schema: %v", err)) // the document holds nothing that can fail
	}
	return string(text)
}

// Digest is a stable hash of what the model sees of the schema.
func (s *Schema) Digest() string {
	sum := sha256.Sum256([]byte(s.String()))
	return hex.EncodeToString(sum[:])
}

func (s *Schema) document() Object {
	o := Object{{"type", string(s.Kind)}}
	if s.Nullable {
		o[0].Value = []any{string(s.Kind), "null"}
	}
	if d := s.describe(); d != "" {
		o = append(o, Member{"description", d})
	}
	if s.Enum != nil {
		var values []any
		for _, v := range s.Enum {
			values = append(values, v)
		}
		if s.Nullable {
			values = append(values, nil)
		}
		o = append(o, Member{"enum", values})
	}
	switch s.Kind {
	case List:
		o = append(o, Member{"items", s.Items.document()})
	case Struct:
		properties, required := Object{}, []any{}
		for _, f := range s.Fields {
			properties = append(properties, Member{f.Name, f.Schema.document()})
			required = append(required, f.Name)
		}
		o = append(o, Member{"properties", properties}, Member{"required", required}, Member{"additionalProperties", false})
	}
	return o
}

// describe is the description and the limits, in words.
func (s *Schema) describe() string {
	var limits []string
	switch {
	case s.Once != nil:
		limits = append(limits, s.wantOnce())
	case s.Count != nil && (s.Count.Min > 0 || s.Count.Max > 0):
		limits = append(limits, s.Count.String())
	}
	if s.Range != nil {
		limits = append(limits, s.Range.String())
	}
	if s.MaxWords > 0 {
		limits = append(limits, fmt.Sprintf("at most %d words", s.MaxWords))
	}
	words := strings.Join(limits, "; ")
	if s.Description == "" || words == "" {
		return s.Description + words
	}
	return s.Description + " (" + words + ")"
}

// String says the bounds in words: "exactly 5 items".
func (c Count) String() string {
	switch {
	case c.Max == 0 && c.Min == 0:
		return "any number of items"
	case c.Max == 0:
		return "at least " + items(c.Min)
	case c.Min == c.Max:
		return "exactly " + items(c.Min)
	case c.Min == 0:
		return "at most " + items(c.Max)
	}
	return fmt.Sprintf("%d to %s", c.Min, items(c.Max))
}

// String says the bounds in words: "1 to 10".
func (r Range) String() string {
	low, high := strconv.FormatFloat(r.Min, 'f', -1, 64), strconv.FormatFloat(r.Max, 'f', -1, 64)
	switch {
	case math.IsInf(r.Max, 1):
		return "at least " + low
	case math.IsInf(r.Min, -1):
		return "at most " + high
	}
	return low + " to " + high
}

func (s *Schema) wantOnce() string {
	if s.OnceBy == "" {
		return "exactly " + items(len(s.Once)) + ", each allowed value once"
	}
	return "exactly " + items(len(s.Once)) + ", one for each " + s.OnceBy
}

func items(n int) string {
	if n == 1 {
		return "1 item"
	}
	return strconv.Itoa(n) + " items"
}
