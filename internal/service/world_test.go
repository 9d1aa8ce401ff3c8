package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"planexe/internal/api"
	"planexe/internal/config"
	"planexe/internal/llm"
	"planexe/internal/llm/demo"
	"planexe/internal/llm/models"
	"planexe/internal/service"
)

// world is a running service over a directory of its own, whose model of id demo is a script.
type world struct {
	t      *testing.T
	o      service.Options
	s      *service.Service
	server *httptest.Server
	c      *api.Client
	dir    string // of the configuration
	base   string
	script *script
	log    *lockedBuffer

	mu   sync.Mutex
	vars map[string]string
}

// script is the demo model, which can be held and made to fail.
type script struct {
	llm.Provider
	entered chan string // the step of each request, dropped when nobody reads
	gone    chan error  // gets the end of each request that was given up; nil is nobody

	mu    sync.Mutex
	gate  chan struct{}    // requests wait until it is closed; nil lets them through
	fails map[string]error // by step; "" is all
}

func (s *script) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	select {
	case s.entered <- r.Step:
	default:
	}
	s.mu.Lock()
	gate, err := s.gate, errors.Join(s.fails[r.Step], s.fails[""])
	s.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			select {
			case s.gone <- ctx.Err():
			default:
			}
			return llm.Response{}, &llm.Error{Class: llm.ClassCancelled, Err: ctx.Err()}
		}
	}
	if err != nil {
		return llm.Response{}, err
	}
	return s.Provider.Send(ctx, r)
}

// hold makes requests wait until the function that it returns is called.
func (s *script) hold() (let func()) {
	gate := make(chan struct{})
	s.mu.Lock()
	s.gate = gate
	s.mu.Unlock()
	select {
	case <-s.entered: // of an earlier run
	default:
	}
	return sync.OnceFunc(func() {
		s.mu.Lock()
		s.gate = nil
		s.mu.Unlock()
		close(gate)
	})
}

func (s *script) fail(step string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = map[string]error{step: err}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

const demoOnly = `{"demo": {"class": "Demo", "priority": 1}}`

// newWorld starts a service. change may be nil.
func newWorld(t testing.TB, llmConfig string, change func(*service.Options)) *world {
	t.Helper()
	return makeWorld(t, llmConfig, change, true)
}

// newQuietWorld starts a service without a port: in virtual time a connection would wait for ever.
func newQuietWorld(t testing.TB, llmConfig string, change func(*service.Options)) *world {
	t.Helper()
	return makeWorld(t, llmConfig, change, false)
}

func makeWorld(t testing.TB, llmConfig string, change func(*service.Options), port bool) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{dir: dir, base: filepath.Join(dir, "run"), script: &script{Provider: demo.New(0, 1), entered: make(chan string, 1)}, log: &lockedBuffer{}, vars: map[string]string{}}
	w.t, _ = t.(*testing.T)
	w.configure(llmConfig)
	w.o = service.Options{
		Version: "test", Log: slog.New(slog.NewTextHandler(w.log, nil)), Output: io.Discard,
		Env: func() (config.Env, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return config.NewEnv(w.vars, dir), nil
		},
		Models: func(l config.LLM) []*llm.Entry {
			entries := models.Build(l)
			for _, e := range entries {
				if e.ID == config.DemoID {
					e.Provider = w.script
				}
			}
			return entries
		},
	}
	if err := config.Load(&w.o.Settings, config.NewEnv(map[string]string{"PLANEXE_RUN_DIR": w.base})); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&w.o)
	}
	if port {
		w.start(t)
	} else {
		w.startQuietly(t)
	}
	t.Cleanup(func() { w.stop(t) })
	return w
}

func (w *world) configure(text string) {
	if err := os.WriteFile(filepath.Join(w.dir, config.LLMFile), []byte(text), 0o666); err != nil {
		panic(err)
	}
}

