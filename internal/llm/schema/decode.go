package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const maxProblems = 20 // as many as a model can act on in one go

// Decode checks a tree against s and stores what fits in dst, a pointer to the Go type of s. It
// reports at most 20 problems, dropping soft ones first, and names each kind of leniency it used.
// When no problem is hard, dst is usable.
func Decode(s *Schema, tree any, dst any) (problems []Problem, repairs []string) {
	d := &decoder{lenient: map[string]int{}}
	value, ok := d.value(s, "", tree)
	target := reflect.ValueOf(dst).Elem()
	target.SetZero()
	if ok {
		raw, err := json.Marshal(value)
		if err == nil {
			err = json.Unmarshal(raw, dst)
		}
		if err != nil { // a type with its own UnmarshalJSON or UnmarshalText
			d.problem(Problem{Found: err.Error(), Want: s.want()})
		}
	}
	return d.reported(), d.repairs()
}

type decoder struct {
	problems []Problem
	counts   [2]int         // hard, soft
	lenient  map[string]int // kind of leniency → times
	kinds    []string       // in order of their first use
	first    []string       // the path of that
}

func (d *decoder) problem(p Problem) {
	i := 0
	if p.Soft {
		i = 1
	}
	if d.counts[i]++; d.counts[i] <= maxProblems {
		d.problems = append(d.problems, p)
	}
}

func (d *decoder) reported() []Problem {
	for i := len(d.problems) - 1; i >= 0 && len(d.problems) > maxProblems; i-- {
		if d.problems[i].Soft {
			d.problems = slices.Delete(d.problems, i, i+1)
		}
	}
	return d.problems
}

func (d *decoder) repair(kind, path string) {
	if d.lenient[kind]++; d.lenient[kind] == 1 {
		d.kinds = append(d.kinds, kind)
		d.first = append(d.first, path)
	}
}

func (d *decoder) repairs() []string {
	var out []string
	for i, kind := range d.kinds {
		text := kind
		if d.first[i] != "" {
			text += " at " + d.first[i]
		}
		if more := d.lenient[kind] - 1; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		out = append(out, text)
	}
	return out
}

// value returns the node's value with its leniencies applied; false when nothing of it can be stored.
func (d *decoder) value(s *Schema, path string, tree any) (any, bool) {
	if tree == nil && s.Nullable {
		return nil, true
	}
	wrong := func() (any, bool) {
		d.problem(Problem{Path: path, Found: show(tree), Want: s.want()})
		return nil, false
	}
	switch s.Kind {
	case Struct:
		if o, ok := tree.(Object); ok {
			return d.object(s, path, o), true
		}
	case List:
		if tree == nil { // "there are none"
			d.repair("null read as an empty list", path)
			tree = []any{}
		}
		if l, ok := tree.([]any); ok {
			return d.list(s, path, l), true
		}
	case String:
		if id, ok := numbered(s.Enum, scalar(tree)); ok {
			d.repair("number read as an id", path)
			return id, true
		}
		if t, ok := tree.(string); ok {
			return d.text(s, path, t), true
		}
	case Bool:
		if b, ok := tree.(bool); ok {
			return b, true
		}
		switch strings.ToLower(strings.TrimSpace(scalar(tree))) {
		case "true", "1":
			d.repair("yes or no in other words", path)
			return true, true
		case "false", "0":
			d.repair("yes or no in other words", path)
			return false, true
		}
	case Integer, Number:
		if n, ok := d.number(s, path, tree); ok {
			return n, true
		}
	}
	return wrong()
}

func (d *decoder) object(s *Schema, path string, o Object) Object {
	out := make(Object, 0, len(s.Fields))
	for _, f := range s.Fields {
		at := join(path, f.Name)
		v, ok := o.Get(f.Name)
		if !ok && f.Schema.Nullable {
			d.repair("missing field read as null", at)
			continue
		}
		if !ok {
			d.problem(Problem{Path: at, Found: "nothing, the field is missing", Want: f.Schema.want()})
			continue
		}
		if v, ok = d.value(f.Schema, at, v); ok {
			out = append(out, Member{f.Name, v})
		}
	}
	for _, m := range o {
		if !slices.ContainsFunc(s.Fields, func(f Field) bool { return f.Name == m.Name }) {
			d.repair("unknown field dropped", join(path, clip(m.Name)))
		}
	}
	return out
}

func (d *decoder) list(s *Schema, path string, l []any) []any {
	if s.OnceBy != "" {
		l = d.inOrder(s, path, l)
	}
	out := make([]any, 0, len(l))
	n := len(l)
	for i, item := range l {
		at := fmt.Sprintf("%s[%d]", path, i)
		if t, ok := item.(string); ok && s.Items.Kind == String && !s.Items.AllowEmpty && strings.TrimSpace(t) == "" {
			d.repair("blank item dropped", at)
			n--
			continue
		}
		if v, ok := d.value(s.Items, at, item); ok {
			out = append(out, v)
		}
	}
	switch {
	case s.Once != nil:
		d.once(s, path, out)
	case s.Count == nil || n == 0 && s.AllowEmpty:
	case n == 0 && s.Count.Min > 0:
		d.problem(Problem{Path: path, Found: "an empty list", Want: s.Count.String()})
	case n < s.Count.Min || s.Count.Max > 0 && n > s.Count.Max && !s.Count.Surplus:
		d.problem(Problem{Path: path, Found: items(n), Want: s.Count.String(), Soft: !s.Count.Hard})
	}
	return out
}

