package schema

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parse makes a tree of valid JSON. The real reader is in package answer, which imports this one.
func parse(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var value func() any
	value = func() any {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("test input %s: %v", text, err)
		}
		switch token {
		case json.Delim('{'):
			o := Object{}
			for d.More() {
				name := value().(string)
				o = append(o, Member{name, value()})
			}
			d.Token()
			return o
		case json.Delim('['):
			l := []any{}
			for d.More() {
				l = append(l, value())
			}
			d.Token()
			return l
		}
		return token
	}
	return value()
}

type item struct {
	ID    string  `json:"id"`
	Size  int     `json:"size" range:"1-10"`
	Odds  float64 `json:"odds"`
	Sure  bool    `json:"sure"`
	Level string  `json:"level" enum:"low,very_high"`
}

type report struct {
	Title string   `json:"title" words:"3"`
	Note  *string  `json:"note"`
	Items []item   `json:"items" count:"1-2"`
	Tags  []string `json:"tags"`
}

const good = `{"title":"A b c","note":null,"items":[{"id":"L1","size":3,"odds":0.5,"sure":true,"level":"low"}],"tags":[]}`

func TestDecodeValid(t *testing.T) {
	t.Parallel()
	got := report{Tags: []string{"left over"}}
	problems, repairs := Decode(For[report](), parse(t, good), &got)
	if problems != nil || repairs != nil {
		t.Errorf("problems %v, repairs %v", problems, repairs)
	}
	want := report{Title: "A b c", Items: []item{{"L1", 3, .5, true, "low"}}, Tags: []string{}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeLeniency(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		from, to string // replacement in the good answer
		repair   string
		check    func(report) any
		want     any
	}{
		"number in a string":   {`"size":3`, `"size":" 7 "`, "number in a string at items[0].size", func(r report) any { return r.Items[0].Size }, 7},
		"float in a string":    {`"odds":0.5`, `"odds":"0.25"`, "number in a string at items[0].odds", func(r report) any { return r.Items[0].Odds }, .25},
		"whole float":          {`"size":3`, `"size":4.0`, "whole number with a fraction at items[0].size", func(r report) any { return r.Items[0].Size }, 4},
		"whole exponent":       {`"size":3`, `"size":1e1`, "whole number with a fraction at items[0].size", func(r report) any { return r.Items[0].Size }, 10},
		"true in a string":     {`"sure":true`, `"sure":"True"`, "yes or no in other words at items[0].sure", func(r report) any { return r.Items[0].Sure }, true},
		"0 for false":          {`"sure":true`, `"sure":0`, "yes or no in other words at items[0].sure", func(r report) any { return r.Items[0].Sure }, false},
		"choice spelt alike":   {`"low"`, `" Very-High "`, "text trimmed at items[0].level", func(r report) any { return r.Items[0].Level }, "very_high"},
		"choice in other case": {`"low"`, `"Very high"`, "spelling of a choice at items[0].level", func(r report) any { return r.Items[0].Level }, "very_high"},
		"unknown field":        {`"tags"`, `"more":{},"tags"`, "unknown field dropped at more", func(r report) any { return r.Title }, "A b c"},
		"text trimmed":         {`"A b c"`, `"\n A b "`, "text trimmed at title", func(r report) any { return r.Title }, "A b"},
		"NUL removed":          {`"A b c"`, `"A\u0000b"`, "text trimmed at title", func(r report) any { return r.Title }, "Ab"},
		"null left out":        {`"note":null,`, ``, "missing field read as null at note", func(r report) any { return r.Note == nil }, true},
		"null for a list":      {`"tags":[]`, `"tags":null`, "null read as an empty list at tags", func(r report) any { return len(r.Tags) }, 0},
		"empty for null":       {`null`, `""`, "empty text read as null at note", func(r report) any { return r.Note == nil }, true},
		"blank list item":      {`"tags":[]`, `"tags":["a"," ",""]`, "blank item dropped at tags[1] and 1 more", func(r report) any { return len(r.Tags) }, 1},
		"last of two members":  {`"note":null`, `"note":"x","note":"y"`, "", func(r report) any { return *r.Note }, "y"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got report
			problems, repairs := Decode(For[report](), parse(t, strings.Replace(good, tt.from, tt.to, 1)), &got)
			if problems != nil {
				t.Fatalf("problems %v", problems)
			}
			if !strings.HasPrefix(strings.Join(repairs, "; "), tt.repair) {
				t.Errorf("repairs %v, want %q first", repairs, tt.repair)
			}
			if v := tt.check(got); v != tt.want {
				t.Errorf("got %v, want %v", v, tt.want)
			}
		})
	}
}

