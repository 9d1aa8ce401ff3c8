// Package multi is the web interface for many people: accounts, each with plans of their own, a partner's entry, and the pages of
// administrators. Plans are tasks of the queue; the pages about them are those of package single, asked through a desk that shows
// everybody only what is theirs.
package multi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/api"
	"planexe/internal/auth"
	"planexe/internal/queue"
	"planexe/internal/run"
	"planexe/internal/store"
	"planexe/internal/trace"
	"planexe/internal/web/kit"
	"planexe/internal/web/single"

	"github.com/google/uuid"
)

//go:generate go tool templ generate -f pages.templ
//go:generate go tool templ generate -f admin.templ
//go:generate go tool templ generate -f task.templ

// Options of the interface.
type Options struct {
	Pool           *pgxpool.Pool // a migrated database
	Worker         *api.Client   // worker_plan, for the models; nil is none
	Examples       []single.Example
	SecretKey      string // "" is the one that the database keeps
	PublicURL      string // "" is not known
	Proxies        []netip.Prefix
	Signup         bool   // anybody may make an account
	PublicRun      string // off, post or get
	PartnerSecret  []byte
	FrameAncestors []string
	Limits         Limits
	Trace          *trace.Tracer // nil traces nothing
	Version        string
	Log            *slog.Logger // default slog.Default
}

// app is the interface behind the routes.
type app struct {
	Options
	accounts *auth.Accounts
	desk     *desk
	queue    *queue.Queue
	q        *store.Queries
	hub      *hub
	pages    http.Handler // about plans
	policy   string       // of reports
	cookies  *kit.Cookies
	pinging  chan struct{} // one test of the models at a time
	streams  *counter
	began    time.Time
	recheck  time.Duration // of the sessions of open streams
}

// mostBody bounds what a browser sends.
const mostBody = 1 << 20

