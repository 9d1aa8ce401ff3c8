// Package single is the web interface for one person: it asks the worker_plan service for everything,
// keeps no run of its own, and works without script as far as reading, creating and stopping go.
package single

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"

	"planexe/internal/api"
	"planexe/internal/trace"
	"planexe/internal/web/kit"
)

//go:generate go tool templ generate -f plan.templ
//go:generate go tool templ generate -f run.templ
//go:generate go tool templ generate -f steps.templ
//go:generate go tool templ generate -f file.templ
//go:generate go tool templ generate -f models.templ
//go:generate go tool templ generate -f other.templ

// Worker is what the interface needs of worker_plan. *api.Client is one; errors are those of its methods.
type Worker interface {
	StartRun(ctx context.Context, r api.StartRunRequest, key string) (api.StartRunResponse, error)
	Runs(ctx context.Context, q api.ListQuery) (api.RunList, error)
	Run(ctx context.Context, id string) (api.RunStatus, error)
	Steps(ctx context.Context, id string) ([]api.Step, error)
	Events(ctx context.Context, id string, after int64) iter.Seq2[api.Event, error]
	Stop(ctx context.Context, id string) (api.StopRunResponse, error)
	Rerun(ctx context.Context, id string, r api.RerunRequest, key string) (api.StartRunResponse, error)
	Estimate(ctx context.Context, q api.EstimateQuery) (api.Estimate, error)
	Delete(ctx context.Context, id string) error
	Files(ctx context.Context, id string) (api.RunFiles, error)
	File(ctx context.Context, id, name string) (data []byte, etag string, err error)
	PutFile(ctx context.Context, id, name string, data []byte, etag string) (api.EditResponse, error)
	RevertFile(ctx context.Context, id, name string) (api.EditResponse, error)
	Log(ctx context.Context, id string, lines int) (string, error)
	Report(ctx context.Context, id string, header http.Header) (*http.Response, error)
	Zip(ctx context.Context, id string, header http.Header) (*http.Response, error)
	Purge(ctx context.Context, r api.PurgeRunsRequest) (api.PurgeRunsResponse, error)
	LLMInfo(ctx context.Context) (api.LLMInfo, error)
	Ping(ctx context.Context, ids ...string) iter.Seq2[api.PingEvent, error]
	Ready(ctx context.Context) (api.Ready, error)
}

// Opener opens a run's folder on the desktop of the person.
type Opener interface {
	Available(ctx context.Context) bool
	Open(ctx context.Context, path string) error // the error is for people
}

// Example is a prompt to begin with.
type Example struct {
	ID, Title, Prompt string
	Tags              []string
}

// Options of the interface.
type Options struct {
	// Shared: the pages are part of an interface for several people, which guards them and has its own login and settings. What
	// belongs to one person's machine is left out: its folders, models and keys, and editing what a run has made.
	Shared bool
	Dress  func(*http.Request, *kit.Page) // navigation and user of that interface
	Ahead  func(context.Context) string   // what to know of the queue before a plan is made; nil is nothing

	Worker       Worker
	Examples     []Example     // in the order they are shown; the first one fills the form
	Opener       Opener        // nil is none
	Password     string        // "" asks for none
	AllowedHosts []string      // see kit.Hosts
	CookieKey    []byte        // signs settings; empty is a random one
	Trace        *trace.Tracer // nil traces nothing
	Version      string
	Log          *slog.Logger // default slog.Default
}

// ui is the interface behind the routes.
type ui struct {
	Options
	cookies *kit.Cookies
	logins  *kit.Sessions[bool]   // browsers that know the password
	keys    *kit.Sessions[string] // provider keys, in memory only
	guesses kit.Throttle
	policy  string // of reports
	live    kit.Shared

	looking sync.Mutex
	looked  time.Time // when the opener was last asked whether it is there
	canopen bool
}