func TestDecodeProblems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		from, to string
		want     string
		soft     bool
	}{
		"missing":             {`"title":"A b c",`, ``, `title: found nothing, the field is missing, want text of at most 3 words`, false},
		"null":                {`"id":"L1"`, `"id":null`, `items[0].id: found null, want text`, false},
		"number for text":     {`"id":"L1"`, `"id":12`, `items[0].id: found number 12, want text`, false},
		"fraction":            {`"size":3`, `"size":3.5`, `items[0].size: found number 3.5, want a whole number, 1 to 10`, false},
		"huge integer":        {`"size":3`, `"size":1e300`, `items[0].size: found number 1e300, want a whole number, 1 to 10`, false},
		"huge float":          {`"odds":0.5`, `"odds":1e999`, `items[0].odds: found number 1e999, want a number`, false},
		"hex":                 {`"odds":0.5`, `"odds":"0x1p4"`, `items[0].odds: found text "0x1p4", want a number`, false},
		"not a number":        {`"odds":0.5`, `"odds":"NaN"`, `items[0].odds: found text "NaN", want a number`, false},
		"out of range":        {`"size":3`, `"size":11`, `items[0].size: found 11, want a whole number, 1 to 10`, false},
		"yes for bool":        {`"sure":true`, `"sure":"yes"`, `items[0].sure: found text "yes", want true or false`, false},
		"2 for bool":          {`"sure":true`, `"sure":2`, `items[0].sure: found number 2, want true or false`, false},
		"choice":              {`"low"`, `"somewhat"`, `items[0].level: found text "somewhat", want one of "low", "very_high"`, false},
		"choice empty":        {`"low"`, `""`, `items[0].level: found empty text, want one of "low", "very_high"`, false},
		"empty text":          {`"L1"`, `" "`, `items[0].id: found empty text, want text`, false},
		"text for a list":     {`"tags":[]`, `"tags":"a, b"`, `tags: found text "a, b", want a list`, false},
		"list for an object":  {`[{`, `[[],{`, `items[0]: found a list, want an object with "id", "size", "odds", "sure", "level"`, false},
		"object for a list":   {`"tags":[]`, `"tags":{}`, `tags: found an object, want a list`, false},
		"null for nullable":   {`"note":null`, `"note":1`, `note: found number 1, want text, or null`, false},
		"too many words":      {`"A b c"`, `"A b c d e"`, `title: found 5 words, want text of at most 3 words`, true},
		"empty counted list":  {good[strings.Index(good, "[{"):strings.Index(good, `,"tags"`)], `[]`, `items: found an empty list, want 1 to 2 items`, false},
		"long list":           {`[{`, `[` + strings.Repeat(`{"id":"a","size":1,"odds":1,"sure":true,"level":"low"},`, 2) + `{`, `items: found 3 items, want 1 to 2 items`, true},
		"long text is quoted": {`"low"`, `"` + strings.Repeat("é", 100) + `"`, `items[0].level: found text "` + strings.Repeat("é", 60) + `…", want one of "low", "very_high"`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got report
			problems, _ := Decode(For[report](), parse(t, strings.Replace(good, tt.from, tt.to, 1)), &got)
			if len(problems) != 1 || problems[0].String() != tt.want || problems[0].Soft != tt.soft {
				t.Errorf("got  %v\nwant %v (soft %v)", problems, tt.want, tt.soft)
			}
			if tt.from != `"title":"A b c",` && got.Title == "" {
				t.Error("what could be decoded was not stored")
			}
		})
	}
}

func TestDecodeWrongTop(t *testing.T) {
	t.Parallel()
	got := report{Title: "old"}
	problems, _ := Decode(For[report](), []any{}, &got)
	want := `the answer: found a list, want an object with "title", "note", "items", "tags"`
	if len(problems) != 1 || problems[0].String() != want || got.Title != "" {
		t.Errorf("got %v, %+v", problems, got)
	}
}

func TestDecodeEmptyOK(t *testing.T) {
	t.Parallel()
	type x struct {
		Text string   `json:"text" empty:"ok"`
		Pick string   `json:"pick" enum:"a" empty:"ok"`
		List []string `json:"list" count:"2-" empty:"ok"`
	}
	var got x
	if problems, _ := Decode(For[x](), parse(t, `{"text":"","pick":"","list":[]}`), &got); problems != nil {
		t.Errorf("problems %v", problems)
	}
	problems, _ := Decode(For[x](), parse(t, `{"text":"","pick":"","list":["a"]}`), &got)
	if len(problems) != 1 || !problems[0].Soft || problems[0].Want != "at least 2 items" {
		t.Errorf("problems %v", problems)
	}
}

