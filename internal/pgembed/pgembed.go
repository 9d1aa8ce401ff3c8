// Package pgembed runs a private Postgres cluster from binaries found on this machine. It listens
// on a Unix socket in a directory of its own only, and never deletes data.
package pgembed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// User is the superuser of the cluster, and the name of its first database.
const User = "planexe"

// Cluster is a running Postgres server.
type Cluster struct {
	dir    string // data
	socket string // directory of the socket
	owned  bool   // this process started it
	cmd    *exec.Cmd
	done   chan struct{} // closed when the server has ended
	err    error         // of the server, after done
	log    *tail
}

// Options of a cluster.
type Options struct {
	Dir      string   // holds the data; made when it is missing, with its parents
	Bin      string   // directory of postgres and initdb; "" is what Find finds
	Socket   string   // directory of the socket, with a short path; "" makes one that Stop removes
	Settings []string // of the server, each NAME=VALUE
	Log      *slog.Logger
}

// DefaultDir returns where the cluster of this user is kept: in the user's own directory for data, or for root in
// that of the system, since Postgres runs as another user then, who has to get there.
func DefaultDir() (string, error) {
	switch base := os.Getenv("XDG_DATA_HOME"); {
	case runtime.GOOS != "windows" && os.Geteuid() == 0:
		return "/var/lib/planexe/postgres", nil
	case filepath.IsAbs(base):
		return filepath.Join(base, "planexe", "postgres"), nil
	case runtime.GOOS == "windows" || runtime.GOOS == "darwin":
		base, err := os.UserConfigDir()
		return filepath.Join(base, "planexe", "postgres"), err
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share", "planexe", "postgres"), err
}

// Exists tells whether there is a cluster in a directory.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "data", "PG_VERSION"))
	return err == nil || errors.Is(err, fs.ErrPermission) // somebody else's
}

// Start runs the cluster in o.Dir, which it makes at the first time. When a server runs there already, it is
// used, and Stop leaves it running. The error says what is missing and how to get it.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	bin, err := Find()
	if o.Bin != "" {
		bin, err = check(o.Bin)
	}
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	if err := owner.prepare(dir); err != nil {
		return nil, err
	}
	c := &Cluster{dir: filepath.Join(dir, "data"), log: &tail{}}
	if socket, ok := running(ctx, c.dir); ok {
		c.socket = socket
		o.Log.Info("a Postgres server runs in the data directory already: it is used", "dir", c.dir)
		return c, c.ready(ctx)
	}
	if err := create(ctx, bin, c.dir, owner); err != nil {
		return nil, err
	}
	if err := sameVersion(ctx, bin, c.dir); err != nil {
		return nil, err
	}
	if err := c.start(ctx, bin, owner, o); err != nil {
		return nil, err
	}
	if err := c.ready(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// start runs the server.
func (c *Cluster) start(ctx context.Context, bin string, owner owner, o Options) error {
	// The path of a socket may have about 100 bytes only, so it cannot be below the data.
	socket, err := o.Socket, error(nil)
	if socket == "" {
		socket, err = os.MkdirTemp("", "planexe-pg-")
	} else {
		err = os.MkdirAll(socket, 0o700)
	}
	if err != nil {
		return fmt.Errorf("make a directory for the socket of Postgres: %w", err)
	}
	c.socket = socket
	if err := owner.own(socket); err != nil {
		return err
	}
	args := []string{"-D", c.dir, "-k", socket, "-c", "listen_addresses="}
	for _, s := range o.Settings {
		args = append(args, "-c", s)
	}
	c.cmd = exec.Command(filepath.Join(bin, "postgres"), args...)
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	c.cmd.Dir = c.dir
	owner.apply(c.cmd)
	c.owned, c.done = true, make(chan struct{})
	return c.spawn(ctx)
}

// ready waits until the server answers.
func (c *Cluster) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.DSN("postgres"))
		if err == nil {
			defer conn.Close(ctx)
			var exists bool
			err := conn.QueryRow(ctx, "select exists (select 1 from pg_database where datname = $1)", User).Scan(&exists)
			if err == nil && !exists {
				_, err = conn.Exec(ctx, "create database "+User)
			}
			return err
		}
		select {
		case <-c.done: // nil, so never, when the server is not ours
			return fmt.Errorf("the Postgres server in %s ended at its start: %w\n%s", c.dir, c.err, c.log)
		case <-ctx.Done():
			return fmt.Errorf("the Postgres server in %s does not answer: %w\n%s", c.dir, err, c.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// DSN returns the address of a database of the cluster.
func (c *Cluster) DSN(database string) string {
	q := url.Values{"host": {c.socket}, "user": {User}, "sslmode": {"disable"}}
	return "postgres:///" + url.PathEscape(database) + "?" + q.Encode()
}

// Socket returns the directory of the server's socket.
func (c *Cluster) Socket() string { return c.socket }

// PID returns the process id of the server that this process started, 0 when it did not.
func (c *Cluster) PID() int {
	if !c.owned {
		return 0
	}
	return c.cmd.Process.Pid
}

// Done is closed when the server has ended; nil, so never, when this process did not start it.
func (c *Cluster) Done() <-chan struct{} { return c.done }

// Stop ends the server in good order, if this process started it: connections are closed, data is on disk.
func (c *Cluster) Stop() error {
	if !c.owned {
		return nil
	}
	defer os.RemoveAll(c.socket)
	_ = c.cmd.Process.Signal(os.Interrupt) // a fast shutdown
	select {
	case <-c.done:
	case <-time.After(30 * time.Second):
		_ = c.cmd.Process.Signal(syscall.SIGQUIT) // an immediate one; recovered at the next start
		<-c.done
	}
	return nil
}

// create makes the data directory; a crash in the middle leaves none.
func create(ctx context.Context, bin, dir string, owner owner) error {
	if _, err := os.Stat(filepath.Join(dir, "PG_VERSION")); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at the data directory of Postgres: %w", err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "data-new-")
	if err != nil {
		return fmt.Errorf("make a data directory for Postgres: %w", err)
	}
	defer os.RemoveAll(temp) // nothing is there any more when all went well
	if err := owner.own(temp); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", temp, "-U", User, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-instructions", "--no-sync")
	cmd.Dir = filepath.Dir(dir)
	owner.apply(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make a Postgres cluster: initdb: %w\n%s", err, out)
	}
	if err := os.Rename(temp, dir); err != nil {
		return fmt.Errorf("put the data directory of Postgres into place: %w", err)
	}
	return nil
}

// sameVersion refuses data of another major version: only its own server reads it.
func sameVersion(ctx context.Context, bin, dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if err != nil {
		return fmt.Errorf("read the version of the data directory: %w", err)
	}
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w", filepath.Join(bin, "postgres"), err)
	}
	fields := strings.Fields(string(out)) // postgres (PostgreSQL) 15.18 (Debian …)
	if len(fields) < 3 {
		return fmt.Errorf("%s says %q, which is no version", filepath.Join(bin, "postgres"), out)
	}
	major, _, _ := strings.Cut(fields[2], ".")
	if have := strings.TrimSpace(string(data)); have != major {
		return fmt.Errorf("the data in %s was made by Postgres %s, and the server in %s is %s: install Postgres %s and set %s, or move the data with pg_dump", dir, have, bin, major, have, BinVar)
	}
	return nil
}

// running returns the socket directory of a server that runs in the data directory.
func running(ctx context.Context, dir string) (socket string, ok bool) {
	data, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		return "", false
	}
	lines := strings.Split(string(data), "\n") // pid, data, start, port, socket directory, …
	if len(lines) < 5 {
		return "", false
	}
	if _, err := strconv.Atoi(strings.TrimSpace(lines[0])); err != nil {
		return "", false
	}
	c := Cluster{socket: strings.TrimSpace(lines[4])}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return "", false
	}
	defer conn.Close(ctx)
	var at string
	if conn.QueryRow(ctx, "show data_directory").Scan(&at) != nil || filepath.Clean(at) != filepath.Clean(dir) {
		return "", false
	}
	return c.socket, true
}

// tail keeps the last output of the server for error messages.
type tail struct{ buf bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	t.buf.Write(p)
	if extra := t.buf.Len() - 1<<13; extra > 0 {
		t.buf.Next(extra)
	}
	return len(p), nil
}

func (t *tail) String() string { return t.buf.String() }
