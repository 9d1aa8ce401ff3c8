package kit

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// policy lets nothing act but the assets: no inline script, no inline style, no other host.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Guard puts the security headers on every answer and turns away what a foreign web page sends, but not to the
// patterns in foreign, which look for themselves. A handler may replace the policy of its own answer.
func Guard(next http.Handler, foreign ...string) http.Handler {
	cross := http.NewCrossOriginProtection()
	for _, pattern := range foreign {
		cross.AddInsecureBypassPattern(pattern)
	}
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "This request came from another web site. Open PlanExe itself and try again.", http.StatusForbidden)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		cross.Handler(next).ServeHTTP(w, r)
	})
}

// Hosts turns away requests for a name that is not the service's: a web page whose own name was made to
// point here would otherwise count as the same site. Addresses, localhost, names without a dot and .local
// names cannot be taken over like that; others have to be listed.
func Hosts(listed []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !knownHost(r.Host, listed) {
			http.Error(w, "This name is not known to be PlanExe's. Set a password (PLANEXE_PASSWORD), or list the name in PLANEXE_UI_ALLOWED_HOSTS.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func knownHost(host string, listed []string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	for _, end := range []string{".localhost", ".local", ".internal", ".lan", ".home.arpa"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return name != "" && !strings.Contains(name, ".") || slices.ContainsFunc(listed, func(l string) bool { return strings.EqualFold(l, name) })
}
