// Command worker_plan_database takes tasks from Postgres and makes plans of them. It has no public
// port; run as many as you like on one database.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"planexe/internal/config"
	"planexe/internal/dbworker"
	"planexe/internal/port"
	"planexe/internal/privilege"
)

// version is set by release builds.
var version = "devel"

func main() {
	if err := privilege.Drop(os.Environ(), slog.Default()); err != nil {
		fmt.Fprintln(os.Stderr, "worker_plan_database:", err)
		os.Exit(1)
	}
	os.Exit(dispatch(os.Args[1:], os.Stdout, os.Stderr, nil))
}

// dispatch runs the program. point is for tests, see dbworker.Options.
func dispatch(args []string, out, errs io.Writer, point func(string)) int {
	env, err := config.LoadEnv()
	var settings config.DatabaseWorker
	if err == nil {
		err = config.Load(&settings, env)
	}
	if err != nil {
		fmt.Fprintln(errs, "worker_plan_database:", err)
		return 2
	}
	settings.PlaceRuns(env)
	switch strings.Join(args, " ") {
	case "":
		return serve(settings, errs, point)
	case "health":
		if err := port.Probe(settings.HealthHost, settings.HealthPort); err != nil {
			fmt.Fprintln(errs, "worker_plan_database:", err)
			return 1
		}
		return 0
	case "help", "--help", "-h":
		fmt.Fprintln(out, usage())
		return 0
	}
	fmt.Fprintln(errs, usage())
	return 2
}

func serve(settings config.DatabaseWorker, errs io.Writer, point func(string)) int {
	log := settings.LogLevel.Logger(errs)
	worker, err := dbworker.New(dbworker.Options{Settings: settings, Version: version, Log: log, Point: point})
	if err == nil {
		err = worker.Run(signals())
	}
	if err != nil {
		log.Error("worker_plan_database ends", "error", err)
		return 1
	}
	return 0
}

// signals returns a context that ends with the first SIGTERM or Ctrl-C. A second one ends the
// program at once; its tasks are taken back when their leases are over.
func signals() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ch
		cancel()
		<-ch
		os.Exit(130)
	}()
	return ctx
}

func usage() string {
	return "worker_plan_database          takes tasks from the database and runs them\nworker_plan_database health   asks a running worker whether it is alive, for container probes\n\n" + config.Usage(config.DatabaseWorker{})
}
