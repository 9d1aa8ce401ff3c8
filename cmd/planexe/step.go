package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"planexe/internal/chapters/fiction"
	"planexe/internal/llm"
	"planexe/internal/rundir"
)

type stepCmd struct {
	Name   string   `arg:"" help:"Name of a step, see \"planexe steps\", or the module fiction_writer."`
	Text   []string `arg:"" optional:"" help:"For fiction_writer: a short idea, or the id of one of its own ideas."`
	RunDir string   `help:"Directory of the run, for a step." placeholder:"DIR"`
	Model  string   `help:"Id of an entry in llm_config.json, or auto." placeholder:"ID"`
	JSON   bool     `name:"json" help:"Print as JSON."`

	KeepPrompts bool `help:"Keep the rendered prompts in the event log."`
}

// fictionWriter is a one-off module: it belongs to no plan and writes no file, and exercises
// configuration, model and structured answers from end to end.
const fictionWriter = "fiction_writer"

// Run asks one step of a run anew, with what stands in its directory, or runs a module.
func (c *stepCmd) Run(s streams) error {
	if c.Name == fictionWriter {
		return c.fiction(s)
	}
	switch {
	case len(c.Text) > 0:
		return usageError("a step takes no text; its documents stand in the run directory")
	case c.RunDir == "":
		return usageError("a step needs --run-dir")
	case !rundir.IsRun(c.RunDir):
		return usageError("%s is not the directory of a run", c.RunDir)
	}
	return (&planCmd{RunDir: c.RunDir, Only: c.Name, Model: c.Model, JSON: c.JSON, KeepPrompts: c.KeepPrompts}).Run(s)
}

func (c *stepCmd) fiction(s streams) error {
	text := strings.TrimSpace(strings.Join(c.Text, " "))
	if idea, ok := fiction.Find(text); ok {
		text = idea.Prompt
	}
	if text == "" {
		fmt.Fprintln(s.err, "Ideas, by id; or give one of your own:")
		for _, i := range fiction.Ideas() {
			fmt.Fprintf(s.err, "  %s: %s\n", i.ID, i.Prompt)
		}
		return &exitError{code: 2}
	}
	set, err := load()
	if err != nil {
		return err
	}
	ctx, done := signals()
	defer done()
	book, source, err := c.write(ctx, s, set, text)
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(s.out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(struct {
			fiction.Book
			Metadata llm.Source `json:"metadata"`
			Query    string     `json:"query"`
		}{book, source, text})
	}
	if source.Demo {
		fmt.Fprintln(s.out, "Demo: written without a model from your own words.")
		fmt.Fprintln(s.out)
	}
	fmt.Fprintln(s.out, book.Markdown())
	return nil
}

func (c *stepCmd) write(ctx context.Context, s streams, set *setup, text string) (fiction.Book, llm.Source, error) {
	entries, why, err := set.choose(ctx, c.Model)
	if err != nil {
		return fiction.Book{}, llm.Source{}, err
	}
	fmt.Fprintf(s.err, "Model: %s (%s)\n", entryIDs(entries), why)
	client := llm.NewHub().NewClient(llm.Options{Entries: entries, Concurrency: 1})
	if err := client.Preflight(ctx); err != nil {
		return fiction.Book{}, llm.Source{}, err
	}
	return fiction.Write(ctx, client, text)
}
