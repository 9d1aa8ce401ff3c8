package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"

	"planexe/internal/config"
	"planexe/internal/llm/models"
	"planexe/internal/opener"
	"planexe/internal/port"
	"planexe/internal/service"
	"planexe/internal/web/kit"
	"planexe/internal/web/single"
)

type upCmd struct {
	Host    string `help:"Address of the web interface, instead of 127.0.0.1, which is this computer only." placeholder:"ADDRESS"`
	Port    int    `help:"Port of the web interface, instead of 7860." placeholder:"PORT"`
	RunDir  string `help:"Directory that holds the plans, instead of PLANEXE_RUN_DIR." placeholder:"DIR"`
	Open    bool   `negatable:"" default:"true" help:"Open a browser, on a desktop."`
	OpenDir bool   `negatable:"" default:"true" help:"Let the web interface open a plan's folder, on a desktop and for this computer only."`
}

func (c *upCmd) Run(s streams) error {
	ctx, done := signals()
	defer done()
	return c.up(ctx, s, place{load: config.LoadEnv, desktop: hasDesktop(runtime.GOOS, os.Getenv), browse: openFile, show: opener.Desktop()})
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
func (c *upCmd) up(ctx context.Context, s streams, here place) error {
	env, err := here.load()
	if err != nil {
		return err
	}
	var worker config.Worker
	var ui config.Single
	settings := c.settings(env)
	if err := errors.Join(config.Load(&worker, settings), config.Load(&ui, settings)); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: logLevel(env, worker)}))

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

	svc, err := service.New(service.Options{Settings: worker, Version: versionName(), Log: log, Output: s.err, Env: here.load})
	if err != nil {
		return err
	}
	ui.WorkerURL = "http://" + reachable(workerAt)
	handler, err := single.New(c.interfaceOptions(ui, svc, here, log))
	if err != nil {
		return err
	}
	address := "http://" + reachable(uiAt)
	fmt.Fprintf(s.out, "PlanExe: %s\nPlans are kept in %s\nAPI: %s, described at %s/docs\n"+
		"Ctrl-C ends it; plans that are not done go on at the next start.\n", address, svc.Runs(), ui.WorkerURL, ui.WorkerURL)
	if !config.Loopback(ui.Host) && ui.Password == "" {
		fmt.Fprintf(s.out, "Whoever reaches %s can read, make and delete plans: set PLANEXE_PASSWORD to have it ask for a password.\n", uiAt.Addr())
	}
	if c.Open && here.desktop {
		if err := here.browse(address); err != nil {
			log.Warn("no browser could be opened", "error", err)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() { ended <- svc.Serve(ctx, workerAt) }()
	go func() { ended <- kit.Serve(ctx, uiAt, handler) }()
	tellModel(ctx, s, env, worker.Model)
	first := <-ended
	cancel()
	return errors.Join(first, <-ended)
}

// settings is the environment as it counts for services on one's own computer: nobody else can reach
// them unless that is asked for, and paths mean this computer.
func (c *upCmd) settings(env config.Env) config.Env {
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

// logLevel leaves the terminal to what a person has to know, unless a level is asked for.
func logLevel(env config.Env, c config.Worker) slog.Level {
	if _, set := env.Lookup("PLANEXE_LOG_LEVEL"); set {
		return c.LogLevel.Level
	}
	return slog.LevelWarn
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
func (c *upCmd) interfaceOptions(ui config.Single, svc *service.Service, here place, log *slog.Logger) single.Options {
	o := single.FromConfig(ui)
	o.Version, o.Log = versionName(), log
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

// tellModel says what a plan will be made with, for one that does not name a model.
func tellModel(ctx context.Context, s streams, env config.Env, requested string) {
	l, err := config.LoadLLM(env)
	if err != nil {
		fmt.Fprintf(s.out, "Model: none can be used: %v\n", err)
		return
	}
	ids, why, err := config.Choose(ctx, l, requested, models.Probe)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		fmt.Fprintf(s.out, "Model: none can be used: %v\n", err)
	default:
		fmt.Fprintf(s.out, "Model: %s (%s)\n", strings.Join(ids, ", "), why)
	}
}
