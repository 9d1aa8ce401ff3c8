package multi

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"planexe/internal/auth"
	"planexe/internal/config"
	"planexe/internal/web/kit"
)

var partnerSecret = []byte(strings.Repeat("s", 32))

func partnerForm(user, prompt string, more ...string) url.Values {
	v := url.Values{"prompt": {prompt}, "user_id": {user}, "nonce": {auth.SignNonce(partnerSecret, user, time.Now().Add(time.Minute))}}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
		if more[i+1] == "" {
			v.Del(more[i])
		}
	}
	return v
}

// Ensure a partner's signed request makes one plan, that everything else is refused before the nonce is used up, and what is kept of it.
func TestPartner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) {
		o.PublicRun, o.PartnerSecret, o.FrameAncestors = config.RunGet, partnerSecret, []string{"https://partner.example"}
	})
	b := w.browser()
	send := func(v url.Values) (int, string) {
		got := b.do(http.MethodPost, "/run", v.Encode(), "Sec-Fetch-Site", "cross-site", "Origin", "https://partner.example")
		if got.Header().Get("Cache-Control") != "no-store, no-cache, must-revalidate, max-age=0" || got.Header().Get("Pragma") != "no-cache" {
			t.Errorf("an answer may be kept: %v", got.Header())
		}
		return got.Code, got.Body.String()
	}
	good := partnerForm("visitor-1", "Open a bakery", "fast", "true", "developer", "")
	over := auth.SignNonce(partnerSecret, "visitor-1", time.Now().Add(-time.Minute))
	for name, c := range map[string]struct {
		form url.Values
		code int
		says string
	}{
		"no nonce":       {partnerForm("visitor-1", "x", "nonce", ""), 400, "nonce"},
		"no user":        {partnerForm("visitor-1", "x", "user_id", ""), 400, "user_id"},
		"no prompt":      {partnerForm("visitor-1", " "), 400, "prompt"},
		"made up":        {partnerForm("visitor-1", "x", "nonce", "DEMO_1"), 400, "malformed"},
		"another's":      {partnerForm("visitor-1", "x", "user_id", "visitor-2"), 401, "signed"},
		"over":           {partnerForm("visitor-1", "x", "nonce", over), 401, "over"},
		"long prompt":    {partnerForm("visitor-1", strings.Repeat("x", mostPrompt+1)), 413, "most"},
		"long user":      {partnerForm(strings.Repeat("u", 257), "x"), 400, "256"},
		"long parameter": {partnerForm("visitor-1", "x", "name", strings.Repeat("v", 1025)), 400, "1024"},
	} {
		if code, body := send(c.form); code != c.code || !strings.Contains(body, c.says) || !strings.HasPrefix(body, `{"error":`) {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	if got := b.do(http.MethodPost, "/run?prompt=x", good.Encode()); got.Code != 400 {
		t.Errorf("a query string: %d", got.Code)
	}
	if n := w.count("select count(*) from nonces"); n != 0 {
		t.Errorf("%d nonces are used up by what was refused", n)
	}
	got := b.do(http.MethodPost, "/run", good.Encode(), "Sec-Fetch-Site", "cross-site", "Origin", "https://partner.example")
	page := got.Body.String()
	if got.Code != http.StatusOK || !strings.HasSuffix(got.Header().Get("Cache-Control"), "max-age=0") || !strings.Contains(got.Header().Get("Content-Security-Policy"), "frame-ancestors https://partner.example") || got.Header().Get("X-Frame-Options") != "" || got.Header().Get("Set-Cookie") != "" || strings.Contains(page, "<nav") {
		t.Fatalf("the page in the frame: %d, %v, %s", got.Code, got.Header(), page)
	}
	if code, body := send(good); code != http.StatusConflict || !strings.Contains(body, "used") {
		t.Errorf("a second time: %d %s", code, body)
	}
	if n := w.count("select request_count from nonces"); n != 2 {
		t.Errorf("the nonce was counted %d times", n)
	}
	if n := w.count("select count(*) from nonces where context::text like '%bakery%' or context::text like '%192.0.2.1\"%'"); n != 0 {
		t.Error("the prompt or the whole address is kept with the nonce")
	}
	id := w.id("select id from task_item where user_id = 'visitor-1' and origin = 'partner' and state = 'pending' and parameters ->> 'fast' = 'true' and account_id is null")
	if !strings.Contains(page, id.String()) {
		t.Error("the page does not know its plan")
	}
	if got := b.do(http.MethodGet, "/progress?run_id="+id.String(), "", "Accept", "*/*"); got.Code != 200 || strings.TrimSpace(got.Body.String()) != `{"progress_percentage":0,"progress_message":"Awaiting server to start…","status":"pending"}` {
		t.Errorf("progress: %d %s", got.Code, got.Body)
	}
	if got := b.get("/viewplan?run_id=" + id.String()); got.Code != 404 || strings.TrimSpace(got.Body.String()) != `{"error":"Report not available"}` {
		t.Errorf("no report yet: %d %s", got.Code, got.Body)
	}
	w.exec("update task_item set state = 'completed', generated_report_html = '<p>the report' where id = $1", id)
	if got := b.get("/viewplan?run_id=" + id.String()); got.Code != 200 || got.Body.String() != "<p>the report" || !strings.HasPrefix(got.Header().Get("Content-Security-Policy"), "sandbox allow-scripts") || strings.Contains(got.Header().Get("Content-Security-Policy"), "allow-same-origin") {
		t.Errorf("the report: %d %v", got.Code, got.Header())
	}
	own := w.task("ada", "Ada's plan")
	for _, bad := range []string{own.String(), uuid.NewString(), "nonsense", ""} {
		if got := b.get("/progress?run_id=" + bad); got.Code != 400 {
			t.Errorf("%q: %d", bad, got.Code)
		}
	}
	if got := b.get("/run?" + partnerForm("visitor-2", "By a link").Encode()); got.Code != 200 {
		t.Errorf("GET: %d %s", got.Code, got.Body)
	}
}

// Ensure that without the switch only people who are signed in make plans, each form once, and never by another site.
func TestRunOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	out, ada := w.browser(), w.as("ada")
	if got := out.get("/run?prompt=x"); got.Code != http.StatusFound || got.Header().Get("Location") != "/login" {
		t.Errorf("GET: %d", got.Code)
	}
	if got := out.do(http.MethodPost, "/run", partnerForm("a", "x").Encode()); got.Code != http.StatusForbidden || !strings.HasPrefix(got.Body.String(), `{"error":`) {
		t.Errorf("POST: %d %s", got.Code, got.Body)
	}
	ada.to(ada.post("/run", "prompt", "My plan", "user_id", "somebody", "nonce", "once", "fast", ""), "/runs/.*")
	if got := ada.post("/run", "prompt", "My plan", "nonce", "once"); got.Code != http.StatusConflict {
		t.Errorf("a second time: %d", got.Code)
	}
	if n := w.count("select count(*) from task_item where user_id = 'ada' and account_id = $1 and origin = 'ui'", w.people["ada"].ID); n != 1 {
		t.Errorf("%d plans of the account", n)
	}
	if got := ada.do(http.MethodPost, "/run", "prompt=x&nonce=n2&"+kit.TokenField+"="+url.QueryEscape(ada.token), "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); got.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", got.Code)
	}
}
