// Package service is worker_plan: it starts, watches, edits and deletes runs over HTTP. The types
// on the wire are those of package api.
package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"planexe/internal/config"
	"planexe/internal/llm"
	"planexe/internal/llm/models"
	"planexe/internal/pipeline"
	"planexe/internal/run"
	"planexe/internal/runs"
	"planexe/internal/trace"
)

// Options of a service. Only Settings is needed.
type Options struct {
	Settings config.Worker
	Version  string
	Log      *slog.Logger // default slog.Default
	Output   io.Writer    // gets the lines of log.txt when Settings.Relay is set; default os.Stderr

	// Env reads the environment and .env; it is called again for each run. Default config.LoadEnv.
	Env func() (config.Env, error)
	// Models makes the entries that runs ask. Default models.Build.
	Models func(config.LLM) []*llm.Entry
}

// Service is a worker_plan service: the handler of its routes, and the runs behind it. It is safe
// for concurrent use.
type Service struct {
	settings  config.Worker
	version   string
	log       *slog.Logger
	output    io.Writer
	library   *runs.Library
	manager   *runs.Manager
	graph     *pipeline.Graph
	hub       *llm.Hub
	catalogue *models.Catalogue
	guard     guard
	first     firsts
	info      infoCache
	purges    purges
	pings     chan struct{} // a place for each that is going on
	trace     *trace.Tracer
	handler   http.Handler

	closing context.Context // is over when the service is shut down
	close   context.CancelFunc
	wg      sync.WaitGroup // the purge scheduler
}

// New builds a service over the directory of its settings. Nothing runs before Start.
func New(o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Output == nil {
		o.Output = os.Stderr
	}
	if o.Env == nil {
		o.Env = config.LoadEnv
	}
	if o.Models == nil {
		o.Models = models.Build
	}
	s := &Service{
		settings: o.Settings, version: o.Version, log: o.Log, output: o.Output, hub: llm.NewHub(), guard: newGuard(o.Settings),
		catalogue: models.NewCatalogue(o.Env, o.Models), pings: make(chan struct{}, mostPings),
		trace: trace.Start(o.Settings.Trace, "worker_plan", o.Version, o.Log),
	}
	var err error
	if s.graph, err = run.NewGraph(o.Version); err != nil {
		return nil, err
	}
	if s.library, err = runs.Open(o.Settings.RunDir, o.Settings.HostRunDir); err != nil {
		return nil, fmt.Errorf("find the directory for runs, %s (PLANEXE_RUN_DIR): %w", o.Settings.RunDir, err)
	}
	if err := s.Usable(); err != nil {
		s.log.Error("runs are refused until this is mended", "error", err)
	}
	s.catalogue.Tell(s.log)
	opts := runs.Options{
		Library: s.library, Plan: s.plan, MaxRuns: o.Settings.MaxRuns, Log: o.Log, LogLevel: o.Settings.LogLevel.Level,
		Secrets: s.catalogue.Secrets, Activity: o.Settings.TrackActivity, Trace: s.trace,
	}
	if o.Settings.Relay {
		opts.Relay = &serial{w: o.Output}
	}
	s.manager = runs.NewManager(opts)
	s.closing, s.close = context.WithCancel(context.Background())
	s.handler = s.trace.Handler(s.routes())
	return s, nil
}

// serial lets the lines of many runs through one at a time.
type serial struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *serial) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(line)
}

// Handler serves the routes.
func (s *Service) Handler() http.Handler { return s.handler }

// Runs returns the absolute path of the directory that holds the runs.
func (s *Service) Runs() string { return s.library.Base() }

// Start resumes the runs that were going on when the service last ended, and starts the purge
// scheduler if the settings want it.
func (s *Service) Start() {
	n, err := s.manager.Recover()
	if err != nil {
		s.log.Error("not all interrupted runs could be resumed", "error", err)
	}
	if n > 0 {
		s.log.Info("interrupted runs go on", "runs", n)
	}
	if s.settings.PurgeEnabled {
		s.wg.Go(s.purgeRegularly)
	}
}

// Close ends event streams, interrupts the runs, which go on at the next Start, and waits for them
// until ctx is over.
func (s *Service) Close(ctx context.Context) error {
	s.close()
	err := s.manager.Close(ctx)
	s.wg.Wait()
	s.trace.Close()
	return err
}

// dir returns where a run of this id is or would be, "" for what is no id.
func (s *Service) dir(id string) string {
	path, err := s.library.Path(id)
	if err != nil {
		return ""
	}
	return path
}

// Usable says why runs cannot be kept in the directory for them, and what to do about it. A service stays up all the
// same: it can be mended meanwhile.
func (s *Service) Usable() error {
	if err := s.tryWrite(); err != nil {
		return fmt.Errorf("the directory for runs, %s, cannot be used: %w; %s", s.settings.RunDir, err, mendRuns)
	}
	return nil
}

const mendRuns = "make it writable, or set PLANEXE_RUN_DIR to another one"

// tryWrite tells whether a new run could be written.
func (s *Service) tryWrite() error {
	if err := os.MkdirAll(s.library.Base(), 0o777); err != nil {
		return cause(err)
	}
	f, err := os.CreateTemp(s.library.Base(), ".planexe-check-*")
	if err != nil {
		return cause(err)
	}
	_, err = f.WriteString("x")
	return cause(errors.Join(err, f.Close(), os.Remove(f.Name())))
}

// known tells whether a run directory exists, and why not.
func (s *Service) known(id string) (string, error) {
	path, err := s.library.Find(id)
	switch {
	case errors.Is(err, runs.ErrBadID):
		return "", fail(http.StatusBadRequest, "invalid run directory")
	case err != nil:
		return "", s.failed(err, id, "look for the run")
	}
	return path, nil
}

// seconds rounds a duration for people.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }
