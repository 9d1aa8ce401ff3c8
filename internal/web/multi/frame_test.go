package multi

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"planexe/internal/api"
	"planexe/internal/auth"
	"planexe/internal/config"
	"planexe/internal/web/webtest"
)

// host is a partner's web site: a page with a frame in which it asks for a plan.
type host struct {
	*httptest.Server
	mu   sync.Mutex
	form string
}

func newHost(t *testing.T) *host {
	h := &host{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>Partner</title><h1>The partner's page</h1><iframe name="plan" title="Plan" width="900" height="600"></iframe>%s`, h.form)
	}))
	t.Cleanup(h.Close)
	h.URL = strings.Replace(h.URL, "127.0.0.1", "localhost", 1) // another site than the interface's
	return h
}

// asks makes the page ask for a plan with a nonce.
func (h *host) asks(at, user, prompt, nonce string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.form = fmt.Sprintf(`<form method="post" action="%s/run" target="plan"><input name="prompt" value="%s"><input name="user_id" value="%s"><input name="nonce" value="%s"><input name="fast" value="true"></form><script>document.forms[0].submit()</script>`,
		at, html.EscapeString(prompt), user, nonce)
}

// frames looks into frames, which are pages of another site and so targets of their own. To let go of one would end it.
type frames struct {
	*webtest.Tab
	at   string // their site
	open map[target.ID]context.Context
}

// until waits until an expression is true in a frame.
func (f *frames) until(what, expression string) {
	f.T.Helper()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) { // a wait, no order of events
		if f.any(expression) {
			return
		}
	}
	f.T.Fatalf("waited in vain for %s in the frame (%s)", what, expression)
}

// any tells whether an expression is true in a frame.
func (f *frames) any(expression string) bool {
	f.T.Helper()
	targets, err := chromedp.Targets(f.Ctx)
	f.Must(err)
	for _, t := range targets {
		if t.Type != "iframe" || !strings.HasPrefix(t.URL, f.at) {
			continue
		}
		ctx, ok := f.open[t.TargetID]
		if !ok {
			var cancel context.CancelFunc
			ctx, cancel = chromedp.NewContext(f.Ctx, chromedp.WithTargetID(t.TargetID))
			f.T.Cleanup(cancel)
			f.open[t.TargetID] = ctx
		}
		if yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")")); err == nil && yes {
			return true
		}
	}
	return false
}

// Ensure a partner's visitor sees their plan grow in a frame of the partner's page, ends at the report, and is told why when there is
// none; that the frame neither gets nor sends a cookie; and that another site can show none of it.
func TestFrame(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: a browser, a database and a worker")
	}
	b := webtest.New(t)
	partner, other := newHost(t), newHost(t)
	b.Allowed = regexp.MustCompile(`request for http://localhost|frame-ancestors|ERR_BLOCKED_BY_RESPONSE|ERR_ABORTED|chrome-error|favicon|status of 404|409`)
	w := newWorld(t, func(o *Options) {
		o.PublicRun, o.PartnerSecret, o.FrameAncestors = config.RunPost, partnerSecret, []string{partner.URL}
	})
	var mu sync.Mutex
	var cookies []string
	at := b.At(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.h.ServeHTTP(rw, r)
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/run" || r.URL.Path == "/progress" || r.URL.Path == "/viewplan" {
			cookies = append(cookies, r.Header.Values("Cookie")...)
			cookies = append(cookies, rw.Header().Values("Set-Cookie")...)
		}
	})).URL
	f := &frames{b, at, map[target.ID]context.Context{}}
	enter(b, "ada") // a session of the same browser must not count
	shoot := func(name string) {
		if *shots != "" {
			b.Size(1000)
			b.Shoot(filepath.Join(*shots, "frame-"+name+".png"))
		}
	}

	nonce := auth.SignNonce(partnerSecret, "visitor-1", time.Now().Add(time.Minute))
	partner.asks(at, "visitor-1", "Open a small bakery in Lyon", nonce)
	b.Must(chromedp.Do(b.Ctx, chromedp.Navigate(partner.URL)))
	f.until("the page of the plan", `document.querySelector("h1")?.textContent === "Your plan is being made" && document.querySelector("[data-progress-clock]").textContent !== "0:00"`)
	shoot("waiting")
	w.work(20)
	f.until("the report", `location.pathname === "/viewplan" && document.body.textContent.includes("akery")`)
	shoot("report")
	b.Must(chromedp.Do(b.Ctx, chromedp.Navigate(partner.URL))) // again with the same nonce
	f.until("a refusal", `document.body.textContent.includes("used before")`)
	if n := w.count("select count(*) from task_item"); n != 1 {
		t.Errorf("%d plans", n)
	}

	partner.asks(at, "visitor-2", "Fail", auth.SignNonce(partnerSecret, "visitor-2", time.Now().Add(time.Minute)))
	w.exec(`create function fails() returns trigger language plpgsql as $$ begin new.state := 'failed'; new.failure_reason := 'worker_error'; new.error_message := 'three workers were lost over this plan'; return new; end $$`)
	w.exec(`create trigger fails before insert on task_item for each row execute function fails()`)
	b.Must(chromedp.Do(b.Ctx, chromedp.Navigate(partner.URL)))
	f.until("the reason", `document.querySelector("[data-progress-reason]")?.checkVisibility() && document.querySelector("[data-progress-reason]").textContent.includes("hree workers were lost")`)
	shoot("failed")
	b.Quiet("the partner's page")

	w.exec("drop trigger fails on task_item")
	other.asks(at, "visitor-3", "By another site", auth.SignNonce(partnerSecret, "visitor-3", time.Now().Add(time.Minute)))
	b.Must(chromedp.Do(b.Ctx, chromedp.Navigate(other.URL)))
	w.until("the request of the other site", "select count(*) = 1 from task_item where user_id = 'visitor-3'")
	f.until("what the browser says instead", `document.readyState === "complete"`)
	if f.any(`document.querySelector("[data-progress], .framed")`) {
		t.Error("another site shows the page")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(cookies) > 0 {
		t.Errorf("cookies of the frame: %q", cookies)
	}
}

