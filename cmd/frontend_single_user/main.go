// Command frontend_single_user is the web interface for one person, on port 7860. It asks worker_plan
// for everything, and starts whether that answers or not.
package main

import (
	"context"
	"log/slog"

	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/port"
	"planexe/internal/web/kit"
	"planexe/internal/web/single"
)

func main() { program().Main() }

func program() command.Program {
	var settings config.Single
	serve := func(ctx context.Context, log *slog.Logger, _ command.Streams) error {
		o := single.FromConfig(settings)
		o.Version, o.Log = command.Version(), log
		handler, err := single.New(o)
		if err != nil {
			return err
		}
		number, variable := settings.Port()
		l, err := port.Listen(settings.Host, number, "PLANEXE_GRADIO_SERVER_NAME", variable)
		if err != nil {
			return err
		}
		log.Info("frontend_single_user is ready", "address", l.Addr().String(), "worker", settings.WorkerURL, "version", o.Version)
		return kit.Serve(ctx, l, handler)
	}
	return command.Program{
		Name: "frontend_single_user", About: "The web interface for one person.", Settings: []any{settings},
		Commands: &command.ServiceCommands{},
		Service:  &command.Service{Settings: &settings, Serve: serve},
	}
}
