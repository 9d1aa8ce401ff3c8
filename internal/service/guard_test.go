package service_test

import (
	"encoding/json"
	"strings"
	"testing"

	"planexe/internal/config"
	"planexe/internal/service"
)

// A web page of somebody else can neither start nor read anything, by whatever way it comes; a
// program, the docs page and an allowed page can.
func TestForeignPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, func(o *service.Options) {
		o.Settings.AllowedOrigins = config.List{"https://plans.example.org"}
	})
	own := strings.TrimPrefix(w.server.URL, "http://")
	port := own[strings.LastIndex(own, ":"):]
	for _, c := range []struct {
		name   string
		header []string
		status int
	}{
		{"a program", nil, 200},
		{"own page", []string{"Origin", w.server.URL, "Sec-Fetch-Site", "same-origin"}, 200},
		{"address bar", []string{"Sec-Fetch-Site", "none"}, 200},
		{"allowed page", []string{"Origin", "https://plans.example.org", "Sec-Fetch-Site", "cross-site"}, 200},
		{"foreign page", []string{"Origin", "https://evil.example"}, 403},
		{"sandboxed page", []string{"Origin", "null"}, 403},
		{"another port of this machine", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"like an allowed one", []string{"Origin", "https://plans.example.org.evil.example"}, 403},
		{"allowed name, other scheme", []string{"Origin", "http://plans.example.org"}, 403},
		{"image of a foreign page", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		{"link on a foreign page", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 403},
		{"page of the same site", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"rebound name", []string{"Host", "evil.example" + port}, 403},
		{"rebound name that calls itself own", []string{"Host", "evil.example" + port, "Origin", "http://evil.example" + port}, 403},
		{"compose name", []string{"Host", "worker_plan:8000"}, 200},
		{"localhost", []string{"Host", "LOCALHOST" + port}, 200},
		{"IPv6", []string{"Host", "[::1]" + port}, 200},
		{"address in the network", []string{"Host", "192.168.1.7:8000"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"/runs", "/llm-info", "/healthz", "/openapi.json", "/docs", "/readyz"} {
				w.want(w.do("GET", path, "", c.header...), c.status, "")
			}
			want := c.status
			if want == 200 {
				want = 422
			}
			w.want(w.do("POST", "/purge-runs", `{"prefix":""}`, c.header...), want, "")
			w.want(w.do("POST", "/runs", `{}`, c.header...), want, "")
			r := w.do("GET", "/runs", "", c.header...)
			allowed := c.name == "allowed page"
			if got := r.header.Get("Access-Control-Allow-Origin"); (got != "") != allowed || got == "*" {
				t.Errorf("Access-Control-Allow-Origin %q", got)
			}
		})
	}
	ask := []string{"Access-Control-Request-Method", "PUT"}
	r := w.do("OPTIONS", "/runs", "", append(ask, "Origin", "https://plans.example.org")...)
	if r.status != 204 || !strings.Contains(r.header.Get("Access-Control-Allow-Methods"), "PUT") {
		t.Errorf("preflight: %d %v", r.status, r.header)
	}
	if r := w.do("OPTIONS", "/runs", "", append(ask, "Origin", "https://evil.example")...); r.status != 403 {
		t.Errorf("foreign preflight: %d", r.status)
	}
}

// With a token every route but the health ones wants it, and nothing tells it.
func TestToken(t *testing.T) {
	t.Parallel()
	const token = "a-long-shared-token"
	w := newWorld(t, demoOnly, func(o *service.Options) { o.Settings.Token = token })
	var doc struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal([]byte(w.do("GET", "/openapi.json", "", "Authorization", "Bearer "+token).body), &doc); err != nil || len(doc.Paths) < 15 {
		t.Fatalf("%d paths, %v", len(doc.Paths), err)
	}
	doc.Paths["/docs"], doc.Paths["/openapi.json"], doc.Paths["/nope"] = map[string]any{"get": nil}, map[string]any{"get": nil}, map[string]any{"get": nil}
	for path, methods := range doc.Paths {
		for method := range methods {
			at := strings.NewReplacer("{id}", "PlanExe_x", "{file}", "a.md").Replace(path)
			open := path == "/healthz" || path == "/healthcheck" || path == "/readyz"
			for _, header := range []string{"", "Bearer wrong", "bearer " + token, "Basic " + token, "Bearer " + token + "x"} {
				r := w.do(strings.ToUpper(method), at, "", "Authorization", header)
				if open != (r.status == 200) || !open && (r.status != 401 || r.header.Get("WWW-Authenticate") != "Bearer") {
					t.Errorf("%s %s with %q: %d", method, at, header, r.status)
				}
				if strings.Contains(r.body, token) {
					t.Errorf("%s tells the token", at)
				}
			}
		}
	}
	if _, err := w.c.LLMInfo(t.Context()); err != nil {
		t.Error(err)
	}
	w.want(w.do("GET", "/runs", "", "Host", "worker.cluster.local", "Authorization", "Bearer "+token), 200, "")
	w.want(w.do("GET", "/healthz", "", "Host", "worker.cluster.local"), 403, "")
}

