package service

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"planexe/internal/config"
)

// guard keeps out whom the service is not meant for: web pages of others, which a browser on this
// machine or in this network would give a hand, and callers without the token.
type guard struct {
	hosts   []string // names of the service, without port, in lower case
	origins []string
	token   [sha256.Size]byte
	closed  bool // callers need the token
}

func newGuard(c config.Worker) guard {
	g := guard{hosts: []string{"localhost", strings.ToLower(c.Host)}, closed: c.Token != "", token: sha256.Sum256([]byte(c.Token))}
	for _, h := range c.AllowedHosts {
		g.hosts = append(g.hosts, strings.ToLower(h))
	}
	if name, err := os.Hostname(); err == nil {
		g.hosts = append(g.hosts, strings.ToLower(name))
	}
	for _, o := range c.AllowedOrigins {
		g.origins = append(g.origins, strings.ToLower(o))
	}
	return g
}

// check returns why a request is turned away, nil when it is not.
func (g guard) check(r *http.Request) *failure {
	if !g.isOurName(r.Host) && !(g.closed && g.hasToken(r)) { // no page of others has the token
		return fail(http.StatusForbidden, "this service is not called %q: add the name to PLANEXE_WORKER_ALLOWED_HOSTS if it is", clip(r.Host))
	}
	if foreign, who := g.isForeign(r); foreign {
		return fail(http.StatusForbidden, "requests of %s are not allowed: add its origin to PLANEXE_WORKER_ALLOWED_ORIGINS to allow them", who)
	}
	if g.closed && !isHealth(r.URL.Path) && !g.hasToken(r) {
		return fail(http.StatusUnauthorized, "send PLANEXE_WORKER_TOKEN as Authorization: Bearer")
	}
	return nil
}

// isOurName defeats DNS rebinding: a page whose own name was made to lead here still says that
// name. An address cannot be made to lead elsewhere.
func (g guard) isOurName(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(strings.ToLower(name), "[]")
	return net.ParseIP(name) != nil || slices.Contains(g.hosts, name)
}

// isForeign tells whether a browser sends the request for a page that is not of this service nor
// allowed. Programs send neither of the two headers.
func (g guard) isForeign(r *http.Request) (bool, string) {
	if origin := r.Header.Get("Origin"); origin != "" {
		return !g.allows(origin) && !isOwn(origin, r), clip(origin)
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false, ""
	}
	return true, "web pages of other sites"
}

func (g guard) allows(origin string) bool { return slices.Contains(g.origins, strings.ToLower(origin)) }

func isOwn(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

func (g guard) hasToken(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sum := sha256.Sum256([]byte(token)) // equal lengths, so that the comparison takes equal time
	return ok && subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

func isHealth(path string) bool {
	return path == "/healthz" || path == "/healthcheck" || path == "/readyz"
}

func clip(s string) string { return s[:min(len(s), 100)] }

// handler puts the guard in front of the routes.
func (s *Service) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		allowed := origin != "" && s.guard.allows(origin)
		if allowed {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "ETag, Content-Disposition, Retry-After, Content-Range")
		} else {
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
		}
		if allowed && r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" && s.guard.isOurName(r.Host) {
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Range")
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if f := s.guard.check(r); f != nil {
			if f.status == http.StatusUnauthorized {
				h.Set("WWW-Authenticate", "Bearer")
			}
			f.write(w)
			return
		}
		if strings.Contains(strings.ToLower(r.URL.EscapedPath()), "%2f") { // a slash in an id is none of a path
			fail(http.StatusNotFound, "Not Found").write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// withHead answers HEAD where a client may want to know size and type before it downloads.
func withHead(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.URL.Path
		if r.Method == http.MethodHead && (isHealth(p) || strings.HasSuffix(p, "/report") || strings.HasSuffix(p, "/zip") || strings.Contains(p, "/files/")) {
			chi.RouteContext(r.Context()).RouteMethod = http.MethodGet
		}
		next.ServeHTTP(w, r)
	})
}

// withoutSlash sends callers of a path that ends in a slash to the one without.
func withoutSlash(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		if trimmed := strings.TrimRight(path, "/"); trimmed != path && trimmed != "" && !strings.HasPrefix(path, "//") {
			if r.URL.RawQuery != "" {
				trimmed += "?" + r.URL.RawQuery
			}
			w.Header().Set("Location", trimmed)
			w.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// logged writes one line per request and catches panics.
func (s *Service) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		// For readers that do not read. Streams and downloads set their own; a writer without deadlines has none.
		_ = http.NewResponseController(w).SetWriteDeadline(began.Add(answerLimit))
		defer func() {
			p := recover()
			if p == http.ErrAbortHandler {
				panic(p)
			}
			if p != nil {
				s.log.Error("panic in a request", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				if ww.Status() == 0 {
					fail(http.StatusInternalServerError, "internal error; the service's log says more").write(ww)
				}
			}
			level := slog.LevelDebug
			if r.Method != http.MethodGet && r.Method != http.MethodHead || ww.Status() >= 500 {
				level = slog.LevelInfo
			}
			attrs := []any{"method", r.Method, "path", r.URL.Path, "status", ww.Status(), "bytes", ww.BytesWritten(), "ms", time.Since(began).Milliseconds()}
			if id := chi.URLParam(r, "id"); id != "" {
				attrs = append(attrs, "run_id", clip(id))
			}
			s.log.Log(r.Context(), level, "request", attrs...)
		}()
		next.ServeHTTP(ww, r)
	})
}
