// Command frontend_multi_user is the web interface for many people, on port 5000. It keeps accounts and plans in Postgres, where
// worker_plan_database finds them, and starts whether the database answers or not.
package main

import (
	"context"
	"log/slog"

	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/port"
	"planexe/internal/web/kit"
	"planexe/internal/web/multi"
)

func main() { program().Main() }

func program() command.Program {
	var settings config.Multi
	serve := func(ctx context.Context, log *slog.Logger, _ command.Streams) error {
		number, variable := settings.Listen()
		l, err := port.Listen(settings.BindHost, number, "PLANEXE_FRONTEND_MULTIUSER_HOST", variable)
		if err != nil {
			return err
		}
		log.Info("frontend_multi_user listens", "address", l.Addr().String(), "version", command.Version())
		return kit.Serve(ctx, l, multi.FromConfig(ctx, settings, command.Version(), log))
	}
	return command.Program{
		Name: "frontend_multi_user", About: "The web interface for many people.", Settings: []any{settings},
		Commands: &command.ServiceCommands{},
		Service:  &command.Service{Settings: &settings, Serve: serve},
	}
}