// New returns the interface. Until ctx is over it listens for what happens in the queue, and sweeps what is over.
func New(ctx context.Context, o Options) (http.Handler, *auth.Accounts, error) {
	a, err := build(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	go a.hub.run(ctx, a.queue, a.Log)
	go a.sweep(ctx)
	return a.handler(), a.accounts, nil
}

func build(ctx context.Context, o Options) (*app, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	accounts, err := auth.New(ctx, o.Pool, o.SecretKey, o.Log)
	if err != nil {
		return nil, err
	}
	graph, err := run.NewGraph(o.Version)
	if err != nil {
		return nil, fmt.Errorf("build the graph of the steps: %w", err)
	}
	policy, err := single.ReportPolicy()
	if err != nil {
		return nil, err
	}
	q := queue.New(o.Pool, queue.Limits{})
	a := &app{
		Options: o, accounts: accounts, queue: q, q: store.New(o.Pool), hub: newHub(), policy: policy, cookies: kit.NewCookies(accounts.Key("cookies")),
		pinging: make(chan struct{}, 1), streams: newCounter(), began: time.Now(), recheck: usualRecheck,
	}
	a.desk = &desk{
		queue: q, q: a.q, graph: graph, stories: &stories{queue: q, held: map[uuid.UUID]*story{}}, hub: a.hub, models: o.Worker, limits: o.Limits, trace: o.Trace, log: o.Log,
	}
	a.pages, err = single.Pages(single.Options{
		Shared: true, Dress: a.dress, Ahead: a.desk.ahead, Worker: a.desk, Examples: o.Examples, CookieKey: accounts.Key("cookies"), Version: o.Version, Log: o.Log,
	})
	return a, err
}

// routes is everything that can be asked for, and by whom.
func (a *app) routes() []route {
	pages := a.pages.ServeHTTP
	return []route{
		{"GET /health", open, a.health},
		{"GET /healthcheck", open, a.health},
		{"GET /healthz", open, a.alive},
		{"GET /metrics", open, a.metrics},
		{"GET " + kit.AssetPath, open, kit.Assets().ServeHTTP},
		{"POST /theme", open, kit.SetTheme},
		{"GET /{$}", open, a.index},
		{"GET /login", open, a.showSignIn},
		{"POST /login", open, a.signIn},
		{"GET /logout", open, a.signOut},
		{"POST /logout", open, a.signOut},
		{"GET /signup", open, a.showSignUp},
		{"POST /signup", open, a.signUp},
		{"GET /password/{link}", open, a.showLink},
		{"POST /password/{link}", open, a.useLink},

		{"/run", partner, a.run},
		{"GET /progress", partner, a.progress},
		{"GET /viewplan", partner, a.viewPlan},

		{"GET /new", member, a.newPlan},
		{"POST /preview", member, pages},
		{"GET /worker", member, a.alive},
		{"POST /runs", member, pages},
		{"GET /runs", member, pages},
		{"GET /runs/{id}", member, pages},
		{"GET /runs/{id}/", member, a.limited(pages)},
		{"POST /runs/{id}/", member, pages},
		{"POST /runs/{id}/again", member, a.again},
		{"GET /session", partner, a.sessionLeft},
		{"POST /session", member, a.stay},
		{"GET /account", member, a.showAccount},
		{"POST /account/{what}", member, a.changeAccount},

		{"GET /admin/{$}", admin, a.dashboard},
		{"GET /admin/parts", admin, a.dashboardParts},
		{"GET /admin/live", admin, a.limited(a.dashboardParts)},
		{"GET /admin/taskitem/{$}", admin, a.listTasks},
		{"GET /admin/taskitem/csv", admin, a.tasksCSV},
		{"GET /admin/taskitem/live", admin, a.limited(a.liveTasks)},
		{"GET /admin/taskitem/parts", admin, a.liveTasks},
		{"POST /admin/taskitem/ask", admin, a.askBulk},
		{"POST /admin/taskitem/do", admin, a.doBulk},
		{"GET /admin/task/{id}", admin, a.showTask},
		{"GET /admin/task/{id}/live", admin, a.limited(a.liveTask)},
		{"GET /admin/task/{id}/parts", admin, a.liveTask},
		{"GET /admin/task/{id}/report", admin, a.taskReport},
		{"GET /admin/task/{id}/run_zip", admin, a.taskZip},
		{"GET /admin/task/{id}/ask/{what}", admin, a.askTask},
		{"POST /admin/task/{id}/do/{what}", admin, a.doTask},
		{"GET /admin/eventitem/{$}", admin, a.listEvents},
		{"GET /admin/nonceitem/{$}", admin, a.listNonces},
		{"POST /admin/nonceitem/purge", admin, a.purgeNonces},
		{"GET /admin/workeritem/{$}", admin, a.listWorkers},
		{"POST /admin/workeritem/do", admin, a.doWorker},
		{"GET /admin/useritem/{$}", admin, a.listUsers},
		{"POST /admin/useritem/create", admin, a.createUser},
		{"GET /admin/user/{id}", admin, a.showUser},
		{"POST /admin/user/{id}/{what}", admin, a.changeUser},
		{"GET /ping", admin, a.ping},
		{"GET /ping/stream", admin, a.pingStream},
	}
}

func (a *app) handler() http.Handler {
	m := http.NewServeMux()
	for _, rt := range a.routes() {
		m.Handle(rt.pattern, a.guarded(rt))
	}
	m.Handle("/", a.guarded(route{"/", open, a.notFound}))
	return a.Trace.Handler(a.logged(kit.Guard(http.MaxBytesHandler(m, mostBody), "POST /run")))
}

// logged notes each request without what stands behind the question mark, and turns a panic into an answer.
func (a *app) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		if a.encrypted(r) {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		defer func() {
			if v := recover(); v != nil {
				if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(v)
				}
				id := rand.Text()[:10]
				a.Log.Error("a request ended in a panic", "error_id", id, "path", place(r), "panic", v, "stack", string(debug.Stack()))
				a.problem(w, r, http.StatusInternalServerError, "Something went wrong", "The error was noted as "+id+". Try again; if it stays, tell an administrator that number.")
			}
			a.Log.Debug("request", "method", r.Method, "path", place(r), "ms", time.Since(began).Milliseconds())
		}()
		next.ServeHTTP(w, r)
	})
}

// place is the path of a request without what is secret in it.
func place(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/password/") {
		return "/password/…"
	}
	return r.URL.Path
}

