package multi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"planexe/internal/auth"
	"planexe/internal/web/kit"
	"planexe/internal/web/single"
)

// access is who may ask for something. Everything has one: a test walks the routes.
type access int

const (
	noAccess access = iota // a mistake
	open                   // everybody
	partner                // everybody, but it looks for itself
	member                 // who is signed in
	admin                  // administrators; for others it is not there
)

// route is one thing that can be asked for.
type route struct {
	pattern string
	access  access
	do      http.HandlerFunc
}

type sessionKey struct{}

// sessionOf returns the session of a request; nil when nobody is signed in.
func sessionOf(ctx context.Context) *auth.Session {
	s, _ := ctx.Value(sessionKey{}).(*auth.Session)
	return s
}

// The names of the cookie. The longer one is for encrypted connections: browsers then take it from this very host only.
const (
	sessionCookie = "planexe_session"
	secureCookie  = "__Host-planexe_session"
)

func (a *app) cookieName(r *http.Request) string {
	if a.encrypted(r) {
		return secureCookie
	}
	return sessionCookie
}

// encrypted tells whether the browser speaks TLS, to us or to a proxy that is trusted.
func (a *app) encrypted(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(a.PublicURL, "https://") || a.proxied(r) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func (a *app) proxied(r *http.Request) bool {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	for _, p := range a.Proxies {
		if p.Contains(at.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// address is where a request comes from: what a trusted proxy says, else the peer. Of a list the last one counts that is no trusted proxy.
func (a *app) address(r *http.Request) string {
	peer := r.RemoteAddr
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		peer = at.Addr().Unmap().String()
	}
	if !a.proxied(r) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		at, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		peer = at.Unmap().String()
		trusted := false
		for _, p := range a.Proxies {
			trusted = trusted || p.Contains(at.Unmap())
		}
		if !trusted {
			break
		}
	}
	return peer
}

// setCookie gives the browser what opens its session.
func (a *app) setCookie(w http.ResponseWriter, r *http.Request, value string, keep time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: a.cookieName(r), Value: value, Path: "/", MaxAge: int(keep.Seconds()), HttpOnly: true, Secure: a.encrypted(r), SameSite: http.SameSiteLaxMode,
	})
}

// guarded lets those through whom a route is for, and whose forms were made for their session.
func (a *app) guarded(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rt.access == partner { // cookies are not looked at before the handler has decided to
			rt.do(w, r)
			return
		}
		r, ok := a.recognised(w, r)
		if !ok {
			return
		}
		s := sessionOf(r.Context())
		switch {
		case s == nil && rt.access != open:
			a.toSignIn(w, r)
			return
		case rt.access == admin && !s.User.Admin:
			a.notFound(w, r)
			return
		case !safe(r.Method) && tooLarge(r.ParseForm()):
			a.problem(w, r, http.StatusRequestEntityTooLarge, "This is too large", fmt.Sprintf("What was sent is larger than %s, which is the most. Go back and send less: what you typed is still there.", single.Size(mostBody)))
			return
		case s != nil && !safe(r.Method) && !a.tokenRight(r, s):
			a.problem(w, r, http.StatusForbidden, "This page is too old", "The form was made for another session. Go back, load the page again, and send it once more: what you typed is still there.")
			return
		}
		rt.do(w, r)
	})
}

// tooLarge tells whether a form could not be read because it was larger than anything that people send.
func tooLarge(err error) bool {
	var large *http.MaxBytesError
	return errors.As(err, &large)
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// tokenRight tells whether a form carries the session's token, in a field or a header. Signing in and the colours of the page need none.
func (a *app) tokenRight(r *http.Request, s *auth.Session) bool {
	if r.URL.Path == "/login" || r.URL.Path == "/theme" {
		return true
	}
	token := r.Header.Get("X-CSRF-Token")
	if token == "" {
		token = r.PostFormValue(kit.TokenField)
	}
	return s.Valid(token)
}

// recognised puts the session of a request's cookie into its context. When the database does not answer it says so, and returns false.
func (a *app) recognised(w http.ResponseWriter, r *http.Request) (*http.Request, bool) {
	c, err := r.Cookie(a.cookieName(r))
	if err != nil {
		return r, true
	}
	s, ok, err := a.accounts.Session(r.Context(), c.Value)
	if err != nil && r.Context().Err() != nil {
		return r, false // the browser has left
	}
	if err != nil {
		a.Log.Error("a session could not be looked up", "error", err)
		a.problem(w, r, http.StatusServiceUnavailable, "The database does not answer", "Nothing is lost. Try again in a minute.")
		return r, false
	}
	if !ok {
		return r, true
	}
	ctx := context.WithValue(r.Context(), sessionKey{}, &s)
	return r.WithContext(kit.WithToken(ctx, s.Token)), true
}

// toSignIn leads to the sign-in and from there back.
func (a *app) toSignIn(w http.ResponseWriter, r *http.Request) {
	if moving(r.URL.Path) { // a script asks: it would take the page for its answer
		http.Error(w, "You are signed out.", http.StatusUnauthorized)
		return
	}
	to := "/login"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	http.Redirect(w, r, to, http.StatusFound)
}

// moving tells whether a path is that of the moving parts of a page.
func moving(path string) bool {
	return strings.HasSuffix(path, "/live") || strings.HasSuffix(path, "/parts")
}
