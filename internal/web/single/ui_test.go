package single

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"planexe/internal/api"
	"planexe/internal/web/kit"
	"planexe/internal/web/webtest"
)

// browser keeps cookies, and follows no redirect.
type browser struct {
	t    *testing.T
	h    http.Handler
	kept map[string]*http.Cookie
}

func newBrowser(t *testing.T, f *fake, set func(*Options)) *browser {
	t.Helper()
	return &browser{t, newUI(t, f, func(o *Options) {
		o.Log = slog.New(slog.DiscardHandler)
		if set != nil {
			set(o)
		}
	}), map[string]*http.Cookie{}}
}

func (b *browser) do(method, path, form string, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	return webtest.Visit(b.h, b.kept, method, path, form, header...)
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.do(http.MethodGet, path, "")
}

func (b *browser) post(path, form string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.do(http.MethodPost, path, form)
}

// follow checks a redirect and goes there.
func (b *browser) follow(w *httptest.ResponseRecorder, want string) *httptest.ResponseRecorder {
	b.t.Helper()
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || to != want {
		b.t.Errorf("%d to %q, want %q: %.300s", w.Code, to, want, w.Body)
	}
	return b.get(to)
}

// Ensure every page and state of the gallery can be built, is a whole page, and says nothing internal.
func TestGallery(t *testing.T) {
	t.Parallel()
	for _, s := range gallery() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f := sampleWorker()
			if s.set != nil {
				s.set(f)
			}
			b := newBrowser(t, f, s.options)
			w := b.get(s.path)
			if s.post != "" {
				w = b.post(s.path, s.post)
			}
			if text := w.Body.String(); !strings.HasSuffix(text, "</html>") || strings.Contains(text, "%!") || strings.Contains(text, "templ:") || strings.Contains(text, "/app/run") {
				t.Errorf("%d: %.300s", w.Code, text)
			}
		})
	}
}

// Ensure the first look at the interface is light.
func TestFirstLoad(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, sampleWorker(), func(o *Options) { o.Examples = Examples() })
	page := b.do(http.MethodGet, "/", "", "Accept-Encoding", "gzip")
	total := page.Body.Len()
	for _, name := range []string{"style.css", "app.js", "icon.svg"} {
		total += b.do(http.MethodGet, kit.Asset(name), "", "Accept-Encoding", "gzip").Body.Len()
	}
	if total > 100_000 {
		t.Errorf("the first page takes %d bytes on the wire", total)
	}
	t.Logf("the first page takes %d bytes on the wire", total)
}

// Ensure a plan begins with what the form says, and that the choice is remembered in this browser only.
func TestCreate(t *testing.T) {
	t.Parallel()
	f := sampleWorker()
	b, other := newBrowser(t, f, nil), newBrowser(t, f, nil)
	w := b.post("/runs", url.Values{"prompt": {" Bake\r\nbread "}, "model": {"demo"}, "speed": {api.Fast}, "max_cost": {"0,5"}, "nonce": {"n1"}}.Encode())
	b.follow(w, "/runs/"+sampleID)
	want := api.StartRunRequest{SubmitOrRetry: api.Submit, PlanPrompt: "Bake\nbread", LLMModel: "demo", SpeedVsDetail: api.Fast, MaxCost: 0.5}
	if len(f.started) != 1 || f.started[0] != want || f.keys[0] != "n1" {
		t.Errorf("asked for %+v, key %v", f.started, f.keys)
	}
	chosen := regexp.MustCompile(`value="demo" selected`)
	if !chosen.MatchString(b.get("/").Body.String()) || chosen.MatchString(other.get("/").Body.String()) {
		t.Error("the model is not remembered, or by another browser")
	}
	// A model that has left the configuration is auto, shown and sent.
	f.info.Items = f.info.Items[:3]
	if text := b.get("/").Body.String(); !strings.Contains(text, `value="auto" selected`) {
		t.Error("a model that is gone is still chosen")
	}
	b.post("/runs", "prompt=x&model=demo")
	if got := f.started[1].LLMModel; got != "auto" {
		t.Errorf("asked for the model %s, which is gone", got)
	}
}

