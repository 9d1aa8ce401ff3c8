//go:build unix

package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"planexe/internal/pgembed"
	"planexe/internal/pgtest"
	"planexe/internal/store"
)

// Ensure that thousands of tasks on eight workers are each done once, while workers, connections and
// Postgres itself are killed at random. It takes minutes, so it runs only when PLANEXE_SOAK says how many:
// PLANEXE_SOAK=10000 go test -run Soak -timeout 60m -v ./cmd/worker_plan_database
func TestSoak(t *testing.T) {
	tasks, err := strconv.Atoi(os.Getenv("PLANEXE_SOAK"))
	if err != nil {
		t.Skip("skipped: PLANEXE_SOAK does not say how many tasks")
	}
	ctx := t.Context()
	quiet := slog.New(slog.DiscardHandler)
	o := pgembed.Options{Dir: pgtest.Dir(t), Settings: []string{"max_connections=300"}, Log: quiet}
	c, err := pgembed.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Socket = c.Socket()
	t.Cleanup(func() { _ = c.Stop() })
	dsn := c.DSN(pgembed.User)
	pool, err := store.Open(ctx, store.Options{DSN: dsn, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	w := newWorld(t, dsn, 0)
	w.crashes = 1000
	if _, err := pool.Exec(ctx, `insert into task_item (state, prompt, user_id, origin, parameters, fair_tag)
		select 'pending', 'Open a small bakery', 'u' || mod(n, 50), 'ui', '{"speed_vs_detail": "ping_llm"}', n / 50 from generate_series(1, $1::int) n`, tasks); err != nil {
		t.Fatal(err)
	}
	var workers []*process
	for i := range 8 {
		workers = append(workers, w.start(fmt.Sprint("w", i), "", ""))
	}
	r := rand.New(rand.NewPCG(1, 2))
	kills := map[string]int{}
	began := time.Now()
	last, at := 0, began
	calm := func() bool { return last > tasks*9/10 } // the end shows whether the throughput is back
	for done := 0; done < tasks; {
		time.Sleep(500 * time.Millisecond)
		if time.Since(at) > 5*time.Second {
			t.Logf("%3.0f s: %d done, %.0f a second; kills %v", time.Since(began).Seconds(), done, float64(done-last)/time.Since(at).Seconds(), kills)
			last, at = done, time.Now()
		}
		if err := pool.QueryRow(ctx, "select count(*) from task_item where state not in ('pending', 'processing')").Scan(&done); err != nil || calm() {
			continue // killed
		}
		if time.Since(began) > 50*time.Minute {
			t.Fatalf("%d of %d are done", done, tasks)
		}
		switch n := r.IntN(20); {
		case n == 0:
			kills["postgres"]++
			_ = syscall.Kill(c.PID(), syscall.SIGQUIT) // no checkpoint, no goodbye
			<-c.Done()
			if c, err = pgembed.Start(context.Background(), o); err != nil {
				t.Fatal(err)
			}
		case n < 4:
			kills["worker"]++
			i := r.IntN(len(workers))
			_ = workers[i].Process.Kill()
			<-workers[i].ended
			workers[i] = w.start(fmt.Sprint("w", i), workers[i].Dir, "")
		case n < 10:
			kills["connection"]++
			_, _ = pool.Exec(ctx, "select pg_terminate_backend(pid) from (select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() order by random() limit 3) x")
		}
	}
	t.Logf("%d tasks in %s, kills %v", tasks, time.Since(began).Round(time.Second), kills)
	var completed, doubled, twice, lost int
	err = pool.QueryRow(ctx, `select (select count(*) from task_item where state = 'completed'),
		(select count(*) from (select task_id from events where event_type = 'TASK_COMPLETED' group by 1 having count(*) > 1) x),
		(select count(*) from (select task_id, context ->> 'attempt' from events where event_type = 'TASK_PROCESSING' group by 1, 2 having count(*) > 1) x),
		(select count(*) from task_item where generated_report_html is null)`).Scan(&completed, &doubled, &twice, &lost)
	if err != nil || completed != tasks || doubled+twice+lost > 0 {
		t.Errorf("%d of %d completed, %d completed twice, %d claimed twice, %d without a report, %v", completed, tasks, doubled, twice, lost, err)
	}
}
