package database

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"planexe/internal/auth"
	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// planexe runs a command on a database and returns what it printed and said.
func planexe(t *testing.T, code int, in string, args ...string) (out, errs string) {
	t.Helper()
	p := command.Program{Name: "planexe", Commands: &struct {
		Migrate Migrate `cmd:""`
		Admin   Admin   `cmd:""`
	}{}}
	var o, e bytes.Buffer
	if got := p.Run(args, command.Streams{In: strings.NewReader(in), Out: &o, Err: &e}); got != code {
		t.Errorf("%v: exit %d, want %d: %s%s", args, got, code, &o, &e)
	}
	return o.String(), e.String()
}

// Ensure that the schema is brought up, shown and taken back, all of it or the last step; and that one of a newer program
// is left alone, with both numbers said.
func TestMigrate(t *testing.T) {
	dsn := pgtest.Empty(t)
	t.Chdir(t.TempDir())
	t.Setenv(variable, dsn)
	done := func(out string) int { return strings.Count(out, "\n") - 1 - strings.Count(out, "  no\n") }
	out, _ := planexe(t, 0, "", "migrate", "status")
	if done(out) != 0 {
		t.Errorf("on an empty database: %s", out)
	}
	out, _ = planexe(t, 0, "", "migrate", "up")
	all := done(out)
	if all < 4 || strings.Contains(out, "  no\n") {
		t.Errorf("after up: %s", out)
	}
	if out, _ = planexe(t, 0, "", "migrate", "down"); done(out) != all-1 {
		t.Errorf("after down: %s", out)
	}
	if out, _ = planexe(t, 0, "", "migrate", "down", "--to", "0"); done(out) != 0 {
		t.Errorf("after all down: %s", out)
	}
	if out, _ = planexe(t, 0, "", "migrate", "down"); done(out) != 0 {
		t.Errorf("after down on nothing: %s", out)
	}
	planexe(t, 2, "", "migrate", "down", "--to=-1")
	planexe(t, 0, "", "migrate", "up")
	pool := pgtest.Connect(t, dsn)
	if _, err := pool.Exec(t.Context(), "insert into goose_db_version (version_id, is_applied) values (987654, true)"); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"migrate status", "migrate up", "migrate down", "admin create-user a@example.org"} {
		if _, errs := planexe(t, 1, "", strings.Fields(args)...); !strings.Contains(errs, "987654") || !strings.Contains(errs, "1001") {
			t.Errorf("%s: %s", args, errs)
		}
	}
	var rows int
	if err := pool.QueryRow(t.Context(), "select count(*) from app_user").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d accounts, %v", rows, err)
	}
}

// Ensure that accounts are made with a link or a password, that both let somebody in, and that what is wrong is said.
func TestAdmin(t *testing.T) {
	dsn := pgtest.DSN(t)
	t.Chdir(t.TempDir())
	t.Setenv(variable, dsn)
	t.Setenv("PLANEXE_PUBLIC_URL", "https://plans.example.org/")
	accounts, err := auth.New(t.Context(), pgtest.Connect(t, dsn), "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := accounts.EnsureAdmin(t.Context(), "root", "of the environment"); err != nil {
		t.Fatal(err)
	}
	signsIn := func(login, password string) string {
		_, _, user, err := accounts.SignIn(t.Context(), login, password, "127.0.0.1", "test")
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint("admin ", user.Admin)
	}
	const at = "https://plans.example.org/password/"

	link, _ := planexe(t, 0, "", "admin", "create-user", "ada@example.org")
	if !strings.HasPrefix(link, at) || strings.Count(link, "\n") != 1 {
		t.Fatalf("the link: %q", link)
	}
	if err := accounts.UseLink(t.Context(), strings.TrimSpace(strings.TrimPrefix(link, at)), "ada's long phrase"); err != nil {
		t.Error(err)
	}
	if got := signsIn("ada@example.org", "ada's long phrase"); got != "admin false" {
		t.Errorf("ada: %s", got)
	}
	if out, errs := planexe(t, 0, "bob's long phrase\n", "admin", "create-user", "bob@example.org", "--admin", "--password-stdin"); out != "" || strings.Contains(errs, "phrase") {
		t.Errorf("it printed %q, %q", out, errs)
	}
	if got := signsIn("bob@example.org", "bob's long phrase"); got != "admin true" {
		t.Errorf("bob: %s", got)
	}
	planexe(t, 0, "bob's other phrase\r\n", "admin", "reset-password", "bob@example.org", "--password-stdin")
	if got := signsIn("bob@example.org", "bob's other phrase"); got != "admin true" {
		t.Errorf("bob with his other password: %s", got)
	}
	if link, _ = planexe(t, 0, "", "admin", "reset-password", "ada@example.org"); !strings.HasPrefix(link, at) {
		t.Errorf("the link: %q", link)
	}
	for _, c := range []struct {
		in, args string
		code     int
		says     string
	}{
		{"", "admin create-user ada@example.org", 1, "is taken"},
		{"short\n", "admin create-user c@example.org --password-stdin", 1, "at least 12 characters"},
		{"\n", "admin create-user c@example.org --password-stdin", 2, "no password on standard input"},
		{"short\n", "admin reset-password ada@example.org --password-stdin", 1, "at least 12 characters"},
		{"", "admin reset-password nobody", 1, `no account "nobody"`},
		{"", "admin reset-password root", 1, "PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD"},
		{"", "admin create-user bad/name", 1, "a login is made of"},
	} {
		if _, errs := planexe(t, c.code, c.in, strings.Fields(c.args)...); !strings.Contains(errs, c.says) {
			t.Errorf("%s: %s", c.args, errs)
		}
	}
}

// Ensure that without a database the way to one is said, and none is made.
func TestNone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pg")
	_, err := Open(t.Context(), config.NewEnv(map[string]string{"PLANEXE_PG_DIR": dir, "PLANEXE_POSTGRES_PORT": "5433"}), false, nil)
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), variable) || !strings.Contains(err.Error(), "up --multi") {
		t.Errorf("%v", err)
	}
	_, err = Open(t.Context(), config.NewEnv(map[string]string{"PLANEXE_PG_DIR": dir, "PLANEXE_PG_BIN_DIR": dir}), true, nil)
	if err == nil || !strings.Contains(err.Error(), "PLANEXE_PG_BIN_DIR") {
		t.Errorf("%v", err)
	}
	d, err := Open(t.Context(), config.NewEnv(map[string]string{"PLANEXE_POSTGRES_HOST": "db"}), true, nil)
	if err != nil || d.Dir != "" || d.Ended() != nil || d.Close() != nil {
		t.Errorf("%+v, %v", d, err)
	}
}
