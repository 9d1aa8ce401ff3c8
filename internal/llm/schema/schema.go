// Package schema describes the shape of a model's answer. The shape is a Go struct: its JSON schema
// goes to the model, and the answer that comes back is checked and decoded against it.
//
// Supported Go types are structs (nested, embedded, in slices), string, bool, int, float64, slices
// of these, and pointers, which may be null. Field names come from json tags. Constraint tags:
//
//	enum:"low,medium,high"   text is one of these
//	count:"5" "3-5" "1-"     number of list items
//	range:"1-10" "0-"        bounds of a number, both allowed
//	words:"17"               at most 17 words of text
//	empty:"ok"               empty text, or an empty list in spite of its count
//
// On a list, enum, range and words speak of its items. A count or a word limit is soft, a wish
// whose violation leaves a usable answer, unless the tag ends in ",hard". All else is hard.
package schema

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Kind is the type of a node.
type Kind string

// The kinds, named as in JSON schema.
const (
	Struct  Kind = "object"
	List    Kind = "array"
	String  Kind = "string"
	Bool    Kind = "boolean"
	Integer Kind = "integer"
	Number  Kind = "number"
)

// Schema is one node of a shape.
type Schema struct {
	Kind        Kind
	Description string
	Nullable    bool
	AllowEmpty  bool // empty text, or an empty list in spite of Count

	Fields []Field // of an object, in the order of the Go struct
	Items  *Schema // of a list
	Count  *Count  // of a list; nil: any number

	// Once are the values that must each occur exactly once in a list: as the field OnceBy of its
	// items, or as the items themselves when OnceBy is empty. Nil when there is no such rule.
	Once   []string
	OnceBy string

	Enum      []string // of a string; nil: any text
	MaxWords  int      // of a string; 0: any number
	HardWords bool
	Range     *Range // of a number; nil: any
}

// Field is a named member of an object.
type Field struct {
	Name   string
	Schema *Schema
}

// Count bounds the number of items of a list. Max 0 is no upper bound.
type Count struct {
	Min, Max int
	Hard     bool
	Surplus  bool // more than Max are no fault: whoever asks takes the first Max
}

// Range bounds a number; either end may be infinite.
type Range struct{ Min, Max float64 }

var cache sync.Map // reflect.Type → *Schema

// For returns the schema of the struct type T. It is shared: change it through With only. For panics
// when T cannot be an answer, which is a mistake in the program, and names the type and the field.
func For[T any]() *Schema {
	t := reflect.TypeFor[T]()
	if s, ok := cache.Load(t); ok {
		return s.(*Schema)
	}
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("schema: %v is not a struct", t))
	}
	s, _ := cache.LoadOrStore(t, build(t, t.String(), nil))
	return s.(*Schema)
}

// build makes the node of a Go type. At is where it stands, for panics; outer are the structs around it.
func build(t reflect.Type, at string, outer []reflect.Type) *Schema {
	switch t.Kind() {
	case reflect.Pointer:
		s := build(t.Elem(), at, outer)
		s.Nullable = true
		return s
	case reflect.Struct:
		if slices.Contains(outer, t) {
			panic(fmt.Sprintf("schema: %s: %v contains itself", at, t))
		}
		s := &Schema{Kind: Struct, Fields: fields(t, at, append(slices.Clip(outer), t))}
		if len(s.Fields) == 0 {
			panic(fmt.Sprintf("schema: %s: %v has no fields", at, t))
		}
		return s
	case reflect.Slice:
		return &Schema{Kind: List, Items: build(t.Elem(), at, outer)}
	case reflect.String:
		return &Schema{Kind: String}
	case reflect.Bool:
		return &Schema{Kind: Bool}
	case reflect.Int:
		return &Schema{Kind: Integer}
	case reflect.Float64:
		return &Schema{Kind: Number}
	}
	panic(fmt.Sprintf("schema: %s: type %v is not supported", at, t))
}

