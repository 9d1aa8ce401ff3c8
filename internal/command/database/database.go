// Package database finds the database of an environment, and has the commands that look after it.
package database

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"

	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/pgembed"
)

const variable = "SQLALCHEMY_DATABASE_URI"

// Database is where accounts and the queue are.
type Database struct {
	Env     config.Env // says where the database is
	Dir     string     // of the private one; "" for one that was configured
	cluster *pgembed.Cluster
}

// Open returns the database that an environment configures. When it configures none, it is the private one of this computer,
// which runs until Close; it is made when it is missing, if create says so.
func Open(ctx context.Context, env config.Env, create bool, log *slog.Logger) (*Database, error) {
	if config.Configured(env) {
		return &Database{Env: env}, nil
	}
	var private config.Private
	if err := command.Fill(env, &private); err != nil {
		return nil, err
	}
	usual, err := pgembed.DefaultDir()
	if private.Dir = cmp.Or(private.Dir, usual); private.Dir == "" {
		return nil, fmt.Errorf("find a place for the database: %w; set PLANEXE_PG_DIR", err)
	}
	if !create && !pgembed.Exists(private.Dir) {
		return nil, command.UsageError("no database is configured, and there is no private one in %s: set %s or PLANEXE_POSTGRES_HOST as for the services, or have planexe up --multi make a private one",
			private.Dir, variable)
	}
	cluster, err := pgembed.Start(ctx, pgembed.Options{Dir: private.Dir, Bin: private.Bin, Log: log})
	if err != nil {
		return nil, fmt.Errorf("start the private database in %s: %w", private.Dir, err)
	}
	return &Database{env.With(variable, cluster.DSN(pgembed.User)), private.Dir, cluster}, nil
}

// Ended is closed when a private database has ended; else it never is.
func (d *Database) Ended() <-chan struct{} {
	if d.cluster == nil {
		return nil
	}
	return d.cluster.Done()
}

// Close ends a private database that Open started.
func (d *Database) Close() error {
	if d.cluster == nil {
		return nil
	}
	return d.cluster.Stop()
}