// Ensure a bad form is refused before anything is asked for, says so at the field, and keeps the text.
func TestCreateProblems(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 7000)
	for _, c := range []struct {
		name, form string
		refuse     error
		down       bool
		status     int
		want       string // in the page
	}{
		{"empty", "prompt=+%0A", nil, false, 422, `id="prompt-error">Describe`},
		{"too long", "prompt=" + url.QueryEscape(long), nil, false, 422, "32.8 kB is the limit"},
		{"no amount", "prompt=keep+me&max_cost=much", nil, false, 422, `id="max_cost-error">The limit`},
		{"negative", "prompt=keep+me&max_cost=-1", nil, false, 422, `id="max_cost-error"`},
		{"infinite", "prompt=keep+me&max_cost=Inf", nil, false, 422, `id="max_cost-error"`},
		{"worker's field", "prompt=keep+me", &api.Error{Status: 422, Fields: []api.FieldError{{Loc: []any{"body", "llm_model"}, Msg: "is not configured"}}}, false, 422, `id="model-error">Is not configured.`},
		{"busy", "prompt=keep+me", &api.Error{Status: 429, Detail: "too many runs are waiting"}, false, 429, "Too many runs are waiting."},
		{"disk full", "prompt=keep+me", &api.Error{Status: 507, Detail: "the disk is full: free space or change PLANEXE_RUN_DIR"}, false, 507, "PLANEXE_RUN_DIR"},
		{"down", "prompt=keep+me", nil, true, 502, "Your text is kept"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := sampleWorker()
			f.refuse, f.down = c.refuse, c.down
			w := newBrowser(t, f, nil).post("/runs", c.form)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%d without %q", w.Code, c.want)
			}
			if c.status == 422 && c.refuse == nil && len(f.started) > 0 {
				t.Error("the worker was asked")
			}
			if strings.Contains(c.form, "keep") && !strings.Contains(w.Body.String(), "keep me</textarea>") {
				t.Error("the text is lost")
			}
		})
	}
}

// Ensure every action goes to the run it names, and answers with where to look.
func TestActions(t *testing.T) {
	t.Parallel()
	f := sampleWorker()
	f.run.State, f.run.LLMModel = api.Stopped, "gone-model"
	o := &fakeOpener{}
	b := newBrowser(t, f, func(x *Options) { x.Opener = o })
	run := "/runs/" + sampleID
	b.follow(b.post(run+"/stop", ""), run)
	b.follow(b.post(run+"/resume", "as=before"), run)
	b.follow(b.post(run+"/resume", "model=demo&speed="+api.Fast+"&max_cost=2"), run)
	b.follow(b.post(run+"/rerun", "step=identify_risks&what=only&model=demo"), run)
	b.follow(b.post(run+"/rerun", "step=identify_risks&what=from&model=auto"), run)
	if page := b.follow(b.post(run+"/open-dir", ""), run); !strings.Contains(page.Body.String(), "The folder is open.") {
		t.Error("the opened folder is not told")
	}
	b.follow(b.post(run+"/delete", ""), "/runs")
	if f.stops != 1 || f.deleted != 1 || len(o.opened) != 1 || o.opened[0] != f.run.DisplayRunDir {
		t.Errorf("stopped %d, deleted %d, opened %v", f.stops, f.deleted, o.opened)
	}
	if got := f.started; len(got) != 2 || got[0].LLMModel != "auto" || got[0].RunID != sampleID || got[0].SubmitOrRetry != api.Retry || got[0].MaxCost != 0.5 ||
		got[1].LLMModel != "demo" || got[1].SpeedVsDetail != api.Fast || got[1].MaxCost != 2 {
		t.Errorf("resumed with %+v", got)
	}
	if got := f.reruns; len(got) != 2 || got[0].Only != "identify_risks" || got[0].From != "" || got[1].From != "identify_risks" || got[1].Only != "" {
		t.Errorf("asked again with %+v", got)
	}
	f.refuse = &api.Error{Status: 409, Detail: "the run is active"}
	if page := b.follow(b.post(run+"/delete", ""), run); !strings.Contains(page.Body.String(), "The run is active.") {
		t.Error("why it is not deleted is not told")
	}
	if text := b.get(run).Body.String(); strings.Contains(text, "The run is active.") {
		t.Error("the message is shown twice")
	}
}