// sweep removes what is over, now and then.
func (a *app) sweep(ctx context.Context) {
	t := time.NewTicker(10 * time.Minute)
	defer t.Stop()
	for {
		if err := a.accounts.Sweep(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("old sessions could not be removed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// dress gives a page about plans the navigation of this interface.
func (a *app) dress(r *http.Request, p *kit.Page) {
	s := sessionOf(r.Context())
	if s == nil {
		p.Nav = []kit.Link{{Text: "Sign in", URL: "/login"}}
		return
	}
	p.User, p.UserURL = s.User.Shown(), "/account"
	p.Session = max(time.Second, s.Left.Truncate(5*time.Minute)) // the script asks for the rest
	links := []kit.Link{{Text: "New plan", URL: "/"}, {Text: "My plans", URL: "/runs"}}
	if s.User.Admin {
		links = append(links, kit.Link{Text: "Administration", URL: "/admin/"})
	}
	for i, l := range links {
		begins := r.Method == http.MethodPost && r.URL.Path == "/runs" // the form again, with what was wrong with it
		links[i].Current = l.URL == "/admin/" && r.URL.Path == "/ping" || r.URL.Path == l.URL && !begins || l.URL == "/" && begins || l.URL != "/" && !begins && strings.HasPrefix(r.URL.Path, l.URL)
	}
	p.Nav = links
}

// page begins a page.
func (a *app) page(w http.ResponseWriter, r *http.Request, title string) kit.Page {
	p := kit.Page{Title: title, Theme: kit.Theme(r), Flash: a.cookies.TakeFlash(w, r)}
	a.dress(r, &p)
	return p
}

func (a *app) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	if err := kit.Render(w, r, status, c); err != nil {
		a.Log.Error("a page could not be shown", "path", place(r), "error", err)
	}
}

// problem says what went wrong, to people on a page and to programs as JSON.
func (a *app) problem(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") && strings.Contains(r.Header.Get("Accept"), "json") {
		writeJSON(w, status, map[string]string{"error": title + ". " + text})
		return
	}
	a.render(w, r, status, problemPage(a.page(w, r, title), title, text))
}

func (a *app) notFound(w http.ResponseWriter, r *http.Request) {
	a.problem(w, r, http.StatusNotFound, "There is no such page", "The address may be mistyped, or what it led to is gone.")
}

// fail is the page for an error.
func (a *app) fail(w http.ResponseWriter, r *http.Request, err error) {
	var e *api.Error
	switch {
	case r.Context().Err() != nil:
	case errors.As(err, &e) && e.Status == http.StatusNotFound:
		a.notFound(w, r)
	case errors.As(err, &e):
		a.problem(w, r, e.Status, "That was not possible", e.Detail)
	default:
		id := rand.Text()[:10]
		a.Log.Error("a request failed", "error_id", id, "path", place(r), "error", err)
		a.problem(w, r, http.StatusServiceUnavailable, "This cannot be shown at the moment", "The database does not answer as it should. Nothing is lost: try again in a minute. The error was noted as "+id+".")
	}
}

// back leads the browser to a page, with a message.
func (a *app) back(w http.ResponseWriter, r *http.Request, to string, tone kit.Tone, text string) {
	if text != "" {
		a.cookies.SetFlash(w, r, tone, text)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache, must-revalidate, max-age=0")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a reader who has left is no error
}

// alive tells that the service answers.
func (a *app) alive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// health tells whether the database answers, and nothing about where it is.
func (a *app) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	if err := a.Pool.Ping(ctx); err != nil {
		Unhealthy(w)
		return
	}
	writeJSON(w, http.StatusOK, healthy{"ok", "ok", struct{}{}})
}

// healthy is the answer of /health; the target is empty, since it is nobody's business.
type healthy struct {
	Status   string   `json:"status"`
	Database string   `json:"database"`
	Target   struct{} `json:"database_target"`
}

// Unhealthy answers a probe while the database does not.
func Unhealthy(w http.ResponseWriter) {
	writeJSON(w, http.StatusInternalServerError, healthy{"error", "error: unreachable", struct{}{}})
}

// index shows the way in, or to those who are in the form for a new plan.
func (a *app) index(w http.ResponseWriter, r *http.Request) {
	if sessionOf(r.Context()) != nil {
		a.pages.ServeHTTP(w, r)
		return
	}
	a.render(w, r, http.StatusOK, indexPage(a.page(w, r, "Welcome"), a.Signup))
}

func (a *app) newPlan(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// again begins an ended plan from nothing.
func (a *app) again(w http.ResponseWriter, r *http.Request) {
	row, err := a.desk.task(r.Context(), r.PathValue("id"))
	if err == nil {
		if err = a.queue.Retry(r.Context(), row.ID, by(r.Context()), true); err != nil {
			err = a.desk.failed(r.Context(), "begin a task again", err)
		}
	}
	var e *api.Error
	if errors.As(err, &e) && e.Status == http.StatusConflict {
		a.back(w, r, "/runs/"+r.PathValue("id"), kit.Poor, e.Detail)
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.back(w, r, "/runs/"+r.PathValue("id"), kit.Good, "The plan begins again from nothing.")
}
