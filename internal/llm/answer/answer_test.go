package answer

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"planexe/internal/llm/schema"
)

type lever struct {
	Name    string   `json:"name"`
	Options []string `json:"options"`
}

type levers struct {
	Title   string  `json:"title"`
	Summary string  `json:"summary"`
	Score   float64 `json:"score"`
	Levers  []lever `json:"levers"`
}

const good = `{
  "title": "A bakery: plan, B",
  "summary": "First. Then, \"second\".",
  "score": 1.5,
  "levers": [
    {"name": "Ovens", "options": ["gas", "wood"]},
    {"name": "Staff", "options": []}
  ]
}`

// decoded reads an answer the way encoding/json does.
func decoded(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("test input %s: %v", text, err)
	}
	return v
}

// plain turns a tree into what encoding/json makes of the same text.
func plain(tree any) any {
	switch t := tree.(type) {
	case schema.Object:
		m := map[string]any{}
		for _, member := range t {
			m[member.Name] = plain(member.Value)
		}
		return m
	case []any:
		l := []any{}
		for _, v := range t {
			l = append(l, plain(v))
		}
		return l
	}
	return tree
}

func TestExtract(t *testing.T) {
	t.Parallel()
	swap := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	tests := map[string]struct {
		text, repairs string
		want          string // the JSON it stands for; good when empty
	}{
		"plain":                {good, "", ""},
		"outer space":          {"\n\t" + good + "\n ", "", ""},
		"byte order mark":      {"\uFEFF" + good, "", ""},
		"fence":                {"Here is the JSON:\n\n```json\n" + good + "\n```\nLet me know.", "taken out of a code fence", ""},
		"open fence":           {"```json\n" + good, "taken out of a code fence", ""},
		"fence on one line":    {"```" + `{"title":"a","score":1}` + "```", "taken out of a code fence", `{"title":"a","score":1}`},
		"prose around":         {"Sure! [1] {so to speak}:\n" + good + "\nIs that {good}?", "text around the JSON dropped", ""},
		"thinking":             {"<think>Should {\"title\": 1} do? No.</think>\n" + good, "thinking removed", ""},
		"thinking twice":       {"<think>a</think>b</think>" + good, "thinking removed", ""},
		"thinking, no start":   {"I think {hard}\n</think>\n" + good, "thinking removed", ""},
		"thinking and fence":   {"<think>x</think>```\n" + good + "```", "thinking removed; taken out of a code fence", ""},
		"tags in a string":     {swap("First", "<think>a</think> ```b```"), "", swap("First", "<think>a</think> ```b```")},
		"raw line end":         {swap("First. ", "First.\n"), "control character in a string", swap("First. ", `First.\n`)},
		"raw NUL and tab":      {swap("First. ", "\x00\t"), "control character in a string", swap("First. ", `\u0000\t`)},
		"comma missing":        {swap(`B",`, `B"`), "missing comma added", ""},
		"comma in a list":      {swap(`]},`, `]}`), "missing comma added", ""},
		"comma of texts":       {swap(`"gas", `, `"gas" `), "missing comma added", ""},
		"comma, no space":      {swap(",\n  \"score\"", `"score"`), "missing comma added", ""},
		"colon missing":        {swap(`"score": `, `"score" `), "missing colon added", ""},
		"colon before list":    {swap(`"levers": `, `"levers"`), "missing colon added", ""},
		"trailing commas":      {swap("]}\n  ]\n", "],},\n  ],\n"), "trailing comma dropped", ""},
		"single quotes":        {swap(`"score"`, `'score'`), "single quotes", ""},
		"single quoted text":   {swap(`"wood"`, `'o\'"\n'`), "single quotes; unknown escape", swap(`"wood"`, `"o'\"\n"`)},
		"Python literals":      {swap(`1.5`, `[True, False, None]`), "Python literal", swap(`1.5`, `[true, false, null]`)},
		"comments":             {swap(`1.5,`, "1.5, // {\n # }\n /* \" */"), "comment dropped", ""},
		"slashes in text":      {swap(`gas`, `http://gas # 1 /* 2`), "", swap(`gas`, `http://gas # 1 /* 2`)},
		"unknown escape":       {swap(`gas`, `\$5\d\'`), "unknown escape", swap(`gas`, `\\$5\\d'`)},
		"escapes":              {swap(`gas`, `\u00e9\ud83d\ude00\/\b\f\t\\`), "", swap(`gas`, `\u00e9\ud83d\ude00\/\b\f\t\\`)},
		"half a pair":          {swap(`gas`, `\ud83d \ud83d\u0041 \ude00 \ud83d\n`), "", swap(`gas`, `\ufffd \ufffdA \ufffd \ufffd\n`)},
		"no UTF-8":             {swap(`gas`, "a\xff\xfe"), "", swap(`gas`, `a\ufffd\ufffd`)},
		"in a list":            {"[" + good + "]", `unwrapped from a list`, ""},
		"in a single key":      {`{"answer": ` + good + `}`, `unwrapped from "answer"`, ""},
		"in properties":        {`{"properties": ` + good + `}`, `unwrapped from "properties"`, ""},
		"half of the fields":   {`{"title": "a", "levers": []}`, "", `{"title": "a", "levers": []}`},
		"missing field":        {swap(`"score": 1.5,`, ``), "", swap(`"score": 1.5,`, ``)},
		"longest of two":       {`{"title": "draft", "score": 1} better: ` + good, "text around the JSON dropped", ""},
		"broken, then whole":   {`{"title": "draft" oops, {"a": 1}} Again: ` + good, "text around the JSON dropped", ""},
		"schema in the way":    {`The schema {"type": "object", "properties": {"title": {"type": "string"}}} gives ` + good, "text around the JSON dropped", ""},
		"doubled name":         {`{"title": "a", "title": "b", "score": 1}`, "", `{"title": "b", "score": 1}`},
		"fields and schema":    {swap(`"title"`, `"properties": {}, "title"`), "", swap(`"title"`, `"properties": {}, "title"`)},
		"deep but not too":     {swap(`1.5`, strings.Repeat("[", 190)+strings.Repeat("]", 190)), "", swap(`1.5`, strings.Repeat("[", 190)+strings.Repeat("]", 190))},
		"numbers":              {swap(`1.5`, `[0, -1, 1e3, -0.5E-2]`), "", swap(`1.5`, `[0, -1, 1e3, -0.5E-2]`)},
		"apostrophe in prose":  {"Here's {it}: " + good, "text around the JSON dropped", ""},
		"quote opened in text": {`He said "take this: ` + good, "text around the JSON dropped", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree, repairs, err := Extract(tt.text, schema.For[levers]())
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" {
				tt.want = good
			}
			if want, got := decoded(t, tt.want), plain(tree); !reflect.DeepEqual(want, got) { // cmp takes for ever on the deep one
				t.Errorf("got %v\nwant %v", got, want)
			}
			if got := strings.Join(repairs, "; "); got != tt.repairs {
				t.Errorf("repairs %q, want %q", got, tt.repairs)
			}
		})
	}
}

