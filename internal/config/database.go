package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Database is where the database is: one address, or its parts.
type Database struct {
	URI      Secret `envconfig:"SQLALCHEMY_DATABASE_URI" desc:"address of the database, postgresql://user:password@host:port/name; wins over the parts"`
	Host     string `envconfig:"PLANEXE_POSTGRES_HOST" default:"database_postgres" desc:"host of the database"`
	Port     string `envconfig:"PLANEXE_POSTGRES_PORT" default:"5432" desc:"port of the database"`
	Name     string `envconfig:"PLANEXE_POSTGRES_DB" default:"planexe" desc:"name of the database"`
	User     string `envconfig:"PLANEXE_POSTGRES_USER" default:"planexe" desc:"user of the database"`
	Password Secret `envconfig:"PLANEXE_POSTGRES_PASSWORD" default:"planexe" desc:"password of the user"`
}

// Validate checks what can be checked without connecting.
func (d *Database) Validate() error {
	if _, err := d.DSN(); err != nil {
		return err
	}
	if n, err := strconv.Atoi(d.Port); d.URI == "" && (err != nil || n < 1 || n > 65535) {
		return wrong("PLANEXE_POSTGRES_PORT", d.Port, "allowed is 1 to 65535")
	}
	return nil
}

// DSN returns the address in the form that Postgres clients read. It holds the password. Drivers in
// the scheme, which SQLAlchemy wants, are dropped. Errors do not show the address.
func (d *Database) DSN() (string, error) {
	if d.URI == "" {
		u := url.URL{Scheme: "postgres", User: url.UserPassword(d.User, string(d.Password)), Host: net.JoinHostPort(d.Host, d.Port), Path: "/" + d.Name}
		return u.String(), nil
	}
	scheme, rest, ok := strings.Cut(string(d.URI), "://")
	dialect, _, _ := strings.Cut(scheme, "+")
	if !ok || dialect != "postgresql" && dialect != "postgres" {
		return "", errors.New("SQLALCHEMY_DATABASE_URI is no address of a Postgres database: it has to look like postgresql://user:password@host:5432/name")
	}
	u, err := url.Parse("postgres://" + rest)
	if err != nil {
		return "", errors.New("SQLALCHEMY_DATABASE_URI cannot be read: escape special characters of user and password as %40 for @, %2F for /, %25 for %")
	}
	return u.String(), nil
}

// Configured tells whether an environment says where a database is; else one can be made on this computer.
func Configured(env Env) bool {
	for _, name := range []string{"SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_DATABASE_URI_FILE", "PLANEXE_POSTGRES_HOST"} {
		if _, ok := env.Lookup(name); ok {
			return true
		}
	}
	return false
}

// Private is the database of this computer, which planexe up --multi makes when no other is configured.
type Private struct {
	Dir string `envconfig:"PLANEXE_PG_DIR" desc:"directory of the private database; unset is planexe/postgres in the user's data directory, /var/lib/planexe/postgres for root"`
	Bin string `envconfig:"PLANEXE_PG_BIN_DIR" desc:"directory that holds postgres and initdb; unset looks where systems put them"`
}

// DatabaseWorker is what worker_plan_database can be told by the environment.
type DatabaseWorker struct {
	Pipeline
	Database
	Trace
	ID          string  `envconfig:"PLANEXE_WORKER_ID" desc:"name of this worker in rows and logs; unset makes a new one at each start"`
	Slots       int     `envconfig:"PLANEXE_WORKER_CONCURRENCY" default:"4" desc:"tasks that this process works on at once"`
	Lease       Seconds `envconfig:"PLANEXE_WORKER_LEASE_SECONDS" default:"60" desc:"how long a task stays this worker's without a word from it"`
	Poll        Seconds `envconfig:"PLANEXE_WORKER_POLL_SECONDS" default:"5" desc:"pause between two looks at the queue when nothing wakes the worker"`
	Drain       Seconds `envconfig:"PLANEXE_WORKER_DRAIN_SECONDS" default:"20" desc:"what calls under way get to end after SIGTERM"`
	HealthPort  int     `envconfig:"PLANEXE_WORKER_HEALTH_PORT" default:"8081" desc:"port on 127.0.0.1 of health and metrics; 0 is any free one"`
	HealthHost  string  `envconfig:"PLANEXE_WORKER_HEALTH_HOST" default:"127.0.0.1" desc:"address of health and metrics; 0.0.0.0 lets Prometheus reach them"`
	MaxCrashes  int     `envconfig:"PLANEXE_TASK_MAX_CRASHES" default:"3" desc:"workers that may be lost over one task until it fails"`
	MaxArtifact int     `envconfig:"PLANEXE_TASK_MAX_ARTIFACT_MB" default:"64" desc:"largest file of a run that is kept in the database"`
	MaxZip      int     `envconfig:"PLANEXE_TASK_MAX_ZIP_MB" default:"512" desc:"largest archive of a run that is kept in the database"`
	Retention   int     `envconfig:"PLANEXE_RUN_RETENTION_DAYS" default:"7" desc:"days after which the local directory of a finished task is removed; 0 keeps it"`
	EventDays   int     `envconfig:"PLANEXE_EVENT_RETENTION_DAYS" default:"90" desc:"days after which event rows and sent confirmations are deleted; 0 keeps them"`
	ConfirmURL  string  `envconfig:"PLANEXE_IFRAME_GENERATOR_CONFIRMATION_PRODUCTION_URL" desc:"address that hears of the end of partners' tasks; unset tells nobody"`
	ConfirmDev  string  `envconfig:"PLANEXE_IFRAME_GENERATOR_CONFIRMATION_DEVELOPMENT_URL" desc:"the same for tasks with the parameter developer"`
	WorkerURL   string  `envconfig:"PLANEXE_WORKER_PLAN_URL" desc:"not used: reports reach people through the database"`
}

