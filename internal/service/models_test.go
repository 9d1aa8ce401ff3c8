package service_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"planexe/internal/api"
	"planexe/internal/llm"
)

// ollama is a server that has one model; asked counts the requests.
func ollama(t *testing.T, asked *atomic.Int32) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/tags" {
			asked.Add(1)
			io.WriteString(w, `{"models":[{"name":"llama3.1:latest"}]}`)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// The list of models tells what can be used, in the words that clients compare.
func TestLLMInfo(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	up := ollama(t, &asked)
	closed := httptest.NewServer(http.NotFoundHandler())
	down := closed.URL
	closed.Close()
	entry := func(id, model, base, more string) string {
		return fmt.Sprintf(`%q: {"class": "Ollama", %s "arguments": {"model": %q, "base_url": %q}}`, id, more, model, base)
	}
	for _, c := range []struct {
		name, config, labels, status string
		errors                       []string
	}{
		{"no Ollama", `"fast": {"class": "Demo", "priority": 1}, "zero": {"class": "Demo", "priority": 0}, "small": {"class": "Demo"}`,
			"Auto|fast (prio: 1)|zero|small|Demo (no model)", api.NoOllamaModels, nil},
		{"one up", entry("o", "llama3.1", up, ""), "Auto|o|Demo (no model)", api.OllamaRunning, nil},
		{"one missing", entry("ollama-big", "big:70b", up, `"priority": 4,`) + "," + entry("o", "llama3.1", up, ""),
			"Auto|ollama-big (prio: 4) ❌ unavailable|o|Demo (no model)", api.OllamaRunning, []string{`Model "big:70b" of entry "ollama-big" is not installed in Ollama.`}},
		{"down", entry("o", "llama3.1", down, ""), "Auto|o ❌ unavailable|Demo (no model)", api.OllamaNotRunning, []string{"o: "}},
		{"mixed", entry("a", "llama3.1", up, "") + "," + entry("b", "llama3.1", down, ""), "Auto|a|b ❌ unavailable|Demo (no model)", api.OllamaMixed, []string{"b: "}},
		{"from Hugging Face, down", entry("h", "hf.co/x/y:Q4", down, ""), "Auto|h|Demo (no model)", api.OllamaNotRunning, nil},
		{"no key", `"r": {"class": "OpenRouter", "priority": 1, "arguments": {"model": "m", "api_key": "${NOT_SET}"}}, "demo": {"class": "Demo"}`,
			"Auto|r (prio: 1) ❌ unavailable|demo", api.NoOllamaModels, []string{"r: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "{"+c.config+"}", nil)
			info, err := w.c.LLMInfo(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var labels []string
			for _, item := range info.Items {
				labels = append(labels, item.Label)
				if item.Available == strings.Contains(item.Label, "❌") || item.Available != (item.Problem == "") {
					t.Errorf("%+v", item)
				}
			}
			if strings.Join(labels, "|") != c.labels || info.OllamaStatus != c.status || info.Items[0].ID != "auto" {
				t.Errorf("got %q, %q", labels, info.OllamaStatus)
			}
			if len(info.Errors) != len(c.errors) {
				t.Fatalf("errors %q", info.Errors)
			}
			for i, want := range c.errors {
				if !strings.HasPrefix(info.Errors[i], want) {
					t.Errorf("error %q, want %q", info.Errors[i], want)
				}
			}
			if len(info.AutoModels) == 0 || info.AutoWhy == "" {
				t.Errorf("auto: %v, %q", info.AutoModels, info.AutoWhy)
			}
		})
	}

	w := newWorld(t, "{"+entry("o", "llama3.1", up, "")+"}", nil)
	if _, err := w.c.LLMInfo(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := asked.Load()
	if _, err := w.c.LLMInfo(t.Context()); err != nil || asked.Load() != before {
		t.Errorf("the server was asked again within the life of an answer, %v", err)
	}
	w.configure("{" + entry("other", "llama3.1", up, "") + "}")
	if info, err := w.c.LLMInfo(t.Context()); err != nil || info.Items[1].ID != "other" {
		t.Errorf("an edit of the file is not seen: %+v, %v", info.Items, err)
	}
	w.configure("{oops")
	if info, err := w.c.LLMInfo(t.Context()); err != nil || len(info.Errors) != 1 || info.Items[0].ID != "auto" {
		t.Errorf("%+v, %v", info, err)
	}
	w.want(w.do("POST", "/runs", submitBody), 422, `{"detail":[{"type":"value_error","loc":["body","llm_model"],"msg":"the configuration cannot be used…`)
	w.want(w.do("GET", "/readyz", ""), 503, "")
	w.want(w.do("GET", "/estimate", ""), 503, "")
}

// A ping tells each model in the order of priority and always ends with the server's own event.
func TestLLMPing(t *testing.T) {
	t.Parallel()
	event := func(name, status, rest string) string {
		return fmt.Sprintf("data: {\"name\":%q,\"status\":%q,%s}\n\n", name, status, rest)
	}
	done := event("server", "done", `"response_time":0,"response":""`)
	pinging := func(name string) string {
		return event(name, "pinging", `"response_time":0,"response":"Pinging model…"`)
	}

	w := newWorld(t, `{"second": {"class": "OpenRouter", "priority": 2, "arguments": {"model": "m", "api_key": "${NOT_SET}"}}, "first": {"class": "Demo", "priority": 1}, "none": {"class": "Demo"}}`, nil)
	r := w.do("GET", "/llm-ping", "", "Accept", "text/event-stream")
	if h := r.header; h.Get("Content-Type") != "text/event-stream; charset=utf-8" || h.Get("Cache-Control") != "no-cache" || h.Get("X-Accel-Buffering") != "no" {
		t.Errorf("%v", h)
	}
	if !strings.HasPrefix(r.body, pinging("first")+`data: {"name":"first","status":"success","response_time":`) ||
		!strings.Contains(r.body, "\n\n"+pinging("second")+`data: {"name":"second","status":"error","response_time":0,"response":"config: `) || !strings.HasSuffix(r.body, "\n\n"+done) {
		t.Errorf("%s", r.body)
	}
	var names []string
	for e, err := range w.c.Ping(t.Context(), "none", "demo") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name+" "+e.Status)
	}
	if strings.Join(names, ", ") != "none pinging, none success, demo pinging, demo success, server done" {
		t.Errorf("%q", names)
	}
	w.want(w.do("GET", "/llm-ping?id=unknown", ""), 400, "")
	w.configure(`{"none": {"class": "Demo"}}`)
	w.want(w.do("GET", "/llm-ping", ""), 200, strings.TrimSpace(done))
	w.configure("{oops")
	r = w.do("GET", "/llm-ping", "")
	if !strings.HasPrefix(r.body, `data: {"name":"worker_plan","status":"error","response_time":0,"response":"read `) || !strings.HasSuffix(r.body, "\n\n"+done) {
		t.Errorf("%s", r.body)
	}
}

