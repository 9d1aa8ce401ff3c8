package up

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"planexe/internal/api"
	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/opener"
	"planexe/internal/service"
)

// upped is planexe up in this process.
type upped struct {
	page, api, dir, admin, model string // as it was told
	opened, shown                []string
	stop                         func() error
}

// startUp starts it on free ports and waits until it has told everything.
func startUp(t *testing.T, c Command, desktop bool, dir string, values map[string]string) *upped {
	t.Helper()
	values = mapWith(values, "PLANEXE_WORKER_PORT", "0")
	c.Port = freePort(t)
	var mu sync.Mutex
	u := &upped{}
	here := place{
		load:    func() (config.Env, error) { return config.NewEnv(values, dir), nil },
		desktop: desktop,
		browse:  func(url string) error { u.opened = append(u.opened, url); return nil },
		show: func(_ context.Context, path string) error {
			mu.Lock()
			defer mu.Unlock()
			u.shown = append(u.shown, path)
			return nil
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	told, tell := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		serve := c.up
		if c.Multi {
			serve = c.many
		}
		err := serve(ctx, command.Streams{Out: tell, Err: t.Output()}, here)
		tell.Close()
		ended <- err
	}()
	u.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = u.stop() })
	lines := bufio.NewScanner(told)
	for lines.Scan() {
		for prefix, dst := range map[string]*string{"PlanExe: ": &u.page, "PlanExe for many people: ": &u.page, "Accounts and plans ": &u.dir, "Sign in as ": &u.admin, "API: ": &u.api, "Plans are kept in ": &u.dir, "Model: ": &u.model} {
			if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				*dst, _, _ = strings.Cut(rest, ",")
			}
		}
		if u.model != "" {
			go func() { _, _ = io.Copy(io.Discard, told) }()
			return u
		}
	}
	t.Fatalf("it ended: %v", u.stop())
	return nil
}

