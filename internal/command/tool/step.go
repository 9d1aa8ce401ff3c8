package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"planexe/internal/chapters/fiction"
	"planexe/internal/command"
	"planexe/internal/llm"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

type stepCmd struct {
	Name   string `arg:"" help:"Name of a step, as the command steps lists it."`
	RunDir string `required:"" help:"Directory of the run." placeholder:"DIR"`
	Model  string `help:"Id of an entry in llm_config.json, or auto." placeholder:"ID"`
	JSON   bool   `name:"json" help:"Print the result as one JSON object."`

	KeepPrompts bool `help:"Keep the rendered prompts in the event log."`
}

// Run asks one step of a run anew, with what stands in its directory.
func (c *stepCmd) Run(s command.Streams) error {
	if !rundir.IsRun(c.RunDir) {
		return command.UsageError("%s is not the directory of a run", c.RunDir)
	}
	return (&planCmd{RunDir: c.RunDir, Only: c.Name, Model: c.Model, JSON: c.JSON, KeepPrompts: c.KeepPrompts}).Run(s)
}

// fictionCmd belongs to no plan and writes no file; it exercises configuration, model and structured answers
// from end to end.
type fictionCmd struct {
	Text  []string `arg:"" optional:"" help:"A short idea, or the id of one of its own ideas."`
	Model string   `help:"Id of an entry in llm_config.json, or auto." placeholder:"ID"`
	JSON  bool     `name:"json" help:"Print as JSON."`
}

func (c *fictionCmd) Run(s command.Streams) error {
	text := strings.TrimSpace(strings.Join(c.Text, " "))
	if idea, ok := fiction.Find(text); ok {
		text = idea.Prompt
	}
	if text == "" {
		fmt.Fprintln(s.Err, "Ideas, by id; or give one of your own:")
		for _, i := range fiction.Ideas() {
			fmt.Fprintf(s.Err, "  %s: %s\n", i.ID, i.Prompt)
		}
		return command.Exit(2)
	}
	set, err := load(s)
	if err != nil {
		return err
	}
	ctx, done := command.Signals(s.Err, run.ErrStop)
	defer done()
	book, source, err := c.write(ctx, s, set, text)
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(s.Out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(struct {
			fiction.Book
			Metadata llm.Source `json:"metadata"`
			Query    string     `json:"query"`
		}{book, source, text})
	}
	if source.Demo {
		fmt.Fprintln(s.Out, "Demo: written without a model from your own words.")
		fmt.Fprintln(s.Out)
	}
	fmt.Fprintln(s.Out, book.Markdown())
	return nil
}

func (c *fictionCmd) write(ctx context.Context, s command.Streams, set *setup, text string) (fiction.Book, llm.Source, error) {
	entries, why, err := set.choose(ctx, c.Model)
	if err != nil {
		return fiction.Book{}, llm.Source{}, err
	}
	fmt.Fprintf(s.Err, "Model: %s (%s)\n", entryIDs(entries), why)
	client := llm.NewHub().NewClient(llm.Options{Entries: entries, Concurrency: 1})
	if err := client.Preflight(ctx); err != nil {
		return fiction.Book{}, llm.Source{}, err
	}
	return fiction.Write(ctx, client, text)
}
