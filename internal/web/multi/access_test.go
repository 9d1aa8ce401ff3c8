package multi

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"planexe/internal/web/kit"
)

// Ensure every route has said who may use it, and that nobody else gets in: not signed out, not as another person, not by a form of
// another session or site.
func TestAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = Limits{} })
	id := w.task("ada", "Ada's plan")
	out, ben, root := w.browser(), w.as("ben"), w.as("root")
	before := w.count("select count(*) from events")
	for _, rt := range w.app.routes() {
		if rt.access < open || rt.access > admin {
			t.Errorf("%s has no class of access", rt.pattern)
		}
		method, path, found := strings.Cut(rt.pattern, " ")
		if !found {
			method, path = http.MethodPost, rt.pattern
		}
		path = strings.NewReplacer("{$}", "", "{id}", id.String(), "{what}", "delete", "{link}", "x").Replace(path)
		if rt.access == member || rt.access == admin {
			if got := out.do(method, path, ""); moving(path) && got.Code != http.StatusUnauthorized || !moving(path) && (got.Code != http.StatusFound || !strings.HasPrefix(got.Header().Get("Location"), "/login")) {
				t.Errorf("signed out, %s: %d to %q", rt.pattern, got.Code, got.Header().Get("Location"))
			}
		}
		if rt.access == admin {
			if got := ben.post(path); method == http.MethodPost && got.Code != http.StatusNotFound {
				t.Errorf("a user, %s: %d", rt.pattern, got.Code)
			}
			if got := ben.get(path); method == http.MethodGet && got.Code != http.StatusNotFound {
				t.Errorf("a user, %s: %d", rt.pattern, got.Code)
			}
		}
		if method == http.MethodPost && rt.access != partner && path != "/login" && path != "/theme" {
			if got := root.do(method, path, ""); got.Code != http.StatusForbidden {
				t.Errorf("without a token, %s: %d", rt.pattern, got.Code)
			}
			if got := root.do(method, path, kit.TokenField+"="+url.QueryEscape(ben.token)); got.Code != http.StatusForbidden {
				t.Errorf("with the token of another session, %s: %d", rt.pattern, got.Code)
			}
			if got := root.do(method, path, kit.TokenField+"="+url.QueryEscape(root.token), "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); got.Code != http.StatusForbidden {
				t.Errorf("from another site, %s: %d", rt.pattern, got.Code)
			}
		}
	}
	if n := w.count("select count(*) from events"); n != before {
		t.Errorf("%d things happened that must not", n-before)
	}
	// What the reference's forms changed is not there.
	for _, path := range []string{"/admin/taskitem/new/", "/admin/taskitem/edit/?id=" + id.String(), "/admin/eventitem/delete/"} {
		if got := root.get(path); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

// Ensure that nobody sees, stops, or learns of the plans of somebody else.
func TestOwnership(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id := w.task("ada", "Ada's secret plan")
	w.exec("insert into task_artifact (task_id, name, size, sha256, encoding, body) values ($1, '001-2-plan.txt', 5, sha256('hello'), 'identity', 'hello')", id)
	w.exec("update task_item set generated_report_html = 'the report', run_zip_snapshot = 'PK' where id = $1", id)
	ada, ben, root := w.as("ada"), w.as("ben"), w.as("root")
	at := "/runs/" + id.String()
	same := func(path string, of *httptest.ResponseRecorder, gone *httptest.ResponseRecorder) {
		t.Helper()
		a, b := of.Body.String(), strings.ReplaceAll(gone.Body.String(), uuid.Nil.String(), id.String())
		a, b = tokenField.ReplaceAllString(a, ""), tokenField.ReplaceAllString(b, "")
		if of.Code != gone.Code || a != b || strings.Contains(a, "secret") {
			t.Errorf("%s: %d tells something of a plan of somebody else (%d for none): %.200s", path, of.Code, gone.Code, a)
		}
	}
	for _, end := range []string{"", "/report.html", "/zip", "/report", "?tab=files", "?tab=log", "/files/001-2-plan.txt", "/files/001-2-plan.txt/raw", "/delete"} {
		same(end, ben.get(at+end), ben.get("/runs/"+uuid.Nil.String()+end))
		for who, b := range map[string]*browser{"the owner": ada, "an administrator": root} {
			if got := b.get(at + end); got.Code != http.StatusOK {
				t.Errorf("%s, %s: %d", who, end, got.Code)
			}
		}
	}
	for _, old := range []string{"/progress?run_id=", "/viewplan?run_id="} {
		for who, b := range map[string]*browser{"another": ben, "nobody": w.browser()} {
			if got := b.get(old + id.String()); got.Code != http.StatusBadRequest || strings.TrimSpace(got.Body.String()) != `{"error":"Task not found"}` {
				t.Errorf("%s by %s: %d %s", old, who, got.Code, got.Body)
			}
		}
		if got := ada.get(old + id.String()); got.Code != http.StatusOK {
			t.Errorf("%s by the owner: %d", old, got.Code)
		}
	}
	for _, end := range []string{"/stop", "/resume", "/delete", "/again"} {
		ben.post(at + end)
	}
	if n := w.count("select count(*) from task_item where id = $1 and state = 'pending' and stop_requested is not true", id); n != 1 {
		t.Error("somebody changed a plan of somebody else")
	}
	if text := ben.page("/runs"); strings.Contains(text, "secret") {
		t.Error("the list shows a plan of somebody else")
	}
	ada.to(ada.post(at+"/stop"), at)
	ada.to(ada.post(at+"/resume", "as", "before"), at)
	ada.to(ada.post(at+"/stop"), at)
	ada.to(ada.post(at+"/again"), at)
	if n := w.count("select count(*) from task_item where id = $1 and state = 'pending' and generation = 1", id); n != 1 {
		t.Error("the owner could not stop, resume and begin again")
	}
}

// Ensure sign-in leads only to this site, says the same for every reason, and ends by its form.
func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	for next, want := range map[string]string{"/runs?q=a": "/runs\\?q=a", "//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/"} {
		c := w.browser()
		c.to(c.post("/login", "username", "ada", "password", phrase, "next", next), want)
	}
	var texts []string
	for _, login := range []string{"ada", "nobody"} {
		got := b.post("/login", "username", login, "password", "wrong")
		if got.Code != http.StatusUnauthorized || got.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %d, %v", login, got.Code, got.Header())
		}
		texts = append(texts, strings.ReplaceAll(got.Body.String(), login, ""))
	}
	if texts[0] != texts[1] {
		t.Error("the answer tells which logins there are")
	}
	in := w.as("ada")
	cookie := in.kept[sessionCookie]
	if cookie == nil || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure {
		t.Errorf("the cookie is %+v", cookie)
	}
	in.do(http.MethodGet, "/logout", "", "Sec-Fetch-Site", "cross-site")
	in.page("/account")
	in.to(in.post("/logout"), "/")
	in.kept[sessionCookie] = cookie
	if got := in.get("/account"); got.Code != http.StatusFound {
		t.Errorf("the session is still good: %d", got.Code)
	}
	r := httptest.NewRequest(http.MethodPost, "http://localhost/login", strings.NewReader("username=ada&password="+url.QueryEscape(phrase)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as a script sends it: without headers of a browser
	answer := httptest.NewRecorder()
	w.h.ServeHTTP(answer, r)
	if answer.Code != http.StatusFound {
		t.Errorf("a script: %d", answer.Code)
	}
}

// Ensure behind a trusted proxy the cookie is for encrypted connections and the address is the reader's, and that nobody else can say so.
func TestProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	for _, c := range []struct{ peer, forwarded, proto, want, cookie string }{
		{"10.0.0.1:1", "203.0.113.9, 10.0.0.7", "https", "203.0.113.9", secureCookie}, {"10.0.0.1:1", "1.1.1.1, 203.0.113.9", "http", "203.0.113.9", sessionCookie},
		{"203.0.113.1:1", "198.51.100.1", "https", "203.0.113.1", sessionCookie}, {"10.0.0.1:1", "nonsense", "", "10.0.0.1", sessionCookie},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
		r.RemoteAddr = c.peer
		r.Header.Set("X-Forwarded-For", c.forwarded)
		r.Header.Set("X-Forwarded-Proto", c.proto)
		if got := w.app.address(r); got != c.want || w.app.cookieName(r) != c.cookie {
			t.Errorf("%+v: %s, %s", c, got, w.app.cookieName(r))
		}
	}
}