// placeholderURL is what compose files put where no confirmation is wanted.
const placeholderURL = "https://example.com/iframe_generator_confirmation"

// Validate checks the ranges and switches placeholder addresses off.
func (w *DatabaseWorker) Validate() error {
	errs := []error{w.Pipeline.Validate(), w.Database.Validate(), w.Trace.Validate()}
	w.ID = strings.TrimSpace(w.ID)
	if len(w.ID) > 200 {
		errs = append(errs, wrong("PLANEXE_WORKER_ID", w.ID, "allowed are 200 characters"))
	}
	for _, x := range []struct {
		name        string
		value       int
		least, most int
	}{
		{"PLANEXE_WORKER_CONCURRENCY", w.Slots, 1, 1000}, {"PLANEXE_TASK_MAX_CRASHES", w.MaxCrashes, 1, 1000},
		{"PLANEXE_TASK_MAX_ARTIFACT_MB", w.MaxArtifact, 1, 512}, {"PLANEXE_TASK_MAX_ZIP_MB", w.MaxZip, 1, 900},
		{"PLANEXE_RUN_RETENTION_DAYS", w.Retention, 0, 36500}, {"PLANEXE_EVENT_RETENTION_DAYS", w.EventDays, 0, 36500},
		{"PLANEXE_WORKER_HEALTH_PORT", w.HealthPort, 0, 65535},
	} {
		if x.value < x.least || x.value > x.most {
			errs = append(errs, wrong(x.name, strconv.Itoa(x.value), fmt.Sprintf("allowed is %d to %d", x.least, x.most)))
		}
	}
	for _, x := range []struct {
		name  string
		value Seconds
		least time.Duration
	}{{"PLANEXE_WORKER_LEASE_SECONDS", w.Lease, 10 * time.Second}, {"PLANEXE_WORKER_POLL_SECONDS", w.Poll, 100 * time.Millisecond}} {
		if x.value.Duration() < x.least {
			errs = append(errs, wrong(x.name, x.value.Duration().String(), "allowed is "+x.least.String()+" or more"))
		}
	}
	for _, u := range []*string{&w.ConfirmURL, &w.ConfirmDev} {
		if *u = strings.TrimSpace(*u); *u == placeholderURL {
			*u = ""
		}
		if p, err := url.Parse(*u); *u != "" && (err != nil || p.Scheme != "http" && p.Scheme != "https" || p.Host == "") {
			errs = append(errs, wrong("PLANEXE_IFRAME_GENERATOR_CONFIRMATION_…_URL", *u, "it has to be an address such as https://partner.example.org/done"))
		}
	}
	return errors.Join(errs...)
}

// Probe returns where the worker answers for its health.
func (w *DatabaseWorker) Probe() (host string, port int, path string) {
	return w.HealthHost, w.HealthPort, "/healthz"
}

// PlaceRuns makes the run directory absolute as Worker's does.
func (w *DatabaseWorker) PlaceRuns(env Env) {
	root, ok := env.Lookup(PathVar)
	if _, set := env.Lookup("PLANEXE_RUN_DIR"); ok && !set {
		w.RunDir = filepath.Join(root, w.RunDir)
	}
}
