// Command frontend_single_user is the web interface for one person, on port 7860. It asks worker_plan
// for everything, and starts whether that answers or not.
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
	"planexe/internal/web/single"
)

// version is set by release builds.
var version = "devel"

func main() { os.Exit(dispatch(os.Args[1:], os.Stdout, os.Stderr)) }

func dispatch(args []string, out, errs io.Writer) int {
	env, err := config.LoadEnv()
	var settings config.Single
	if err == nil {
		err = config.Load(&settings, env)
	}
	if err != nil {
		fmt.Fprintln(errs, "frontend_single_user:", err)
		return 1
	}
	switch command := strings.Join(args, " "); command {
	case "":
		err = serve(settings, errs)
	case "health":
		number, _ := settings.Port()
		err = port.Probe(settings.Host, number)
	default:
		fmt.Fprintln(out, usage())
		if command == "help" || command == "--help" || command == "-h" {
			return 0
		}
		return 2
	}
	if err != nil {
		fmt.Fprintln(errs, "frontend_single_user:", err)
		return 1
	}
	return 0
}

func serve(settings config.Single, errs io.Writer) error {
	log := settings.LogLevel.Logger(errs)
	o := single.FromConfig(settings)
	o.Version, o.Log = version, log
	handler, err := single.New(o)
	if err != nil {
		return err
	}
	number, variable := settings.Port()
	l, err := port.Listen(settings.Host, number, "PLANEXE_GRADIO_SERVER_NAME", variable)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	log.Info("frontend_single_user is ready", "address", l.Addr().String(), "worker", settings.WorkerURL, "version", version)
	return kit.Serve(ctx, l, handler)
}

func usage() string {
	return "frontend_single_user          serves the web interface\nfrontend_single_user health   asks a running one whether it answers, for container probes\n\n" + config.Usage(config.Single{})
}
