package up

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"planexe/internal/command"
	"planexe/internal/command/database"
	"planexe/internal/config"
	"planexe/internal/dbworker"
	"planexe/internal/port"
	"planexe/internal/service"
	"planexe/internal/web/kit"
	"planexe/internal/web/multi"
)

// Variables of the first administrator.
const (
	adminName     = "PLANEXE_FRONTEND_MULTIUSER_ADMIN_USERNAME"
	adminPassword = "PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD"
)

// many serves the interface for many people and a worker of the queue until ctx ends, on the database that is configured or
// on one of its own. Plans that are going on are given back then, and go on at the next start.
func (c *Command) many(ctx context.Context, s command.Streams, here place) (err error) {
	env, err := here.load()
	if err != nil {
		return err
	}
	var pipeline config.Pipeline
	if err := command.Fill(env, &pipeline); err != nil {
		return err
	}
	log := logger(s, env, pipeline)
	db, err := database.Open(ctx, env, true, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	admin, err := administrator(db)
	if err != nil {
		return err
	}
	modelsAt, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the models: %w", err)
	}
	defer modelsAt.Close()
	settings := c.settingsOfMany(admin.env, "http://"+modelsAt.Addr().String())
	var worker config.DatabaseWorker
	var models config.Worker
	var ui config.Multi
	if err := command.Fill(settings, &worker, &models, &ui); err != nil {
		return err
	}
	number, setsPort := ui.Listen()
	uiAt, err := port.Listen(ui.BindHost, number, "--host or PLANEXE_FRONTEND_MULTIUSER_HOST", "--port or "+setsPort)
	if err != nil {
		return err
	}
	defer uiAt.Close()
	// The interface asks it for the models only: runs are the queue's.
	svc, err := service.New(service.Options{Settings: models, Version: command.Version(), Log: log, Output: s.Err, Env: here.load})
	if err == nil {
		err = svc.Usable()
	}
	if err != nil {
		return err
	}
	w, err := dbworker.New(dbworker.Options{Settings: worker, Version: command.Version(), Log: log, Env: here.load})
	if err != nil {
		return err
	}
	address := "http://" + reachable(uiAt)
	fmt.Fprintf(s.Out, "PlanExe for many people: %s\n%s\n%s\nCtrl-C ends it; plans that are not done go on at the next start.\n", address, kept(db), admin.told)
	here.open(c, address, log)
	return together(ctx,
		func(ctx context.Context) error { return kit.Serve(ctx, modelsAt, svc.Handler()) },
		w.Run,
		func(ctx context.Context) error {
			return kit.Serve(ctx, uiAt, multi.FromConfig(ctx, ui, command.Version(), log))
		},
		func(ctx context.Context) error { return watch(ctx, db) },
		func(ctx context.Context) error { return tellModel(ctx, s, env, worker.Model) })
}

// kept says where accounts and plans are.
func kept(db *database.Database) string {
	if db.Dir == "" {
		return "Accounts and plans are kept in the database that is configured."
	}
	return "Accounts and plans are kept in a private database in " + db.Dir
}

// watch ends when the private database does.
func watch(ctx context.Context, db *database.Database) error {
	select {
	case <-ctx.Done():
		return nil
	case <-db.Ended():
		return fmt.Errorf("the private database in %s has ended: start again, nothing is lost", db.Dir)
	}
}

// settingsOfMany is the environment as it counts for the services of one computer.
func (c *Command) settingsOfMany(env config.Env, models string) config.Env {
	for name, value := range map[string]string{
		"PLANEXE_FRONTEND_MULTIUSER_HOST": "127.0.0.1", "PLANEXE_FRONTEND_MULTIUSER_APP_PORT": "5001", "PLANEXE_WORKER_HEALTH_PORT": "0",
	} {
		if _, set := env.Lookup(name); !set {
			env = env.With(name, value)
		}
	}
	// Nobody but this process knows the token.
	env = env.With("PLANEXE_HOST_RUN_DIR", "").With("PLANEXE_WORKER_PLAN_URL", models).With("PLANEXE_WORKER_TOKEN", rand.Text())
	if c.Host != "" {
		env = env.With("PLANEXE_FRONTEND_MULTIUSER_HOST", c.Host)
	}
	if c.Port != 0 {
		env = env.With("PORT", "").With("PLANEXE_FRONTEND_MULTIUSER_APP_PORT", fmt.Sprint(c.Port))
	}
	if c.RunDir != "" {
		env = env.With("PLANEXE_RUN_DIR", c.RunDir)
	}
	return env
}

// first is the first administrator.
type first struct {
	env  config.Env // names it
	told string     // to people
}

// administrator is who the environment says; on a private database else one whose password is made at the first start, and
// kept beside the data, which whoever can read that file can read as well.
func administrator(db *database.Database) (first, error) {
	env := db.Env
	if _, set, err := env.Secret(adminPassword); set || err != nil || db.Dir == "" {
		name, _ := env.Lookup(adminName)
		return first{env, fmt.Sprintf("Sign in as %s with the password of %s.", name, adminPassword)}, err
	}
	if _, set := env.Lookup(adminName); !set {
		env = env.With(adminName, "admin")
	}
	name, _ := env.Lookup(adminName)
	file := filepath.Join(db.Dir, "administrator-password")
	told := fmt.Sprintf("Sign in as %s with the password in %s.", name, file)
	data, err := os.ReadFile(file)
	password := strings.TrimSpace(string(data))
	if errors.Is(err, fs.ErrNotExist) || err == nil && password == "" {
		password = rand.Text()
		told = fmt.Sprintf("Sign in as %s with the password %s (shown this once; it is also in %s).", name, password, file)
		err = os.WriteFile(file, []byte(password+"\n"), 0o600)
	}
	if err != nil {
		return first{}, fmt.Errorf("keep the administrator's password: %w; set %s and %s instead", err, adminName, adminPassword)
	}
	return first{env.With(adminPassword, password), told}, nil
}
