package tool

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"planexe/internal/command"
	"planexe/internal/pipeline"
	"planexe/internal/run"
)

func writeFile(path string, data []byte) error { return os.WriteFile(path, data, 0o666) }

type stepsCmd struct{}

func (stepsCmd) Run(s command.Streams) error {
	g, err := run.NewGraph(command.Version())
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(s.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "STEP\tCHAPTER\tCALLS\tWHAT IT DOES")
	for _, st := range g.Steps() {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", st.Name, st.Chapter, st.Calls(pipeline.Typical), st.About)
	}
	return t.Flush()
}

type graphCmd struct {
	Dot   bool `help:"Print in the dot language of Graphviz."`
	Bound *int `help:"Print how many calls one after the other a plan needs at least with N calls at once (0: no limit)." placeholder:"N"`
	Fast  bool `help:"For --bound: the fast mode."`
}

func (c *graphCmd) Run(s command.Streams) error {
	g, err := run.NewGraph(command.Version())
	if err != nil {
		return err
	}
	switch {
	case c.Bound != nil && *c.Bound < 0:
		return command.UsageError("--bound %d: allowed is 0 or more", *c.Bound)
	case c.Bound != nil:
		return c.bounds(s, g)
	case c.Dot:
		fmt.Fprintln(s.Out, "digraph planexe {\n  rankdir=LR; node [shape=box]")
		for _, st := range g.Steps() {
			for _, w := range g.Waits(st.Name) {
				fmt.Fprintf(s.Out, "  %s -> %s\n", w, st.Name)
			}
		}
		fmt.Fprintln(s.Out, "}")
		return nil
	}
	for _, st := range g.Steps() {
		fmt.Fprintf(s.Out, "%s <- %s\n", st.Name, strings.Join(g.Waits(st.Name), " "))
	}
	return nil
}

func (c *graphCmd) bounds(s command.Streams, g *pipeline.Graph) error {
	t := tabwriter.NewWriter(s.Out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "profile\tcalls\tbound\t")
	for _, p := range []struct {
		name  string
		sizes pipeline.Sizes
	}{{"small", pipeline.Small}, {"typical", pipeline.Typical}, {"large", pipeline.Large}} {
		p.sizes.Fast = c.Fast
		calls := 0
		for _, st := range g.Steps() {
			calls += st.Calls(p.sizes)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t\n", p.name, calls, g.Bound(p.sizes, *c.Bound))
	}
	return t.Flush()
}
