package multi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"planexe/internal/web/webtest"
)

// Ensure a page can ask how long its session lasts without making it last, can make it last, and learns that it is over.
func TestSessionLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ada, out := w.as("ada"), w.browser()
	left := func(b *browser) (l lasting) {
		t.Helper()
		got := b.do(http.MethodGet, "/session", "", "Accept", "application/json")
		if got.Code != http.StatusOK || got.Header().Get("Cache-Control") == "" {
			t.Fatalf("%d %v", got.Code, got.Header())
		}
		w.ok(json.Unmarshal(got.Body.Bytes(), &l))
		return l
	}
	if l := left(out); l.Seconds != 0 || l.Token != "" {
		t.Errorf("signed out: %+v", l)
	}
	w.exec("update app_session set last_used_at = now() - interval '11 hours 58 minutes'")
	for range 2 { // asking is no use
		if l := left(ada); l.Seconds < 100 || l.Seconds > 120 || l.Fixed || l.Token != ada.token {
			t.Errorf("before the idle end: %+v", l)
		}
	}
	if got := ada.do(http.MethodPost, "/session", ""); got.Code != http.StatusForbidden {
		t.Errorf("without a token: %d", got.Code)
	}
	w.exec("update app_session set last_used_at = now() - interval '11 hours 58 minutes'")
	if got := ada.post("/session"); got.Code != http.StatusOK {
		t.Errorf("staying: %d", got.Code)
	}
	if l := left(ada); l.Seconds < 43000 || l.Fixed {
		t.Errorf("after staying: %+v", l)
	}
	w.exec("update app_session set ends_at = now() + interval '2 minutes'")
	if l := left(ada); l.Seconds > 120 || l.Seconds < 100 || !l.Fixed {
		t.Errorf("before the end of all: %+v", l)
	}
	w.exec("delete from app_session")
	if l := left(ada); l.Seconds != 0 || l.Token != "" {
		t.Errorf("over: %+v", l)
	}
}

// Ensure an open page tells before its session ends, stays on request, says when it is over, and that what was typed in it can be sent
// after a sign-in elsewhere.
func TestStaySignedIn(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: a browser")
	}
	b := webtest.New(t)
	b.Allowed = regexp.MustCompile(`ERR_INCOMPLETE|ERR_ABORTED|status of 401`)
	w := newWorld(t, nil)
	b.At(w.h)
	enter(b, "ada")
	const shown = `document.querySelector("[data-session]:not([hidden])")`
	if webtest.Eval[bool](b, "Boolean("+shown+")") {
		t.Error("a fresh session is said to end")
	}
	w.exec("update app_session set idle_seconds = 200, last_used_at = now()")
	b.Open("/")
	webtest.Eval[bool](b, `(() => { document.querySelector("#prompt").value = "Typed before the end"; return true; })()`)
	b.Until("the notice", shown+`?.textContent.includes("You will be signed out at")`)
	if *shots != "" {
		b.Size(1440)
		b.Shoot(*shots + "/session-ends-1440-light.png")
	}
	w.exec("update app_session set idle_seconds = 7200, last_used_at = now() - interval '2 minutes'")
	b.Press("Stay signed in")
	b.Until("the end of the notice", "!"+shown)
	if n := w.count("select count(*) from app_session where last_used_at > now() - interval '30 seconds'"); n != 1 {
		t.Error("staying was no use of the session")
	}
	w.exec("update app_session set idle_seconds = 200")
	b.Open("/")
	webtest.Eval[bool](b, `(() => { document.querySelector("#prompt").value = "Typed before the end"; return true; })()`)
	b.Until("the notice", shown)
	w.exec("delete from app_session")
	webtest.Eval[bool](b, `document.dispatchEvent(new Event("visibilitychange"))`)
	b.Until("the end", shown+`?.textContent.includes("You are signed out")`)
	if *shots != "" {
		b.Shoot(*shots + "/session-over-1440-light.png")
	}
	webtest.Eval[bool](b, fmt.Sprintf(`fetch("/login", { method: "POST", body: new URLSearchParams({ username: "ada", password: %q }) }).then((r) => r.ok)`, phrase))
	webtest.Eval[bool](b, `document.dispatchEvent(new Event("visibilitychange"))`)
	b.Until("the new session", "!"+shown)
	b.Press("Create plan")
	b.Until("the plan", `location.pathname.startsWith("/runs/") && document.body.textContent.includes("Typed before the end")`)
	b.Quiet("a session that ends")
}
