package up

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/pgtest"
)

// visitor is a browser of somebody who uses the interface for many people.
type visitor struct {
	t    *testing.T
	at   string
	http http.Client
}

func visit(t *testing.T, at string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, at, http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// ask returns status, where it leads to and the page.
func (v *visitor) ask(method, path string, form url.Values) (status int, to, page string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.at+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", v.at)
	resp, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(data)
}

// await asks until the answer is a success.
func (v *visitor) await(path string) string {
	v.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); ; {
		status, _, page := v.ask("GET", path, nil)
		if status == http.StatusOK {
			return page
		}
		select {
		case <-limit:
			v.t.Fatalf("%s answers %d: %s", path, status, page)
		case <-tick.C:
		}
	}
}

func (v *visitor) signIn(password string) {
	v.t.Helper()
	v.await("/login")
	if status, to, page := v.ask("POST", "/login", url.Values{"username": {"admin"}, "password": {password}}); status >= 400 || !strings.Contains(to, "/admin/") {
		v.t.Fatalf("the sign-in answers %d, leads to %q: %s", status, to, page)
	}
}

var hidden = regexp.MustCompile(`name="(csrf_token|nonce)" value="([^"]*)"`)

// Ensure that one command serves the interface for many people on a database of its own, with an administrator whose
// password is shown once; and that a plan is still there after the next start.
func TestMany(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "llm_config.json"), []byte(`{"m": {"class": "Demo"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	pg := pgtest.Dir(t)
	values := map[string]string{"PLANEXE_PG_DIR": pg, "PLANEXE_RUN_DIR": filepath.Join(dir, "plans")}
	u := startUp(t, Command{Multi: true, Open: true}, true, dir, values)
	_, password, _ := strings.Cut(u.admin, "with the password ")
	password, _, _ = strings.Cut(password, " ")
	if len(password) < 20 || !strings.HasSuffix(u.dir, pg) || len(u.opened) != 1 || u.opened[0] != u.page {
		t.Fatalf("it told %+v", u)
	}
	v := visit(t, u.page)
	v.signIn(password)
	form := url.Values{"prompt": {"Open a small bakery in Lyon with a budget of 300,000 EUR."}, "model": {"auto"}, "speed": {"fast_but_skip_details"}}
	page := v.await("/")
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], m[2])
	}
	if !strings.Contains(page, `<option value="m"`) {
		t.Error("the form offers no models")
	}
	status, at, page := v.ask("POST", "/runs", form)
	if status != http.StatusSeeOther {
		t.Fatalf("a new plan answers %d: %s", status, page)
	}
	v.await(at + "/report")
	if err := u.stop(); err != nil {
		t.Fatal(err)
	}

	u = startUp(t, Command{Multi: true}, false, dir, values)
	if strings.Contains(u.admin, password) || !strings.Contains(u.admin, filepath.Join(pg, "administrator-password")) {
		t.Errorf("the second start told %q", u.admin)
	}
	v = visit(t, u.page)
	v.signIn(password)
	if status, _, _ := v.ask("GET", at+"/report", nil); status != http.StatusOK {
		t.Errorf("the report answers %d after the second start", status)
	}
	if err := u.stop(); err != nil {
		t.Fatal(err)
	}
}

// Ensure that a database that was configured is used, that its administrator has to be named, and that what is wrong is
// said at once.
func TestManyRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		values map[string]string
		want   []string
	}{
		{"no administrator", map[string]string{"PLANEXE_POSTGRES_HOST": "127.0.0.1", "PLANEXE_WORKER_CONCURRENCY": "0"}, []string{adminName, adminPassword, "PLANEXE_WORKER_CONCURRENCY"}},
		{"no programs", map[string]string{"PLANEXE_PG_DIR": t.TempDir(), "PLANEXE_PG_BIN_DIR": t.TempDir()}, []string{"PLANEXE_PG_BIN_DIR"}},
		{"no run directory", map[string]string{"PLANEXE_POSTGRES_HOST": "127.0.0.1", adminName: "a", adminPassword: "a long pass phrase", "PLANEXE_RUN_DIR": "/dev/null/x"}, []string{"PLANEXE_RUN_DIR"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			here := place{load: func() (config.Env, error) { return config.NewEnv(tt.values, t.TempDir()), nil }}
			err := (&Command{Port: freePort(t)}).many(t.Context(), command.Streams{Out: io.Discard, Err: t.Output()}, here)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
		})
	}
}

// Ensure that all ends when one service does, with its reason.
func TestTogether(t *testing.T) {
	t.Parallel()
	err := together(t.Context(),
		func(ctx context.Context) error { <-ctx.Done(); return nil },
		func(context.Context) error { return io.ErrUnexpectedEOF })
	if err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("%v", err)
	}
}