// inOrder gives the items of a list the ids they should have, in order, when none of them has any of
// these: an answer that is of no other use. It is asked for again all the same.
func (d *decoder) inOrder(s *Schema, path string, l []any) []any {
	for _, item := range l {
		o, ok := item.(Object)
		if !ok {
			return l
		}
		id, _ := o.Get(s.OnceBy)
		text, ok := id.(string)
		if !ok {
			return l
		}
		if _, known := match(s.Once, text); known {
			return l
		}
		if _, known := numbered(s.Once, text); known {
			return l
		}
	}
	if len(l) == 0 || len(s.Once) == 0 {
		return l
	}
	d.problem(Problem{
		Path: path, Found: "none of the ids that were asked about; the items are taken in order", Want: s.wantOnce(), Soft: true,
	})
	l = l[:min(len(l), len(s.Once))]
	out := make([]any, len(l))
	for i, item := range l {
		o := slices.Clone(item.(Object))
		for j := range o {
			if o[j].Name == s.OnceBy {
				o[j].Value = s.Once[i]
			}
		}
		out[i] = o
	}
	return out
}

// once checks that every value of s.Once occurs exactly once in the decoded list.
func (d *decoder) once(s *Schema, path string, l []any) {
	seen := map[string]int{}
	for _, item := range l {
		if o, ok := item.(Object); ok {
			item, _ = o.Get(s.OnceBy)
		}
		if id, ok := item.(string); ok {
			seen[id]++
		}
	}
	var missing, doubled []string
	for _, id := range s.Once {
		switch n := seen[id]; {
		case n == 0:
			missing = append(missing, id)
		case n > 1:
			doubled = append(doubled, id)
		}
	}
	what := "item"
	if s.OnceBy != "" {
		what = "item with " + s.OnceBy
	}
	if missing != nil {
		d.problem(Problem{Path: path, Found: "no " + what + " " + named(missing), Want: s.wantOnce(), Soft: len(missing) < len(s.Once)})
	}
	if doubled != nil {
		d.problem(Problem{Path: path, Found: "more than one " + what + " " + named(doubled), Want: s.wantOnce(), Soft: true})
	}
}

func (d *decoder) text(s *Schema, path, text string) any {
	t := strings.TrimSpace(strings.ReplaceAll(text, "\x00", "")) // databases refuse NUL
	if t != text {
		d.repair("text trimmed", path)
	}
	if t == "" && s.Nullable {
		d.repair("empty text read as null", path)
		return nil
	}
	if s.Enum != nil {
		if v, ok := match(s.Enum, t); ok {
			if v != t {
				d.repair("spelling of a choice", path)
			}
			return v
		}
		if t != "" || !s.AllowEmpty {
			d.problem(Problem{Path: path, Found: show(t), Want: s.want()})
		}
		return t
	}
	if t == "" && !s.AllowEmpty {
		d.problem(Problem{Path: path, Found: "empty text", Want: s.want()})
	}
	// A word or two more are no reason to ask for the whole answer again.
	if n := len(strings.Fields(t)); s.MaxWords > 0 && n > s.MaxWords+max(1, s.MaxWords/5) {
		d.problem(Problem{Path: path, Found: fmt.Sprintf("%d words", n), Want: s.want(), Soft: !s.HardWords})
	}
	return t
}

// match finds a choice: as it is written, else alike but for case, space, _ and -.
func match(choices []string, text string) (string, bool) {
	if slices.Contains(choices, text) {
		return text, true
	}
	text = fold(text)
	for _, c := range choices {
		if fold(c) == text {
			return c, true
		}
	}
	return "", false
}

// numbered finds the only choice that is letters and this number, such as M3 for 3.
func numbered(choices []string, number string) (string, bool) {
	number = strings.TrimSpace(number)
	if _, err := strconv.ParseUint(number, 10, 31); err != nil || slices.Contains(choices, number) {
		return "", false
	}
	var found []string
	for _, c := range choices {
		if strings.TrimLeft(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == number {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return '_'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(s)))
}

func (d *decoder) number(s *Schema, path string, tree any) (json.Number, bool) {
	text := scalar(tree)
	if t, ok := tree.(string); ok {
		if text = strings.TrimSpace(t); text == "" || strings.IndexByte("-0123456789", text[0]) < 0 || !json.Valid([]byte(text)) {
			return "", false
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", false
	}
	if s.Kind == Integer {
		if _, err := strconv.Atoi(text); err != nil {
			if f != math.Trunc(f) || math.Abs(f) >= 1<<53 { // beyond, a float is no exact integer
				return "", false
			}
			text = strconv.FormatInt(int64(f), 10)
			d.repair("whole number with a fraction", path)
		}
	}
	if _, ok := tree.(string); ok {
		d.repair("number in a string", path)
	}
	if s.Range != nil && (f < s.Range.Min || f > s.Range.Max) {
		d.problem(Problem{Path: path, Found: text, Want: s.want()})
	}
	return json.Number(text), true
}

// scalar returns the text of a string or number, "" for all else.
func scalar(tree any) string {
	switch t := tree.(type) {
	case string:
		return t
	case json.Number:
		return t.String()
	}
	return ""
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }
