// Command planexe makes project plans: a few sentences go in, a report comes out.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// version is set by release builds.
var version = ""

type commands struct {
	Up       upCmd       `cmd:"" help:"Serve the web interface and the API on this computer."`
	Plan     planCmd     `cmd:"" help:"Make a plan from a prompt, or go on with one."`
	Demo     demoCmd     `cmd:"" help:"Show how a plan is made: replays the sample plan, offline."`
	Record   recordCmd   `cmd:"" help:"Keep the answers of a run in a file, for plan --replay."`
	Status   statusCmd   `cmd:"" help:"Say what of a run is done, what is not, and why."`
	Report   reportCmd   `cmd:"" help:"Render a run's report again."`
	Step     stepCmd     `cmd:"" help:"Run one step of a run, or a one-off module, alone."`
	Steps    stepsCmd    `cmd:"" help:"List the steps of a plan."`
	Graph    graphCmd    `cmd:"" help:"Print how the steps depend on each other, or how fast a plan can be."`
	Schedule scheduleCmd `cmd:"" help:"Solve a network of activities: dates, floats, critical path."`
	LLM      llmCmd      `cmd:"" name:"llm" help:"List or test the configured models."`
	Version  versionCmd  `cmd:"" help:"Print the version."`

	OpenDirServer openDirServerCmd `cmd:"" help:"Open folders of runs on this desktop for a user interface in a container."`
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exitError ends the program with a code after its message was printed.
type exitError struct {
	code int
	err  error // nil: everything is said
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageError is a wrong use of the command line.
func usageError(format string, args ...any) error {
	return &exitError{2, fmt.Errorf(format, args...)}
}

func main() { os.Exit(dispatch(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})) }

func dispatch(args []string, s streams) int {
	var c commands
	quit := -1
	parser, err := kong.New(&c, kong.Name("planexe"), kong.Description("Turn a few sentences into a project plan."),
		kong.UsageOnError(), kong.Writers(s.out, s.err), kong.Exit(func(code int) { quit = code }), kong.Bind(s),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(s.err, "planexe:", err)
		return 1
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if quit >= 0 { // --help
		return quit
	}
	if err != nil {
		fmt.Fprintf(s.err, "planexe: %v\nRun \"planexe --help\" for how to use it.\n", err)
		return 2
	}
	err = ctx.Run()
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.err != nil {
			fmt.Fprintln(s.err, "planexe:", exit.err)
		}
		return exit.code
	}
	fmt.Fprintln(s.err, "planexe:", err)
	return 1
}

type versionCmd struct{}

func (versionCmd) Run(s streams) error {
	fmt.Fprintln(s.out, "planexe", versionName())
	return nil
}

func versionName() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, kv := range info.Settings {
		if kv.Key == "vcs.revision" && len(kv.Value) >= 12 {
			return kv.Value[:12]
		}
	}
	return "devel"
}
