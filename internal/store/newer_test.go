package store_test

import (
	"errors"
	"log/slog"
	"testing"

	"planexe/internal/pgtest"
	"planexe/internal/store"
)

// Ensure that a service does not wait on a schema of a newer program, and leaves it as it is.
func TestNewer(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	pool := pgtest.Connect(t, dsn)
	execute(t, pool, "insert into goose_db_version (version_id, is_applied) values (987654, true)")
	_, err := store.Open(t.Context(), store.Options{DSN: dsn, Log: slog.New(slog.DiscardHandler)})
	var newer *store.NewerError
	if !errors.As(err, &newer) || newer.Have != 987654 || newer.Known < 1001 {
		t.Errorf("%v", err)
	}
	if err := store.MigrateDown(t.Context(), connConfig(t, dsn), 0); !errors.As(err, &newer) {
		t.Errorf("down: %v", err)
	}
	execute(t, pool, "select 1 from app_user")
}
