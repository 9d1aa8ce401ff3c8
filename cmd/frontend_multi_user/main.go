// Command frontend_multi_user is the web interface for many people, on port 5000. It keeps accounts and plans in Postgres, where
// worker_plan_database finds them, and starts whether the database answers or not.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"planexe/internal/config"
	"planexe/internal/port"
	"planexe/internal/web/kit"
	"planexe/internal/web/multi"
)

// version is set by release builds.
var version = "devel"

func main() { os.Exit(dispatch(os.Args[1:], os.Stdout, os.Stderr)) }

func dispatch(args []string, out, errs io.Writer) int {
	command := strings.Join(args, " ")
	if command != "" && command != "health" {
		fmt.Fprintln(out, usage())
		if command == "help" || command == "--help" || command == "-h" {
			return 0
		}
		return 2
	}
	env, err := config.LoadEnv()
	var settings config.Multi
	if err == nil {
		err = config.Load(&settings, env)
	}
	if err != nil {
		fmt.Fprintln(errs, "frontend_multi_user:", err)
		return 2
	}
	if command == "health" {
		number, _ := settings.Listen()
		err = port.Probe(settings.BindHost, number)
	} else {
		err = serve(settings, errs)
	}
	if err != nil {
		fmt.Fprintln(errs, "frontend_multi_user:", err)
		return 1
	}
	return 0
}

func serve(settings config.Multi, errs io.Writer) error {
	log := settings.LogLevel.Logger(errs)
	number, variable := settings.Listen()
	l, err := port.Listen(settings.BindHost, number, "PLANEXE_FRONTEND_MULTIUSER_HOST", variable)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	log.Info("frontend_multi_user listens", "address", l.Addr().String(), "version", version)
	return kit.Serve(ctx, l, multi.FromConfig(ctx, settings, version, log))
}

func usage() string {
	return "frontend_multi_user          serves the web interface for many people\nfrontend_multi_user health   asks a running one whether it answers, for container probes\n\n" + config.Usage(config.Multi{})
}
