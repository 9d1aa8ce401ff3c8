package multi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"planexe/internal/api"
	"planexe/internal/config"
)

// Ensure every answer has the security headers, whatever was asked and by whom.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.PublicURL = "https://plans.example.org" })
	out := w.browser()
	for _, rt := range append(w.app.routes(), route{pattern: "GET /nowhere"}, route{pattern: "DELETE /runs"}) {
		method, path, found := strings.Cut(rt.pattern, " ")
		if !found {
			method, path = http.MethodGet, rt.pattern
		}
		path = strings.NewReplacer("{$}", "", "{id}", "x", "{what}", "x", "{link}", "x").Replace(path)
		h := out.do(method, path, "").Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000", "X-Frame-Options": "DENY",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", rt.pattern, name, h.Get(name))
			}
		}
		if p := h.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || !strings.Contains(p, "frame-ancestors 'none'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: policy %q", rt.pattern, p)
		}
		if h.Get("Referrer-Policy") == "" || h.Get("Permissions-Policy") == "" {
			t.Errorf("%s: %v", rt.pattern, h)
		}
	}
}

// Ensure a new database holds nothing that looks like somebody's.
func TestNoDemoRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if n := w.count("select (select count(*) from task_item) + (select count(*) from nonces) + (select count(*) from workers) + (select count(*) from events where message ilike '%demo%')"); n != 0 {
		t.Errorf("%d rows of nobody", n)
	}
}

// Ensure sign-ins, failed ones, and what is done to accounts are noted with who did it, and nothing secret with them.
func TestNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	b.post("/login", "username", "ada", "password", "a wrong pass phrase")
	b.post("/login", "username", "a secret in the wrong field", "password", "x")
	root := w.as("root")
	root.post("/admin/useritem/create", "login", "cleo", "role", "user")
	at := "/admin/user/" + w.id("select id from app_user where login = 'cleo'").String()
	root.page(at)
	for _, what := range []string{"disable", "enable", "role", "signout", "link"} {
		root.post(at+"/"+what, "role", "admin")
	}
	root.post(at+"/role", "role", "user")
	root.to(root.post(at+"/delete", "login", "cleo"), "/admin/useritem/")
	ada := w.as("ada")
	ada.post("/account/password", "old", phrase, "password", "another pass phrase", "again", "another pass phrase")
	var have []string
	rows, err := w.pool.Query(t.Context(), "select actor || ': ' || message from events")
	w.ok(err)
	for rows.Next() {
		var line string
		w.ok(rows.Scan(&line))
		have = append(have, line)
	}
	w.ok(rows.Err())
	for _, want := range []string{
		"system: Sign-in failed", "admin:root: Signed in", "user:ada: Signed in", "admin:root: Account created", "admin:root: Account disabled", "admin:root: Account enabled",
		"admin:root: Role set to admin", "admin:root: Signed out everywhere", "admin:root: Password link made", "admin:root: Account deleted", "user:ada: Password changed",
	} {
		if !slices.Contains(have, want) {
			t.Errorf("%q is not noted; there are %q", want, have)
		}
	}
	for _, secret := range []string{phrase, "another pass phrase", "wrong pass phrase", "secret in the wrong field", "/password/"} {
		if n := w.count("select count(*) from events where message like $1 or context::text like $1", "%"+secret+"%"); n != 0 {
			t.Errorf("%q is in an event", secret)
		}
	}
}

// Ensure people can make accounts of their own where that is switched on, as users, a few per hour from one address.
func TestSignUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Signup = true })
	b := w.browser()
	sign := func(login string) int {
		return b.post("/signup", "username", login, "password", "some words of mine", "again", "some words of mine", "role", "admin").Code
	}
	if code := sign("dora"); code != http.StatusSeeOther {
		t.Errorf("a new account: %d", code)
	}
	for login, why := range map[string]string{"dora": "it is taken", "DORA": "it is taken, without case", "x y": "no login"} {
		if code := sign(login); code != http.StatusUnprocessableEntity {
			t.Errorf("%s (%s): %d", login, why, code)
		}
	}
	b.to(b.post("/login", "username", "dora", "password", "some words of mine"), "/")
	if got := b.get("/admin/"); got.Code != http.StatusNotFound {
		t.Errorf("a new account sees the administration: %d", got.Code)
	}
	b = w.browser()
	sign("eve")
	if code := sign("fay"); code == http.StatusSeeOther {
		t.Error("any number of accounts can be made from one address")
	}
}

// Ensure who guesses passwords waits, is told how long, and keeps nobody else out.
func TestGuessing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	for range 5 {
		b.post("/login", "username", "ada", "password", "wrong")
	}
	got := b.post("/login", "username", "ada", "password", phrase)
	if wait, err := strconv.Atoi(got.Header().Get("Retry-After")); got.Code != http.StatusTooManyRequests || err != nil || wait < 1 || !strings.Contains(got.Body.String(), "Try again in") {
		t.Errorf("after five tries: %d, %q", got.Code, got.Header().Get("Retry-After"))
	}
	w.app.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	if got := b.do(http.MethodPost, "/login", url.Values{"username": {"ada"}, "password": {phrase}}.Encode(), "X-Forwarded-For", "203.0.113.5"); got.Code != http.StatusFound {
		t.Errorf("from another address: %d", got.Code)
	}
}

