package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"planexe/internal/config"
)

type commands struct {
	Fail failCommand    `cmd:"" help:"Ends as it is told."`
	Ver  VersionCommand `cmd:"" name:"version" help:"The version."`
}

type failCommand struct {
	How string `arg:""`
}

func (c failCommand) Run(s Streams) error {
	fmt.Fprint(s.Out, "out")
	switch c.How {
	case "plain":
		return errors.New("it broke\nbadly")
	case "quiet":
		return Exit(4)
	case "wrapped":
		return fmt.Errorf("as was said: %w", UsageError("not like %s", "this"))
	}
	return nil
}

// Ensure that what a command returns becomes an exit code, and lines that begin with the program's name.
func TestRun(t *testing.T) {
	t.Parallel()
	prepared := 0
	p := Program{Name: "prog", About: "About it.", Commands: &commands{}, Prepare: func() error { prepared++; return nil }}
	for _, c := range []struct {
		args      string
		code      int
		out, errs string
	}{
		{"fail no", 0, "out", ""},
		{"fail plain", 1, "out", "prog: it broke\nprog: badly\n"},
		{"fail quiet", 4, "out", ""},
		{"fail wrapped", 2, "out", "prog: as was said: not like this\n"},
		{"dance", 2, "", `Run "prog --help"`},
		{"fail", 2, "", "expected \"<how>\""},
		{"", 0, "About it.", ""},
		{"help", 0, "About it.", ""},
		{"help fail", 0, "Ends as it is told.", ""},
		{"version", 0, "prog devel, commit unknown, go1.", ""},
	} {
		var out, errs bytes.Buffer
		code := p.Run(strings.Fields(c.args), Streams{Out: &out, Err: &errs})
		if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.errs) || c.errs == "" && errs.Len() > 0 {
			t.Errorf("%q: exit %d, %s, %s", c.args, code, &out, &errs)
		}
	}
	if prepared != 4 {
		t.Errorf("it prepared %d times for 4 commands", prepared)
	}
}

// runService runs a command of a service in a directory with this .env, and returns what it said.
func runService(t *testing.T, dotenv string, args ...string) (code int, said string, served bool) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte(dotenv), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	var settings config.Single
	p := Program{Name: "svc", Settings: []any{settings}, Commands: &ServiceCommands{}, Service: &Service{
		Settings: &settings,
		Serve:    func(context.Context, *slog.Logger, Streams) error { served = true; return nil },
	}}
	var out bytes.Buffer
	code = p.Run(args, Streams{Out: &out, Err: &out})
	return code, out.String(), served
}

// Ensure that a service begins only when all settings are right, says all that are wrong at once without a secret, and warns
// once of variables that nobody knows but those of an old .env.
func TestServe(t *testing.T) {
	code, said, served := runService(t, "PORT=x\nPLANEXE_WORKER_PLAN_TIMEOUT=0\nPLANEXE_WORKER_PLAN_URL=worker\nPLANEXE_PASSWORD_FILE=/no/where\nPLANEXE_WORKER_TOKEN=top-secret\n")
	if code != 2 || served || strings.Count(said, "\n") != 4 || strings.Contains(said, "top-secret") {
		t.Errorf("exit %d, served %v:\n%s", code, served, said)
	}
	for _, line := range []string{`svc: PORT is "x": `, `svc: PLANEXE_WORKER_PLAN_TIMEOUT is "0": `, `svc: PLANEXE_WORKER_PLAN_URL is "worker": `, "PLANEXE_PASSWORD_FILE"} {
		if !strings.Contains(said, line) {
			t.Errorf("it does not say %q:\n%s", line, said)
		}
	}
	code, said, served = runService(t, "PLANEXE_RUN_DRI=x\nPLANEXE_MCP_API_KEY=x\nPLANEXE_FRONTEND_MULTIUSER_PORT=5001\nPATH_TO_PYTHON=x\nPLANEXE_PASSWORD_FILE=\nPLANEXE_ZZZ=1\nPLANEXE_LOG_LEVEL=DEBUG\nPLANEXE_WORKER_TOKEN=top-secret\n", "serve")
	if code != 0 || !served || strings.Count(said, "WARN") != 2 || strings.Contains(said, "top-secret") || strings.Contains(said, "MCP") || strings.Contains(said, "PYTHON") {
		t.Errorf("exit %d, served %v:\n%s", code, served, said)
	}
	for _, part := range []string{"PLANEXE_RUN_DRI is no variable that PlanExe knows: did you mean PLANEXE_RUN_DIR?", "PLANEXE_ZZZ is no variable", `variables="PLANEXE_WORKER_TOKEN PLANEXE_LOG_LEVEL"`} {
		if !strings.Contains(said, part) {
			t.Errorf("it does not say %q:\n%s", part, said)
		}
	}
	if code, said, served = runService(t, "", "--help"); code != 0 || served || !strings.Contains(said, "PLANEXE_WORKER_PLAN_URL") || !strings.Contains(said, "health") {
		t.Errorf("help: exit %d, %s", code, said)
	}
}

// Ensure that a .env which cannot be read is told in one line, and no reason not to serve.
func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("skipped: root reads everything")
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte("A=b"), 0); err != nil {
		t.Fatal(err)
	}
	env, err := Load()
	if err != nil || env.LeftOut() == nil {
		t.Errorf("%v, left out: %v", err, env.LeftOut())
	}
}

// Ensure that the health of a service is asked for where it listens, and told in one line.
func TestHealth(t *testing.T) {
	well := true
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !well {
			http.Error(w, "no place to write", http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	port := s.URL[strings.LastIndexByte(s.URL, ':')+1:]
	if _, err := strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	env := "PLANEXE_GRADIO_SERVER_NAME=127.0.0.1\nPORT=" + port
	if code, said, _ := runService(t, env, "health"); code != 0 || said != "healthy\n" {
		t.Errorf("exit %d, %q", code, said)
	}
	well = false
	if code, said, _ := runService(t, env, "health"); code != 1 || !strings.Contains(said, "no place to write") || strings.Count(said, "\n") != 1 {
		t.Errorf("exit %d, %q", code, said)
	}
	if code, said, _ := runService(t, "PORT=x", "health"); code != 1 {
		t.Errorf("exit %d, %q", code, said)
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "ab", 2}, {"RUN_DRI", "RUN_DIR", 2}, {"LOGLEVEL", "LOG_LEVEL", 1}, {"abc", "abd", 1}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
