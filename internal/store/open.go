// Package store is Postgres as PlanExe uses it: connections whose clock is UTC, migrations, and
// the queries of db/queries as functions (the files *.gen.go, made by sqlc).
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	connectTimeout = 5 * time.Second
	maxLifetime    = 5 * time.Minute
)

// Options of a connection to the database.
type Options struct {
	DSN     string // as pgx reads it
	MaxConn int    // default 4, which is plenty for a worker
	Log     *slog.Logger
}

// Config reads a DSN. The session's time zone is UTC whatever the server's is: the contract's
// columns have no zone, and everybody reads them as UTC.
func Config(o Options) (*pgxpool.Config, error) {
	c, err := pgxpool.ParseConfig(o.DSN)
	if err != nil {
		return nil, fmt.Errorf("read the address of the database: %w", err) // pgx takes the password out
	}
	c.MaxConns = 4
	if o.MaxConn > 0 {
		c.MaxConns = int32(o.MaxConn)
	}
	c.MaxConnLifetime = maxLifetime
	c.MaxConnLifetimeJitter = maxLifetime / 10
	if c.ConnConfig.ConnectTimeout == 0 {
		c.ConnConfig.ConnectTimeout = connectTimeout
	}
	p := c.ConnConfig.RuntimeParams
	p["timezone"] = "UTC"
	if p["application_name"] == "" {
		p["application_name"] = "planexe"
	}
	for name, value := range session {
		if p[name] == "" {
			p[name] = value
		}
	}
	return c, nil
}

// session is what the server is told about each connection, unless the DSN says otherwise. A process that is stopped or
// cut off in the middle of a transaction would keep the rows it has locked from everybody for as long as the server
// believes in it, which is hours; so it is given up after seconds, and finds its transaction undone when it comes back.
var session = map[string]string{
	"statement_timeout":                   "30s",
	"idle_in_transaction_session_timeout": "10s",
	"tcp_keepalives_idle":                 "10",
	"tcp_keepalives_interval":             "5",
}

// How long Open waits between two tries, and how often it says so.
const (
	leastPause = 500 * time.Millisecond
	mostPause  = 10 * time.Second
)

// Open connects and migrates. It waits for a database that is not up yet, says so in the log, and
// gives up only when ctx is over, the DSN cannot be read or the schema is one of a newer version (*NewerError).
func Open(ctx context.Context, o Options) (*pgxpool.Pool, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	config, err := Config(o)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("prepare the connections to the database: %w", err)
	}
	where := []any{"host", config.ConnConfig.Host, "port", config.ConnConfig.Port, "database", config.ConnConfig.Database, "user", config.ConnConfig.User}
	o.Log.Info("connecting to the database", where...)
	began, said := time.Now(), time.Time{}
	for pause := leastPause; ; pause = min(2*pause, mostPause) {
		err := Migrate(ctx, config.ConnConfig)
		if err == nil {
			break
		}
		if _, newer := errors.AsType[*NewerError](err); newer {
			pool.Close()
			return nil, err
		}
		if ctx.Err() != nil {
			pool.Close()
			return nil, fmt.Errorf("waiting for the database: %w", context.Cause(ctx))
		}
		if refused(err) { // nobody will come up and mend it, but somebody may
			pause = mostPause
		}
		if time.Since(said) >= mostPause || pause == mostPause {
			o.Log.Warn("the database is not ready; trying again", append(where, "waited", time.Since(began).Round(time.Second), "error", err)...)
			said = time.Now()
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	o.Log.Info("the database is ready", "waited", time.Since(began).Round(time.Millisecond))
	return pool, nil
}

// refused tells errors that waiting does not mend: a wrong password, a missing right, a column of
// another type.
func refused(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch pg.Code[:2] {
	case "28", "42", "P0": // authorization, access rule or syntax, raise
		return true
	}
	return false
}
