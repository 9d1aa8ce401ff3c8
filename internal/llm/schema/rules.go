package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Rule narrows a schema for one question.
type Rule struct {
	path  string
	apply func(spot) error
}

// OneOf allows only the given values as the text at path, or as the items of the list there.
func OneOf(path string, values ...string) Rule {
	return Rule{path, func(at spot) error {
		node := at.node
		if node.Kind == List {
			node = node.Items
		}
		return node.only(values)
	}}
}

// EachOnce asks for exactly one item per id in a list. Path is the field of the items that holds the
// id, or a list of strings. An id that is none of
// them, or a list without any of them, is a hard problem; missing and doubled ones are soft, since one forgotten item of twenty must
// not cost the other nineteen: the step that asks decides what a missing item means.
func EachOnce(path string, ids ...string) Rule {
	return Rule{path, func(at spot) error {
		list, by, value := at.list, at.name, at.node
		if at.node.Kind == List {
			list, by, value = at.node, "", at.node.Items
		}
		if list == nil {
			return errors.New("it is no field of a list's items")
		}
		if list.Once != nil {
			return errors.New("the list has such a rule already, and its items answer one question only")
		}
		list.Once, list.OnceBy, list.Count = slices.Clone(ids), by, nil
		return value.only(ids)
	}}
}

// CountOf asks for min to max items in the list at path; max 0 is no upper bound. It is soft.
func CountOf(path string, min, max int) Rule { return count(path, Count{Min: min, Max: max}) }

// FirstOf is CountOf for a list of which the first max items are taken: more are no fault.
func FirstOf(path string, min, max int) Rule {
	return count(path, Count{Min: min, Max: max, Surplus: true})
}

// HardCount is CountOf as a hard rule.
func HardCount(path string, min, max int) Rule {
	return count(path, Count{Min: min, Max: max, Hard: true})
}

func count(path string, c Count) Rule {
	return Rule{path, func(at spot) error {
		if at.node.Kind != List {
			return fmt.Errorf("it is %s, a count needs a list", at.node.Kind)
		}
		if c.Min < 0 || c.Max != 0 && c.Max < c.Min {
			return fmt.Errorf("a count of %d to %d cannot be", c.Min, c.Max)
		}
		at.node.Count = &c
		return nil
	}}
}

func (s *Schema) only(values []string) error {
	if s.Kind != String {
		return fmt.Errorf("it is %s, a choice needs text", s.Kind)
	}
	if len(values) == 0 {
		return errors.New("there is nothing to choose from")
	}
	s.Enum = slices.Clone(values)
	return nil
}

// With returns a copy with descriptions and with rules for one question. Paths are dotted field
// names without indices, such as decisions.lever_id, or the end of one when only one field has it,
// such as lever_id. The error names a path that does not exist, is ambiguous or does not fit its rule.
func (s *Schema) With(desc map[string]string, rules ...Rule) (*Schema, error) {
	out := s.clone()
	spots := out.spots("", nil)
	for path, text := range desc {
		at, err := find(spots, path)
		if err != nil {
			return nil, fmt.Errorf("description: %w", err)
		}
		at.node.Description = text
	}
	for _, r := range rules {
		at, err := find(spots, r.path)
		if err != nil {
			return nil, fmt.Errorf("rule: %w", err)
		}
		if err := r.apply(at); err != nil {
			return nil, fmt.Errorf("rule for %s: %w", at.path, err)
		}
	}
	return out, nil
}

func (s *Schema) clone() *Schema {
	if s == nil {
		return nil
	}
	c := *s
	c.Items = s.Items.clone()
	c.Fields = slices.Clone(s.Fields)
	for i := range c.Fields {
		c.Fields[i].Schema = c.Fields[i].Schema.clone()
	}
	return &c // enums, counts and ranges are replaced, never changed
}

// spot is a field that a path can name.
type spot struct {
	path string
	name string
	node *Schema
	list *Schema // the list whose items have this field; nil when the field is of a plain object
}

func (s *Schema) spots(path string, list *Schema) []spot {
	if s.Kind == List {
		return s.Items.spots(path, s)
	}
	var out []spot
	for _, f := range s.Fields {
		at := strings.TrimPrefix(path+"."+f.Name, ".")
		out = append(out, spot{at, f.Name, f.Schema, list})
		out = append(out, f.Schema.spots(at, nil)...)
	}
	return out
}

func find(spots []spot, path string) (spot, error) {
	var found []spot
	for _, at := range spots {
		if at.path == path {
			return at, nil
		}
		if strings.HasSuffix(at.path, "."+path) {
			found = append(found, at)
		}
	}
	switch len(found) {
	case 0:
		return spot{}, fmt.Errorf("no field %q", path)
	case 1:
		return found[0], nil
	}
	return spot{}, fmt.Errorf("%q can be %s or %s: use the whole path", path, found[0].path, found[1].path)
}