// Paths and methods that are none are answered in the form of the contract.
func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/nope", 404, ""}, {"GET", "/", 404, ""}, {"POST", "/runs/a/b/c/d/e", 404, ""}, {"GET", "/runs/a%2fb", 404, ""}, {"GET", "/runs/a%2Fb/zip", 404, ""},
		{"PUT", "/runs", 405, "GET, POST"}, {"POST", "/healthz", 405, "GET"}, {"GET", "/purge-runs", 405, "POST"}, {"DELETE", "/runs/x/files/y", 405, "GET, PUT"},
		{"POST", "/runs/x", 405, "GET, DELETE"}, {"HEAD", "/runs", 405, "GET, POST"}, {"OPTIONS", "/runs", 405, "GET, POST"},
	} {
		r := w.do(c.method, c.path, "")
		if r.status != c.status || strings.Join(r.header["Allow"], ", ") != c.allow || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %d %v", c.method, c.path, r.status, r.header)
		}
		if c.method != "HEAD" {
			w.want(r, c.status, map[int]string{404: detail("Not Found"), 405: detail("Method Not Allowed")}[c.status])
		}
	}
	for path, want := range map[string]string{"/runs/": "/runs", "/runs/x/files/?a=b": "/runs/x/files?a=b", "/healthz//": "/healthz"} {
		if r := w.do("GET", path, ""); r.status != 307 || r.header.Get("Location") != want {
			t.Errorf("%s: %d to %q", path, r.status, r.header.Get("Location"))
		}
	}
	if r := w.do("GET", "//evil.example/", ""); r.status == 307 {
		t.Errorf("redirected to %q", r.header.Get("Location"))
	}
	w.want(w.do("GET", "/healthz", ""), 200, `{"status":"ok","run_base_path":"`+w.base+`"}`)
	w.want(w.do("GET", "/healthcheck", ""), 200, `{"status":"ok","run_base_path":"`+w.base+`"}`)
	w.want(w.do("HEAD", "/healthz", ""), 200, "")
}

// No id and no file name leads out of the base directory, on any route.
func TestTraversal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	w.make("PlanExe_real", 0, "001-2-plan.txt")
	var doc struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal([]byte(w.do("GET", "/openapi.json", "").body), &doc); err != nil {
		t.Fatal(err)
	}
	hostile := []string{
		"%2e%2e", "%2E", "..%2frun", "%2fetc", "..%5c..", "%00", "a%00", "~", "%7e", "%252e%252e", ".planexe", strings.Repeat("a", 129), strings.Repeat("a", 4000),
		"%c3%a9", "%ff%fe", "%e2%80%ae", "a%20b", "con%3a", "-rf", "%0d%0aX:y", "*", "PlanExe_real%2f..", "PlanExe_real%20", "%EF%BC%8E%EF%BC%8E",
	}
	routes := 0
	for path, methods := range doc.Paths {
		for method := range methods {
			if !strings.Contains(path, "{id}") {
				continue
			}
			routes++
			for _, id := range hostile {
				at := strings.NewReplacer("{id}", id, "{file}", "a.md").Replace(path)
				r := w.do(strings.ToUpper(method), at, `{}`)
				if r.status != 400 && r.status != 404 || strings.Contains(r.body, "root:") || !json.Valid([]byte(r.body)) {
					t.Errorf("%s %s: %d %.200s", method, at, r.status, r.body)
				}
				if !strings.Contains(path, "{file}") {
					continue
				}
				at = strings.NewReplacer("{id}", "PlanExe_real", "{file}", id).Replace(path)
				if r := w.do(strings.ToUpper(method), at, `{}`); r.status != 400 && r.status != 404 {
					t.Errorf("%s %s: %d %.200s", method, at, r.status, r.body)
				}
			}
		}
	}
	if routes < 12 {
		t.Errorf("only %d routes with an id", routes)
	}
}
