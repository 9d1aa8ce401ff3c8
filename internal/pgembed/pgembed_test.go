package pgembed

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func dir(t *testing.T) string {
	t.Helper()
	if _, err := Find(); errors.Is(err, ErrNoBinaries) {
		t.Skipf("skipped: needs Postgres: %v", err)
	}
	base, err := os.MkdirTemp("", "planexe-pgembed-") // not t.TempDir, which no other user can enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(base, "cluster")
}

func start(t *testing.T, dir string) *Cluster {
	t.Helper()
	c, err := Start(context.Background(), Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop() })
	return c
}

func run(t *testing.T, c *Cluster, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.DSN(User))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// Ensure that data outlives the server, that a running server is used and not started twice, and
// that a crashed one comes up again.
func TestLife(t *testing.T) {
	t.Parallel()
	at := dir(t)
	c := start(t, at)
	run(t, c, "create table kept (x int)")
	second := start(t, at)
	if second.PID() != 0 || second.Socket() != c.Socket() {
		t.Error("a second server was started")
	}
	if err := second.Stop(); err != nil { // leaves the first one's server alone
		t.Error(err)
	}
	run(t, c, "insert into kept values (1)")
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.Socket()); err == nil {
		t.Error("the directory of the socket stays")
	}
	c = start(t, at)
	run(t, c, "insert into kept values (2)")
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	run(t, start(t, at), "insert into kept values (3)")
}

// Ensure that data of another version is refused, and stays as it is.
func TestOtherVersion(t *testing.T) {
	t.Parallel()
	at := dir(t)
	c := start(t, at)
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	version := filepath.Join(at, "data", "PG_VERSION")
	if err := os.WriteFile(version, []byte("9\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: at, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "Postgres 9") || !strings.Contains(err.Error(), BinVar) {
		t.Errorf("%v", err)
	}
	if data, err := os.ReadFile(version); err != nil || string(data) != "9\n" {
		t.Errorf("%q, %v", data, err)
	}
}

// Ensure that a directory which the server's user cannot enter is named.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root has another user run the server")
	}
	at := dir(t)
	if err := os.MkdirAll(at, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: filepath.Join(at, "below"), Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "chmod o+x "+at) {
		t.Errorf("%v", err)
	}
}

// Ensure that a wrong setting is told with the variable to correct.
func TestFind(t *testing.T) {
	t.Setenv(BinVar, t.TempDir())
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), BinVar) {
		t.Errorf("%v", err)
	}
}
