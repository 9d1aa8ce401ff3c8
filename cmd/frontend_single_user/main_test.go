package main

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"planexe/internal/command"
)

// Ensure wrong settings, a taken port and wrong use are told with the way out, and no secret.
func TestDispatch(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, c := range []struct {
		name string
		vars map[string]string
		args []string
		code int
		want string
	}{
		{"help", nil, []string{"--help"}, 0, "PLANEXE_WORKER_PLAN_URL"},
		{"help as a word", nil, []string{"help"}, 0, "health"},
		{"version", map[string]string{"PORT": "70000"}, []string{"version"}, 0, "frontend_single_user devel, commit unknown, go1."},
		{"wrong use", nil, []string{"dance"}, 2, "--help"},
		{"no address", map[string]string{"PLANEXE_WORKER_PLAN_URL": "worker"}, nil, 2, "PLANEXE_WORKER_PLAN_URL"},
		{"no port", map[string]string{"PORT": "70000"}, nil, 2, "PORT"},
		{"no timeout", map[string]string{"PLANEXE_WORKER_PLAN_TIMEOUT": "-1"}, nil, 2, "PLANEXE_WORKER_PLAN_TIMEOUT"},
		{"taken port", map[string]string{"PLANEXE_GRADIO_SERVER_PORT": port}, nil, 1, "set PLANEXE_GRADIO_SERVER_PORT to a free port"},
		{"taken port of a platform", map[string]string{"PORT": port}, nil, 1, "set PORT to a free port"},
		{"no service", map[string]string{"PORT": "1"}, []string{"health"}, 1, "ask for the health"},
		{"no password file", map[string]string{"PLANEXE_PASSWORD_FILE": "/nowhere"}, nil, 2, "PLANEXE_PASSWORD_FILE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("XDG_CONFIG_HOME", t.TempDir())
			t.Setenv("PLANEXE_GRADIO_SERVER_NAME", "127.0.0.1")
			for k, v := range c.vars {
				t.Setenv(k, v)
			}
			var out, errs bytes.Buffer
			if code := program().Run(c.args, command.Streams{Out: &out, Err: &errs}); code != c.code || !strings.Contains(out.String()+errs.String(), c.want) {
				t.Errorf("%d: %s%s", code, &out, &errs)
			}
		})
	}
}
