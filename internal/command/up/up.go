// Package up serves everything on one computer.
package up

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"

	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/llm/models"
	"planexe/internal/opener"
	"planexe/internal/port"
	"planexe/internal/service"
	"planexe/internal/web/kit"
	"planexe/internal/web/single"
)

// Command starts the services of one computer in one process.
type Command struct {
	Multi   bool   `help:"Serve the interface for many people: accounts, a queue, and a Postgres of its own when no database is configured."`
	Host    string `help:"Address of the web interface, instead of 127.0.0.1, which is this computer only." placeholder:"ADDRESS"`
	Port    int    `help:"Port of the web interface, instead of 7860, or 5001 with --multi." placeholder:"PORT"`
	RunDir  string `help:"Directory that holds the plans, instead of PLANEXE_RUN_DIR." placeholder:"DIR"`
	Open    bool   `negatable:"" default:"true" help:"Open a browser, on a desktop."`
	OpenDir bool   `negatable:"" default:"true" help:"Let the web interface open a plan's folder, on a desktop and for this computer only; not with --multi."`
}

// Run serves until it is told to end.
func (c *Command) Run(s command.Streams) error {
	ctx, done := command.Signals(s.Err, nil)
	defer done()
	here := place{load: config.LoadEnv, desktop: hasDesktop(runtime.GOOS, os.Getenv), browse: command.OpenFile, show: opener.Desktop()}
	if c.Multi {
		return c.many(ctx, s, here)
	}
	return c.up(ctx, s, here)
}

// place is the computer that services are started on.
type place struct {
	load    func() (config.Env, error)
	desktop bool // a person sits in front of it
	browse  func(url string) error
	show    opener.Launcher
}

// hasDesktop tells whether a window that is opened is seen by who starts the program.
func hasDesktop(goos string, getenv func(string) string) bool {
	switch {
	case getenv("SSH_CONNECTION") != "" || getenv("SSH_TTY") != "":
		return false
	case goos == "darwin" || goos == "windows":
		return true
	}
	return getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != ""
}

// up serves API and web interface until ctx ends. Runs that are going on are interrupted then, and go
// on at the next start.
func (c *Command) up(ctx context.Context, s command.Streams, here place) error {
	env, err := here.load()
	if err != nil {
		return err
	}
	var worker config.Worker
	var ui config.Single
	settings := c.settings(env)
	// PORT is that of the interface.
	if err := errors.Join(command.Fill(settings.With("PORT", ""), &worker), command.Fill(settings, &ui)); err != nil {
		return err
	}
	log := logger(s, env, worker.Pipeline)

	number, setsPort := ui.Port()
	uiAt, err := port.Listen(ui.Host, number, "--host or PLANEXE_GRADIO_SERVER_NAME", "--port or "+setsPort)
	if err != nil {
		return err
	}
	defer uiAt.Close()
	_, fixed := env.Lookup("PLANEXE_WORKER_PORT")
	workerAt, err := listenNear(worker, fixed)
	if err != nil {
		return err
	}
	defer workerAt.Close()

	svc, err := service.New(service.Options{Settings: worker, Version: command.Version(), Log: log, Output: s.Err, Env: here.load})
	if err == nil {
		err = svc.Usable()
	}
	if err != nil {
		return err
	}
	ui.WorkerURL = "http://" + reachable(workerAt)
	handler, err := single.New(c.interfaceOptions(ui, svc, here, log))
	if err != nil {
		return err
	}
	address := "http://" + reachable(uiAt)
	fmt.Fprintf(s.Out, "PlanExe: %s\nPlans are kept in %s\nAPI: %s, described at %s/docs\n"+
		"Ctrl-C ends it; plans that are not done go on at the next start.\n", address, svc.Runs(), ui.WorkerURL, ui.WorkerURL)
	if !config.Loopback(ui.Host) && ui.Password == "" {
		fmt.Fprintf(s.Out, "Whoever reaches %s can read, make and delete plans: set PLANEXE_PASSWORD to have it ask for a password.\n", uiAt.Addr())
	}
	here.open(c, address, log)
	return together(ctx,
		func(ctx context.Context) error { return svc.Serve(ctx, workerAt) },
		func(ctx context.Context) error { return kit.Serve(ctx, uiAt, handler) },
		func(ctx context.Context) error { return tellModel(ctx, s, env, worker.Model) })
}

