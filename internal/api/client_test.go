package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"planexe/internal/api"
)

func serve(t *testing.T, h http.HandlerFunc) *api.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return api.NewClient(s.URL+"//", api.Options{Token: "the-token"})
}

// An answer that is no success becomes an Error with what the service said, field by field.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		status     int
		detail     string
		fields     []string
	}{
		{"text", `{"detail":"no run directory: /x"}`, 404, "no run directory: /x", nil},
		{"fields", `{"detail":[{"type":"missing","loc":["body","llm_model"],"msg":"field required"},{"type":"json_invalid","loc":["body",7],"msg":"not valid JSON"},{"type":"missing","loc":["body"],"msg":"field required"}]}`,
			422, "llm_model: field required; 7: not valid JSON; field required", []string{"llm_model", "7", ""}},
		{"a proxy's page", `<html>bad gateway</html>`, 502, "Bad Gateway", nil},
		{"nothing", ``, 500, "Internal Server Error", nil},
		{"other JSON", `{"detail":{"a":1}}`, 500, "Internal Server Error", nil},
		{"redirect", ``, 307, "Temporary Redirect", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			_, err := client.Steps(t.Context(), "x")
			var e *api.Error
			if !errors.As(err, &e) || e.Status != c.status || e.Detail != c.detail || len(e.Fields) != len(c.fields) {
				t.Fatalf("%#v", err)
			}
			for i, want := range c.fields {
				if got := e.Fields[i].Field(); got != want {
					t.Errorf("field %q, want %q", got, want)
				}
			}
		})
	}
}

// Ids and names are one segment of a path each, whatever is in them; the token goes along.
func TestPaths(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"PlanExe_1": "/runs/PlanExe_1/files/a%20b.md", "..": "/runs/%2E%2E/files/a%20b.md", "a/../b": "/runs/a%2F..%2Fb/files/a%20b.md",
		"?x=1": "/runs/%3Fx=1/files/a%20b.md", "%2e": "/runs/%252e/files/a%20b.md",
	} {
		client := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.RequestURI != want || r.Header.Get("Authorization") != "Bearer the-token" {
				t.Errorf("%s: %s, %q", id, r.RequestURI, r.Header)
			}
			w.Header().Set("ETag", `"t"`)
		})
		if _, tag, err := client.File(t.Context(), id, "a b.md"); err != nil || tag != `"t"` {
			t.Errorf("%q, %v", tag, err)
		}
	}
}

// A service that is not there, falls silent or breaks off is ErrUnreachable; a caller who gives up is
// not.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if _, err := api.NewClient(gone.URL, api.Options{}).Health(t.Context()); !errors.Is(err, api.ErrUnreachable) {
		t.Errorf("not there: %v", err)
	}
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/events") {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "id: 1\nevent: run.queued\ndata: {\"seq\":1}\n\n")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}))
	defer silent.Close()
	client := api.NewClient(silent.URL, api.Options{Timeout: 50 * time.Millisecond})
	if _, err := client.Health(t.Context()); !errors.Is(err, api.ErrUnreachable) || !strings.Contains(err.Error(), "silent for 50ms") {
		t.Errorf("silent: %v", err)
	}
	var last error
	n := 0
	for _, err := range client.Events(t.Context(), "x", 0) {
		n++
		last = err
	}
	if n != 2 || !errors.Is(last, api.ErrUnreachable) {
		t.Errorf("silent stream: %d, %v", n, last)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Health(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, api.ErrUnreachable) {
		t.Errorf("given up: %v", err)
	}
	half := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `{"status":`)
	})
	if _, err := half.Health(t.Context()); !errors.Is(err, api.ErrUnreachable) {
		t.Errorf("broken off: %v", err)
	}
}

// A stream is read as the standard says: comments, several lines of data, line ends of both kinds.
func TestStream(t *testing.T) {
	t.Parallel()
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Last-Event-ID") != "7" {
			t.Errorf("%v", r.Header)
		}
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		io.WriteString(w, ": a comment\n\nid: 8\nevent: step.done\ndata: {\"seq\":8,\ndata: \"data\":{}}\n\nretry: 5\n\nid:9\r\nevent:run.ended\r\ndata:{\"seq\":9}\r\n\r\ndata: {\"seq\":10}")
	})
	var got []string
	for e, err := range client.Events(t.Context(), "x", 7) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Type)
	}
	if strings.Join(got, " ") != "step.done run.ended" { // the last one was not finished
		t.Errorf("%q", got)
	}
	page := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") })
	for _, err := range page.Ping(t.Context()) {
		if !errors.Is(err, api.ErrUnreachable) {
			t.Errorf("%v", err)
		}
	}
}

// A service that is not ready says so without an error.
func TestReady(t *testing.T) {
	t.Parallel()
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(503)
		io.WriteString(w, `{"status":"not ready","checks":[{"name":"run directory","ok":false,"message":"m"}]}`)
	})
	if r, err := client.Ready(t.Context()); err != nil || r.Status != "not ready" || len(r.Checks) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}