// When the reader of a ping goes, the model is left alone; only so many pings go on at once.
func TestLLMPingEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	gone := make(chan error, 10)
	w.script.gone = gone
	defer w.script.hold()()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pinged := make(chan string, 8)
	for range 4 {
		go func() {
			for e := range w.c.Ping(ctx) {
				pinged <- e.Status
			}
		}()
	}
	for range 4 {
		if got := <-pinged; got != "pinging" {
			t.Errorf("%q", got)
		}
	}
	r := w.do("GET", "/llm-ping", "")
	w.want(r, 429, "")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	cancel()
	for range 4 {
		<-gone
	}
}

// A model that cannot be reached is told by class, and no key is shown.
func TestLLMPingHidesKeys(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(401)
		io.WriteString(w, `{"error":{"message":"bad key sk-secret-key-123456"}}`)
	}))
	defer s.Close()
	w := newWorld(t, `{"x": {"class": "OpenAILike", "priority": 1, "arguments": {"model": "m", "api_key": "sk-secret-key-123456", "base_url": "`+s.URL+`"}}}`, nil)
	for _, path := range []string{"/llm-ping", "/llm-info"} {
		r := w.do("GET", path, "")
		if !strings.Contains(r.body, string(llm.ClassAuth)) && path == "/llm-ping" || strings.Contains(r.body, "sk-secret") {
			t.Errorf("%s: %s", path, r.body)
		}
	}
}
