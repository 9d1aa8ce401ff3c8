package command

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Set by release builds: -ldflags "-X planexe/internal/command.version=… -X planexe/internal/command.commit=…".
var version, commit string

// Version is the name of this build: that of the release, else its commit, else devel.
func Version() string {
	name, revision := built()
	return cmp.Or(name, revision, "devel")
}

// built returns the version and the first digits of the commit, "" for what is not known.
func built() (name, revision string) {
	name, revision = version, commit
	if info, ok := debug.ReadBuildInfo(); ok && revision == "" {
		for _, kv := range info.Settings {
			if kv.Key == "vcs.revision" {
				revision = kv.Value
			}
		}
	}
	return name, revision[:min(len(revision), 12)]
}

// VersionCommand prints what this build is made of.
type VersionCommand struct{}

// Run prints one line.
func (VersionCommand) Run(s Streams, p *Program) error {
	_, revision := built()
	_, err := fmt.Fprintf(s.Out, "%s %s, commit %s, %s\n", p.Name, Version(), cmp.Or(revision, "unknown"), runtime.Version())
	return err
}
