package opener

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	"planexe/internal/config"
)

// Options of the HTTP service.
type Options struct {
	Host  string       // address it listens on, "127.0.0.1" for one
	Port  int          // told by the health routes
	Hosts []string     // names under which callers reach it, beside the usual ones
	Token string       // what callers have to know; "" is nothing
	Log   *slog.Logger // default slog.Default
}

// maxBody is far above the longest path.
const maxBody = 64 << 10

// Handler returns the HTTP service of a folder: POST /open, GET /healthz and GET /healthcheck.
//
// It is for programs. Whatever a browser sends on behalf of a page is refused: the pages of a user
// interface have their server ask. The health routes can be read without the token, and tell the
// base directory only to those who know it.
func Handler(f *Folder, o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &service{folder: f, o: o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /healthcheck", s.health)
	mux.HandleFunc("POST /open", s.open)
	for _, path := range []string{"/healthz", "/healthcheck", "/open"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			refuse(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { refuse(w, http.StatusNotFound, "Not Found") })
	return s.guard(mux)
}

type service struct {
	folder *Folder
	o      Options
}

// guard lets no request through that a web page has caused. A page names its origin in every POST;
// what it fetches otherwise bears Sec-Fetch-Site; and one whose name was pointed at this computer
// (DNS rebinding) is known by its Host.
func (s *service) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		site := r.Header.Get("Sec-Fetch-Site")
		switch {
		case !s.knownHost(r.Host):
			refuse(w, http.StatusForbidden, "this host name is not known here; PLANEXE_OPEN_DIR_SERVER_ALLOWED_HOSTS can list it")
		case r.Header.Get("Origin") != "" || site != "" && site != "none":
			refuse(w, http.StatusForbidden, "web pages may not use this service")
		case r.Header.Get("Authorization") != "" && s.o.Token != "" && !s.authorised(r):
			s.unauthorised(w)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (s *service) knownHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "" {
		return false
	}
	usual := []string{"host.docker.internal", "172.17.0.1", s.o.Host} // the second is Docker's bridge on Linux
	return config.Loopback(host) || slices.ContainsFunc(append(usual, s.o.Hosts...), func(known string) bool {
		return strings.EqualFold(host, known)
	})
}

func (s *service) authorised(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.o.Token))
	return s.o.Token != "" && strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(given[:], want[:]) == 1
}

func (s *service) unauthorised(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	refuse(w, http.StatusUnauthorized, "the token is missing or wrong: it has to be that of PLANEXE_OPEN_DIR_SERVER_TOKEN on the host")
}

func (s *service) health(w http.ResponseWriter, r *http.Request) {
	var base *string
	if s.authorised(r) {
		path := s.folder.Base()
		base = &path
	}
	reply(w, http.StatusOK, map[string]any{
		"status": "ok", "allowed_base": base, "platform": runtime.GOOS, "host": s.o.Host, "port": s.o.Port,
	})
}

func (s *service) open(w http.ResponseWriter, r *http.Request) {
	if s.o.Token != "" && !s.authorised(r) {
		s.unauthorised(w)
		return
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "the body has to be application/json")
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(10 * time.Second)) // not every connection can
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		refuse(w, http.StatusRequestEntityTooLarge, "the body is too long")
		return
	}
	var body struct {
		Path *string `json:"path"`
	}
	switch {
	case err != nil || json.Unmarshal(data, &body) != nil:
		malformed(w, "json_invalid", `the body has to be an object such as {"path": "/home/me/run/PlanExe_20260314_091527"}`, "body")
		return
	case body.Path == nil:
		malformed(w, "missing", "Field required", "body", "path")
		return
	}
	path, err := s.folder.Open(r.Context(), *body.Path)
	log := s.o.Log.With("caller", r.RemoteAddr)
	if e, ok := errors.AsType[*Error](err); ok {
		log.Warn("a folder was not opened", "status", e.Status, "reason", e.Detail)
		refuse(w, e.Status, e.Detail)
		return
	}
	log.Info("a folder was opened", "path", path)
	reply(w, http.StatusOK, map[string]string{"status": "ok", "message": "Opened " + path})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller has gone; nobody is left to tell
}

func refuse(w http.ResponseWriter, status int, detail string) {
	reply(w, status, map[string]string{"detail": detail})
}

// malformed answers as the other services do: a list of what is wrong where.
func malformed(w http.ResponseWriter, kind, msg string, at ...string) {
	reply(w, http.StatusUnprocessableEntity, map[string]any{"detail": []map[string]any{{"type": kind, "loc": at, "msg": msg}}})
}
