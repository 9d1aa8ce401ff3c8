package database

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/store"
)

// Migrate looks after the schema. The services bring it up themselves when they start.
type Migrate struct {
	Status statusCommand `cmd:"" help:"List what was done to the schema, and what is still to do."`
	Up     upCommand     `cmd:"" help:"Bring the schema up to date, as services do when they start."`
	Down   downCommand   `cmd:"" help:"Take back the last migration, with all that it has room for. End the services and make a backup first."`
}

type (
	statusCommand struct{}
	upCommand     struct{}
	downCommand   struct {
		To *int64 `help:"Take back all above this version instead; 0 leaves the tables of the Python stack with all their rows." placeholder:"VERSION"`
	}
)

// Run prints a line for each migration.
func (statusCommand) Run(s command.Streams) error { return withSchema(s, showSchema) }

// Run does what is still to do.
func (upCommand) Run(s command.Streams) error {
	return withSchema(s, func(ctx context.Context, s command.Streams, c *pgx.ConnConfig) error {
		return errors.Join(store.Migrate(ctx, c), showSchema(ctx, s, c))
	})
}

// Run takes back what was done.
func (d *downCommand) Run(s command.Streams) error {
	to := int64(-1)
	if d.To != nil {
		if to = *d.To; to < 0 {
			return command.UsageError("--to %d: allowed is 0 or more", to)
		}
	}
	return withSchema(s, func(ctx context.Context, s command.Streams, c *pgx.ConnConfig) error {
		return errors.Join(store.MigrateDown(ctx, c, to), showSchema(ctx, s, c))
	})
}

func showSchema(ctx context.Context, s command.Streams, c *pgx.ConnConfig) error {
	list, err := store.Migrations(ctx, c)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(s.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "VERSION\tMIGRATION\tDONE")
	for _, m := range list {
		done := "no"
		if !m.Applied.IsZero() {
			done = m.Applied.UTC().Format(time.DateTime)
		}
		fmt.Fprintf(t, "%d\t%s\t%s\n", m.Version, m.Name, done)
	}
	return t.Flush()
}

// withSchema does something to the schema of the database.
func withSchema(s command.Streams, do func(context.Context, command.Streams, *pgx.ConnConfig) error) error {
	return with(s, &struct{}{}, func(ctx context.Context, options store.Options) error {
		c, err := store.Config(options)
		if err != nil {
			return err
		}
		return do(ctx, s, c.ConnConfig)
	})
}

// with finds the database, fills settings and does something.
func with(s command.Streams, settings any, do func(context.Context, store.Options) error) (err error) {
	ctx, stop := command.Signals(s.Err, nil)
	defer stop()
	env, err := command.Load(settings)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	for _, r := range command.Remarks(env) {
		log.Warn(r)
	}
	d, err := Open(ctx, env, false, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var where config.Database
	if err := command.Fill(d.Env, &where); err != nil {
		return err
	}
	dsn, err := where.DSN()
	if err != nil {
		return err
	}
	return do(ctx, store.Options{DSN: dsn, Log: log})
}