func TestDecodeEachOnce(t *testing.T) {
	t.Parallel()
	type x struct {
		Picks []struct {
			ID string `json:"id"`
		} `json:"picks" count:"9"`
		Order []string `json:"order"`
	}
	s, err := For[x]().With(nil, EachOnce("picks.id", "L1", "L2", "L3"), EachOnce("order", "a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, in string
		want     []string
	}{
		{"all", `{"picks":[{"id":"l3"},{"id":"L1"},{"id":"L2"}],"order":["b","a"]}`, nil},
		{"missing and doubled", `{"picks":[{"id":"L1"},{"id":"L1"}],"order":["b"]}`, []string{
			`picks: found no item with id "L2", "L3", want exactly 3 items, one for each id`,
			`picks: found more than one item with id "L1", want exactly 3 items, one for each id`,
			`order: found no item "a", want exactly 2 items, each allowed value once`,
		}},
		{"unknown", `{"picks":[{"id":"L1"},{"id":"L2"},{"id":"L9"}],"order":["a","b"]}`, []string{
			`picks[2].id: found text "L9", want one of "L1", "L2", "L3"`,
			`picks: found no item with id "L3", want exactly 3 items, one for each id`,
		}},
		{"empty", `{"picks":[],"order":["a","b"]}`, []string{
			`picks: found no item with id "L1", "L2", "L3", want exactly 3 items, one for each id`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got x
			problems, _ := Decode(s, parse(t, tt.in), &got)
			var texts []string
			for _, p := range problems {
				texts = append(texts, p.String())
				// One forgotten item leaves the others usable; a foreign id or nothing at all does not.
				if hard := tt.name == "empty" || strings.Contains(p.Path, "].id"); p.Soft == hard {
					t.Errorf("soft is %v: %v", p.Soft, p)
				}
			}
			if diff := cmp.Diff(tt.want, texts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeReportsAtMost20AndKeepsHardOnes(t *testing.T) {
	t.Parallel()
	type x struct {
		Soft []string `json:"soft" words:"1"`
		Hard string   `json:"hard"`
	}
	tree := Object{{"soft", []any{}}, {"hard", ""}}
	for range 50 {
		tree[0].Value = append(tree[0].Value.([]any), "three words here")
	}
	var got x
	problems, _ := Decode(For[x](), tree, &got)
	if len(problems) != 20 || problems[19].Path != "hard" || problems[19].Soft {
		t.Errorf("%d problems, last %v", len(problems), problems[len(problems)-1])
	}
	if len(got.Soft) != 50 {
		t.Errorf("kept %d of 50 items", len(got.Soft))
	}
}

func TestDecodeNamesManyChoicesBriefly(t *testing.T) {
	t.Parallel()
	type x struct {
		Pick string `json:"pick"`
	}
	var ids []string
	for i := range 40 {
		ids = append(ids, fmt.Sprintf("L%d", i))
	}
	s, err := For[x]().With(nil, OneOf("pick", ids...))
	if err != nil {
		t.Fatal(err)
	}
	problems, _ := Decode(s, Object{{"pick", "x"}}, new(x))
	if len(problems) != 1 || !strings.HasSuffix(problems[0].Want, `"L29" and 10 more`) {
		t.Errorf("problems %v", problems)
	}
}

// FuzzDecode checks that no tree makes Decode panic, and that an answer without hard problems is
// still one when it is encoded and decoded again.
func FuzzDecode(f *testing.F) {
	f.Add(good)
	f.Add(`{"items":[{"size":"x"}],"tags":[[]],"note":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		hard := func(problems []Problem) bool {
			for _, p := range problems {
				if !p.Soft {
					return true
				}
			}
			return false
		}
		var first, second report
		if problems, _ := Decode(For[report](), parse(t, text), &first); hard(problems) {
			return
		}
		raw, err := Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		problems, repairs := Decode(For[report](), parse(t, string(raw)), &second)
		if hard(problems) || len(repairs) > 0 || !cmp.Equal(first, second) {
			t.Errorf("%s\nproblems %v, repairs %v", raw, problems, repairs)
		}
	})
}
