// Package fiction turns a short idea into the draft of a book. It is no part of a plan: one question
// to a model, from configuration to decoded answer, which makes it a quick way to try a model.
package fiction

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/llm"
	"planexe/internal/step"
)

//go:embed prompts/write.md
var system string

//go:embed prompts/fields.json
var fields []byte

//go:embed ideas.jsonl
var ideas []byte

// Book is a book in outline, with a short version of its story.
type Book struct {
	Title      string   `json:"book_title"`
	Overview   string   `json:"overview"`
	Elaborate  string   `json:"elaborate"`
	Background string   `json:"background_story"`
	Blurb      string   `json:"blurb"`
	Goal       string   `json:"goal"`
	Characters []string `json:"main_characters" count:"2-6"`
	Flaws      []string `json:"character_flaws" count:"2-6"`
	Devices    []string `json:"plot_devices" count:"2-5"`
	PlotIdeas  []string `json:"possible_plot_ideas" count:"3-6"`
	Challenges []string `json:"challenges" count:"3-6"`
	Chapters   []string `json:"chapter_title_list" count:"6-14"`
	Story      string   `json:"final_story"`
}

// Write asks for a book about text, which is a sentence or a few. The error is that of the call, or
// says that there is no text.
func Write(ctx context.Context, client *llm.Client, text string) (Book, llm.Source, error) {
	if text = strings.TrimSpace(text); text == "" {
		return Book{}, llm.Source{}, errors.New("there is no idea to write about: give a sentence or the id of an idea")
	}
	meanings := map[string]string{}
	if err := json.Unmarshal(fields, &meanings); err != nil {
		return Book{}, llm.Source{}, fmt.Errorf("read the meanings of the book's fields: %w", err)
	}
	got, err := llm.Generate(ctx, client, llm.Question[Book]{
		Step:     "fiction",
		Messages: []llm.Message{{Role: llm.System, Content: strings.TrimSpace(system)}, {Role: llm.User, Content: text}},
		Fields:   meanings,
	})
	if err != nil {
		return Book{}, llm.Source{}, fmt.Errorf("write a book: %w", err)
	}
	return got.Value, got.Source, nil
}

// Markdown is the book for a reader: what it is about, how it is made, and its story.
func (b Book) Markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n\n", step.Line(b.Title))
	for line := range strings.Lines(b.Blurb) {
		out.WriteString(strings.TrimRight("> "+strings.TrimSpace(line), " ") + "\n")
	}
	text := func(title, body string) { fmt.Fprintf(&out, "\n## %s\n\n%s\n", title, body) }
	list := func(title string, items []string) {
		fmt.Fprintf(&out, "\n## %s\n\n", title)
		for _, item := range items {
			fmt.Fprintf(&out, "- %s\n", step.Line(item))
		}
	}
	text("Overview", b.Overview)
	text("Goal", b.Goal)
	text("Background", b.Background)
	list("Main Characters", b.Characters)
	list("Character Flaws", b.Flaws)
	list("Plot Devices", b.Devices)
	list("Possible Plots", b.PlotIdeas)
	list("Challenges", b.Challenges)
	text("Elaboration", b.Elaborate)
	out.WriteString("\n## Chapters\n\n")
	for i, title := range b.Chapters {
		fmt.Fprintf(&out, "%d. %s\n", i+1, step.Line(title))
	}
	text("Story", b.Story)
	return strings.TrimRight(out.String(), "\n")
}

// Idea is one entry of the catalogue.
type Idea struct {
	ID     string   `json:"id"`
	Prompt string   `json:"prompt"`
	Tags   []string `json:"tags"`
}

// Ideas returns the catalogue. It panics when the embedded catalogue is broken, which a test rules
// out.
func Ideas() []Idea {
	var out []Idea
	for line := range bytes.Lines(ideas) {
		var i Idea
		if err := json.Unmarshal(line, &i); err != nil {
			panic(fmt.Sprintf("fiction: ideas.jsonl: %v", err))
		}
		out = append(out, i)
	}
	return out
}

// Find returns the idea with the id.
func Find(id string) (Idea, bool) {
	all := Ideas()
	i := slices.IndexFunc(all, func(x Idea) bool { return x.ID == id })
	if i < 0 {
		return Idea{}, false
	}
	return all[i], true
}
