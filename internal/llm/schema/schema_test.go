package schema

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type base struct {
	Title string `json:"title" words:"4"`
}

type level string

type risk struct {
	ID       string   `json:"id"`
	Severity level    `json:"severity" enum:"low,very_high"`
	Score    int      `json:"score" range:"1-10"`
	Odds     float64  `json:"odds"`
	Certain  bool     `json:"certain"`
	Tags     []string `json:"tags" enum:"a,b"`
}

type answer struct {
	base
	Note   *string  `json:"note"`
	Extra  string   `json:"extra" empty:"ok"`
	Risks  []risk   `json:"risks" count:"1-3"`
	Lines  []string `json:"lines" count:"2,hard" words:"3,hard"`
	Names  []string `json:"names" count:"2-" empty:"ok"`
	Hidden int      `json:"-"`
	secret int
}

func TestForBuildsJSONSchemaInFieldOrder(t *testing.T) {
	t.Parallel()
	s, err := For[answer]().With(map[string]string{"severity": "How bad it is", "risks": "What can go wrong"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"object","properties":{` +
		`"title":{"type":"string","description":"at most 4 words"},` +
		`"note":{"type":["string","null"]},` +
		`"extra":{"type":"string"},` +
		`"risks":{"type":"array","description":"What can go wrong (1 to 3 items)","items":{"type":"object","properties":{` +
		`"id":{"type":"string"},"severity":{"type":"string","description":"How bad it is","enum":["low","very_high"]},` +
		`"score":{"type":"integer","description":"1 to 10"},"odds":{"type":"number"},"certain":{"type":"boolean"},` +
		`"tags":{"type":"array","items":{"type":"string","enum":["a","b"]}}},` +
		`"required":["id","severity","score","odds","certain","tags"],"additionalProperties":false}},` +
		`"lines":{"type":"array","description":"exactly 2 items","items":{"type":"string","description":"at most 3 words"}},` +
		`"names":{"type":"array","description":"at least 2 items","items":{"type":"string"}}},` +
		`"required":["title","note","extra","risks","lines","names"],"additionalProperties":false}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if For[answer]() != For[answer]() {
		t.Error("For built the schema twice")
	}
}

func TestNullableChoiceAllowsNull(t *testing.T) {
	t.Parallel()
	type x struct {
		Pick *string `json:"pick" enum:"a,b"`
	}
	got, _ := json.Marshal(For[x]())
	if want := `{"pick":{"type":["string","null"],"enum":["a","b",null]}}`; !strings.Contains(string(got), want) {
		t.Errorf("got %s, want it to contain %s", got, want)
	}
}

func TestForPanicsNamingTheField(t *testing.T) {
	t.Parallel()
	type node struct {
		Next []struct {
			Self *map[string]int `json:"self"`
		} `json:"next"`
	}
	tests := map[string]struct {
		build func()
		want  string
	}{
		"unsupported type": {func() { For[node]() }, "node.Next.Self: type map[string]int"},
		"no struct":        {func() { For[[]string]() }, "[]string is not a struct"},
		"recursion":        {func() { For[loop]() }, "loop contains itself"},
		"no fields":        {func() { For[struct{ x int }]() }, "no fields"},
		"count on text": {func() {
			For[struct {
				A string `count:"3"`
			}]()
		}, `.A: count:"3" on string`},
		"range on text": {func() {
			For[struct {
				A string `range:"3-4"`
			}]()
		}, `.A: range:"3-4"`},
		"range backwards": {func() {
			For[struct {
				A int `range:"4-3"`
			}]()
		}, `.A: range:"4-3"`},
		"enum on int": {func() {
			For[struct {
				A int `enum:"a"`
			}]()
		}, `.A: enum on integer`},
		"words no number": {func() {
			For[struct {
				A string `words:"few"`
			}]()
		}, `.A: words:"few"`},
		"same name embedded": {func() {
			For[struct {
				base
				Other int `json:"title"`
			}]()
		}, `.Other: a second field is named "title"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, tt.want) {
					t.Errorf("panic %q, want it to contain %q", got, tt.want)
				}
			}()
			tt.build()
		})
	}
}

type loop struct {
	Loops []loop `json:"loops"`
}

func TestBounds(t *testing.T) {
	t.Parallel()
	type x struct {
		A int     `json:"a" range:"-5-5"`
		B float64 `json:"b" range:"0-"`
		C int     `json:"c" range:"-3--1"`
	}
	got, _ := json.Marshal(For[x]())
	for _, want := range []string{`"-5 to 5"`, `"at least 0"`, `"-3 to -1"`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
}

func TestWithRules(t *testing.T) {
	t.Parallel()
	s := For[answer]()
	before := s.Digest()
	got, err := s.With(nil,
		EachOnce("risks.id", "R1", "R2"),
		OneOf("extra", "x", "y"),
		OneOf("lines", "one", "two"),
		HardCount("names", 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(got)
	for _, want := range []string{
		`"exactly 2 items, one for each id"`, `"id":{"type":"string","enum":["R1","R2"]}`,
		`"extra":{"type":"string","enum":["x","y"]}`, `"enum":["one","two"]`, `"at least 1 item"`,
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s lacks %s", raw, want)
		}
	}
	if s.Digest() != before {
		t.Error("With changed the shared schema")
	}
	if got.Digest() == before {
		t.Error("rules did not change the digest")
	}
}

func TestWithErrorsNameThePath(t *testing.T) {
	t.Parallel()
	type pair struct {
		A struct {
			ID string `json:"id"`
		} `json:"a"`
		B []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"b"`
		Size int `json:"size"`
	}
	tests := map[string]struct {
		desc map[string]string
		rule []Rule
		want string
	}{
		"unknown":        {map[string]string{"none": "x"}, nil, `no field "none"`},
		"part of a name": {map[string]string{"ize": "x"}, nil, `no field "ize"`},
		"ambiguous":      {map[string]string{"id": "x"}, nil, `"id" can be a.id or b.id`},
		"rule unknown":   {nil, []Rule{OneOf("none", "x")}, `no field "none"`},
		"choice number":  {nil, []Rule{OneOf("size", "x")}, "rule for size: it is integer"},
		"no choices":     {nil, []Rule{OneOf("a.id")}, "nothing to choose"},
		"no list":        {nil, []Rule{EachOnce("a.id", "x")}, "no field of a list's items"},
		"no ids":         {nil, []Rule{EachOnce("b.id")}, "nothing to choose"},
		"two at once":    {nil, []Rule{EachOnce("b.id", "x"), EachOnce("b.name", "y")}, "rule for b.name: the list has such a rule already"},
		"count on text":  {nil, []Rule{CountOf("a.id", 1, 2)}, "a count needs a list"},
		"count reversed": {nil, []Rule{CountOf("b", 3, 2)}, "3 to 2"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := For[pair]().With(tt.desc, tt.rule...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want it to contain %q", err, tt.want)
			}
		})
	}
}

// Ensure that a count without bounds is told to nobody, and holds nobody to anything.
func TestAnyNumber(t *testing.T) {
	t.Parallel()
	type free struct {
		Any []string `json:"any" count:"0-"`
	}
	if got := For[free]().String(); strings.Contains(got, "description") {
		t.Errorf("the schema sets a limit: %s", got)
	}
	if got := (Count{}).String(); got != "any number of items" {
		t.Errorf("no bounds are called %q", got)
	}
	for _, n := range []int{0, 1, 40} {
		list := make([]any, n)
		for i := range list {
			list[i] = "x"
		}
		if problems, _ := Decode(For[free](), Object{{"any", list}}, new(free)); problems != nil {
			t.Errorf("%d items: %v", n, problems)
		}
	}
}

func TestObjectKeepsOrderAndLastMemberCounts(t *testing.T) {
	t.Parallel()
	o := Object{{"b", json.Number("1")}, {"a", "<&>"}, {"b", []any{nil, true}}}
	raw, err := o.MarshalJSON()
	if err != nil || string(raw) != `{"b":1,"a":"<&>","b":[null,true]}` {
		t.Errorf("MarshalJSON = %s, %v", raw, err)
	}
	if v, ok := o.Get("b"); !ok || !cmp.Equal(v, []any{nil, true}) {
		t.Errorf("Get = %v, %v", v, ok)
	}
}

func TestSchemaIsNotEscapedForHTML(t *testing.T) {
	t.Parallel()
	s := For[struct {
		Kind string `json:"kind" enum:"R&D,<none>"`
	}]()
	raw, err := s.MarshalJSON()
	if err != nil || !strings.Contains(string(raw), `["R&D","<none>"]`) || s.String() != string(raw) {
		t.Errorf("got %s, %v", raw, err)
	}
}
