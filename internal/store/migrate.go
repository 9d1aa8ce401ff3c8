package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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

// MigrateDown takes back what the migrations added, and leaves the tables of the reference with all
// their rows.
func MigrateDown(ctx context.Context, config *pgx.ConnConfig) error {
	return migrate(ctx, config, func(ctx context.Context, p *goose.Provider) error {
		_, err := p.DownTo(ctx, 0)
		return err
	})
}

func migrate(ctx context.Context, config *pgx.ConnConfig, move func(context.Context, *goose.Provider) error) error {
	holder := config.Copy()
	holder.RuntimeParams["statement_timeout"] = "0" // the wait for the lock may be long
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
		err := move(ctx, provider)
		if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "55P03" && ctx.Err() == nil {
			continue // somebody holds a table: lock_timeout was the pause
		}
		if err != nil {
			return fmt.Errorf("migrate the database: %w", err)
		}
		return nil
	}
}
