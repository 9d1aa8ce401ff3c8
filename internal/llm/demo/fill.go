package demo

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"planexe/internal/llm/schema"
)

// place is where a value goes.
type place struct {
	name  string         // field, or the list whose item it is
	index int            // of the item in the nearest list, from 0
	item  bool           // an item of a list of texts: must differ from the others
	of    *schema.Object // what is filled so far of the object around it
	base  int            // what numbers of that object are measured by: its min, average, max fit together
}

// filler makes an instance of a schema.
type filler struct{ w *writer }

func (f *filler) value(s *schema.Schema, at place) any {
	if v, ok := f.w.facts.quote(s, at.name); ok {
		return v
	}
	if s.Nullable && f.none(at.name) {
		return nil
	}
	switch s.Kind {
	case schema.Struct:
		return f.object(s, at.index)
	case schema.List:
		return f.list(s, at)
	case schema.Bool:
		return f.yes(at.name)
	case schema.Integer, schema.Number:
		return f.number(s, at)
	}
	if s.Enum != nil {
		return f.choose(s.Enum, at)
	}
	return f.w.text(s, at)
}

// none tells whether a field that may be null is: always where a value would claim too much.
func (f *filler) none(name string) bool {
	return is(name, "violation", "absorb", "url", "link") || f.w.rng.IntN(4) == 0
}

func (f *filler) object(s *schema.Schema, index int) schema.Object {
	out := schema.Object{}
	base := 2 + f.w.rng.IntN(12)
	for _, field := range s.Fields {
		v := f.value(field.Schema, place{name: field.Name, index: index, of: &out, base: base})
		out = append(out, schema.Member{Name: field.Name, Value: v})
	}
	return out
}

func (f *filler) list(s *schema.Schema, at place) []any {
	out := []any{}
	if s.Once != nil {
		for i, id := range s.Once {
			if s.OnceBy == "" {
				out = append(out, id)
				continue
			}
			o := f.object(pinned(s.Items, s.OnceBy, id), i)
			out = append(out, o)
		}
		return out
	}
	if i := slices.IndexFunc(s.Items.Fields, func(x schema.Field) bool { return x.Name == "predecessor_id" }); i >= 0 {
		return f.before(s.Items, at)
	}
	n := f.length(s)
	if choices := s.Items.Enum; choices != nil && s.Items.Kind == schema.String {
		return f.some(choices, n, s, at)
	}
	for i := range n {
		out = append(out, f.value(s.Items, place{name: at.name, index: i, item: true, base: at.base}))
	}
	return out
}

