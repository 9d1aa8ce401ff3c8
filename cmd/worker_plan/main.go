// Command worker_plan is the service that makes plans: an HTTP API on port 8000. With RUN_ID_DIR set
// it runs or resumes that one run instead and ends.
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
	"planexe/internal/port"
	"planexe/internal/privilege"
	"planexe/internal/run"
	"planexe/internal/service"
)

// version is set by release builds.
var version = "devel"

func main() {
	if err := privilege.Drop(os.Environ(), slog.Default()); err != nil {
		fmt.Fprintln(os.Stderr, "worker_plan:", err)
		os.Exit(1)
	}
	os.Exit(dispatch(os.Args[1:], os.Stdout, os.Stderr))
}

func dispatch(args []string, out, errs io.Writer) int {
	env, err := config.LoadEnv()
	var settings config.Worker
	if err == nil {
		err = config.Load(&settings, env)
	}
	if err != nil {
		fmt.Fprintln(errs, "worker_plan:", err)
		return 1
	}
	settings.PlaceRuns(env)
	command := strings.Join(args, " ")
	switch {
	case command == "health":
		err = port.Probe(settings.Host, settings.Port)
	case command != "":
		fmt.Fprintln(out, usage())
		if command == "help" || command == "--help" || command == "-h" {
			return 0
		}
		return 2
	default:
		return serve(settings, errs)
	}
	if err != nil {
		fmt.Fprintln(errs, "worker_plan:", err)
		return 1
	}
	return 0
}

func serve(settings config.Worker, errs io.Writer) int {
	log := settings.LogLevel.Logger(errs)
	ctx, cancel := signals()
	defer cancel()
	o := service.Options{Settings: settings, Version: version, Log: log, Output: errs}
	if settings.RunIDDir != "" {
		code, err := service.RunOne(ctx, o)
		if err != nil {
			log.Error("the run could not begin", "error", err)
		}
		return code
	}
	if err := service.Run(ctx, o); err != nil {
		log.Error("worker_plan ends", "error", err)
		return 1
	}
	return 0
}

// signals returns a context that Ctrl-C ends as a stop by the user and SIGTERM as an interruption.
// A second signal ends the program at once.
func signals() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		if sig := <-ch; sig == os.Interrupt {
			cancel(run.ErrStop)
		} else {
			cancel(fmt.Errorf("the program was told to end (%v)", sig))
		}
		signal.Stop(ch)
	}()
	return ctx, func() { cancel(nil) }
}

func usage() string {
	return "worker_plan          serves the HTTP API\nworker_plan health   asks a running service whether it answers, for container probes\n\n" + config.Usage(config.Worker{})
}
