package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/auth"
	"planexe/internal/command"
	"planexe/internal/store"
)

// Admin looks after the accounts of the interface for many people.
type Admin struct {
	CreateUser    createUser    `cmd:"" help:"Make an account, and print a link by which its owner sets a password."`
	ResetPassword resetPassword `cmd:"" help:"Print a link by which the owner of an account sets a new password. It works once, within a day."`
}

// actor names this command in the events of the database.
const actor = "command line"

// account is what both commands are about.
type account struct {
	Login         string `arg:"" name:"email" help:"What they sign in with."`
	PasswordStdin bool   `help:"Read the password from standard input instead of making a link."`
}

type createUser struct {
	account
	Admin bool `help:"They may see everything and look after all accounts."`
}

type resetPassword struct{ account }

// Run makes an account.
func (c *createUser) Run(s command.Streams) error {
	return withAccounts(s, func(ctx context.Context, a *auth.Accounts, _ *store.Queries, base string) error {
		password, err := c.password(s.In)
		if err != nil {
			return err
		}
		role := auth.Plain
		if c.Admin {
			role = auth.Admin
		}
		user, err := a.Create(ctx, actor, c.Login, "", role, password)
		if err != nil {
			return fmt.Errorf("make the account %q: %w", c.Login, err)
		}
		fmt.Fprintf(s.Err, "%s is made (%s)\n", user.Login, role)
		if password != "" {
			return nil
		}
		return c.printLink(ctx, s, a, user, base)
	})
}

// Run sets a password, or makes a link for that.
func (c *resetPassword) Run(s command.Streams) error {
	return withAccounts(s, func(ctx context.Context, a *auth.Accounts, q *store.Queries, base string) error {
		password, err := c.password(s.In)
		if err != nil {
			return err
		}
		row, err := q.UserByLogin(ctx, c.Login)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("there is no account %q", c.Login)
		}
		if err != nil {
			return fmt.Errorf("look for the account: %w", err)
		}
		user := auth.User{ID: row.ID, Login: row.Login}
		if password == "" {
			return c.printLink(ctx, s, a, user, base)
		}
		if err := auth.CheckPassword(user.Login, password); err != nil { // before a link is made that nobody uses
			return err
		}
		link, err := a.Link(ctx, actor, user.ID)
		if err == nil {
			err = a.UseLink(ctx, link, password)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Err, "The password of %s is set, and all sessions have ended\n", user.Login)
		return nil
	})
}

// mostPassword bounds what is read; package auth allows less.
const mostPassword = 4096

// password reads it, "" when a link is wanted.
func (c *account) password(in io.Reader) (string, error) {
	if !c.PasswordStdin {
		return "", nil
	}
	data, err := io.ReadAll(io.LimitReader(in, mostPassword))
	if err != nil {
		return "", fmt.Errorf("read the password from standard input: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", command.UsageError("--password-stdin: there is no password on standard input")
	}
	return line, nil
}

// printLink makes a link and prints it: it is shown this one time.
func (c *account) printLink(ctx context.Context, s command.Streams, a *auth.Accounts, user auth.User, base string) error {
	link, err := a.Link(ctx, actor, user.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "Under this address %s sets a password, once, within a day:\n", user.Login)
	_, err = fmt.Fprintf(s.Out, "%s/password/%s\n", base, link)
	return err
}

// withAccounts does something to the accounts; base is the address of the interface.
func withAccounts(s command.Streams, do func(ctx context.Context, a *auth.Accounts, q *store.Queries, base string) error) error {
	var settings struct {
		PublicURL string `envconfig:"PLANEXE_PUBLIC_URL"`
	}
	return with(s, &settings, func(ctx context.Context, o store.Options) error {
		c, err := store.Config(o)
		if err != nil {
			return err
		}
		if err := store.Migrate(ctx, c.ConnConfig); err != nil {
			return err
		}
		pool, err := pgxpool.NewWithConfig(ctx, c)
		if err != nil {
			return fmt.Errorf("prepare the connections to the database: %w", err)
		}
		defer pool.Close()
		a, err := auth.New(ctx, pool, "", o.Log)
		if err != nil {
			return err
		}
		return do(ctx, a, store.New(pool), cmp.Or(strings.TrimRight(settings.PublicURL, "/"), localURL))
	})
}

// localURL is where the interface is on this computer, with compose and with planexe up --multi.
const localURL = "http://localhost:5001"