// open shows the interface to a person at this computer.
func (here place) open(c *Command, address string, log *slog.Logger) {
	if !c.Open || !here.desktop {
		return
	}
	if err := here.browse(address); err != nil {
		log.Warn("no browser could be opened", "error", err)
	}
}

// together runs services until ctx is over or one of them ends, and ends the others then.
func together(ctx context.Context, services ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(services))
	for _, serve := range services {
		go func() { ended <- serve(ctx) }()
	}
	var errs []error
	for range services {
		errs = append(errs, <-ended)
		cancel()
	}
	return errors.Join(errs...)
}

// settings is the environment as it counts for services on one's own computer: nobody else can reach
// them unless that is asked for, and paths mean this computer.
func (c *Command) settings(env config.Env) config.Env {
	for _, name := range []string{"PLANEXE_GRADIO_SERVER_NAME", "PLANEXE_WORKER_HOST"} {
		if _, set := env.Lookup(name); !set {
			env = env.With(name, "127.0.0.1")
		}
	}
	env = env.With("PLANEXE_HOST_RUN_DIR", "").With("PLANEXE_WORKER_PLAN_URL", "")
	if c.Host != "" {
		env = env.With("PLANEXE_GRADIO_SERVER_NAME", c.Host)
	}
	if c.Port != 0 {
		env = env.With("PORT", "").With("PLANEXE_GRADIO_SERVER_PORT", fmt.Sprint(c.Port))
	}
	if c.RunDir != "" {
		env = env.With("PLANEXE_RUN_DIR", c.RunDir)
	}
	return env
}

// logger leaves the terminal to what a person has to know, unless a level is asked for. It begins with what has no effect.
func logger(s command.Streams, env config.Env, c config.Pipeline) *slog.Logger {
	level := slog.LevelWarn
	if _, set := env.Lookup("PLANEXE_LOG_LEVEL"); set {
		level = c.LogLevel.Level
	}
	log := slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: level}))
	if err := env.LeftOut(); err != nil {
		log.Warn("a .env is left out: it cannot be read", "error", err)
	}
	for _, r := range command.Remarks(env) {
		log.Warn(r)
	}
	return log
}

// near is how many ports after the usual one are tried when it is taken.
const near = 50

// listenNear opens the worker's port, or the next free one unless the port was asked for.
func listenNear(c config.Worker, fixed bool) (net.Listener, error) {
	l, err := service.Listen(c)
	for n := 0; err != nil && !fixed && n < near; n++ {
		c.Port++
		if next, e := service.Listen(c); e == nil {
			return next, nil
		}
	}
	return l, err
}

// reachable is the address by which programs on this computer reach a listener.
func reachable(l net.Listener) string {
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok || !a.IP.IsUnspecified() {
		return l.Addr().String()
	}
	return fmt.Sprintf("127.0.0.1:%d", a.Port)
}

// interfaceOptions are those of the web interface. Folders are opened by this process where a person
// sits in front of it and nobody else can reach the interface.
func (c *Command) interfaceOptions(ui config.Single, svc *service.Service, here place, log *slog.Logger) single.Options {
	o := single.FromConfig(ui)
	o.Version, o.Log = command.Version(), log
	if o.Opener == nil && c.OpenDir && here.desktop && config.Loopback(ui.Host) {
		if folder, err := opener.New(svc.Runs(), here.show); err != nil {
			log.Warn("folders cannot be opened", "error", err)
		} else {
			o.Opener = desk{folder}
		}
	}
	return o
}

// desk opens folders on the desktop that the program runs on.
type desk struct{ folder *opener.Folder }

func (desk) Available(context.Context) bool { return true }

func (d desk) Open(ctx context.Context, path string) error {
	_, err := d.folder.Open(ctx, path)
	return err
}

// tellModel says what a plan will be made with, for one that does not name a model. It returns with ctx.
func tellModel(ctx context.Context, s command.Streams, env config.Env, requested string) error {
	l, err := config.LoadLLM(env)
	var ids []string
	var why string
	if err == nil {
		ids, why, err = config.Choose(ctx, l, requested, models.Probe)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		fmt.Fprintf(s.Out, "Model: none can be used: %v\n", err)
	default:
		fmt.Fprintf(s.Out, "Model: %s (%s)\n", strings.Join(ids, ", "), why)
	}
	<-ctx.Done()
	return nil
}