// before names one of the two things that stand before the one which the object around is about, by
// numbered ids; the first waits for nothing.
func (f *filler) before(items *schema.Schema, at place) []any {
	if at.of == nil {
		return []any{}
	}
	for _, m := range *at.of {
		id, _ := m.Value.(string)
		digits := strings.TrimLeft(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
		n, err := strconv.Atoi(digits)
		if err != nil || n < 2 || digits == id {
			continue
		}
		earlier := strings.TrimSuffix(id, digits) + strconv.Itoa(max(1, n-1-f.w.rng.IntN(2)))
		return []any{f.object(pinned(items, "predecessor_id", earlier), 0)}
	}
	return []any{}
}

// pinned is an object's schema in which one field has only one choice left.
func pinned(s *schema.Schema, name, value string) *schema.Schema {
	o := *s
	o.Nullable = false
	o.Fields = slices.Clone(s.Fields)
	for i, field := range o.Fields {
		if field.Name == name {
			one := *field.Schema
			one.Enum, one.Nullable = []string{value}, false
			o.Fields[i].Schema = &one
		}
	}
	return &o
}

// length is a number of items within the limits, not far above the lower one.
func (f *filler) length(s *schema.Schema) int {
	if s.Count == nil {
		return 2 + f.w.rng.IntN(3)
	}
	low := s.Count.Min
	if low < 3 {
		low += f.w.rng.IntN(3)
	} else {
		low += f.w.rng.IntN(2)
	}
	low = max(low, 1) // an empty list shows nothing of a plan's form
	if s.Count.Max > 0 {
		low = min(low, s.Count.Max)
	}
	return max(low, s.Count.Min)
}

// some picks different choices. In an object that stands for one of the same choices it picks
// earlier ones only, so that things never depend on each other in a circle.
func (f *filler) some(choices []string, n int, s *schema.Schema, at place) []any {
	least := 0
	if s.Count != nil {
		least = s.Count.Min
	}
	free := choices
	if i := own(choices, at.of); i >= 0 && i >= least {
		free = choices[:i]
	}
	out := []any{}
	for _, i := range f.w.rng.Perm(len(free))[:min(n, len(free))] {
		out = append(out, free[i])
	}
	for i := 0; len(out) < least; i++ { // more are asked for than there are
		out = append(out, choices[i%len(choices)])
	}
	return out
}

// own is the place among the choices of the value that an object already has, -1 when it has none.
func own(choices []string, o *schema.Object) int {
	if o == nil {
		return -1
	}
	for _, m := range *o {
		if v, ok := m.Value.(string); ok {
			if i := slices.Index(choices, v); i >= 0 {
				return i
			}
		}
	}
	return -1
}

// choose picks a value of a fixed list: the one that lets a plan go on where names tell which that
// is, else any.
func (f *filler) choose(choices []string, at place) string {
	prefer := []string{}
	switch {
	case is(at.name, "verdict"):
		prefer = []string{"ALLOW", "go_with_conditions"}
	case is(at.name, "plan_type"):
		prefer = []string{"physical", "digital"}
		if f.w.facts.onScreen() {
			slices.Reverse(prefer)
		}
	case at.name == "purpose":
		prefer = []string{"business"}
		if f.w.facts.private() {
			prefer = []string{"personal"}
		}
	case at.name == "scale":
		prefer = []string{"medium"}
		if f.w.facts.private() {
			prefer = []string{"small"}
		}
	case is(at.name, "classification"):
		prefer = []string{"keep"}
	case is(at.name, "chosen"):
		prefer = choices[:1] // the first item also has the highest score
	}
	for _, p := range prefer {
		for _, c := range choices {
			if strings.EqualFold(c, p) {
				return c
			}
		}
	}
	return choices[f.w.rng.IntN(len(choices))]
}

func (f *filler) yes(name string) bool {
	switch {
	case is(name, "location"):
		return len(f.w.facts.places) > 0
	case is(name, "money"):
		return len(f.w.facts.amounts) > 0 || !f.w.facts.private()
	}
	return f.w.rng.IntN(2) == 0
}

func (f *filler) number(s *schema.Schema, at place) json.Number {
	low, high := 1.0, 20.0
	if r := s.Range; r != nil {
		low, high = r.Min, r.Max
		switch {
		case math.IsInf(low, -1) && math.IsInf(high, 1):
			low, high = 1, 20
		case math.IsInf(low, -1):
			low = high - 20
		case math.IsInf(high, 1):
			high = low + 20
		}
	}
	var n float64
	switch {
	case is(at.name, "index", "number"):
		n = low + float64(at.index)
		if s.Range == nil {
			n = float64(at.index + 1)
			high = math.Inf(1)
		}
	case is(at.name, "score"):
		n = high - float64(at.index+1)*(high-low)/10
	case is(at.name, "min"):
		n = float64(at.base)
	case is(at.name, "realistic", "average", "likely"):
		n = float64(at.base + (at.base+1)/2)
	case is(at.name, "max"):
		n = float64(at.base * 2)
	default:
		n = low + f.w.rng.Float64()*(high-low)
	}
	n = min(max(math.Round(n), math.Ceil(low)), math.Floor(high))
	if s.Kind == schema.Number && (n < low || n > high) { // no whole number lies between the limits
		n = low + (high-low)/2
	}
	return json.Number(strconv.FormatFloat(n, 'f', -1, 64))
}

// is tells whether one of the words of a field's name is one of these; a word with an underscore
// may stand anywhere in it.
func is(name string, words ...string) bool {
	name = "_" + strings.ToLower(name) + "_"
	for _, w := range words {
		if strings.Contains(name, "_"+w+"_") || strings.Contains(name, "_"+w+"s_") {
			return true
		}
	}
	return false
}
