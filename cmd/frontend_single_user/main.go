// Command frontend_single_user is the web interface for one person, on port 7860. It asks worker_plan
// for everything, and starts whether that answers or not.
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
		port, _ := settings.Port()
		err = kit.Probe(settings.Host, port)
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
	log := slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: settings.LogLevel.Level}))
	if settings.LogLevel.Unknown != "" {
		log.Warn("PLANEXE_LOG_LEVEL is unknown: INFO is used", "value", settings.LogLevel.Unknown)
	}
	o := single.FromConfig(settings)
	o.Version, o.Log = version, log
	handler, err := single.New(o)
	if err != nil {
		return err
	}
	port, variable := settings.Port()
	l, err := kit.Listen(settings.Host, port, "PLANEXE_GRADIO_SERVER_NAME", variable)
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
	var b strings.Builder
	b.WriteString("frontend_single_user          serves the web interface\nfrontend_single_user health   asks a running one whether it answers, for container probes\n\nVariables:\n")
	for _, v := range config.Variables(config.Single{}) {
		fmt.Fprintf(&b, "  %s (default %q): %s\n", v.Name, v.Default, v.Description)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
