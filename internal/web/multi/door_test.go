package multi

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"planexe/internal/config"
	"planexe/internal/pgtest"
)

func doorOf(t *testing.T, password, dsn string) *Door {
	t.Helper()
	var c config.Multi
	c.AdminUsername, c.AdminPassword, c.URI, c.PublicRun = "root", config.Secret(password), config.Secret(dsn), config.RunOff
	return FromConfig(t.Context(), c, "test", slog.New(slog.DiscardHandler))
}

func ask(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil))
	return w
}

// Ensure an interface whose password everybody knows shows nothing but how to change that, and makes no account.
func TestLocked(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	for _, password := range []string{"admin", "changeme", "root"} {
		d := doorOf(t, password, dsn)
		for _, path := range []string{"/", "/login", "/admin/", "/run", "/progress"} {
			if got := ask(d, path); got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), "PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD") {
				t.Errorf("%s with %q: %d", path, password, got.Code)
			}
		}
		if got := ask(d, "/health"); got.Code != http.StatusOK {
			t.Errorf("health with %q: %d", password, got.Code)
		}
	}
	var n int
	if err := pgtest.Connect(t, dsn).QueryRow(t.Context(), "select count(*) from app_user").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d accounts, %v", n, err)
	}
}

// Ensure the interface answers while the database is away, and opens when it is there.
func TestStarting(t *testing.T) {
	t.Parallel()
	away := doorOf(t, "a long pass phrase", "postgres://nobody@127.0.0.1:1/none")
	for path, want := range map[string]int{"/": 503, "/health": 500, "/healthcheck": 500, "/healthz": 200, "/admin/": 503} {
		if got := ask(away, path); got.Code != want || strings.Contains(got.Body.String(), "127.0.0.1") {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	d := doorOf(t, "a long pass phrase", pgtest.DSN(t))
	for range 400 {
		if ask(d, "/health").Code == http.StatusOK {
			break
		}
		time.Sleep(25 * time.Millisecond) // a wait, no order of events: the loop ends with the condition
	}
	if got := ask(d, "/login"); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "Sign in") {
		t.Errorf("open: %d", got.Code)
	}
}
