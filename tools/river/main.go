// Command river measures River (github.com/riverqueue/river) the way the benchmarks of
// internal/queue measure ours: same machine, same kind of cluster, same load, and with
// PLANEXE_TEST_ROWS as many ended jobs. It is a module of its own, so that River is no dependency of
// the project. scripts/bench-queue runs both by turns.
//
//	go run -C tools/river .
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"planexe/internal/pgembed"
)

// job does nothing: the queue is what is measured.
type job struct {
	N int `json:"n"`
}

func (job) Kind() string { return "job" }

type worker struct {
	river.WorkerDefaults[job]
	worked func(int)
}

func (w *worker) Work(_ context.Context, j *river.Job[job]) error {
	w.worked(j.Args.N)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "river:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "planexe-river-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres may run as another user
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	c, err := pgembed.Start(ctx, pgembed.Options{Dir: filepath.Join(dir, "pg"), Settings: []string{"max_connections=200"}, Log: quiet})
	if err != nil {
		return err
	}
	defer c.Stop()
	pool, err := pgxpool.New(ctx, c.DSN(pgembed.User)+"&pool_max_conns=16")
	if err != nil {
		return err
	}
	defer pool.Close()
	m, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	if err := ended(ctx, pool); err != nil {
		return err
	}
	for _, c := range []struct {
		name   string
		config river.Config
	}{
		{"default settings", river.Config{}},
		{"FetchCooldown 2 ms, poll 100 ms", river.Config{FetchCooldown: 2 * time.Millisecond, FetchPollInterval: 100 * time.Millisecond}},
	} {
		c.config.Logger = quiet
		if err := idle(ctx, pool, c.name, c.config); err != nil {
			return err
		}
		if err := throughput(ctx, pool, c.name, c.config); err != nil {
			return err
		}
	}
	return nil
}

// ended fills the table with jobs that have ended: PLANEXE_TEST_ROWS, none by default.
func ended(ctx context.Context, pool *pgxpool.Pool) error {
	rows, _ := strconv.Atoi(os.Getenv("PLANEXE_TEST_ROWS"))
	if rows == 0 {
		return nil
	}
	if _, err := pool.Exec(ctx, `insert into river_job (state, attempt, max_attempts, finalized_at, kind, args)
		select 'completed', 1, 25, now(), 'job', jsonb_build_object('n', n) from generate_series(1, $1::int) n`, rows); err != nil {
		return err
	}
	for _, sql := range []string{"vacuum analyze river_job", "checkpoint"} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// start runs a client with this many workers.
func start(ctx context.Context, pool *pgxpool.Pool, config river.Config, slots int, worked func(int)) (*river.Client[pgx.Tx], error) {
	config.Workers = river.NewWorkers()
	river.AddWorker(config.Workers, &worker{worked: worked})
	config.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: slots}}
	client, err := river.NewClient(riverpgxv5.New(pool), &config)
	if err != nil {
		return nil, err
	}
	return client, client.Start(ctx)
}

// idle tells the time from insert to work, three clients waiting.
func idle(ctx context.Context, pool *pgxpool.Pool, name string, config river.Config) error {
	worked := make(chan time.Time, 1)
	var clients []*river.Client[pgx.Tx]
	for range 3 {
		c, err := start(ctx, pool, config, 1, func(int) { worked <- time.Now() })
		if err != nil {
			return err
		}
		clients = append(clients, c)
	}
	time.Sleep(time.Second) // until they listen
	var took []time.Duration
	for n := range 300 {
		began := time.Now()
		if _, err := clients[0].Insert(ctx, job{n}, nil); err != nil {
			return err
		}
		took = append(took, (<-worked).Sub(began))
		time.Sleep(5 * time.Millisecond)
	}
	slices.Sort(took)
	fmt.Printf("%s: insert to work p50 %v, p90 %v, p99 %v\n", name, took[len(took)/2], took[len(took)*9/10], took[len(took)*99/100])
	for _, c := range clients {
		if err := c.Stop(ctx); err != nil {
			return err
		}
	}
	return nil
}

// throughput tells how many jobs a second eight workers take.
func throughput(ctx context.Context, pool *pgxpool.Pool, name string, config river.Config) error {
	const jobs = 2000
	params := make([]river.InsertManyParams, jobs)
	for i := range params {
		params[i] = river.InsertManyParams{Args: job{i}}
	}
	config.Logger = slog.New(slog.DiscardHandler)
	inserter, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: config.Logger})
	if err != nil {
		return err
	}
	if _, err := inserter.InsertMany(ctx, params); err != nil {
		return err
	}
	var n atomic.Int64
	done := make(chan struct{})
	began := time.Now()
	c, err := start(ctx, pool, config, 8, func(int) {
		if n.Add(1) == jobs {
			close(done)
		}
	})
	if err != nil {
		return err
	}
	<-done
	fmt.Printf("%s: %.0f jobs/s\n", name, jobs/time.Since(began).Seconds())
	return c.Stop(ctx)
}
