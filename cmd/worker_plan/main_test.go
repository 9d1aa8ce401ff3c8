package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"planexe/internal/api"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

// asProgram makes the test binary be the program.
const asProgram = "WORKER_PLAN_TEST_IS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		program().Main()
	}
	os.Exit(m.Run())
}

// started is the command with an environment of its own.
func started(t *testing.T, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append([]string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PLANEXE_WORKER_PORT=0", "PLANEXE_WORKER_HOST=127.0.0.1"}, env...)
	return cmd
}

func configure(t *testing.T, latency string) string {
	t.Helper()
	dir := t.TempDir()
	text := `{"demo": {"class": "Demo", "priority": 1, "arguments": {"latency_ms": ` + latency + `}}}`
	if err := os.WriteFile(filepath.Join(dir, "llm_config.json"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// worker is the program while it serves.
type worker struct {
	cmd *exec.Cmd
	c   *api.Client
}

var address = regexp.MustCompile(`address=(\S+)`)

func serving(t *testing.T, dir string, env ...string) worker {
	t.Helper()
	cmd := started(t, dir, env)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return worker{cmd, api.NewClient("http://"+m[1], api.Options{})}
		}
	}
	t.Fatalf("the service does not start: %v", cmd.Wait())
	return worker{}
}

// begin starts a run and waits until calls have been answered.
func (s worker) begin(t *testing.T) string {
	t.Helper()
	r, err := s.c.StartRun(t.Context(), api.StartRunRequest{SubmitOrRetry: api.Submit, PlanPrompt: "Open a bakery in Lyon", LLMModel: "auto", SpeedVsDetail: api.Fast, UseUUIDAsRunID: true}, "")
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for e, err := range s.c.Events(t.Context(), r.RunID, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == "call.answered" {
			answered++
		}
		if answered == 5 {
			break
		}
	}
	return r.RunID
}

func (s worker) follow(t *testing.T, id string) api.RunStatus {
	t.Helper()
	for _, err := range s.c.Events(t.Context(), id, 0) {
		if err != nil {
			t.Fatal(err)
		}
	}
	st, err := s.c.Run(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// A service that is killed, or told to end, in the middle of runs goes on with them at its next
// start, and asks no question again; a run that was stopped stays so.
func TestKilledService(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no such signals on Windows")
	}
	dir := configure(t, "30")
	s := serving(t, dir)
	stopped := s.begin(t)
	if _, err := s.c.Stop(t.Context(), stopped); err != nil {
		t.Fatal(err)
	}
	if st := s.follow(t, stopped); st.State != api.Stopped {
		t.Fatalf("%s", st.State)
	}
	id := s.begin(t)
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()

	s = serving(t, dir)
	if st, err := s.c.Run(t.Context(), id); err != nil || !st.Running {
		t.Fatalf("after a kill the run is %s, %v", st.State, err)
	}
	for e, err := range s.c.Events(t.Context(), id, 0) { // it goes on for a while
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == "call.reused" {
			break
		}
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("SIGTERM ends the service with %v", err)
	}
	interrupted, err := os.ReadFile(filepath.Join(dir, "run", id, rundir.Hidden, "events.jsonl"))
	if err != nil || !bytes.Contains(interrupted, []byte(`"outcome":"interrupted"`)) {
		t.Errorf("SIGTERM does not interrupt: %v", err)
	}

	s = serving(t, dir)
	answered := map[string]int{}
	for e, err := range s.c.Events(t.Context(), id, 0) {
		if err != nil {
			t.Fatal(err)
		}
		var call struct{ Key string }
		if err := json.Unmarshal(e.Data, &call); err != nil {
			t.Fatal(err)
		}
		if e.Type == "call.answered" {
			answered[call.Key]++
		}
	}
	for key, times := range answered {
		if times != 1 {
			t.Errorf("call %s was answered %d times", key, times)
		}
	}
	if st := s.follow(t, id); st.State != api.Completed || len(answered) < 50 {
		t.Errorf("%s, %d calls, %+v", st.State, len(answered), st.Error)
	}
	if st, err := s.c.Run(t.Context(), stopped); err != nil || st.State != api.Stopped {
		t.Errorf("the stopped run is %s, %v", st.State, err)
	}
}

// With RUN_ID_DIR set the program runs that directory and ends with a status; what is wrong with it
// is said.
func TestRunIDDir(t *testing.T) {
	t.Parallel()
	dir := configure(t, "0")
	path := filepath.Join(dir, "plans", "mine")
	d, err := rundir.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Begin(d, "Open a bakery", time.Now()); err != nil {
		t.Fatal(err)
	}
	d.Close()
	empty := t.TempDir()
	for _, c := range []struct {
		name string
		env  []string
		code int
		says string
	}{
		{"relative", []string{"RUN_ID_DIR=plans/mine"}, 1, "absolute"},
		{"missing", []string{"RUN_ID_DIR=" + path + "-not"}, 1, "no such directory"},
		{"no run", []string{"RUN_ID_DIR=" + empty}, 1, plan.StartTime.Name},
		{"unknown model", []string{"RUN_ID_DIR=" + path, "LLM_MODEL=none"}, 1, "there is no model"},
		{"plan", []string{"RUN_ID_DIR=" + path, "SPEED_VS_DETAIL=fast_but_skip_details"}, 0, "run ended: complete"},
		{"again", []string{"RUN_ID_DIR=" + path, "SPEED_VS_DETAIL=fast_but_skip_details"}, 0, "run ended: complete"},
	} {
		cmd := started(t, dir, c.env)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: exit %d, %s", c.name, code, out)
		}
	}
	for _, name := range []string{plan.Complete.Name, plan.Report.Name, "log.txt"} {
		if _, err := os.Stat(filepath.Join(path, name)); err != nil {
			t.Error(err)
		}
	}
}

// What keeps the service from starting is told with the variable to change.
func TestBadSurroundings(t *testing.T) {
	t.Parallel()
	dir := configure(t, "0")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, taken, _ := net.SplitHostPort(l.Addr().String())
	for _, c := range []struct {
		env  string
		code int
		says []string
	}{
		{"PLANEXE_WORKER_PORT=" + taken, 1, []string{"PLANEXE_WORKER_PORT"}},
		{"PLANEXE_WORKER_HOST=203.0.113.7", 1, []string{"PLANEXE_WORKER_HOST"}},
		{"PLANEXE_CONFIG_PATH=nowhere", 2, []string{"PLANEXE_CONFIG_PATH"}},
		{"PLANEXE_WORKER_PORT=99999 PLANEXE_WORKER_MAX_RUNS=0 PLANEXE_PURGE_MAX_AGE_HOURS=soon PLANEXE_PURGE_INTERVAL_SECONDS=-1 PLANEXE_WORKER_ALLOWED_ORIGINS=plans.test", 2, []string{
			`worker_plan: PLANEXE_WORKER_PORT is "99999": `, `worker_plan: PLANEXE_WORKER_MAX_RUNS is "0": `, `worker_plan: PLANEXE_PURGE_MAX_AGE_HOURS is "soon": `,
			`worker_plan: PLANEXE_PURGE_INTERVAL_SECONDS is "-1": `, `worker_plan: PLANEXE_WORKER_ALLOWED_ORIGINS is "plans.test": `}},
	} {
		cmd := started(t, dir, strings.Fields(c.env))
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != c.code || strings.Contains(string(out), "panic") || c.code == 2 && strings.Count(string(out), "\n") != len(c.says) {
			t.Errorf("%s: exit %d, %s", c.env, code, out)
		}
		for _, says := range c.says {
			if !strings.Contains(string(out), says) {
				t.Errorf("%s: it does not say %q: %s", c.env, says, out)
			}
		}
	}
}

// A directory that runs cannot be kept in does not end the service: it is unhealthy and says why, refuses runs, and takes
// them as soon as that is mended.
func TestNoPlaceForRuns(t *testing.T) {
	t.Parallel()
	dir := configure(t, "0")
	inTheWay := filepath.Join(dir, "file")
	if err := os.WriteFile(inTheWay, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	s := serving(t, dir, "PLANEXE_RUN_DIR=file/run")
	if _, err := s.c.Health(t.Context()); err == nil || !strings.Contains(err.Error(), "PLANEXE_RUN_DIR") || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("its health: %v", err)
	}
	start := api.StartRunRequest{SubmitOrRetry: api.Submit, PlanPrompt: "Open a bakery in Lyon", LLMModel: "auto", SpeedVsDetail: api.Fast}
	var refused *api.Error
	if _, err := s.c.StartRun(t.Context(), start, ""); !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable || !strings.Contains(refused.Detail, "PLANEXE_RUN_DIR") {
		t.Errorf("a run: %v", err)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	if _, err := s.c.Health(t.Context()); err != nil {
		t.Errorf("its health when all is well again: %v", err)
	}
	if _, err := s.c.StartRun(t.Context(), start, ""); err != nil {
		t.Errorf("a run when all is well again: %v", err)
	}
}

// The program has the commands for plans, too.
func TestCommands(t *testing.T) {
	t.Parallel()
	dir := configure(t, "0")
	for _, c := range []struct{ args, says string }{
		{"version", "worker_plan devel"}, {"plan --json --speed fast Open-a-bakery", `"outcome":"complete"`}, {"llm ping demo", "demo: answered"},
		{"fiction-writer --model demo A-lighthouse-keeper", "Demo"}, {"help", "fiction-writer"},
	} {
		out, err := started(t, dir, nil, strings.Fields(c.args)...).Output()
		if err != nil || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: %v, %s", c.args, err, out)
		}
	}
	made, err := filepath.Glob(filepath.Join(dir, "run", "PlanExe_*"))
	if err != nil || len(made) != 1 {
		t.Fatalf("%q, %v", made, err)
	}
	if out, err := started(t, dir, nil, "step", "identify_risks", "--run-dir", made[0]).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// The health command answers for container probes.
func TestHealth(t *testing.T) {
	t.Parallel()
	dir := configure(t, "0")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	env := []string{"PLANEXE_WORKER_PORT=" + port, "PLANEXE_WORKER_TOKEN=secret"}
	if err := started(t, dir, env, "health").Run(); err == nil {
		t.Error("healthy before the start")
	}
	serving(t, dir, env...)
	if out, err := started(t, dir, env, "health").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	out, err := started(t, dir, nil, "--help").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("PLANEXE_WORKER_PORT")) || bytes.Contains(out, []byte("secret")) {
		t.Errorf("%v: %s", err, out)
	}
}
