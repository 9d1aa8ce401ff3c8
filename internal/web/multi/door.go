package multi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"planexe/internal/api"
	"planexe/internal/config"
	"planexe/internal/store"
	"planexe/internal/trace"
	"planexe/internal/web/kit"
	"planexe/internal/web/single"
)

// Door is the interface while it comes up: it answers from the first moment, and says what it waits for.
type Door struct {
	inside atomic.Pointer[http.Handler]
	trace  *trace.Tracer
	title  string
	text   string
}

// FromConfig opens the interface of some settings. Until the database is there, or for good when the administrator's password is one
// that everybody knows, it shows why nothing else can be seen. What keeps it from opening is told in the log, and tried again.
func FromConfig(ctx context.Context, c config.Multi, version string, log *slog.Logger) *Door {
	if c.Locked() {
		log.Error("the interface is locked: PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD is a password that everybody knows; set another one and start again")
		return &Door{title: "This interface is locked", text: "The administrator's password is one that stands in the examples, so everybody knows it. Set PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD to another one, in .env or the environment, and start the service again."}
	}
	if len(c.AdminPassword) < 12 {
		log.Warn("PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD has fewer than 12 characters: a longer one is harder to guess")
	}
	d := &Door{title: "Starting", text: "The database does not answer yet. This page looks again by itself.", trace: trace.Start(c.Trace, "frontend_multi_user", version, log)}
	go d.open(ctx, c, version, log)
	return d
}

const (
	connections = 16 // to the database
	retry       = 5 * time.Second
)

// open waits for the database, migrates it and lets people in.
func (d *Door) open(ctx context.Context, c config.Multi, version string, log *slog.Logger) {
	for ctx.Err() == nil {
		err := d.enter(ctx, c, version, log)
		if err == nil || ctx.Err() != nil {
			return
		}
		log.Error("the interface cannot open; trying again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
	}
}

func (d *Door) enter(ctx context.Context, c config.Multi, version string, log *slog.Logger) error {
	dsn, err := c.DSN()
	if err != nil {
		return err
	}
	pool, err := store.Open(ctx, store.Options{DSN: dsn, MaxConn: connections, Log: log})
	if err != nil {
		return err
	}
	o := Options{
		Pool: pool, Examples: single.Examples(), SecretKey: string(c.SecretKey), PublicURL: c.PublicURL, Proxies: c.Proxies(), Signup: c.Signup == "open",
		PublicRun: c.PublicRun, PartnerSecret: []byte(c.PartnerSecret), FrameAncestors: c.FrameAncestors,
		Limits: Limits{PerHour: c.PlansPerHour, AtOnce: c.PlansAtOnce, Queue: c.QueueLimit}, Trace: d.trace, Version: version, Log: log,
	}
	if c.WorkerURL != "" {
		o.Worker = api.NewClient(c.WorkerURL, api.Options{Token: string(c.WorkerToken), Timeout: 5 * time.Minute, HTTP: d.trace.Transport()})
	}
	h, accounts, err := New(ctx, o)
	if err == nil {
		err = accounts.EnsureAdmin(ctx, c.AdminUsername, string(c.AdminPassword))
	}
	if err != nil {
		pool.Close()
		return fmt.Errorf("open the interface: %w", err)
	}
	context.AfterFunc(ctx, func() {
		time.AfterFunc(10*time.Second, pool.Close) // what is under way may end first
	})
	d.inside.Store(&h)
	log.Info("the interface is open", "admin", c.AdminUsername)
	return nil
}

// Close sends the last traces.
func (d *Door) Close() { d.trace.Close() }

// ServeHTTP answers as the interface does, or says that it is not open.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := d.inside.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	kit.Guard(http.HandlerFunc(d.wait)).ServeHTTP(w, r)
}

func (d *Door) wait(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/health", "/healthcheck":
		if d.title == "Starting" {
			Unhealthy(w)
			return
		}
		writeJSON(w, http.StatusOK, healthy{"ok", "ok", struct{}{}}) // locked is a state that a restart does not mend
	case "/healthz":
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	default:
		if len(r.URL.Path) > len(kit.AssetPath) && r.URL.Path[:len(kit.AssetPath)] == kit.AssetPath {
			kit.Assets().ServeHTTP(w, r)
			return
		}
		w.Header().Set("Retry-After", "5")
		p := kit.Page{Title: d.title, Theme: kit.Theme(r), Bare: true, Refresh: 5}
		_ = kit.Render(w, r, http.StatusServiceUnavailable, waitPage(p, d.title, d.text)) // it holds nothing that can fail
	}
}