// fakeWorker is a worker_plan whose models answer when they are let.
func fakeWorker(t *testing.T, let <-chan api.PingEvent) *api.Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/llm-info":
			_ = json.NewEncoder(w).Encode(api.LLMInfo{Items: []api.LLMItem{{ID: "auto", Label: "Auto", Available: true}, {ID: "first", Label: "first", Available: true}}})
		case "/llm-ping":
			w.Header().Set("Content-Type", "text/event-stream")
			for e := range let {
				data, _ := json.Marshal(e)
				fmt.Fprintf(w, "data: %s\n\n", data)
				if http.NewResponseController(w).Flush() != nil || e.Name == "server" {
					return
				}
			}
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return api.NewClient(s.URL, api.Options{})
}

// Ensure an administrator sees each model answer by itself, what a model says is shown as text, and a lost worker_plan is told.
func TestPingPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: a browser")
	}
	b := webtest.New(t)
	b.Allowed = regexp.MustCompile(`ERR_INCOMPLETE|ERR_ABORTED|status of 429`)
	let := make(chan api.PingEvent)
	w := newWorld(t, func(o *Options) { o.Worker = fakeWorker(t, let) })
	b.At(w.h)
	enter(b, "root")
	b.Open("/ping")
	b.Press("Test")
	let <- api.PingEvent{Name: "first", Status: "pinging", Response: "Pinging model..."}
	let <- api.PingEvent{Name: "second", Status: "pinging", Response: "Pinging model..."}
	b.Until("both models", `document.querySelectorAll("[data-part=pings] tbody tr").length === 2`)
	let <- api.PingEvent{Name: "first", Status: "success", ResponseTime: 812, Response: hostile}
	b.Until("an answer", `document.querySelector("[data-part=pings] tbody tr").textContent.includes("812")`)
	let <- api.PingEvent{Name: "second", Status: "error", ResponseTime: 5, Response: "the key is not accepted"}
	let <- api.PingEvent{Name: "server", Status: "done"}
	b.Until("the other's", `document.querySelector("[data-part=pings]").textContent.includes("the key is not accepted")`)
	if *shots != "" {
		b.Size(1440)
		b.Shoot(filepath.Join(*shots, "models-answered-1440-light.png"))
	}
	if webtest.Eval[bool](b, `Boolean(document.querySelector("[data-part=pings] img, [data-part=pings] script"))`) {
		t.Error("an answer of a model is part of the page")
	}
	b.Quiet("the test of the models")
}
