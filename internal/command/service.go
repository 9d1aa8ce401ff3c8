package command

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"planexe/internal/config"
	"planexe/internal/port"
)

// Service is what a program that serves does, beside what all of them do.
type Service struct {
	Settings Settings // pointer to a struct of package config, filled before Serve is called
	// Serve serves until ctx is over. Ctrl-C ends it with the cause Interrupt. What it returns ends the program.
	Serve     func(ctx context.Context, log *slog.Logger, s Streams) error
	Interrupt error // nil is context.Canceled
}

// Settings are those of a service.
type Settings interface {
	Probe() (host string, port int, path string) // where it answers for its health
	Level() config.LogLevel
}

// ServiceCommands are the commands of every service; without one it serves.
type ServiceCommands struct {
	Serve   serveCommand   `cmd:"" default:"1" help:"Serve, which is what happens without a command."`
	Health  healthCommand  `cmd:"" help:"Ask the running service on this machine whether it is healthy, for container probes."`
	Version VersionCommand `cmd:"" help:"Print version, commit and Go version."`
}

type serveCommand struct{}

// Run checks the settings, then serves.
func (serveCommand) Run(s Streams, svc *Service) error {
	env, err := svc.load()
	if err != nil {
		return err
	}
	log := svc.Settings.Level().Logger(s.Err)
	if err := env.LeftOut(); err != nil { // in a container the file of another user; what it holds has come by the environment
		log.Info("a .env is left out: it cannot be read", "error", err)
	}
	for _, r := range Remarks(env) {
		log.Warn(r)
	}
	var set []string
	for _, v := range config.Variables(svc.Settings) {
		if _, ok := env.Lookup(v.Name); ok {
			set = append(set, v.Name)
		}
	}
	log.Debug("settings that are not the defaults", "variables", strings.Join(set, " "))
	ctx, stop := Signals(s.Err, svc.Interrupt)
	defer stop()
	return svc.Serve(ctx, log, s)
}

// load fills the settings.
func (svc *Service) load() (config.Env, error) {
	env, err := Load(svc.Settings)
	if placed, ok := svc.Settings.(interface{ PlaceRuns(config.Env) }); ok && err == nil {
		placed.PlaceRuns(env)
	}
	return env, err
}

type healthCommand struct{}

// Run ends with code 0 when the service is healthy, else 1.
func (healthCommand) Run(s Streams, svc *Service) error {
	if _, err := svc.load(); err != nil {
		return &ExitError{failed, err} // 2 means something else to Docker
	}
	if err := port.Probe(svc.Settings.Probe()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.Out, "healthy")
	return err
}
