// Command worker_plan is the service that makes plans: an HTTP API on port 8000. With RUN_ID_DIR set
// it runs or resumes that one run instead and ends. It has the commands of planexe for plans, too.
package main

import (
	"context"
	"log/slog"
	"os"

	"planexe/internal/command"
	"planexe/internal/command/tool"
	"planexe/internal/config"
	"planexe/internal/privilege"
	"planexe/internal/run"
	"planexe/internal/service"
)

func main() { program().Main() }

func program() command.Program {
	var settings config.Worker
	serve := func(ctx context.Context, log *slog.Logger, s command.Streams) error {
		o := service.Options{Settings: settings, Version: command.Version(), Log: log, Output: s.Err}
		if settings.RunIDDir == "" {
			return service.Run(ctx, o)
		}
		code, err := service.RunOne(ctx, o)
		if code == 0 {
			return err
		}
		return &command.ExitError{Code: code, Err: err}
	}
	return command.Program{
		Name: "worker_plan", About: "Makes project plans: the HTTP API.", Settings: []any{settings, config.Owner{}},
		Commands: &struct {
			command.ServiceCommands
			tool.Commands
		}{},
		Service: &command.Service{Settings: &settings, Serve: serve, Interrupt: run.ErrStop},
		Prepare: func() error { return privilege.Drop(os.Environ(), slog.Default()) },
	}
}
