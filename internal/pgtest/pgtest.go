// Package pgtest gives tests a Postgres of their own: one cluster per test binary, started when
// the first test needs it, and a migrated database per test. Tests that need one are skipped, and
// say so, where no Postgres is installed.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/pgembed"
	"planexe/internal/store"
)

// Fast are settings for tests that do not cut the power.
var Fast = []string{"fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=300", "shared_buffers=64MB"}

const template = "planexe_template"

var shared struct {
	once    sync.Once
	cluster *pgembed.Cluster
	dir     string
	err     error
	count   atomic.Int64
}

// Main runs the tests of a package and ends its cluster: func TestMain(m *testing.M) { pgtest.Main(m) }.
func Main(m *testing.M) {
	code := m.Run()
	if shared.cluster != nil {
		_ = shared.cluster.Stop()
	}
	if shared.dir != "" {
		_ = os.RemoveAll(filepath.Dir(shared.dir))
	}
	os.Exit(code)
}

func cluster(t testing.TB) *pgembed.Cluster {
	t.Helper()
	shared.once.Do(func() {
		if _, shared.err = pgembed.Find(); shared.err != nil {
			return
		}
		if shared.dir, shared.err = tempDir(); shared.err != nil {
			return
		}
		ctx := context.Background()
		if shared.cluster, shared.err = pgembed.Start(ctx, pgembed.Options{Dir: shared.dir, Settings: Fast, Log: slog.New(slog.DiscardHandler)}); shared.err != nil {
			return
		}
		if shared.err = execute(ctx, shared.cluster, "create database "+template); shared.err != nil {
			return
		}
		shared.err = migrate(ctx, shared.cluster.DSN(template))
	})
	if errors.Is(shared.err, pgembed.ErrNoBinaries) {
		t.Skipf("skipped: needs Postgres: %v", shared.err)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster
}

// tempDir makes a directory that another user can reach, which those of the testing package are not.
func tempDir() (string, error) {
	dir, err := os.MkdirTemp("", "planexe-test-")
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "pg"), os.Chmod(dir, 0o755)
}

func execute(ctx context.Context, c *pgembed.Cluster, sql string) error {
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

func migrate(ctx context.Context, dsn string) error {
	config, err := store.Config(store.Options{DSN: dsn})
	if err != nil {
		return err
	}
	return store.Migrate(ctx, config.ConnConfig)
}

// Empty makes an empty database and returns its DSN.
func Empty(t testing.TB) string { return database(t, "template0") }

// DSN makes a migrated database and returns its DSN.
func DSN(t testing.TB) string {
	cluster(t)
	return database(t, template)
}

func database(t testing.TB, from string) string {
	t.Helper()
	c := cluster(t)
	name := fmt.Sprintf("test_%d", shared.count.Add(1))
	if err := execute(t.Context(), c, "create database "+name+" template "+from); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = execute(context.Background(), c, "drop database "+name+" with (force)") })
	return c.DSN(name)
}

// Pool makes a migrated database and connects to it.
func Pool(t testing.TB) *pgxpool.Pool { return Connect(t, DSN(t)) }

// Connect opens connections to a database for as long as the test runs.
func Connect(t testing.TB, dsn string) *pgxpool.Pool {
	t.Helper()
	config, err := store.Config(store.Options{DSN: dsn, MaxConn: 16})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Dir returns a directory for a cluster that a test starts itself, to stop and start it.
func Dir(t testing.TB) string {
	t.Helper()
	if _, err := pgembed.Find(); err != nil {
		t.Skipf("skipped: needs Postgres: %v", err)
	}
	dir, err := tempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(dir)) })
	return dir
}
