// Package command is what all binaries have in common: a command line, exit codes, signals, settings that are checked
// once, and for services the commands serve, health and version.
//
// Exit codes: 0 is success, 1 a failure, 2 wrong use or wrong settings. Commands that make plans have more of them.
package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// Program is a binary.
type Program struct {
	Name     string
	About    string       // a sentence
	Settings []any        // structs of package config whose variables the help lists
	Commands any          // pointer to a struct as package kong reads it; its methods Run can ask for Streams and *Service
	Service  *Service     // nil for one that only has commands
	Prepare  func() error // is called before any command but version and health, and fails for wrong settings; nil is nothing
}

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// ExitError ends the program with a code after its message was printed.
type ExitError struct {
	Code int
	Err  error // nil: everything is said
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns what the program ends for.
func (e *ExitError) Unwrap() error { return e.Err }

// Exit ends the program with a code when everything is said.
func Exit(code int) error { return &ExitError{Code: code} }

// UsageError is a wrong use of the command line.
func UsageError(format string, args ...any) error {
	return &ExitError{wrongUse, fmt.Errorf(format, args...)}
}

const (
	failed   = 1
	wrongUse = 2
)

// Main runs the program on the streams and arguments of this process, and ends that.
func (p Program) Main() { os.Exit(p.Run(os.Args[1:], Streams{os.Stdin, os.Stdout, os.Stderr})) }

// Run does what the arguments say and returns the exit code.
func (p Program) Run(args []string, s Streams) int {
	quit := -1
	bound := []any{s, &p}
	if p.Service != nil {
		bound = append(bound, p.Service)
	}
	parser, err := kong.New(p.Commands, kong.Name(p.Name), kong.Description(p.description()), kong.Writers(s.Out, s.Err),
		kong.Exit(func(code int) { quit = code }), kong.Bind(bound...), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return p.end(s, err)
	}
	switch {
	case len(args) > 0 && args[0] == "help": // help COMMAND is what most programs understand
		args = append(args[1:len(args):len(args)], "--help")
	case len(args) == 0 && p.Service == nil:
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if quit >= 0 { // --help
		return quit
	}
	if err != nil {
		return p.end(s, UsageError("%w\nRun \"%s --help\" for how to use it.", err, p.Name))
	}
	if name := ctx.Command(); p.Prepare != nil && name != "version" && name != "health" {
		if err := p.Prepare(); err != nil {
			return p.end(s, &ExitError{wrongUse, err})
		}
	}
	return p.end(s, ctx.Run())
}

// end says what went wrong, each line with the name of the program in front, and returns the exit code.
func (p Program) end(s Streams, err error) int {
	code := failed
	var exit *ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if code = exit.Code; exit.Err == nil {
			return code
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(err.Error()), "\n") {
		fmt.Fprintf(s.Err, "%s: %s\n", p.Name, line)
	}
	return code
}