// Ensure foreign pages cannot drive the interface, and names that are not its own do not lead to it.
func TestForeign(t *testing.T) {
	t.Parallel()
	f := sampleWorker()
	b := newBrowser(t, f, nil)
	for _, path := range []string{"/runs", "/runs/x/stop", "/runs/x/delete", "/maintenance", "/settings", "/logout", "/theme", "/preview"} {
		if w := b.do(http.MethodPost, path, "prompt=x&do=remove&hours=1&prefix=P", "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if len(f.started)+f.stops+f.deleted+len(f.purges) > 0 {
		t.Error("the worker was asked")
	}
	r := httptest.NewRequest(http.MethodGet, "http://evil.example/runs", nil)
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	if w.Code != http.StatusMisdirectedRequest || strings.Contains(w.Body.String(), "boathouse") {
		t.Errorf("another name: %d", w.Code)
	}
}

// Ensure with a password everything but health, assets and the login itself is locked, and that logging out ends it.
func TestPassword(t *testing.T) {
	t.Parallel()
	f := sampleWorker()
	b := newBrowser(t, f, func(o *Options) { o.Password = "pass word" })
	for _, path := range []string{"/healthz", "/healthcheck", "/login"} {
		if w := b.get(path); w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/", "/runs", "/runs/" + sampleID, "/runs/" + sampleID + "/report.html", "/runs/" + sampleID + "/live", "/worker", "/models/test", "/nowhere"} {
		if w := b.get(path); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/login") {
			t.Errorf("%s is open: %d", path, w.Code)
		}
	}
	b.post("/runs", "prompt=x")
	if len(f.started) > 0 {
		t.Error("a plan was started without the password")
	}
	if w := b.post("/login", "user=user&password=wrong"); w.Code != http.StatusUnauthorized || len(b.kept) > 0 {
		t.Errorf("a wrong password: %d", w.Code)
	}
	b.follow(b.post("/login", "user=user&password=pass+word&to=//evil.example"), "/")
	if w := b.get("/runs"); w.Code != http.StatusOK {
		t.Errorf("logged in: %d", w.Code)
	}
	old := b.kept["planexe_login"]
	b.follow(b.post("/logout", ""), "/login")
	b.kept["planexe_login"] = old
	if w := b.get("/runs"); w.Code != http.StatusSeeOther {
		t.Error("the session outlives the logout")
	}
	for range 10 {
		b.post("/login", "user=user&password=guess")
	}
	if w := b.post("/login", "user=user&password=pass+word"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("guessing is not slowed down: %d", w.Code)
	}
}

// Ensure a provider's key goes to the worker, and nowhere else.
func TestProviderKey(t *testing.T) {
	t.Parallel()
	const key = "sk-or-v1-topsecret"
	f := sampleWorker()
	f.info.Items = f.info.Items[2:]
	f.run.State = api.Stopped
	b, other := newBrowser(t, f, nil), newBrowser(t, f, nil)
	w := b.post("/settings", "do=key&key="+key)
	b.follow(w, "/settings")
	for _, path := range []string{"/", "/settings", "/runs/" + sampleID, "/about"} {
		w := b.get(path)
		if strings.Contains(w.Body.String()+fmt.Sprint(w.Header()), key) {
			t.Errorf("%s shows the key", path)
		}
	}
	for _, c := range b.kept {
		if strings.Contains(c.Value, key) {
			t.Errorf("cookie %s holds the key", c.Name)
		}
	}
	b.post("/runs", "prompt=x")
	b.post("/runs/"+sampleID+"/resume", "as=before")
	b.post("/runs/"+sampleID+"/rerun", "step=a")
	other.post("/runs", "prompt=x")
	if f.started[0].OpenRouterAPIKey != key || f.started[1].OpenRouterAPIKey != key || f.reruns[0].OpenRouterAPIKey != key || f.started[2].OpenRouterAPIKey != "" {
		t.Error("the key does not go where it should")
	}
	b.post("/settings", "do=forget")
	b.post("/runs", "prompt=x")
	if f.started[3].OpenRouterAPIKey != "" {
		t.Error("the key is not forgotten")
	}
}
