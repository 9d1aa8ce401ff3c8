package trace

import (
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced is a handler whose end sends the last spans.
type traced struct {
	http.Handler
	t *Tracer
}

// Close sends what is left.
func (h traced) Close() { h.t.Close() }

// Handler makes a span of each request, below the one its sender names. Probes, figures and assets have none. Whoever serves it calls
// its Close in the end, if it has one.
func (t *Tracer) Handler(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return traced{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route := route(r.URL.Path)
		if route == "" {
			next.ServeHTTP(w, r)
			return
		}
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, s := t.begin(ctx, method(r)+" "+route, time.Now(), trace.SpanKindServer, []any{"http.request.method", method(r), "http.route", route})
		answer := &answer{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			s.Set("http.response.status_code", answer.status)
			if answer.status >= http.StatusInternalServerError {
				s.span.SetStatus(codes.Error, "")
			}
			s.End(time.Now())
		}()
		next.ServeHTTP(answer, r.WithContext(ctx))
	}), t}
}

// answer remembers the status.
type answer struct {
	http.ResponseWriter
	status int
	begun  bool
}

func (a *answer) WriteHeader(status int) {
	if !a.begun && status >= http.StatusOK {
		a.status, a.begun = status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find what the server can do.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// method is one of the known ones: others are the sender's text.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete:
		return r.Method
	}
	return "_OTHER"
}

// longestWord is the longest part of a path that names a page.
const longestWord = 20

// route is a path with only the words of our pages left in it: ids, file names and one-time links do not belong into a trace, and a
// route has few values. It is "" for what is not traced.
func route(path string) string {
	switch {
	case path == "/health", path == "/healthz", path == "/healthcheck", path == "/metrics", strings.HasPrefix(path, "/assets/"):
		return ""
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if len(p) > longestWord || strings.Trim(p, "abcdefghijklmnopqrstuvwxyz_-") != "" || i > 0 && parts[i-1] == "password" {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts[:min(len(parts), 8)], "/")
}

// Transport is one that tells the services that are called where the caller stands; nil without a tracer.
func (t *Tracer) Transport() http.RoundTripper {
	if t == nil {
		return nil
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost = 64 // one service is asked by many pages
	return carrying{base}
}

type carrying struct{ base http.RoundTripper }

func (c carrying) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	propagation.TraceContext{}.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
	return c.base.RoundTrip(r)
}