// kept is how long a login and a provider's key are remembered.
const kept = 12 * time.Hour

// Pages returns the pages about plans alone, for an interface that guards them.
func Pages(o Options) (http.Handler, error) {
	u, err := build(o)
	if err != nil {
		return nil, err
	}
	return u.routes(), nil
}

func build(o Options) (*ui, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if len(o.CookieKey) == 0 {
		o.CookieKey = kit.NewKey()
	}
	policy, err := ReportPolicy()
	if err != nil {
		return nil, err
	}
	u := &ui{Options: o, cookies: kit.NewCookies(o.CookieKey), logins: kit.NewSessions[bool]("planexe_login", kept), keys: kit.NewSessions[string]("planexe_key", kept), policy: policy}
	return u, nil
}

// New returns the interface. It starts whether the worker answers or not.
func New(o Options) (http.Handler, error) {
	u, err := build(o)
	if err != nil {
		return nil, err
	}
	open := http.NewServeMux()
	open.HandleFunc("GET /healthz", health)
	open.HandleFunc("GET /healthcheck", health)
	open.Handle("GET "+kit.AssetPath, kit.Assets())
	open.HandleFunc("POST /theme", kit.SetTheme)
	open.HandleFunc("GET /login", u.showLogin)
	open.HandleFunc("POST /login", u.login)
	open.HandleFunc("POST /logout", u.logout)
	var pages http.Handler = u.routes()
	if o.Password != "" {
		pages = u.locked(pages)
	} else {
		pages = kit.Hosts(o.AllowedHosts, pages)
	}
	open.Handle("/", pages)
	return o.Trace.Handler(kit.Guard(http.MaxBytesHandler(open, mostBody))), nil
}

// mostBody bounds what a browser sends: the largest file that may be edited, and what escaping adds.
const mostBody = 4 << 20

func (u *ui) routes() http.Handler {
	m := http.NewServeMux()
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /{$}":          u.newPlan,
		"POST /preview":     u.preview,
		"GET /worker":       u.worker,
		"POST /runs":        u.createRun,
		"GET /runs":         u.listRuns,
		"GET /models":       u.models,
		"GET /models/test":  u.testModels,
		"GET /settings":     u.showSettings,
		"POST /settings":    u.saveSettings,
		"GET /maintenance":  u.maintenance,
		"POST /maintenance": u.purge,
		"GET /about":        u.about,

		"GET /runs/{id}":             u.showRun,
		"GET /runs/{id}/live":        u.liveRun,
		"GET /runs/{id}/parts":       u.runParts,
		"POST /runs/{id}/preview":    u.previewRun,
		"POST /runs/{id}/stop":       u.stopRun,
		"POST /runs/{id}/resume":     u.resumeRun,
		"POST /runs/{id}/rerun":      u.rerunStep,
		"GET /runs/{id}/delete":      u.askDelete,
		"POST /runs/{id}/delete":     u.deleteRun,
		"POST /runs/{id}/open-dir":   u.openDir,
		"GET /runs/{id}/report":      u.showReport,
		"GET /runs/{id}/report.html": u.report,
		"GET /runs/{id}/zip":         u.zip,

		"GET /runs/{id}/files/{name}":         u.showFile,
		"GET /runs/{id}/files/{name}/raw":     u.rawFile,
		"GET /runs/{id}/files/{name}/edit":    u.editFile,
		"POST /runs/{id}/files/{name}/edit":   u.saveFile,
		"POST /runs/{id}/files/{name}/revert": u.revertFile,
	} {
		if u.Shared && notShared(pattern) {
			continue
		}
		m.HandleFunc(pattern, h)
	}
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		u.problem(w, r, http.StatusNotFound, "There is no such page", "The address may be mistyped, or it belonged to a run that is gone.")
	})
	return m
}

// notShared tells whether a page is only for the person whose machine it is.
func notShared(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	for _, end := range []string{"/models", "/models/test", "/settings", "/maintenance", "/about", "/rerun", "/open-dir", "/edit", "/revert", "{id}/preview"} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return false
}