// Ensure limits say when to come back, and that large requests are turned away.
func TestLimitsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) {
		o.Limits = Limits{PerHour: 1, AtOnce: 1, Queue: 1000}
		o.PublicRun, o.PartnerSecret = config.RunPost, partnerSecret
	})
	ada := w.as("ada")
	told := func(what string, code int, header http.Header) {
		t.Helper()
		if wait, err := strconv.Atoi(header.Get("Retry-After")); code != http.StatusTooManyRequests || err != nil || wait < 1 || wait > 3601 {
			t.Errorf("%s: %d, Retry-After %q", what, code, header.Get("Retry-After"))
		}
	}
	ada.to(ada.post("/runs", "prompt", "One", "model", "auto"), "/runs/.*")
	got := ada.post("/runs", "prompt", "Two", "model", "auto")
	told("unfinished", got.Code, got.Header())
	w.exec("update task_item set state = 'completed', timestamp_created = timestamp_created - interval '50 minutes'")
	got = ada.post("/runs", "prompt", "Three", "model", "auto")
	told("in an hour", got.Code, got.Header())
	if !strings.Contains(strings.ToLower(got.Body.String()), "try again in 11 minutes") || !strings.Contains(got.Body.String(), "Three") {
		t.Error("the page does not say when, or loses the text")
	}
	b := w.browser()
	for i := range runsPerHour {
		if got := b.do(http.MethodPost, "/run", partnerForm("visitor", fmt.Sprint("Plan ", i)).Encode()); got.Code != http.StatusOK {
			t.Fatalf("partner's plan %d: %d %s", i, got.Code, got.Body)
		}
	}
	refused := partnerForm("visitor", "One more")
	got = b.do(http.MethodPost, "/run", refused.Encode())
	told("a partner's visitor", got.Code, got.Header())
	w.exec("update task_item set timestamp_created = timestamp_created - interval '2 hours'")
	if got := b.do(http.MethodPost, "/run", refused.Encode()); got.Code != http.StatusOK {
		t.Errorf("the refused nonce was used up: %d", got.Code)
	}
	for i := range runsPerMinute {
		got = b.do(http.MethodPost, "/run", partnerForm(fmt.Sprint("visitor-", i), "A plan").Encode())
	}
	told("an address", got.Code, got.Header())
	many := partnerForm("visitor-x", "x")
	for i := range mostParameters + 1 {
		many.Set(fmt.Sprint("p", i), "x")
	}
	if got := b.do(http.MethodPost, "/run", many.Encode()); got.Code != http.StatusBadRequest {
		t.Errorf("too many parameters: %d", got.Code)
	}
	for _, path := range []string{"/run", "/runs", "/login"} {
		if got := ada.do(http.MethodPost, path, "prompt="+strings.Repeat("x", mostBody)); got.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("a large body to %s: %d", path, got.Code)
		}
	}
}

// Ensure partners' plans can be read by their id only while the entry of partners is open.
func TestPartnerClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id := w.id("insert into task_item (id, timestamp_created, state, prompt, user_id, origin, generated_report_html) values (gen_random_uuid(), now(), 'completed', 'x', 'v', 'partner', 'the report') returning id").String()
	b := w.browser()
	look := func() (codes [2]int) {
		for i, path := range []string{"/progress", "/viewplan"} {
			codes[i] = b.get(path + "?run_id=" + id).Code
		}
		return codes
	}
	if got := look(); got != [2]int{400, 400} {
		t.Errorf("closed: %v", got)
	}
	w.app.PublicRun = config.RunPost
	if got := look(); got != [2]int{200, 200} {
		t.Errorf("open: %v", got)
	}
}

// Ensure scripts get the test of the models in the form of the reference, one at a time, and hear of a worker_plan that is away.
func TestPingStream(t *testing.T) {
	t.Parallel()
	let := make(chan api.PingEvent, 4)
	w := newWorld(t, func(o *Options) { o.Worker = fakeWorker(t, let) })
	root := w.as("root")
	read := func() (events []api.PingEvent) {
		t.Helper()
		got := root.get("/ping/stream")
		if got.Code != http.StatusOK || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/event-stream") || got.Header().Get("X-Accel-Buffering") != "no" {
			t.Fatalf("%d %v", got.Code, got.Header())
		}
		for block := range strings.SplitSeq(strings.TrimSpace(got.Body.String()), "\n\n") {
			var e api.PingEvent
			w.ok(json.Unmarshal([]byte(strings.TrimPrefix(block, "data: ")), &e))
			events = append(events, e)
		}
		return events
	}
	let <- api.PingEvent{Name: "m", Status: "pinging"}
	let <- api.PingEvent{Name: "m", Status: "success", ResponseTime: 7, Response: "OK"}
	let <- api.PingEvent{Name: "server", Status: "done"}
	if got := read(); len(got) != 3 || got[1] != (api.PingEvent{Name: "m", Status: "success", ResponseTime: 7, Response: "OK"}) || got[2].Name != "server" {
		t.Errorf("the events: %+v", got)
	}
	if got := root.get("/ping/stream"); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" {
		t.Errorf("at once again: %d", got.Code)
	}
	w.exec("delete from app_throttle")
	w.app.Worker = api.NewClient("http://127.0.0.1:1", api.Options{})
	if got := read(); len(got) != 2 || got[0].Name != "worker_plan" || got[0].Status != "error" || got[1] != (api.PingEvent{Name: "server", Status: "done"}) || strings.Contains(got[0].Response, "127.0.0.1") {
		t.Errorf("without worker_plan: %+v", got)
	}
}
