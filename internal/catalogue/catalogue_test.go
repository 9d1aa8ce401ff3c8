package catalogue

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// Ensure that the shipped file is whole, varied and fit to be shown.
func TestShipped(t *testing.T) {
	t.Parallel()
	items, problems := Load(bytes.NewReader(file), "prompts.jsonl")
	if len(problems) > 0 {
		t.Fatal(errors.Join(problems...))
	}
	if n := bytes.Count(file, []byte("\n")); len(items) != n || n < 40 {
		t.Errorf("%d prompts in %d lines; want at least 40, one per line", len(items), n)
	}
	titles, prompts, tags := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, p := range items {
		if titles[p.Title] || prompts[p.Prompt] || p.Title == "" || utf8.RuneCountInString(p.Title) > 60 {
			t.Errorf("%s: the title %q or its text stands there twice, is missing, or is too long for a list", p.ID, p.Title)
		}
		titles[p.Title], prompts[p.Prompt] = true, true
		if n := utf8.RuneCountInString(p.Prompt); n < 60 || n > 2000 {
			t.Errorf("%s: %d characters; want 60 to 2000", p.Title, n)
		}
		if len(p.Extras) > 0 {
			t.Errorf("%s: unknown keys %v", p.Title, p.Extras)
		}
		for _, tag := range p.Tags {
			tags[tag]++
		}
		for _, group := range [][]string{{"personal", "business", "public", "science", "culture", "nonprofit"}, {"tiny", "small", "medium", "large"}} {
			n := 0
			for _, tag := range group {
				if slices.Contains(p.Tags, tag) {
					n++
				}
			}
			if n < 1 || n > 1 && slices.Contains(group, "tiny") {
				t.Errorf("%s: has %d tags of %v", p.Title, n, group)
			}
		}
	}
	for _, tag := range []string{"german", "french", "spanish", "japanese", "danish", "portuguese", "personal", "business", "public", "science", "tiny", "large"} {
		if tags[tag] < 2 {
			t.Errorf("tag %s is on %d prompts; want two or more", tag, tags[tag])
		}
	}
}

// Ensure that the prompts that other services look up exist.
func TestContractIDs(t *testing.T) {
	t.Parallel()
	if p := Default(); p.ID != DefaultID || p.Prompt == "" || !slices.Contains(p.Tags, "business") {
		t.Errorf("the default prompt is %+v", p)
	}
	if ids := IDs(); ids[0] != DefaultID || len(ids) != len(All()) {
		t.Errorf("%d ids for %d prompts, the first is %s", len(ids), len(All()), ids[0])
	}
	ids := DemoIDs()
	if slices.Sort(ids); len(slices.Compact(ids)) != 3 {
		t.Errorf("the demos are %v", ids)
	}
	for _, id := range ids {
		if p, ok, err := Find(id); !ok || err != nil || p.ID != id {
			t.Errorf("%s: got %v, %v, %v", id, p.Title, ok, err)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, id string
		ok, bad  bool
	}{
		{"known", DefaultID, true, false},
		{"unknown", "4dc34d55-0d0d-4e9d-92f4-23765f49dd2a", false, false},
		{"empty", "", false, true},
		{"upper case", strings.ToUpper(DefaultID), false, true},
		{"braces", "{" + DefaultID + "}", false, true},
		{"another version", "4dc34d55-0d0d-1e9d-92f4-23765f49dd29", false, true},
		{"another variant", "4dc34d55-0d0d-4e9d-12f4-23765f49dd29", false, true},
		{"no hyphens", strings.ReplaceAll(DefaultID, "-", ""), false, true},
		{"line feed behind", DefaultID + "\n", false, true},
		{"a path", "../../etc/passwd", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, ok, err := Find(tt.id)
			if ok != tt.ok || (err != nil) != tt.bad || ok && p.ID != tt.id {
				t.Errorf("got %q, %v, %v", p.Title, ok, err)
			}
		})
	}
}

