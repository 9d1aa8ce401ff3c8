package fiction

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/llm/demo"
	"planexe/internal/llm/schema"
)

// tooLong is a model that finds every prompt too long.
type tooLong struct{ llm.Provider }

func (tooLong) Send(context.Context, llm.Request) (llm.Response, error) {
	return llm.Response{}, &llm.Error{Class: llm.ClassContext, Message: "too long"}
}

func client(p llm.Provider) *llm.Client {
	return llm.NewHub().NewClient(llm.Options{
		Entries:     []*llm.Entry{{ID: "demo", Class: "Demo", Model: "demo-1", Demo: true, Timeout: time.Minute, MaxTokens: 4096, Slots: 1, Provider: p}},
		Concurrency: 1,
	})
}

func TestWrite(t *testing.T) {
	t.Parallel()
	book, source, err := Write(t.Context(), client(demo.New(0, 1)), " A baker dreams of the sea. ")
	if err != nil {
		t.Fatal(err)
	}
	if source.Entry != "demo" || !source.Demo {
		t.Errorf("source is %+v, want the demo entry", source)
	}
	v := reflect.ValueOf(book)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is empty", v.Type().Field(i).Name)
		}
	}
}

func TestWriteFails(t *testing.T) {
	t.Parallel()
	if _, _, err := Write(t.Context(), client(tooLong{demo.New(0, 1)}), "An idea."); llm.ClassOf(err) != llm.ClassContext {
		t.Errorf("error %v, want that of the model", err)
	}
	_, _, err := Write(t.Context(), client(demo.New(0, 1)), " \n")
	if le := (*llm.Error)(nil); err == nil || errors.As(err, &le) {
		t.Errorf("without an idea: error %v, want one that asks for it", err)
	}
}

func TestFieldsHaveMeanings(t *testing.T) {
	t.Parallel()
	meanings := map[string]string{}
	if err := json.Unmarshal(fields, &meanings); err != nil {
		t.Fatal(err)
	}
	s := schema.For[Book]()
	if len(meanings) != len(s.Fields) {
		t.Errorf("%d meanings for %d fields", len(meanings), len(s.Fields))
	}
	for _, f := range s.Fields {
		if meanings[f.Name] == "" {
			t.Errorf("prompts/fields.json does not say what %s means", f.Name)
		}
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	b := Book{
		Title: "The\nOven", Overview: "About bread.", Elaborate: "First.\n\nSecond.", Background: "A fire.", Blurb: "One line.\n\nAnother.",
		Goal: "To bake.", Characters: []string{"Ida, 40,\nbaker", "Tom"}, Flaws: []string{"haste"}, Devices: []string{"a key"},
		PlotIdeas: []string{"she leaves"}, Challenges: []string{"no flour"}, Chapters: []string{"Dough", "Crust"}, Story: "It ends well.\n",
	}
	chaptertest.Golden(t, "book", []byte(b.Markdown()))
}

func TestIdeas(t *testing.T) {
	t.Parallel()
	all := Ideas()
	if len(all) != 7 {
		t.Errorf("%d ideas, want 7", len(all))
	}
	for i, x := range all {
		if x.ID == "" || strings.TrimSpace(x.Prompt) == "" || len(x.Tags) == 0 {
			t.Errorf("idea %d lacks something: %+v", i+1, x)
		}
		if got, ok := Find(x.ID); !ok || got.Prompt != x.Prompt {
			t.Errorf("Find(%q) is another idea: its id stands twice", x.ID)
		}
	}
	if got, ok := Find("no such idea"); ok {
		t.Errorf("found %+v", got)
	}
}
