package step

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/plan"
)

// sizes are the bounds of the answer's lists, by path: those of the type's tags, and those of the
// question in their place. A hard count is left to the schema.
func (q Question[T]) sizes() map[string]plan.Range {
	out := map[string]plan.Range{}
	var walk func(s *schema.Schema, at string)
	walk = func(s *schema.Schema, at string) {
		if s.Kind == schema.List {
			if c := s.Count; c != nil && c.Max > 0 && !c.Hard {
				out[at] = plan.Range{Min: c.Min, Max: c.Max}
			}
			walk(s.Items, at)
		}
		for _, f := range s.Fields {
			walk(f.Schema, strings.TrimPrefix(at+"."+f.Name, "."))
		}
	}
	if _, free := any(*new(T)).(llm.Markdown); !free {
		walk(schema.For[T](), "")
	}
	maps.Copy(out, q.Sizes)
	return out
}

// rules are those of the question, behind the sizes.
func (q Question[T]) rules() []schema.Rule {
	sizes := q.sizes()
	var out []schema.Rule
	for _, path := range slices.Sorted(maps.Keys(sizes)) {
		out = append(out, schema.FirstOf(path, sizes[path].Min, sizes[path].Max))
	}
	return append(out, q.Rules...)
}

// check cuts lists and then looks at the answer.
func (q Question[T]) check(v *T) []schema.Problem {
	for path, r := range q.sizes() {
		cut(reflect.ValueOf(v).Elem(), strings.Split(path, "."), r.Max)
	}
	if q.Check == nil {
		return nil
	}
	return q.Check(v)
}

// cut shortens the list at a path of JSON names, in each item of the lists on the way.
func cut(v reflect.Value, path []string, most int) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			cut(v.Elem(), path, most)
		}
	case reflect.Slice:
		if len(path) > 0 {
			for i := range v.Len() {
				cut(v.Index(i), path, most)
			}
		} else if v.Len() > most {
			v.Set(v.Slice(0, most))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case len(path) == 0:
			case f.Anonymous && name == "":
				cut(v.Field(i), path, most)
			case name == path[0]:
				cut(v.Field(i), path[1:], most)
			}
		}
	}
}