// Ensure that a tag is found as it is written only, and that lists are the caller's own.
func TestByTag(t *testing.T) {
	t.Parallel()
	got := ByTag("german")
	if len(got) < 2 || len(ByTag("German")) != 0 || len(ByTag("")) != 0 || len(ByTag("germ")) != 0 {
		t.Errorf("german is on %d prompts, German on %d", len(got), len(ByTag("German")))
	}
	for _, p := range got {
		if !slices.Contains(p.Tags, "german") {
			t.Errorf("%s has the tags %v", p.Title, p.Tags)
		}
	}
	all := All()
	all[0] = Prompt{}
	if Default().ID == "" || All()[0].ID == "" {
		t.Error("a list that was handed out is the catalogue itself")
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	const a, b = "4dc34d55-0d0d-4e9d-92f4-23765f49dd29", "0ad5ea63-cf38-4d10-a3f3-d51baa609abd"
	good := `{"id":"` + a + `","prompt":"first","tags":["x"],"source":{"n":1}}`
	for _, tt := range []struct {
		name, text string
		ids        []string
		problem    string // all of them have it
	}{
		{"nothing", "", nil, ""},
		{"one without an end of line", good, []string{a}, ""},
		{"empty lines and CRLF", "\n  \r\n" + good + "\r\n\n", []string{a}, ""},
		{"no tags", `{"id":"` + a + `","prompt":"p"}`, []string{a}, ""},
		{"tags null", `{"id":"` + a + `","prompt":"p","tags":null}`, []string{a}, ""},
		{"order of the file", `{"id":"` + b + `","prompt":"p"}` + "\n" + good, []string{b, a}, ""},
		{"no JSON", "{\n" + good, []string{a}, "f:1: the line is not a JSON object"},
		{"an array", "[]\n" + good, []string{a}, "f:1: the line is not a JSON object"},
		{"null", "null\n" + good, []string{a}, "f:1: id is missing"},
		{"two objects", "\n" + good + good + "\n" + good, []string{a}, "f:2: the line is not a JSON object"},
		{"no id", `{"prompt":"p"}` + "\n" + good, []string{a}, "f:1: id is missing"},
		{"id in another case", `{"ID":"` + b + `","prompt":"p"}` + "\n" + good, []string{a}, "f:1: id is missing"},
		{"id no UUID", `{"id":"x","prompt":"p"}` + "\n" + good, []string{a}, `f:1: the id "x" is not a UUID`},
		{"id a number", `{"id":7,"prompt":"p"}` + "\n" + good, []string{a}, "f:1: id has the wrong type"},
		{"no prompt", `{"id":"` + b + `"}` + "\n" + good, []string{a}, "f:1: prompt is missing"},
		{"empty prompt", `{"id":"` + b + `","prompt":" \n"}` + "\n" + good, []string{a}, "f:1: prompt is missing"},
		{"tags a string", `{"id":"` + b + `","prompt":"p","tags":"x"}` + "\n" + good, []string{a}, "f:1: tags has the wrong type"},
		{"twice the same id", good + "\n" + strings.Replace(good, "first", "second", 1), []string{a}, "f:2: the id " + a},
		{"not UTF-8", "{\"id\":\"" + b + "\",\"prompt\":\"\xff\"}\n" + good, []string{a}, "f:1: the line is not UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			items, problems := Load(strings.NewReader(tt.text), "f")
			var ids []string
			for _, p := range items {
				ids = append(ids, p.ID)
				if p.ID == a && p.Prompt == "second" {
					t.Error("the second of two counts")
				}
			}
			if !slices.Equal(ids, tt.ids) {
				t.Errorf("got %v, want %v", ids, tt.ids)
			}
			if err := errors.Join(problems...); tt.problem == "" && err != nil ||
				tt.problem != "" && (len(problems) != 1 || !strings.Contains(err.Error(), tt.problem)) {
				t.Errorf("got %v, want %q", err, tt.problem)
			}
		})
	}
}

// Ensure that what was read before a failure is kept, that other keys are, and that reading ends.
func TestLoadBounds(t *testing.T) {
	t.Parallel()
	line := `{"id":"` + DefaultID + `","prompt":"p","source":{"n":1}}` + "\n"
	items, problems := Load(io.MultiReader(strings.NewReader(line), iotest.ErrReader(errors.New("gone"))), "f")
	if len(items) != 1 || len(problems) != 1 || string(items[0].Extras["source"]) != `{"n":1}` || len(items[0].Extras) != 1 {
		t.Errorf("got %+v, %v", items, problems)
	}
	endless := io.MultiReader(strings.NewReader(line), zeros{})
	if items, problems := Load(endless, "f"); len(items) != 1 || len(problems) != 2 || !strings.Contains(problems[0].Error(), "16 MiB") {
		t.Errorf("got %d items, %d problems", len(items), len(problems))
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
