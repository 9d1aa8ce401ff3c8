// Command planexe makes project plans: a few sentences go in, a report comes out.
package main

import (
	"planexe/internal/command"
	"planexe/internal/command/database"
	"planexe/internal/command/tool"
	"planexe/internal/command/up"
)

type commands struct {
	Up up.Command `cmd:"" help:"Serve the web interface and the API on this computer; with --multi, the one for many people."`
	tool.Commands
	Migrate       database.Migrate       `cmd:"" help:"Look at, bring up or take back the schema of the database."`
	Admin         database.Admin         `cmd:"" help:"Make accounts of the interface for many people, and set passwords."`
	OpenDirServer up.OpenDirServer       `cmd:"" help:"Open folders of runs on this desktop for a user interface in a container."`
	Version       command.VersionCommand `cmd:"" help:"Print version, commit and Go version."`
}

func main() {
	command.Program{Name: "planexe", About: "Turn a few sentences into a project plan.", Commands: &commands{}}.Main()
}
