package dbworker

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"planexe/internal/queue"
)

// metrics count what the worker has done.
type metrics struct {
	claims, lost, reaps, renewFailures, progressFailures atomic.Int64
	delays, durations                                    mean

	mu   sync.Mutex
	ends map[queue.State]int64
}

// mean is a sum and how many it is of, as Prometheus wants it.
type mean struct {
	mu    sync.Mutex
	sum   float64
	count int64
}

func (m *mean) add(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum += d.Seconds()
	m.count++
}

func (m *metrics) delay(d time.Duration)   { m.delays.add(d) }
func (m *metrics) runTime(d time.Duration) { m.durations.add(d) }

func (m *metrics) finished(s queue.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ends == nil {
		m.ends = map[queue.State]int64{}
	}
	m.ends[s]++
}

// write is the Prometheus text format.
func (m *metrics) write(out io.Writer, worker string) {
	label := "{worker_id=" + strconv.Quote(worker) + "}"
	for _, c := range []struct {
		name, help string
		value      int64
	}{
		{"claims_total", "Tasks claimed.", m.claims.Load()},
		{"lost_leases_total", "Tasks that were taken from this worker.", m.lost.Load()},
		{"reaps_total", "Tasks of other workers that were taken back.", m.reaps.Load()},
		{"renew_failures_total", "Renewals of leases that failed.", m.renewFailures.Load()},
		{"progress_failures_total", "Writes of progress that failed.", m.progressFailures.Load()},
	} {
		fmt.Fprintf(out, "# HELP planexe_%s %s\n# TYPE planexe_%s counter\nplanexe_%s%s %d\n", c.name, c.help, c.name, c.name, label, c.value)
	}
	for _, s := range []struct {
		name, help string
		m          *mean
	}{
		{"claim_delay_seconds", "From the creation of a task to its claim.", &m.delays},
		{"task_seconds", "From a claim to its end.", &m.durations},
	} {
		s.m.mu.Lock()
		fmt.Fprintf(out, "# HELP planexe_%s %s\n# TYPE planexe_%s summary\nplanexe_%s_sum%s %g\nplanexe_%s_count%s %d\n",
			s.name, s.help, s.name, s.name, label, s.m.sum, s.name, label, s.m.count)
		s.m.mu.Unlock()
	}
	fmt.Fprint(out, "# HELP planexe_finished_total Tasks ended, by state.\n# TYPE planexe_finished_total counter\n")
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range []queue.State{queue.Completed, queue.Failed, queue.Stopped} {
		fmt.Fprintf(out, "planexe_finished_total{worker_id=%q,state=%q} %d\n", worker, s, m.ends[s])
	}
}

// serveHealth answers probes. A port that is taken is no reason not to work.
func (w *Worker) serveHealth() (closeIt func()) {
	address := net.JoinHostPort(w.settings.HealthHost, strconv.Itoa(w.settings.HealthPort))
	l, err := net.Listen("tcp", address)
	if err != nil {
		w.log.Warn("health and metrics are not served; set PLANEXE_WORKER_HEALTH_PORT to a free port", "address", address, "error", err)
		return func() {}
	}
	w.log.Info("health and metrics are served", "address", l.Addr().String())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(out http.ResponseWriter, _ *http.Request) { answer(out, w.live()) })
	mux.HandleFunc("GET /readyz", func(out http.ResponseWriter, r *http.Request) { answer(out, w.ready(r.Context())) })
	mux.HandleFunc("GET /metrics", func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("Content-Type", "text/plain; version=0.0.4")
		w.writeMetrics(r.Context(), out)
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }() // returns when it is closed
	return func() { _ = s.Close() }
}

func answer(out http.ResponseWriter, problem string) {
	if problem != "" {
		http.Error(out, problem, http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(out, "ok\n") // to a prober that may be gone
}

// live says why the process is stuck; "" when its loops turn. A database that is away is no reason
// to restart it.
func (w *Worker) live() string {
	limits := map[string]time.Duration{
		"claim": max(3*w.settings.Poll.Duration(), 30*time.Second), "renew": w.settings.Lease.Duration() + 30*time.Second,
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, limit := range limits {
		if at, ok := w.turned[name]; ok && !w.draining && time.Since(at) > limit {
			return fmt.Sprintf("the loop %q has not turned for %s", name, time.Since(at).Round(time.Second))
		}
	}
	return ""
}

// ready says why no task is taken; "" when all is well.
func (w *Worker) ready(ctx context.Context) string {
	w.mu.Lock()
	blocked, draining, away, started := w.blocked, w.draining, w.away, len(w.turned) > 0
	w.mu.Unlock()
	switch {
	case !started:
		return "waiting for the database"
	case draining:
		return "shutting down"
	case blocked != "":
		return "blocked" // why is in the log and in the row of the worker
	case away:
		return "the database does not answer"
	}
	return ""
}

func (w *Worker) writeMetrics(ctx context.Context, out io.Writer) {
	if w.ready(ctx) == "waiting for the database" {
		return
	}
	w.metrics.write(out, w.me.ID)
	w.mu.Lock()
	running := len(w.jobs)
	w.mu.Unlock()
	fmt.Fprintf(out, "# HELP planexe_running Tasks that this worker runs.\n# TYPE planexe_running gauge\nplanexe_running{worker_id=%q} %d\n", w.me.ID, running)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	depth, err := w.queue.Depth(ctx)
	if err != nil {
		return // the rest is worth having
	}
	fmt.Fprintf(out, "# HELP planexe_queue_tasks Tasks of the whole queue.\n# TYPE planexe_queue_tasks gauge\nplanexe_queue_tasks{state=\"pending\"} %d\nplanexe_queue_tasks{state=\"processing\"} %d\n", depth.Pending, depth.Processing)
	fmt.Fprintf(out, "# HELP planexe_queue_oldest_seconds Age of the oldest pending task.\n# TYPE planexe_queue_oldest_seconds gauge\nplanexe_queue_oldest_seconds %g\n", depth.OldestPendingSeconds)
}