func mapWith(m map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// status asks and returns the status of the answer.
func status(t *testing.T, method, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// Ensure that a plan that is going on when the services end is finished when they start again, and
// that page, API and folder work.
func TestUp(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	once := sync.OnceFunc(func() { close(asked) })
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method != http.MethodPost { // is it there?
			http.NotFound(w, r)
			return
		}
		once()
		<-r.Context().Done() // never answers
	}))
	defer model.Close()
	dir := t.TempDir()
	configure := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "llm_config.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure(`{"m": {"class": "OpenAILike", "priority": 1, "arguments": {"model": "x", "api_base": "` + model.URL + `/v1", "api_key": "k"}}}`)
	runDir := filepath.Join(dir, "plans")

	u := startUp(t, Command{RunDir: runDir, Open: true, OpenDir: true}, true, dir, nil)
	if !slices.Equal(u.opened, []string{u.page}) || u.dir != runDir || !strings.HasPrefix(u.model, "m (") || !strings.HasPrefix(u.page, "http://127.0.0.1:") {
		t.Errorf("it told %+v", u)
	}
	if s := status(t, "GET", u.page+"/"); s != 200 {
		t.Errorf("the page answers %d", s)
	}
	client := api.NewClient(u.api, api.Options{})
	started, err := client.StartRun(t.Context(), api.StartRunRequest{
		SubmitOrRetry: api.Submit, PlanPrompt: "Open a small bakery in Lyon with a budget of 300,000 EUR.", LLMModel: "m", SpeedVsDetail: api.Fast,
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	<-asked
	if s := status(t, "POST", u.page+"/runs/"+started.RunID+"/open-dir"); s >= 400 {
		t.Errorf("the folder's button answers %d", s)
	}
	if err := u.stop(); err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(runDir, started.RunID); !slices.Equal(u.shown, []string{want}) {
		t.Errorf("folders %q were opened, want %s", u.shown, want)
	}

	configure(`{"m": {"class": "Demo"}}`)
	u = startUp(t, Command{RunDir: runDir}, false, dir, nil)
	if len(u.opened) > 0 {
		t.Errorf("a browser was opened without a desktop: %q", u.opened)
	}
	client = api.NewClient(u.api, api.Options{})
	for e, err := range client.Events(t.Context(), started.RunID, 0) { // ends with the run
		if err != nil {
			t.Fatal(err)
		}
		_ = e
	}
	run, err := client.Run(t.Context(), started.RunID)
	if err != nil || run.State != api.Completed {
		t.Errorf("after the second start the run is %s, %v", run.State, err)
	}
	if err := u.stop(); err != nil {
		t.Fatal(err)
	}
	if len(u.shown) > 0 {
		t.Errorf("folders were opened without a desktop: %q", u.shown)
	}
}

// Ensure that the demo model is announced when there is no other.
func TestUpTellsDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "llm_config.json"), []byte(`{"m": {"class": "OpenRouter", "arguments": {"model": "x", "api_key": "${NO_SUCH_KEY}"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	u := startUp(t, Command{RunDir: filepath.Join(dir, "plans")}, false, dir, nil)
	if !strings.HasPrefix(u.model, "demo (") {
		t.Errorf("the model is %q", u.model)
	}
}

// Ensure that what is in the way is said, with what to change.
func TestUpRefuses(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		c      Command
		values map[string]string
		want   []string
	}{
		{"port of the page", Command{Port: port}, nil, []string{"in use", "--port", "PLANEXE_GRADIO_SERVER_PORT"}},
		{"port of a platform", Command{}, map[string]string{"PORT": strconv.Itoa(port)}, []string{"in use", "--port or PORT"}},
		{"port asked for the worker", Command{Port: freePort(t)}, map[string]string{"PLANEXE_WORKER_PORT": strconv.Itoa(port)}, []string{"in use", "PLANEXE_WORKER_PORT"}},
		{"no address", Command{Host: "192.0.2.1"}, nil, []string{"192.0.2.1", "--host"}},
		{"no directory", Command{Port: freePort(t), RunDir: file}, nil, []string{file, "PLANEXE_RUN_DIR"}},
		{"no port", Command{Port: 70000}, nil, []string{"70000", "allowed is 1 to 65535"}},
		{"wrong variables", Command{}, map[string]string{"PLANEXE_WORKER_MAX_RUNS": "x", "PLANEXE_WORKER_PLAN_TIMEOUT": "y"}, []string{"PLANEXE_WORKER_MAX_RUNS", "PLANEXE_WORKER_PLAN_TIMEOUT"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.c.RunDir == "" {
				tt.c.RunDir = filepath.Join(dir, "plans")
			}
			here := place{load: func() (config.Env, error) { return config.NewEnv(tt.values, dir), nil }}
			err := tt.c.up(t.Context(), command.Streams{Out: io.Discard, Err: t.Output()}, here)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
		})
	}
}

// Ensure that the worker takes the next free port unless one was asked for.
func TestListenNear(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := config.Worker{Host: "127.0.0.1", Port: taken.Addr().(*net.TCPAddr).Port}
	if l, err := listenNear(c, true); err == nil {
		l.Close()
		t.Error("the port that was asked for is taken, and another one was opened")
	}
	l, err := listenNear(c, false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if port := l.Addr().(*net.TCPAddr).Port; port <= c.Port || port > c.Port+near {
		t.Errorf("port %d was opened when %d was taken", port, c.Port)
	}
}

func TestHasDesktop(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		goos, set string
		want      bool
	}{
		{"linux", "", false}, {"linux", "DISPLAY", true}, {"linux", "WAYLAND_DISPLAY", true}, {"linux", "DISPLAY SSH_CONNECTION", false},
		{"darwin", "", true}, {"darwin", "SSH_TTY", false}, {"windows", "", true}, {"windows", "SSH_CONNECTION", false},
	} {
		got := hasDesktop(tt.goos, func(name string) string {
			if slices.Contains(strings.Fields(tt.set), name) {
				return "x"
			}
			return ""
		})
		if got != tt.want {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
}

// Ensure that folders open only for a person at this computer, and that an opener of one's own is kept.
func TestFoldersOf(t *testing.T) {
	t.Parallel()
	svc, err := service.New(service.Options{Settings: config.Worker{Pipeline: config.Pipeline{RunDir: t.TempDir()}, MaxRuns: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		c       Command
		ui      config.Single
		desktop bool
		want    bool
	}{
		{"desktop", Command{OpenDir: true}, config.Single{Host: "127.0.0.1"}, true, true},
		{"--no-open-dir", Command{}, config.Single{Host: "127.0.0.1"}, true, false},
		{"no desktop", Command{OpenDir: true}, config.Single{Host: "127.0.0.1"}, false, false},
		{"others can reach it", Command{OpenDir: true}, config.Single{Host: "0.0.0.0"}, true, false},
		{"opener of one's own", Command{}, config.Single{Host: "0.0.0.0", OpenerURL: "http://127.0.0.1:5100"}, false, true},
	} {
		show := opener.Launcher(func(context.Context, string) error { return errors.New("no") })
		o := tt.c.interfaceOptions(tt.ui, svc, place{desktop: tt.desktop, show: show}, nil)
		if (o.Opener != nil) != tt.want {
			t.Errorf("%s: the opener is %T", tt.name, o.Opener)
		}
	}
}

// Ensure that services on one's own computer are closed to others unless that is asked for.
func TestUpSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		c            Command
		values       map[string]string
		ui, at, host string
	}{
		{"nothing", Command{}, nil, "127.0.0.1", "127.0.0.1", "7860"},
		{"variables", Command{}, map[string]string{"PLANEXE_GRADIO_SERVER_NAME": "0.0.0.0", "PLANEXE_WORKER_HOST": "::1", "PORT": "9"}, "0.0.0.0", "::1", "9"},
		{"flags win", Command{Host: "::1", Port: 8}, map[string]string{"PLANEXE_GRADIO_SERVER_NAME": "0.0.0.0", "PORT": "9"}, "::1", "127.0.0.1", "8"},
	} {
		values := mapWith(tt.values, "PLANEXE_HOST_RUN_DIR", "/elsewhere")
		var w config.Worker
		var s config.Single
		env := tt.c.settings(config.NewEnv(values))
		if err := errors.Join(config.Load(&w, env), config.Load(&s, env)); err != nil {
			t.Fatal(err)
		}
		port, _ := s.Port()
		if s.Host != tt.ui || w.Host != tt.at || strconv.Itoa(port) != tt.host || w.HostRunDir != "" {
			t.Errorf("%s: got %s, %s, %d, %q", tt.name, s.Host, w.Host, port, w.HostRunDir)
		}
	}
}
