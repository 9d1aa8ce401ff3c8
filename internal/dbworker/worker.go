// Package dbworker is worker_plan_database: it takes tasks from the queue, several at once, and makes
// plans of them.
package dbworker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/config"
	"planexe/internal/llm"
	"planexe/internal/llm/models"
	"planexe/internal/pipeline"
	"planexe/internal/queue"
	"planexe/internal/run"
	"planexe/internal/store"
	"planexe/internal/trace"
)

// Options of a worker. Settings is needed.
type Options struct {
	Settings config.DatabaseWorker
	Version  string
	Log      *slog.Logger // default slog.Default

	// Env reads the environment and .env; it is called again for each task. Default config.LoadEnv.
	Env func() (config.Env, error)
	// Models makes the entries that runs ask. Default models.Build.
	Models func(config.LLM) []*llm.Entry
	// Point is called where a crash would hurt, so that tests can have one there. Nil is nothing.
	Point func(at string)
}

// Worker takes tasks and runs them.
type Worker struct {
	o        Options
	settings config.DatabaseWorker
	log      *slog.Logger
	base     string // of run directories, absolute
	graph    *pipeline.Graph
	hub      *llm.Hub
	models   *models.Catalogue
	trace    *trace.Tracer

	pool   *pgxpool.Pool // of everything but the leases
	beats  *pgxpool.Pool // one connection that nothing else can keep busy
	queue  *queue.Queue
	leases *queue.Queue // the same queue through beats
	me     queue.Identity

	wake  chan struct{} // has room for one: look at the queue
	renew chan struct{} // likewise: renew now
	doubt atomic.Bool   // a claim ended in an error: it may have been carried out

	mu       sync.Mutex
	jobs     map[uuid.UUID]*job
	draining bool
	blocked  string    // why nothing is claimed, "" when all is well
	away     bool      // the last renewal failed
	since    time.Time // when it was lost
	back     time.Time // when the database was found again
	turned   map[string]time.Time

	claiming sync.Mutex // a claim and the entry of its jobs are one
	runs     sync.WaitGroup
	metrics  metrics
}

// errShutdown is the cause by which runs are interrupted when the worker ends.
var errShutdown = errors.New("the worker was shut down")

// New builds a worker. Nothing runs before Run.
func New(o Options) (*Worker, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Env == nil {
		o.Env = config.LoadEnv
	}
	if o.Models == nil {
		o.Models = models.Build
	}
	if o.Point == nil {
		o.Point = func(string) {}
	}
	base, err := filepath.Abs(o.Settings.RunDir)
	if err != nil {
		return nil, fmt.Errorf("PLANEXE_RUN_DIR: %w", err)
	}
	graph, err := run.NewGraph(o.Version)
	if err != nil {
		return nil, err
	}
	return &Worker{
		o: o, settings: o.Settings, log: o.Log, base: base, graph: graph, hub: llm.NewHub(), models: models.NewCatalogue(o.Env, o.Models),
		trace: trace.Start(o.Settings.Trace, "worker_plan_database", o.Version, o.Log),
		wake:  make(chan struct{}, 1), renew: make(chan struct{}, 1), jobs: map[uuid.UUID]*job{}, turned: map[string]time.Time{},
	}, nil
}

// Run works until ctx is over, then lets calls under way end, gives the tasks back and returns nil.
// An error means that it could not begin.
func (w *Worker) Run(ctx context.Context) error {
	defer w.trace.Close()
	if err := os.MkdirAll(w.base, 0o777); err != nil {
		w.log.Error("the directory for runs cannot be made", "dir", w.base, "error", err) // probe says so too, and goes on looking
	}
	closeHealth := w.serveHealth()
	defer closeHealth()
	if err := w.connect(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // told to end while it waited
		}
		return err
	}
	defer w.pool.Close()
	defer w.beats.Close()

	listening, stopListening := context.WithCancel(context.WithoutCancel(ctx))
	defer stopListening()
	var loops sync.WaitGroup
	defer loops.Wait()
	defer stopListening()
	if err := w.identify(ctx, listening, &loops); err != nil {
		return nil // only when told to end
	}
	w.log = w.log.With("worker_id", w.me.ID)
	if err := w.begin(ctx); err != nil {
		return nil // likewise
	}
	w.log.Info("worker is ready", "tasks_at_once", w.settings.Slots, "run_dir", w.base)

	renewing, stopRenewing := context.WithCancel(listening)
	defer stopRenewing()
	var last, work sync.WaitGroup
	last.Go(func() { w.every(renewing, "renew", w.settings.Lease.Duration()/3, w.renew, w.renewAll) })
	work.Go(func() { w.every(ctx, "claim", w.settings.Poll.Duration(), w.wake, w.look) })
	work.Go(func() { w.every(ctx, "reap", w.settings.Poll.Duration(), nil, w.reap) })
	work.Go(func() { w.every(ctx, "probe", probeEvery, nil, w.probe) })
	work.Go(func() { w.every(ctx, "outbox", w.settings.Poll.Duration(), nil, w.send) })
	work.Go(func() { w.every(ctx, "housekeeping", time.Hour, nil, w.housekeep) })
	<-ctx.Done()
	w.drain()
	work.Wait()
	stopRenewing() // leases were renewed until here
	last.Wait()
	w.farewell()
	return nil
}

