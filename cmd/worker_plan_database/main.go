// Command worker_plan_database takes tasks from Postgres and makes plans of them. It has no public
// port; run as many as you like on one database.
package main

import (
	"context"
	"log/slog"
	"os"

	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/dbworker"
	"planexe/internal/privilege"
)

func main() { program(nil).Main() }

// program has a point for tests, see dbworker.Options.
func program(point func(string)) command.Program {
	var settings config.DatabaseWorker
	serve := func(ctx context.Context, log *slog.Logger, _ command.Streams) error {
		worker, err := dbworker.New(dbworker.Options{Settings: settings, Version: command.Version(), Log: log, Point: point})
		if err != nil {
			return err
		}
		return worker.Run(ctx)
	}
	return command.Program{
		Name: "worker_plan_database", About: "Takes tasks from the queue in the database and makes their plans.", Settings: []any{settings, config.Owner{}},
		Commands: &command.ServiceCommands{},
		Service:  &command.Service{Settings: &settings, Serve: serve},
		Prepare:  func() error { return privilege.Drop(os.Environ(), slog.Default()) },
	}
}