func fields(t reflect.Type, at string, outer []reflect.Type) []Field {
	var out []Field
	add := func(at string, f Field) {
		if slices.ContainsFunc(out, func(o Field) bool { return o.Name == f.Name }) {
			panic(fmt.Sprintf("schema: %s: a second field is named %q", at, f.Name))
		}
		out = append(out, f)
	}
	for i := range t.NumField() {
		f := t.Field(i)
		at := at + "." + f.Name
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if tag == "-" {
			continue
		}
		if f.Anonymous && f.Type.Kind() == reflect.Struct && name == "" {
			for _, inner := range fields(f.Type, at, append(slices.Clip(outer), f.Type)) {
				add(at, inner)
			}
			continue
		}
		if !f.IsExported() {
			continue
		}
		if slices.Contains(strings.Split(options, ","), "string") {
			panic(fmt.Sprintf("schema: %s: json option \"string\" is not supported", at))
		}
		if name == "" {
			name = f.Name
		}
		s := build(f.Type, at, outer)
		if err := s.constrain(f.Tag); err != nil {
			panic(fmt.Sprintf("schema: %s: %v", at, err))
		}
		add(at, Field{Name: name, Schema: s})
	}
	return out
}

// constrain reads the constraint tags of a struct field.
func (s *Schema) constrain(tag reflect.StructTag) error {
	value := s // what enum, range and words speak of
	for value.Kind == List {
		value = value.Items
	}
	if v, ok := tag.Lookup("enum"); ok {
		if value.Kind != String {
			return fmt.Errorf("enum on %s", value.Kind)
		}
		for _, one := range strings.Split(v, ",") {
			value.Enum = append(value.Enum, strings.TrimSpace(one))
		}
	}
	if v, ok := tag.Lookup("words"); ok {
		n, hard := strings.CutSuffix(v, ",hard")
		limit, err := strconv.Atoi(n)
		if value.Kind != String || err != nil || limit < 1 {
			return fmt.Errorf("words:%q on %s", v, value.Kind)
		}
		value.MaxWords, value.HardWords = limit, hard
	}
	if v, ok := tag.Lookup("range"); ok {
		low, high, err := bounds(v)
		if value.Kind != Integer && value.Kind != Number || err != nil {
			return fmt.Errorf("range:%q on %s", v, value.Kind)
		}
		value.Range = &Range{Min: low, Max: high}
	}
	if v, ok := tag.Lookup("count"); ok {
		n, hard := strings.CutSuffix(v, ",hard")
		low, high, err := bounds(n)
		if s.Kind != List || err != nil || low < 0 {
			return fmt.Errorf("count:%q on %s", v, s.Kind)
		}
		s.Count = &Count{Min: int(low), Hard: hard}
		if !math.IsInf(high, 1) {
			s.Count.Max = int(high)
		}
	}
	if v, ok := tag.Lookup("empty"); ok {
		if v != "ok" || s.Kind != List && s.Kind != String {
			return fmt.Errorf("empty:%q on %s", v, s.Kind)
		}
		s.AllowEmpty = true
	}
	return nil
}

// bounds reads "5", "3-5" or "1-".
func bounds(text string) (low, high float64, err error) {
	from, to, ranged := text, text, false
	if i := strings.Index(strings.TrimPrefix(text, "-"), "-"); i >= 0 { // a leading minus is a sign
		i += len(text) - len(strings.TrimPrefix(text, "-"))
		from, to, ranged = text[:i], text[i+1:], true
	}
	if low, err = strconv.ParseFloat(from, 64); err != nil {
		return 0, 0, err
	}
	if ranged && to == "" {
		return low, math.Inf(1), nil
	}
	if high, err = strconv.ParseFloat(to, 64); err == nil && high < low {
		err = fmt.Errorf("%q ends below its start", text)
	}
	return low, high, err
}
