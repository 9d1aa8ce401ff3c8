package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"planexe/db"
)

// migrationLock is the advisory lock that one service holds while it migrates; the others wait in
// the server, which wakes them at once. It is held on a connection of its own.
const migrationLock = 0x706c616e657865 // "planexe"

// lockTimeout keeps a migration from blocking a database that is in use behind a long transaction;
// it is then tried again.
const lockTimeout = 5 * time.Second

// Migrate brings the schema up to date. Any number of services may do so at once.
func Migrate(ctx context.Context, config *pgx.ConnConfig) error {
	return migrate(ctx, config, func(ctx context.Context, p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
}

// MigrateDown takes back what the migrations above a version added; 0 leaves the tables of the reference with all
// their rows. A negative version takes back the last migration.
func MigrateDown(ctx context.Context, config *pgx.ConnConfig, to int64) error {
	return migrate(ctx, config, func(ctx context.Context, p *goose.Provider) (err error) {
		if to < 0 {
			if _, err = p.Down(ctx); errors.Is(err, goose.ErrNoNextVersion) {
				return nil // nothing is left to take back
			}
			return err
		}
		_, err = p.DownTo(ctx, to)
		return err
	})
}

// Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied time.Time // zero when it is not
}

// Migrations lists what has been done to a schema and what is still to do, in order.
func Migrations(ctx context.Context, config *pgx.ConnConfig) ([]Migration, error) {
	var list []Migration
	err := migrate(ctx, config, func(ctx context.Context, p *goose.Provider) error {
		all, err := p.Status(ctx)
		list = nil
		for _, s := range all {
			list = append(list, Migration{s.Source.Version, path.Base(s.Source.Path), s.AppliedAt})
		}
		return err
	})
	return list, err
}

// NewerError says that a newer version of the program has made the schema. Nothing is done to it then.
type NewerError struct{ Have, Known int64 }

func (e *NewerError) Error() string {
	return fmt.Sprintf("the schema of the database is at version %d, and this program knows it up to %d: start the newer PlanExe, which made it, or have that take it back with planexe migrate down --to %d",
		e.Have, e.Known, e.Known)
}

// notNewer refuses a schema that this program does not know.
func notNewer(ctx context.Context, p *goose.Provider) error {
	have, known, err := p.GetVersions(ctx)
	if err == nil && have > known {
		err = &NewerError{have, known}
	}
	return err
}

func migrate(ctx context.Context, config *pgx.ConnConfig, move func(context.Context, *goose.Provider) error) error {
	holder := config.Copy()
	holder.RuntimeParams["statement_timeout"] = "0" // the wait for the lock may be long
	holder.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	lock, err := pgx.ConnectConfig(ctx, holder)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer lock.Close(context.WithoutCancel(ctx)) // and with it the lock
	if _, err := lock.Exec(ctx, "select pg_advisory_lock($1)", migrationLock); err != nil {
		return fmt.Errorf("wait for another service that migrates: %w", err)
	}
	worker := holder.Copy()
	worker.RuntimeParams["lock_timeout"] = fmt.Sprint(lockTimeout.Milliseconds())
	sql := stdlib.OpenDB(*worker)
	defer sql.Close()
	files, err := fs.Sub(db.Migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, sql, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	for {
		err := notNewer(ctx, provider)
		if err == nil {
			err = move(ctx, provider)
		}
		if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "55P03" && ctx.Err() == nil {
			continue // somebody holds a table: lock_timeout was the pause
		}
		if err != nil {
			return fmt.Errorf("migrate the database: %w", err)
		}
		return nil
	}
}