func TestExtractFailures(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(schema.For[levers]())
	if err != nil {
		t.Fatal(err)
	}
	echo := string(raw)
	swap := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	tests := map[string]struct {
		text string
		kind Kind
		want string // part of the message
	}{
		"empty":                 {" ", Cut, "ends before an answer begins"},
		"prose":                 {"Would you like more detail?", Prose, `holds no JSON object; wanted one JSON object with "title", "summary", "score", "levers"`},
		"prose in brackets":     {"I {really} can't [sorry].", Prose, "no JSON"},
		"cut in a string":       {good[:20], Cut, "line 2, column 19: the text ends inside the JSON"},
		"cut after an item":     {good[:strings.LastIndex(good, "{")], Cut, "line 6, column 51"},
		"cut in a name":         {good[:5], Cut, "line 2, column 4"},
		"cut in a number":       {good[:strings.Index(good, ".5")+2], Cut, "line 4"},
		"cut in a literal":      {`{"title": tr`, Cut, "line 1"},
		"cut in an escape":      {`{"title": "\u00`, Cut, "line 1"},
		"cut after {":           {"{", Cut, "line 1, column 2"},
		"closers missing":       {strings.TrimRight(good, "}] \n"), Cut, "line 7"},
		"cut in a fence":        {"Sure:\n```json\n" + good[:60] + "\n```", Cut, "line 6, column 1"},
		"cut in thinking":       {"<think>Let me see {\"title\": 1}", Cut, "before an answer"},
		"cut after a draft":     {`{"a": 1} {"title": "x", "levers": [{"name": "y"}, `, Cut, "line 1, column 50"},
		"cut in a comment":      {`{"title": 1, /* x`, Cut, "line 1"},
		"two faults":            {swap(`B",`, `B" oops`), Syntax, `line 2, column 32: expected a comma or }, found "oops`},
		"unescaped quotes":      {swap(`gas`, `the "best" gas`), Syntax, `line 6, column 41: expected a comma or ], found "best\"`},
		"quotes are no items":   {swap(`gas`, `the "5", gas`), Syntax, "line 6"},
		"value missing":         {swap(`1.5`, ``), Syntax, "line 4, column 12: expected a value"},
		"value missing at end":  {swap(`"Ovens"`, ``), Syntax, "expected a value"},
		"comma, not colon":      {swap(`"score":`, `"score",`), Syntax, "line 4, column 10: expected a colon"},
		"wrong closer":          {swap(`"wood"]`, `"wood"}`), Syntax, "line 6, column 48: expected a comma or ]"},
		"bare names":            {`{"score": 1, title: "x"}`, Syntax, `expected a name in quotes, found "title`},
		"bad number":            {swap(`1.5`, `01`), Syntax, `line 4, column 12: not a number`},
		"not a number":          {swap(`1.5`, `NaN`), Syntax, "expected a value"},
		"bad \\u":               {swap(`gas`, `\u12xy`), Syntax, "four hexadecimal digits"},
		"characters, not bytes": {`{"title": "ééé" !}`, Syntax, "column 17"},
		"two repairs at once":   {swap(`B",`+"\n  \"summary\":", `B" "summary" `), Syntax, "expected a colon"},
		"too deep":              {`{"title": ` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + "}", Syntax, "nested deeper than 200"},
		"echo":                  {echo, Echo, "repeats the JSON schema"},
		"echo in a fence":       {"```json\n" + echo + "\n```", Echo, "schema"},
		"echo wrapped":          {`{"schema": ` + echo + `}`, Echo, "schema"},
		"echo of properties":    {`{"properties": {"title": {"type": "string"}, "score": {"type": "number"}}}`, Echo, "schema"},
		"echo of $defs":         {`{"$defs": {"x": {}}}`, Echo, "schema"},
		"inner object":          {`{"name": "Ovens", "options": ["gas"]}`, Inner, `an object with "name", "options"; wanted one JSON object`},
		"inner list":            {`[{"name": "Ovens"}, {"name": "Staff"}]`, Inner, "a list of length 2"},
		"outer brace gone":      {good[1:], Inner, ""},
		"empty object":          {"{}", Inner, "an empty object"},
		"wrapped twice":         {`{"a": {"b": ` + good + `}}`, Inner, `an object with "a"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree, _, err := Extract(tt.text, schema.For[levers]())
			f, ok := errors.AsType[*Failure](err)
			if !ok {
				t.Fatalf("got %v, %v", tree, err)
			}
			if f.Kind != tt.kind || !strings.Contains(f.Message, tt.want) {
				t.Errorf("got %s %q, want %s %q", f.Kind, f.Message, tt.kind, tt.want)
			}
		})
	}
}

// An inner object that has all the names of the outer one is not taken when the outer one is cut or
// broken.
func TestExtractNeverTakesInnerOfBrokenOuter(t *testing.T) {
	t.Parallel()
	type part struct {
		Name string `json:"name"`
	}
	type whole struct {
		Name  string `json:"name"`
		Parts []part `json:"parts"`
	}
	for text, want := range map[string]Kind{
		`{"name": "a", "parts": [{"name": "b"}, {"name": "c"}, {"na`: Cut,
		`{"name": "a" !, "parts": [{"name": "b"}, {"name": "c"}]}`:   Syntax,
	} {
		tree, _, err := Extract(text, schema.For[whole]())
		f, ok := errors.AsType[*Failure](err)
		if !ok || f.Kind != want {
			t.Errorf("%s: got %v, %v, want %s", text, tree, err, want)
		}
	}
}

func TestExtractCountsFieldsThatMayBeNullOnlyWithoutOthers(t *testing.T) {
	t.Parallel()
	type optional struct {
		A *string `json:"a"`
		B *string `json:"b"`
	}
	type mixed struct {
		A string  `json:"a"`
		B *string `json:"b"`
		C *string `json:"c"`
		D *string `json:"d"`
	}
	if _, _, err := Extract(`{"a": "x"}`, schema.For[optional]()); err != nil {
		t.Error(err)
	}
	if _, _, err := Extract(`{"c": "x"}`, schema.For[optional]()); err == nil {
		t.Error("accepted an object without any field")
	}
	if _, _, err := Extract(`{"a": "x"}`, schema.For[mixed]()); err != nil {
		t.Error(err)
	}
	if _, _, err := Extract(`{"b": "x", "c": "x", "d": "x"}`, schema.For[mixed]()); err == nil {
		t.Error("accepted an object without the required field")
	}
}

// Each of these would take hours if it were read again from every bracket.
func TestExtractHostileTextsInLinearTime(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{
		"{", "[", `{"`, `{"a`, `{"a":`, `{"a":[`, `["`, "['", `{"a" `, "```{", "```", "<think>", "</think>", `\`, `{"\`, "[/*", "{//", "{ #", `{"a":1}`, "{1}", "[[1],", "{'a':1,",
	} {
		text := strings.Repeat(unit, 1<<18/len(unit))
		if tree, _, err := Extract(text, schema.For[levers]()); err == nil {
			t.Errorf("%q repeated gave %v", unit, tree)
		}
		if tree, _, err := Extract(good[:60]+text, schema.For[levers]()); err == nil {
			t.Errorf("%q repeated inside gave %v", unit, tree)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in, want string
		ok       bool
	}{
		"markers":        {"Sure.\n<<A>>\n# Title\n<<B>>\nBye", "# Title", true},
		"nested":         {"<<A>>a <<A>> b <<B>> c<<B>>", "a <<A>> b <<B>> c", true},
		"thinking":       {"\uFEFF<think>say <<A>>x<<B>></think><<A>>y<<B>>", "y", true},
		"no markers":     {" <think>hm</think> plain ", "plain", false},
		"no end":         {"<<A>> cut of", "cut of", false},
		"no start":       {"text <<B>>", "text", false},
		"reversed":       {"<<B>> text <<A>>", "text", false},
		"only thinking":  {"<think>for ever", "", false},
		"empty between":  {"<<A>><<B>>", "", true},
		"thinking later": {"<<A>>a <think>x</think>b<<B>>", "a b", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := Text(tt.in, "<<A>>", "<<B>>")
			if got != tt.want || ok != tt.ok {
				t.Errorf("got %q, %v, want %q, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

// FuzzExtract checks that no text makes Extract panic, and that valid JSON with the fields of the
// schema comes out exactly as encoding/json reads it.
func FuzzExtract(f *testing.F) {
	for _, seed := range []string{
		good, `{"title":"\ud83d\u0041\\","summary":"` + "\xff" + `","score":-0.1e+5,"levers":[[],{}]}`,
		"```json\n" + good + "\n```", "<think>{</think>" + good, `{'title': True, /* */ "score" 1 "levers": [1,],}`, "[" + good[:70],
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree, repairs, err := Extract(text, schema.For[levers]())
		if (tree == nil) != (err != nil) {
			t.Fatalf("got %v, %v", tree, err)
		}
		if err == nil { // whatever was read can be written and is read again as the same
			var raw bytes.Buffer
			e := json.NewEncoder(&raw)
			if err := e.Encode(tree); err != nil {
				t.Fatal(err)
			}
			again, repairs, err := Extract(raw.String(), schema.For[levers]())
			if err != nil || len(repairs) > 0 || !reflect.DeepEqual(tree, again) {
				t.Fatalf("%s: read again as %v, %v, %v", raw.String(), again, repairs, err)
			}
		}
		var o map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &o) != nil || strings.Count(text, "[")+strings.Count(text, "{") > maxDepth {
			return
		}
		for _, name := range []string{"title", "summary", "score", "levers"} {
			if _, ok := o[name]; !ok {
				return
			}
		}
		if err != nil || len(repairs) > 0 || !reflect.DeepEqual(decoded(t, text), plain(tree)) {
			t.Fatalf("got %v, %v, %v", tree, repairs, err)
		}
	})
}
