package llm

import (
	"fmt"
	"slices"
	"strings"

	"planexe/internal/llm/answer"
	"planexe/internal/llm/schema"
)

// partial is a list answer that the output cap cut: what of it is whole is kept, the rest is asked
// for.
type partial struct {
	tree schema.Object
	name string         // of the list, a field of tree
	list *schema.Schema // of that field
	grew bool           // the last answer has added items
}

// salvage keeps the whole items of a cut answer; nil when there are none, or when the cut is not
// inside a list that is a field of the answer.
func salvage(text string, s *schema.Schema) *partial {
	closed, ok := closeList(answer.Visible(text))
	if !ok {
		return nil
	}
	tree, _, err := answer.Extract(closed, s)
	o, _ := tree.(schema.Object)
	if err != nil || len(o) == 0 {
		return nil
	}
	p := &partial{tree: o, name: o[len(o)-1].Name}
	for _, f := range s.Fields {
		if f.Name == p.name && f.Schema.Kind == schema.List {
			p.list = f.Schema
		}
	}
	if p.list == nil || len(p.items()) == 0 {
		return nil
	}
	return p
}

// closeList cuts a text behind the last whole item of the list that it ends in, and closes list
// and object.
func closeList(text string) (string, bool) {
	start, end := strings.IndexByte(text, '{'), -1
	if start < 0 {
		return "", false
	}
	var open []byte
	quoted := false
	inList := func() bool { return len(open) == 2 && open[1] == '[' }
	for i := start; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			if quoted = !quoted; !quoted && inList() {
				end = i + 1
			}
		case quoted:
		case c == '{' || c == '[':
			open = append(open, c)
			if inList() {
				end = -1 // of an earlier list
			}
		case c == '}' || c == ']':
			if len(open) == 0 {
				return "", false
			}
			if open = open[:len(open)-1]; inList() {
				end = i + 1
			}
		}
	}
	if len(open) < 2 || open[1] != '[' || end < 0 {
		return "", false
	}
	return text[start:end] + "]}", true
}

func (p *partial) items() []any {
	v, _ := p.tree.Get(p.name)
	l, _ := v.([]any)
	return l
}

// id is what tells two items of the list apart.
func (p *partial) id(item any) string {
	if o, ok := item.(schema.Object); ok && p.list.OnceBy != "" {
		item, _ = o.Get(p.list.OnceBy)
	}
	if s, ok := item.(string); ok {
		return strings.TrimSpace(s)
	}
	return string(compact(item))
}

// missing returns the ids that must occur in the list and do not yet.
func (p *partial) missing() []string {
	return slices.DeleteFunc(slices.Clone(p.list.Once), func(id string) bool {
		return slices.ContainsFunc(p.items(), func(item any) bool { return strings.EqualFold(p.id(item), id) })
	})
}

// ask returns the kept part, and the demand for the rest of it.
func (p *partial) ask() (kept, demand string) {
	n := len(p.items())
	which := fmt.Sprintf("those from number %d on", n+1)
	if m := p.missing(); len(m) > 0 {
		which = "those for " + strings.Join(m, ", ")
	} else if c := p.list.Count; c != nil && c.Max > 0 {
		which += fmt.Sprintf(", up to number %d at most", c.Max)
	}
	return string(compact(p.tree)), fmt.Sprintf("Your answer was too long and was cut off. What stands above is kept: %d items of %q. "+
		"Answer with a JSON object of the same form in which %q holds only the items that are missing, %s. "+
		"Give the other fields only where they do not stand above.", n, p.name, p.name, which)
}

// join reads an answer that brings the rest. It returns the text of both together.
func (p *partial) join(text string, s *schema.Schema, read func(string) reading) (string, reading) {
	p.grew = false
	tree, repairs, err := answer.Extract(text, s)
	if err != nil {
		f, ok := err.(*answer.Failure)
		if !ok {
			f = &answer.Failure{Kind: answer.Syntax, Message: err.Error()}
		}
		if more := salvage(text, s); f.Kind == answer.Cut && more != nil {
			p.add(more.tree)
		}
		return text, reading{failure: f}
	}
	o, _ := tree.(schema.Object)
	p.add(o)
	whole := string(compact(p.tree))
	r := read(whole)
	r.repairs = append(repairs, append(r.repairs, fmt.Sprintf("rest of %s joined", p.name))...)
	return whole, r
}

// add takes over items and fields that are not there yet.
func (p *partial) add(more schema.Object) {
	have := map[string]bool{}
	items := p.items()
	for _, item := range items {
		have[p.id(item)] = true
	}
	for _, m := range more {
		list, isList := m.Value.([]any)
		if m.Name != p.name || !isList {
			if _, known := p.tree.Get(m.Name); !known {
				p.tree = append(p.tree, m)
			}
			continue
		}
		for _, item := range list {
			if id := p.id(item); !have[id] {
				have[id], p.grew = true, true
				items = append(items, item)
			}
		}
	}
	for i := range p.tree {
		if p.tree[i].Name == p.name {
			p.tree[i].Value = items
		}
	}
}