// connect waits for the database and migrates it.
func (w *Worker) connect(ctx context.Context) error {
	dsn, err := w.settings.DSN()
	if err != nil {
		return err
	}
	if w.pool, err = store.Open(ctx, store.Options{DSN: dsn, MaxConn: max(4, min(16, w.settings.Slots)), Log: w.log}); err != nil {
		return err
	}
	c, err := store.Config(store.Options{DSN: dsn, MaxConn: 1})
	if err == nil {
		c.ConnConfig.RuntimeParams["statement_timeout"] = "5s"
		w.beats, err = pgxpool.NewWithConfig(ctx, c)
	}
	if err != nil {
		w.pool.Close()
		return err
	}
	limits := queue.Limits{Lease: w.settings.Lease.Duration(), MaxCrashes: w.settings.MaxCrashes}
	w.queue, w.leases = queue.New(w.pool, limits), queue.New(w.beats, limits)
	return nil
}

// every calls f now, at each tick (± 20 %, so that workers spread) and when woken, until ctx is over.
func (w *Worker) every(ctx context.Context, name string, pause time.Duration, wake <-chan struct{}, f func(context.Context)) {
	for {
		w.mu.Lock()
		w.turned[name] = time.Now()
		w.mu.Unlock()
		f(ctx)
		t := time.NewTimer(time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64())))
		select {
		case <-t.C:
		case <-wake:
		case <-ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// look claims tasks for the free places.
func (w *Worker) look(ctx context.Context) {
	w.mu.Lock()
	free := w.settings.Slots - len(w.jobs)
	ready := w.blocked == "" && !w.draining
	w.mu.Unlock()
	if free <= 0 || !ready {
		return
	}
	w.claiming.Lock()
	defer w.claiming.Unlock()
	asked := time.Now() // before the database counts
	claim, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	tasks, err := w.queue.Claim(claim, w.me, free)
	if err != nil {
		w.doubt.Store(true)
		if ctx.Err() == nil {
			w.log.Warn("no tasks can be claimed", "error", err)
		}
		return
	}
	for _, t := range tasks {
		w.metrics.claims.Add(1)
		w.metrics.delay(t.Waited)
		w.log.Info("task claimed", "task_id", t.ID, "attempt", t.Attempt, "speed", t.Parameters.Speed, "waited", t.Waited.Round(time.Millisecond))
		w.o.Point("claimed")
		w.start(t, asked)
	}
}

// reap takes back what other workers lost.
func (w *Worker) reap(ctx context.Context) {
	w.mu.Lock()
	early := w.away || time.Since(w.back) < w.settings.Lease.Duration()/3
	w.mu.Unlock()
	if early {
		return // after an outage everybody renews first
	}
	n, err := w.queue.Reap(ctx, w.me)
	switch {
	case err != nil && ctx.Err() == nil:
		w.log.Warn("lost tasks cannot be looked for", "error", err)
	case n > 0:
		w.metrics.reaps.Add(int64(n))
		w.log.Warn("tasks of lost workers were taken back", "tasks", n)
	}
}

func (w *Worker) housekeep(ctx context.Context) {
	day := 24 * time.Hour
	err := w.queue.Housekeep(ctx, queue.Retention{Events: time.Duration(w.settings.EventDays) * day, Nonces: 30 * day, Workers: 7 * day})
	if err != nil && ctx.Err() == nil {
		w.log.Warn("old rows cannot be deleted", "error", err)
	}
	if w.settings.Retention == 0 {
		return
	}
	n, err := queue.Sweep(w.base, time.Duration(w.settings.Retention)*day)
	if err != nil {
		w.log.Warn("old run directories cannot be removed", "error", err)
	}
	if n > 0 {
		w.log.Info("old run directories were removed", "directories", n)
	}
}

func (w *Worker) job(id uuid.UUID) *job {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.jobs[id]
}

// signal fills a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