func health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"status":"ok"}` + "\n"))
}

// worker tells a waiting page whether the worker answers.
func (u *ui) worker(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if _, err := u.Worker.LLMInfo(ctx); err != nil {
		http.Error(w, "the worker does not answer", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// page begins a page of the interface.
func (u *ui) page(w http.ResponseWriter, r *http.Request, title, section string) kit.Page {
	p := kit.Page{Title: title, Theme: kit.Theme(r), Flash: u.cookies.TakeFlash(w, r)}
	if u.Dress != nil {
		u.Dress(r, &p)
		return p
	}
	for _, l := range []kit.Link{
		{Text: "New plan", URL: "/"}, {Text: "Plans", URL: "/runs"}, {Text: "Models", URL: "/models"},
		{Text: "Settings", URL: "/settings"}, {Text: "Maintenance", URL: "/maintenance"}, {Text: "About", URL: "/about"},
	} {
		l.Current = l.URL == section
		p.Nav = append(p.Nav, l)
	}
	if u.Password != "" {
		p.User = "user"
	}
	return p
}

func (u *ui) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	if err := kit.Render(w, r, status, c); err != nil {
		u.Log.Error("a page could not be shown", "path", r.URL.Path, "error", err)
	}
}

// problem is a page that says what went wrong.
func (u *ui) problem(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	u.render(w, r, status, problemPage(u.page(w, r, title, ""), title, text, false))
}

// fail is the page for an error of the worker.
func (u *ui) fail(w http.ResponseWriter, r *http.Request, err error) {
	var e *api.Error
	switch {
	case r.Context().Err() != nil:
	case errors.As(err, &e) && e.Status == http.StatusNotFound:
		u.problem(w, r, http.StatusNotFound, "This is not there", "The plan, or the file of it, does not exist. It may have been deleted.")
	case errors.As(err, &e) && e.Status < http.StatusInternalServerError && e.Status != http.StatusUnauthorized:
		u.problem(w, r, e.Status, "That was not possible", e.Detail)
	default:
		u.Log.Warn("the worker did not answer as it should", "path", r.URL.Path, "error", err)
		p := u.page(w, r, "The worker cannot be reached", "")
		p.Refresh = 10
		u.render(w, r, http.StatusBadGateway, problemPage(p, p.Title, workerTrouble(err), true))
	}
}

// workerTrouble says for people why the worker is of no use now.
func workerTrouble(err error) string {
	var e *api.Error
	switch {
	case errors.As(err, &e) && e.Status == http.StatusUnauthorized:
		return "The worker refuses this interface: PLANEXE_WORKER_TOKEN has to be the same in both."
	case errors.As(err, &e) && e.Status == http.StatusForbidden:
		return "The worker refuses this interface: its address or name is not one that the worker accepts. " + e.Detail
	case errors.As(err, &e):
		return cmp.Or(e.Detail, "The worker has an internal problem.")
	}
	return "The service that makes the plans does not answer. It may be starting. Check that it runs, and that PLANEXE_WORKER_PLAN_URL is its address."
}

// lacking tells whether an error says that the worker does not have the route: it is the reference's.
func lacking(err error) bool {
	var e *api.Error
	return errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed)
}

// back leads the browser to a page, with a message.
func (u *ui) back(w http.ResponseWriter, r *http.Request, to string, tone kit.Tone, text string) {
	if text != "" {
		u.cookies.SetFlash(w, r, tone, text)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// refused says in the words of a message why the worker did not do something.
func refused(err error) string {
	var e *api.Error
	if errors.As(err, &e) && e.Status < http.StatusInternalServerError {
		return e.Detail
	}
	return workerTrouble(err)
}

// nonce names a form, so that sending it twice makes one run.
func nonce() string { return rand.Text() }
