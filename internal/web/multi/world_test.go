package multi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/auth"
	"planexe/internal/config"
	"planexe/internal/dbworker"
	"planexe/internal/pgtest"
	"planexe/internal/queue"
	"planexe/internal/web/kit"
	"planexe/internal/web/single"
	"planexe/internal/web/webtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const phrase = "a long pass phrase"

// world is an interface on a database of its own, with an administrator and two people.
type world struct {
	t      *testing.T
	pool   *pgxpool.Pool
	dsn    string
	h      http.Handler
	app    *app
	people map[string]auth.User
}

func newWorld(t *testing.T, set func(*Options)) *world {
	t.Helper()
	w := worldOn(t, pgtest.DSN(t), set)
	var err error
	for _, login := range []string{"ada", "ben"} {
		w.people[login], err = w.app.accounts.Create(t.Context(), "system", login, "", auth.Plain, phrase)
		w.ok(err)
	}
	return w
}

// worldOn is an interface on a database that is there, with its administrator.
func worldOn(t *testing.T, dsn string, set func(*Options)) *world {
	t.Helper()
	w := &world{t: t, dsn: dsn, people: map[string]auth.User{}}
	w.pool = pgtest.Connect(t, w.dsn)
	o := Options{Pool: w.pool, Examples: single.Examples()[:3], Log: slog.New(slog.NewTextHandler(inTest{t}, &slog.HandlerOptions{Level: slog.LevelWarn})), Limits: Limits{PerHour: 10, AtOnce: 3, Queue: 1000}, PublicRun: config.RunOff}
	if set != nil {
		set(&o)
	}
	var err error
	if w.app, err = build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { w.app.hub.run(ctx, w.app.queue, o.Log); close(over) }()
	t.Cleanup(func() { cancel(); <-over })
	w.h = w.app.handler()
	w.ok(w.app.accounts.EnsureAdmin(t.Context(), "root", phrase))
	w.people["root"], err = w.app.accounts.Find(t.Context(), w.id("select id from app_user where login = 'root'"))
	w.ok(err)
	return w
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.pool.Exec(context.Background(), sql, args...)
	w.ok(err)
}

func (w *world) id(sql string, args ...any) (id uuid.UUID) {
	w.t.Helper()
	w.ok(w.pool.QueryRow(context.Background(), sql, args...).Scan(&id))
	return id
}

func (w *world) count(sql string, args ...any) (n int) {
	w.t.Helper()
	w.ok(w.pool.QueryRow(context.Background(), sql, args...).Scan(&n))
	return n
}

// task puts a plan of somebody into the queue.
func (w *world) task(login, prompt string) uuid.UUID {
	w.t.Helper()
	u := w.people[login]
	id, err := w.app.queue.Create(w.t.Context(), queue.NewTask{Prompt: prompt, UserID: &u.Login, Account: &u.ID, Origin: "ui", Actor: u.Actor()})
	w.ok(err)
	return id
}

// work runs a worker with the demo model until the test ends, or end is called.
func (w *world) work(latency int) (end func()) {
	w.t.Helper()
	return w.workWith(func(*config.DatabaseWorker) {}, latency)
}

// workWith does so with other settings.
func (w *world) workWith(set func(*config.DatabaseWorker), latency int) (end func()) {
	w.t.Helper()
	conf := w.t.TempDir()
	w.ok(os.WriteFile(filepath.Join(conf, "llm_config.json"), fmt.Appendf(nil, `{"demo": {"class": "Demo", "priority": 1, "arguments": {"latency_ms": %d}}}`, latency), 0o600))
	settings := config.DatabaseWorker{
		Pipeline: config.Pipeline{RunDir: w.t.TempDir(), Concurrency: 8, Model: config.Auto, Redline: config.RedlineStop, LogLevel: config.LogLevel{Level: slog.LevelWarn}},
		Database: config.Database{URI: config.Secret(w.dsn)}, ID: "worker-1", Slots: 4, Lease: config.Seconds(10 * time.Second), Poll: config.Seconds(200 * time.Millisecond),
		Drain: config.Seconds(3 * time.Second), HealthHost: "127.0.0.1", MaxCrashes: 3, MaxArtifact: 64, MaxZip: 64, Retention: 7, EventDays: 90,
	}
	set(&settings)
	worker, err := dbworker.New(dbworker.Options{
		Settings: settings, Version: "test", Log: slog.New(slog.DiscardHandler), Env: func() (config.Env, error) { return config.NewEnv(nil, conf), nil },
	})
	w.ok(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(end)
	return end
}

// until waits until something is true in the database.
func (w *world) until(what string, sql string, args ...any) {
	w.t.Helper()
	for range 600 {
		var yes bool
		w.ok(w.pool.QueryRow(context.Background(), sql, args...).Scan(&yes))
		if yes {
			return
		}
		time.Sleep(50 * time.Millisecond) // a wait, no order of events: the loop ends with the condition
	}
	w.t.Fatalf("waited in vain for %s", what)
}

// browser keeps cookies and follows no redirect.
type browser struct {
	t     *testing.T
	h     http.Handler
	kept  map[string]*http.Cookie
	token string // of the last page with a form
}

func (w *world) browser() *browser { return &browser{t: w.t, h: w.h, kept: map[string]*http.Cookie{}} }

var tokenField = regexp.MustCompile(`name="` + kit.TokenField + `" value="([^"]+)"`)

func (b *browser) do(method, path, form string, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	w := webtest.Visit(b.h, b.kept, method, path, form, append([]string{"Accept", "text/html"}, header...)...)
	if m := tokenField.FindStringSubmatch(w.Body.String()); m != nil {
		b.token = m[1]
	}
	return w
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.do(http.MethodGet, path, "")
}

// page gets a page and fails the test unless it is one.
func (b *browser) page(path string) string {
	b.t.Helper()
	w := b.get(path)
	if w.Code != http.StatusOK {
		b.t.Fatalf("%s: %d to %q: %.400s", path, w.Code, w.Header().Get("Location"), w.Body)
	}
	return w.Body.String()
}

// post sends a form with the session's token.
func (b *browser) post(path string, fields ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	form := url.Values{kit.TokenField: {b.token}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.do(http.MethodPost, path, form.Encode())
}

// to checks where an answer leads.
func (b *browser) to(w *httptest.ResponseRecorder, want string) {
	b.t.Helper()
	if at := w.Header().Get("Location"); w.Code/100 != 3 || !regexp.MustCompile("^"+want+"$").MatchString(at) {
		b.t.Fatalf("%d to %q, want %q: %.600s", w.Code, at, want, w.Body)
	}
}

// as is a browser in which somebody has signed in.
func (w *world) as(login string) *browser {
	w.t.Helper()
	b := w.browser()
	home := "/"
	if login == "root" {
		home = "/admin/"
	}
	b.to(b.post("/login", "username", login, "password", phrase), home)
	b.page("/account")
	return b
}

// inTest is a log that is shown when a test fails.
type inTest struct{ t *testing.T }

func (l inTest) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}
