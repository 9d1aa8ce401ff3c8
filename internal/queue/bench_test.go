package queue_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"planexe/internal/pgembed"
	"planexe/internal/pgtest"
	"planexe/internal/queue"
	"planexe/internal/store"
)

// durable is a queue on a cluster with Postgres's own settings: every commit is on disk.
func durable(b *testing.B, conns int) *bench {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	c, err := pgembed.Start(context.Background(), pgembed.Options{Dir: pgtest.Dir(b), Settings: []string{"max_connections=200"}, Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Stop() })
	pool, err := store.Open(context.Background(), store.Options{DSN: c.DSN(pgembed.User), MaxConn: conns, Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return &bench{b, pool, queue.New(pool, queue.Limits{}), worker("a"), worker("b")}
}

// rows fills the table with ended tasks: PLANEXE_TEST_ROWS, none by default. It returns how many.
func (b *bench) rows() int {
	n, _ := strconv.Atoi(os.Getenv("PLANEXE_TEST_ROWS"))
	if n > 0 {
		b.slowly(fmt.Sprintf(fill, n))
		b.slowly("vacuum analyze task_item")
		b.slowly("checkpoint")
	}
	return n
}

// BenchmarkIdle tells the time from the insert of a task, committed, to its claim, committed, by a
// worker that was idle. go test -run '^$' -bench Idle -benchtime 500x ./internal/queue
func BenchmarkIdle(bb *testing.B) {
	b := durable(bb, 8)
	b.rows()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	claimed := make(chan time.Time, 1)
	ready := make(chan struct{})
	for _, w := range []queue.Identity{worker("1"), worker("2"), worker("3")} {
		wake := make(chan struct{}, 1)
		go b.q.Listen(ctx, nil, func(e queue.Wake) {
			if e.Kind == queue.WakeConnected {
				ready <- struct{}{}
				return
			}
			select {
			case wake <- struct{}{}:
			default:
			}
		}, func(error) {}, queue.WakeTask)
		go func() {
			for range wake {
				if tasks, err := b.q.Claim(ctx, w, 1); err == nil && len(tasks) > 0 {
					claimed <- time.Now()
				}
			}
		}()
		<-ready
	}
	var took []time.Duration
	for bb.Loop() {
		began := time.Now()
		b.create("u")
		took = append(took, (<-claimed).Sub(began))
		time.Sleep(5 * time.Millisecond) // idle again
	}
	report(bb, took)
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	for _, p := range []int{50, 90, 99} {
		b.ReportMetric(float64(took[(len(took)-1)*p/100].Microseconds())/1000, fmt.Sprintf("ms/p%d", p))
	}
}

// BenchmarkClaims tells how many one-row claims a second eight workers make, each with lease, fair order and event row. With
// PLANEXE_TEST_ROWS it measures by turns in an empty table and in one with so many ended tasks, and how the two compare.
// go test -run '^$' -bench Claims -benchtime 5000x ./internal/queue
func BenchmarkClaims(bb *testing.B) {
	const turns = 10
	empty := durable(bb, 8)
	tables := map[string]*bench{"empty": empty}
	if full := durable(bb, 8); full.rows() > 0 {
		tables["full"] = full
	}
	claims := max(bb.N/turns, 1)
	for _, b := range tables {
		b.exec("insert into task_item (state, prompt, user_id, fair_tag) select 'pending', 'x', 'u' || n % 50, n / 50 from generate_series(1, $1::int) n", turns*claims+8)
		b.slowly("vacuum analyze task_item")
		b.slowly("checkpoint")
	}
	took := map[string][]time.Duration{}
	bb.ResetTimer()
	for range turns {
		for name, b := range tables {
			took[name] = append(took[name], b.claimAll(claims))
		}
	}
	for name, list := range took {
		slices.Sort(list)
		bb.ReportMetric(float64(claims)/list[turns/2].Seconds(), name+"-claims/s")
	}
	if tables["full"] != nil {
		bb.ReportMetric(100*took["empty"][turns/2].Seconds()/took["full"][turns/2].Seconds(), "%-of-empty")
	}
}

// claimAll has eight workers claim so many tasks, one by one.
func (b *bench) claimAll(n int) time.Duration {
	var left atomic.Int64
	left.Store(int64(n))
	began := time.Now()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			w := worker(fmt.Sprint(i))
			for left.Add(-1) >= 0 {
				if _, err := b.q.Claim(context.Background(), w, 1); err != nil {
					b.t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}
