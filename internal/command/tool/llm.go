package tool

import (
	"context"
	"fmt"
	"sync"
	"text/tabwriter"
	"time"

	"planexe/internal/command"
	"planexe/internal/llm"
	"planexe/internal/run"
)

type llmCmd struct {
	List listCmd `cmd:"" help:"List the configured models and whether they can be used."`
	Ping pingCmd `cmd:"" help:"Send one tiny question to models."`
}

type listCmd struct{}

func (listCmd) Run(s command.Streams) error {
	set, err := load(s)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(s.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tCLASS\tMODEL\tSTATE")
	for _, e := range set.models.Entries {
		state := "configured"
		if e.Problem != nil {
			state = "unavailable: " + e.Problem.Error()
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", e.ID, e.Class, e.Model, state)
	}
	for _, m := range set.models.Config.Models {
		for _, w := range m.Warnings {
			fmt.Fprintf(s.Err, "planexe: %s: %s\n", m.ID, w)
		}
	}
	return t.Flush()
}

type pingCmd struct {
	IDs []string `arg:"" optional:"" name:"id" help:"Entries to ask; those a run would use when none is given."`
}

func (c *pingCmd) Run(s command.Streams) error {
	set, err := load(s)
	if err != nil {
		return err
	}
	ctx, done := command.Signals(s.Err, run.ErrStop)
	defer done()
	var entries []*llm.Entry
	if len(c.IDs) == 0 {
		var why string
		if entries, why, err = set.choose(ctx, ""); err != nil {
			return err
		}
		fmt.Fprintf(s.Err, "Models: %s (%s)\n", entryIDs(entries), why)
	}
	for _, id := range c.IDs {
		e := set.models.Entry(id)
		if e == nil {
			return command.UsageError("there is no model %q; `planexe llm list` lists them", id)
		}
		entries = append(entries, e)
	}
	lines, ok := make([]string, len(entries)), make([]bool, len(entries))
	var wg sync.WaitGroup
	for i, e := range entries {
		wg.Go(func() { lines[i], ok[i] = ping(ctx, e) })
	}
	wg.Wait()
	failed := 0
	for i, e := range entries {
		fmt.Fprintf(s.Out, "%s: %s\n", e.ID, lines[i])
		if !ok[i] {
			failed++
		}
	}
	if failed > 0 {
		return command.Exit(1)
	}
	return nil
}

// ping tells in one line what came of one question to an entry.
func ping(ctx context.Context, e *llm.Entry) (string, bool) {
	if e.Problem != nil {
		return "unavailable: " + e.Problem.Error(), false
	}
	began := time.Now()
	text, err := llm.Ping(ctx, e, 80)
	took := time.Since(began).Round(time.Millisecond)
	if err != nil {
		return fmt.Sprintf("failed after %s (%s): %v", took, llm.ClassOf(err), err), false
	}
	return fmt.Sprintf("answered in %s: %s", took, text), true
}
