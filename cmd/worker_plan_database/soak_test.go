//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
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
	s := newServer(t, "max_connections=300")
	w := newWorld(t, s.dsn(), 0)
	w.crashes = 1000
	if err := s.fill(ctx, tasks); err != nil {
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
		if err := s.pool.QueryRow(ctx, "select count(*) from task_item where state not in ('pending', 'processing')").Scan(&done); err != nil || calm() {
			continue // killed
		}
		if time.Since(began) > 50*time.Minute {
			t.Fatalf("%d of %d are done", done, tasks)
		}
		switch n := r.IntN(20); {
		case n == 0:
			kills["postgres"]++
			s.end(syscall.SIGQUIT)
			s.start()
		case n < 4:
			kills["worker"]++
			i := r.IntN(len(workers))
			workers[i] = w.restart(workers[i], 0)
		case n < 10:
			kills["connection"]++
			s.cut(ctx, 3)
		}
	}
	t.Logf("%d tasks in %s, kills %v", tasks, time.Since(began).Round(time.Second), kills)
	s.once()
}
