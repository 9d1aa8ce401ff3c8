//go:build unix

package main

import (
	"context"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/pgembed"
	"planexe/internal/pgtest"
	"planexe/internal/store"
)

// server is a Postgres of its own, with its own settings (every commit is on disk), that a test ends and starts again.
type server struct {
	t       *testing.T
	options pgembed.Options
	cluster *pgembed.Cluster
	pool    *pgxpool.Pool
}

func newServer(t *testing.T, settings ...string) *server {
	t.Helper()
	s := &server{t: t, options: pgembed.Options{Dir: pgtest.Dir(t), Settings: settings, Log: slog.New(slog.DiscardHandler)}}
	s.start()
	s.options.Socket = s.cluster.Socket()
	t.Cleanup(func() { _ = s.cluster.Stop() })
	var err error
	if s.pool, err = store.Open(t.Context(), store.Options{DSN: s.dsn(), Log: s.options.Log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.pool.Close)
	return s
}

func (s *server) dsn() string { return s.cluster.DSN(pgembed.User) }

func (s *server) start() {
	s.t.Helper()
	var err error
	if s.cluster, err = pgembed.Start(context.Background(), s.options); err != nil {
		s.t.Fatal(err)
	}
}

// end sends SIGINT, for a shutdown in order, or SIGQUIT, for none.
func (s *server) end(sig syscall.Signal) {
	_ = syscall.Kill(s.cluster.PID(), sig)
	<-s.cluster.Done()
}

// fill makes tasks that ask the model once, of fifty users.
func (s *server) fill(ctx context.Context, tasks int) error {
	_, err := s.pool.Exec(ctx, `insert into task_item (state, prompt, user_id, origin, parameters, fair_tag)
		select 'pending', 'Open a small bakery', 'u' || mod(n, 50), 'ui', '{"speed_vs_detail": "ping_llm"}', n / 50 from generate_series(1, $1::int) n`, tasks)
	return err
}

// cut ends this many connections of others, chosen at random.
func (s *server) cut(ctx context.Context, connections int) {
	_, _ = s.pool.Exec(ctx, `select pg_terminate_backend(pid) from (
		select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() order by random() limit $1) x`, connections)
}

// restart kills a worker, and starts it again with its disk after a pause.
func (w *world) restart(p *process, pause time.Duration) *process {
	w.t.Helper()
	_ = p.Process.Kill()
	<-p.ended
	time.Sleep(pause)
	return w.start(p.id, p.Dir, "")
}

// once checks that every task was done, and each once.
func (s *server) once() {
	s.t.Helper()
	var tasks, completed, doubled, twice, without int
	err := s.pool.QueryRow(s.t.Context(), `select (select count(*) from task_item), (select count(*) from task_item where state = 'completed'),
		(select count(*) from (select task_id from events where event_type = 'TASK_COMPLETED' group by 1 having count(*) > 1) x),
		(select count(*) from (select task_id, context ->> 'attempt' from events where event_type = 'TASK_PROCESSING' group by 1, 2 having count(*) > 1) x),
		(select count(*) from task_item where generated_report_html is null)`).Scan(&tasks, &completed, &doubled, &twice, &without)
	if err != nil || completed != tasks || doubled+twice+without > 0 {
		s.t.Errorf("%d of %d completed, %d completed twice, %d claimed twice, %d without a report, %v", completed, tasks, doubled, twice, without, err)
	}
	s.t.Logf("%d of %d tasks completed, %d of them twice; %d claims counted twice", completed, tasks, doubled, twice)
}