func (w *world) startQuietly(t testing.TB) {
	t.Helper()
	s, err := service.New(w.o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	w.s = s
}

func (w *world) start(t testing.TB) {
	t.Helper()
	w.startQuietly(t)
	w.server = httptest.NewServer(w.s.Handler())
	w.c = api.NewClient(w.server.URL, api.Options{Token: string(w.o.Settings.Token)})
}

// stop shuts the service down as a signal would.
func (w *world) stop(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := w.s.Close(ctx); err != nil {
		t.Error(err)
	}
	if w.server != nil {
		w.server.Close()
	}
}

// response is an answer of the service.
type response struct {
	status int
	header http.Header
	body   string
}

func (r response) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%q is no JSON object: %v", r.body, err)
	}
	return v
}

// do sends a request; header holds pairs of name and value.
func (w *world) do(method, path, body string, header ...string) response {
	w.t.Helper()
	req, err := http.NewRequest(method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		if header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return response{resp.StatusCode, resp.Header, string(text)}
}

// want checks status and body; a body that ends in … is a beginning, "" is not looked at.
func (w *world) want(r response, status int, body string) {
	w.t.Helper()
	got := strings.TrimSpace(r.body)
	ok := body == "" || got == body
	if part, cut := strings.CutSuffix(body, "…"); cut {
		ok = strings.HasPrefix(got, part)
	}
	if r.status != status || !ok {
		w.t.Errorf("got %d %.300s\nwant %d %s", r.status, got, status, body)
	}
}

// submit starts a run through the client.
func (w *world) submit(prompt string) string {
	w.t.Helper()
	r, err := w.c.StartRun(w.t.Context(), api.StartRunRequest{
		SubmitOrRetry: api.Submit, PlanPrompt: prompt, LLMModel: "auto", SpeedVsDetail: api.Fast, UseUUIDAsRunID: true,
	}, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return r.RunID
}

// submitDirectly starts a run without a connection, for tests in virtual time.
func (w *world) submitDirectly(t *testing.T) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost/runs", strings.NewReader(strings.Replace(submitBody, `"use_uuid_as_run_id":false`, `"use_uuid_as_run_id":true`, 1)))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.s.Handler().ServeHTTP(rec, r)
	id, _ := response{rec.Code, nil, rec.Body.String()}.json(t)["run_id"].(string)
	return id
}

// over follows a run to its end.
func (w *world) over(id string) api.RunStatus {
	w.t.Helper()
	for e, err := range w.c.Events(w.t.Context(), id, 0) {
		if err != nil {
			w.t.Fatalf("after event %d: %v", e.Seq, err)
		}
	}
	return w.status(id)
}

func (w *world) status(id string) api.RunStatus {
	w.t.Helper()
	st, err := w.c.Run(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return st
}

// finished is a complete run.
func (w *world) finished() string {
	w.t.Helper()
	id := w.submit("Open a bakery in Lyon with 300,000 EUR")
	if st := w.over(id); st.State != api.Completed {
		w.t.Fatalf("the run is %s: %+v", st.State, st.Error)
	}
	return id
}

// in waits until a model is asked.
func (w *world) in() string {
	w.t.Helper()
	select {
	case step := <-w.script.entered:
		return step
	case <-w.t.Context().Done():
	case <-time.After(30 * time.Second):
	}
	w.t.Fatal("no model is asked")
	return ""
}

func (w *world) make(name string, age time.Duration, files ...string) {
	w.t.Helper()
	path, at := filepath.Join(w.base, name), time.Now().Add(-age)
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			w.t.Fatal(err)
		}
		_ = os.Chtimes(path, at, at)
	}
	if files == nil {
		write(path, "x")
		return
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		w.t.Fatal(err)
	}
	for _, f := range files {
		_ = os.MkdirAll(filepath.Dir(filepath.Join(path, f)), 0o777)
		write(filepath.Join(path, f), "Plan:\n"+f)
	}
	_ = os.Chtimes(path, at, at)
}

func detail(text string) string { return fmt.Sprintf(`{"detail":%q}`, text) }
