//go:build unix

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	fleet     = 4  // workers
	places    = 12 // tasks at once of each
	thinking  = 2 * time.Second
	window    = 30 * time.Second
	settling  = 15 * time.Second
	leastBack = 0.98
)

// Ensure that the throughput is back after each kind of fault, and that nothing is lost and nothing doubled. The tasks wait for a
// model most of the time, as plans do: so what is measured is whether all workers are at work with all their places, and not the machine.
// It takes a minute per fault and round, so it runs only when PLANEXE_SCENARIOS says how many rounds:
// PLANEXE_SCENARIOS=3 go test -run Scenarios -timeout 60m -v ./cmd/worker_plan_database
func TestScenarios(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("PLANEXE_SCENARIOS"))
	if err != nil {
		t.Skip("skipped: PLANEXE_SCENARIOS does not say how many rounds")
	}
	ctx := t.Context()
	s := newServer(t, "max_connections=120")
	w := newWorld(t, s.dsn(), int(thinking.Milliseconds()))
	w.crashes = 1000
	w.env = []string{"PLANEXE_WORKER_CONCURRENCY=" + strconv.Itoa(places)}
	feeding, enough := context.WithCancel(ctx)
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		for feeding.Err() == nil {
			var waiting int
			if err := s.pool.QueryRow(ctx, "select count(*) from task_item where state = 'pending'").Scan(&waiting); err == nil && waiting < 1000 {
				_ = s.fill(ctx, 1000) // fails in the middle of a fault; the next time does it
			}
			select {
			case <-time.After(time.Second):
			case <-feeding.Done():
			}
		}
	}()
	defer func() { enough(); <-fed }()
	var workers []*process
	for i := range fleet {
		workers = append(workers, w.start(fmt.Sprint("w", i), "", ""))
	}
	r := rand.New(rand.NewPCG(3, 4))
	killWorker := func(pause time.Duration) {
		i := r.IntN(fleet)
		workers[i] = w.restart(workers[i], pause)
	}
	ask := func(dst any, sql string, args ...any) {
		t.Helper()
		var err error
		for range 50 { // connections that the fault has left broken are found one by one
			if err = s.pool.QueryRow(ctx, sql, args...).Scan(dst); err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Fatal(err)
	}
	now := func() (at time.Time) { ask(&at, "select now()"); return at }
	// rate is how many tasks a second end in a window from now on.
	rate := func() float64 {
		began := now()
		time.Sleep(window)
		var n int
		ask(&n, "select count(*) from task_item where finished_at >= $1 and finished_at < $1 + $2::interval", began, window)
		return float64(n) / window.Seconds()
	}
	// back is the second after an instant from which on, for three seconds, as many tasks ended as at this rate.
	back := func(ended time.Time, rate float64) (seconds int) {
		ask(&seconds, `select coalesce(min(s), 999) from generate_series(0, $3::int) s where (select count(*) from task_item
			where finished_at >= $1::timestamptz + s * interval '1 s' and finished_at < $1::timestamptz + (s + 3) * interval '1 s') >= $2::float8 * 3`, ended, 0.9*rate, int((settling + window).Seconds()))
		return seconds
	}
	time.Sleep(settling)
	before := rate()

	for _, scenario := range []struct {
		name  string
		fault func()
	}{
		{"none, for comparison", func() {}},
		{"Postgres restarted, 2 s away", func() { s.end(syscall.SIGINT); time.Sleep(2 * time.Second); s.start() }},
		{"every connection killed, five times in 5 s", func() {
			for range 5 {
				s.cut(ctx, 1000)
				time.Sleep(time.Second)
			}
		}},
		{"no connection to be had for 10 s", func() { s.crowd(ctx, 10*time.Second) }},
		{"every connection of every pool waits for a lock for 10 s", func() {
			err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "lock table task_item in access exclusive mode")
				time.Sleep(10 * time.Second)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}},
		{"a worker killed, 2 s away", func() { killWorker(2 * time.Second) }},
		{"repeated kills of workers, connections and Postgres for 20 s", func() {
			for i := range 10 {
				switch {
				case i == 5:
					s.end(syscall.SIGQUIT)
					s.start()
				case i%2 == 0:
					killWorker(0)
				default:
					s.cut(ctx, 20)
				}
				time.Sleep(2 * time.Second)
			}
		}},
	} {
		var befores, afters, ratios []float64
		var took []int
		for range rounds {
			scenario.fault()
			ended := now()
			time.Sleep(settling)
			after := rate()
			took = append(took, back(ended, before))
			befores, afters, ratios = append(befores, before), append(afters, after), append(ratios, after/before)
			before = after
		}
		for _, list := range [][]float64{befores, afters, ratios} {
			slices.Sort(list)
		}
		slices.Sort(took)
		mid := rounds / 2
		t.Logf("%-60s %5.1f a second before, %5.1f after: %5.1f %% (rounds: %.3f); back after %d s", scenario.name, befores[mid], afters[mid], 100*afters[mid]/befores[mid], ratios, took[mid])
		if afters[mid] < leastBack*befores[mid] {
			t.Errorf("%s: %.1f a second before, %.1f after", scenario.name, befores[mid], afters[mid])
		}
	}
	enough()
	<-fed
	w.await("done", func() bool {
		var left int
		err := s.pool.QueryRow(ctx, "select count(*) from task_item where state in ('pending', 'processing')").Scan(&left)
		return err == nil && left == 0
	})
	s.once()
}

// crowd takes every connection that the server has to give, those of the workers too, and lets go of them after a while.
func (s *server) crowd(ctx context.Context, d time.Duration) {
	var taken []*pgx.Conn
	for began := time.Now(); time.Since(began) < d; {
		conn, err := pgx.Connect(ctx, s.dsn())
		if err != nil { // full: the workers have the rest
			s.cut(ctx, 5)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		taken = append(taken, conn)
	}
	for _, conn := range taken {
		_ = conn.Close(ctx)
	}
}
