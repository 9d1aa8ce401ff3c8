package multi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"planexe/internal/api"
	"planexe/internal/web/kit"
)

// pingPause is how long an administrator waits between two tests of the models: each costs money.
const pingPause = 10 * time.Second

// ping shows the test of the models.
func (a *app) ping(w http.ResponseWriter, r *http.Request) {
	_, start := r.URL.Query()["test"]
	a.render(w, r, http.StatusOK, pingPage(a.adminPage(w, r, "Models"), start))
}

// pingStream passes on what worker_plan says of the models: as a live page when that is asked for, else event by event.
func (a *app) pingStream(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	select {
	case a.pinging <- struct{}{}:
		defer func() { <-a.pinging }()
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, "A test is running already.", http.StatusTooManyRequests)
		return
	}
	if err := a.accounts.Turn(ctx, "ping "+by(ctx).Actor, 1, pingPause); err != nil {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "Wait ten seconds between two tests.", http.StatusTooManyRequests)
		return
	}
	if r.URL.Query().Get("as") == "page" {
		a.pingLive(w, r)
		return
	}
	kit.NewStream(w)
	rc := http.NewResponseController(w)
	send := func(e api.PingEvent) bool {
		data, _ := json.Marshal(e) // strings and numbers only
		_, err := fmt.Fprintf(w, "data: %s\n\n", data)
		return err == nil && rc.Flush() == nil
	}
	done := api.PingEvent{Name: "server", Status: "done"}
	for e, err := range a.tests(r) {
		if err != nil {
			send(api.PingEvent{Name: "worker_plan", Status: "error", Response: pingTrouble})
			send(done)
			return
		}
		if !send(e) || e.Name == "server" {
			return
		}
	}
	send(done)
}

const pingTrouble = "worker_plan does not answer: check that it runs, and PLANEXE_WORKER_PLAN_URL"

func (a *app) tests(r *http.Request) func(func(api.PingEvent, error) bool) {
	if a.Worker == nil {
		return func(yield func(api.PingEvent, error) bool) { yield(api.PingEvent{}, fmt.Errorf("no worker_plan")) }
	}
	return a.Worker.Ping(r.Context())
}

// pingLive streams the table of the page.
func (a *app) pingLive(w http.ResponseWriter, r *http.Request) {
	stream := kit.NewStream(w)
	var rows []api.PingEvent
	show := func(over bool) bool {
		parts := kit.Parts{}
		return parts.Piece(r.Context(), "pings", pingTable(rows, over)) == nil && stream.Send(parts) == nil
	}
	if !show(false) {
		return
	}
	for e, err := range a.tests(r) {
		if err != nil {
			rows = append(rows, api.PingEvent{Name: "worker_plan", Status: "error", Response: pingTrouble})
			break
		}
		if e.Name == "server" {
			break
		}
		known := false
		for i := range rows {
			if rows[i].Name == e.Name {
				rows[i], known = e, true
			}
		}
		if !known {
			rows = append(rows, e)
		}
		if !show(false) {
			return
		}
	}
	if show(true) {
		_ = stream.End()
	}
}

// metrics tells figures for monitoring, without anything about persons or plans.
func (a *app) metrics(w http.ResponseWriter, r *http.Request) {
	depth, err := a.queue.Depth(r.Context())
	workers, err2 := a.q.LiveWorkers(r.Context())
	up := 1
	if err != nil || err2 != nil {
		up = 0
	}
	var b strings.Builder
	gauge := func(name, help string, value any) {
		fmt.Fprintf(&b, "# HELP planexe_%s %s\n# TYPE planexe_%s gauge\nplanexe_%s %v\n", name, help, name, name, value)
	}
	gauge("database_up", "1 when the database answers.", up)
	if up == 1 {
		gauge("queue_pending", "Plans that wait for a worker.", depth.Pending)
		gauge("queue_processing", "Plans that are being made.", depth.Processing)
		gauge("queue_oldest_pending_seconds", "How long the oldest waiting plan waits.", depth.OldestPendingSeconds)
		gauge("workers_alive", "Workers heard of within 45 seconds.", workers)
	}
	gauge("frontend_uptime_seconds", "Since this process began.", int(time.Since(a.began).Seconds()))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write([]byte(b.String())) // a reader who has left is no error
}