// Ensure limits hold, also for forms sent at once, that admins have none, and that a full queue says so.
func TestLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = Limits{PerHour: 4, AtOnce: 2, Queue: 6} })
	ada, root := w.as("ada"), w.as("root")
	answers := make(chan int, 6)
	for range 6 {
		go func() {
			r := httptest.NewRequest(http.MethodPost, "http://localhost/runs", strings.NewReader(url.Values{"prompt": {"Bake bread"}, "model": {"auto"}, kit.TokenField: {ada.token}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, c := range ada.kept {
				r.AddCookie(c)
			}
			rec := httptest.NewRecorder()
			w.h.ServeHTTP(rec, r)
			answers <- rec.Code
		}()
	}
	made, refused := 0, 0
	for range 6 {
		switch <-answers {
		case http.StatusSeeOther:
			made++
		case http.StatusTooManyRequests:
			refused++
		}
	}
	if made != 2 || refused != 4 {
		t.Errorf("%d made, %d refused", made, refused)
	}
	w.exec("update task_item set state = 'completed'")
	for i, want := range []int{303, 303, 429} {
		if got := ada.post("/runs", "prompt", "More bread", "model", "auto"); got.Code != want {
			t.Errorf("plan %d of an hour: %d, want %d", i+3, got.Code, want)
		}
		w.exec("update task_item set state = 'completed'")
	}
	for i := range 7 {
		got := root.post("/runs", "prompt", "Bread for all", "model", "auto")
		if want := map[bool]int{true: 303, false: 503}[i < 6]; got.Code != want {
			t.Errorf("plan %d of an administrator: %d, want %d", i+1, got.Code, want)
		}
	}
	if got := root.post("/runs", "prompt", strings.Repeat("x", mostPrompt+1)); got.Code/100 != 4 {
		t.Errorf("too long: %d", got.Code)
	}
}

// Ensure probes and monitoring are answered, with and without a database.
func TestHealth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	for _, path := range []string{"/health", "/healthcheck"} {
		if got := b.get(path); got.Code != http.StatusOK || strings.TrimSpace(got.Body.String()) != `{"status":"ok","database":"ok","database_target":{}}` {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	w.task("ada", "One")
	if text := b.page("/metrics"); !strings.Contains(text, "planexe_queue_pending 1") {
		t.Errorf("metrics: %s", text)
	}
	w.pool.Close()
	if got := b.get("/health"); got.Code != http.StatusInternalServerError || strings.Contains(got.Body.String(), "pool") {
		t.Errorf("without a database: %d %s", got.Code, got.Body)
	}
	if got := b.get("/account"); got.Code != http.StatusFound {
		t.Errorf("a page without a database, signed out: %d", got.Code)
	}
}

// Ensure an open stream ends with its session, and that nobody holds more than their share of them.
func TestStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.app.recheck = 20 * time.Millisecond
	ada := w.as("ada")
	at := "/runs/" + w.task("ada", "A plan").String() + "/live"
	ended := make(chan int)
	for range mostStreams {
		go func() {
			r := httptest.NewRequest(http.MethodGet, "http://localhost"+at, nil)
			for _, c := range ada.kept {
				r.AddCookie(c)
			}
			rec := httptest.NewRecorder()
			w.h.ServeHTTP(rec, r)
			ended <- rec.Code
		}()
	}
	for len(w.app.streams.counts()) == 0 || w.app.streams.counts()[0] < mostStreams {
		runtime.Gosched()
	}
	if got := ada.get(at); got.Code != http.StatusTooManyRequests {
		t.Errorf("one more stream: %d", got.Code)
	}
	w.ok(w.app.accounts.Disable(t.Context(), "system", w.people["ada"].ID, true))
	for range mostStreams {
		if code := <-ended; code != http.StatusOK {
			t.Errorf("a stream answered %d", code)
		}
	}
}

func (c *counter) counts() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.open))
}
