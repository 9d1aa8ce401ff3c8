//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"planexe/internal/event"
	"planexe/internal/pgtest"
	"planexe/internal/queue"
)

// asProgram makes the test binary be the program; its value is the point at which it kills itself.
const asProgram = "WORKER_PLAN_DATABASE_TEST_IS_PROGRAM"

func TestMain(m *testing.M) {
	at, ok := os.LookupEnv(asProgram)
	if !ok {
		pgtest.Main(m)
	}
	program(func(point string) {
		if point == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it comes
		}
	}).Main()
}

// world is a database, a configuration and a partner who hears of ends.
type world struct {
	t       *testing.T
	dsn     string
	q       *queue.Queue
	conf    string
	partner string
	crashes int
	env     []string             // of workers, beside what all have
	attr    *syscall.SysProcAttr // of workers

	mu    sync.Mutex
	heard map[string]int // status of confirmations → calls
}

func newWorld(t *testing.T, dsn string, latency int) *world {
	t.Helper()
	w := &world{t: t, dsn: dsn, conf: t.TempDir(), crashes: 4, heard: map[string]int{}}
	text := fmt.Sprintf(`{"demo": {"class": "Demo", "priority": 1, "arguments": {"latency_ms": %d}}}`, latency)
	if err := os.WriteFile(filepath.Join(w.conf, "llm_config.json"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	w.q = queue.New(pgtest.Connect(t, dsn), queue.Limits{})
	w.listen("127.0.0.1:0")
	return w
}

// listen makes the partner hear at another address.
func (w *world) listen(address string) {
	w.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		w.t.Fatal(err)
	}
	p := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var c struct{ Status string }
		data, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(data, &c)
		w.mu.Lock()
		w.heard[c.Status]++
		w.mu.Unlock()
	}))
	_ = p.Listener.Close()
	p.Listener = l
	p.Start()
	w.t.Cleanup(p.Close)
	w.partner = p.URL
}

// process is a worker.
type process struct {
	*exec.Cmd
	id    string
	ready chan struct{} // closed when it takes tasks
	ended chan struct{} // closed when it has ended
}

// start runs a worker with a disk of its own, unless dir is given.
func (w *world) start(id, dir, killAt string) *process {
	w.t.Helper()
	if dir == "" {
		dir = w.t.TempDir()
	}
	cmd := exec.Command(os.Args[0])
	cmd.Dir, cmd.SysProcAttr = dir, w.attr
	cmd.Env = append([]string{
		asProgram + "=" + killAt, "PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PLANEXE_CONFIG_PATH=" + w.conf, "PLANEXE_RUN_DIR=" + dir, "SQLALCHEMY_DATABASE_URI=" + w.dsn,
		"PLANEXE_WORKER_ID=" + id, "PLANEXE_WORKER_LEASE_SECONDS=10", "PLANEXE_WORKER_POLL_SECONDS=0.5", "PLANEXE_WORKER_DRAIN_SECONDS=5", "PLANEXE_WORKER_HEALTH_PORT=0",
		"PLANEXE_IFRAME_GENERATOR_CONFIRMATION_PRODUCTION_URL=" + w.partner, "PLANEXE_TASK_MAX_CRASHES=" + strconv.Itoa(w.crashes),
	}, w.env...)
	out, err := cmd.StderrPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	p := &process{cmd, id, make(chan struct{}), make(chan struct{})}
	var said []string
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if said = append(said, lines.Text()); strings.Contains(lines.Text(), "worker is ready") {
				close(p.ready)
			}
		}
		_ = cmd.Wait()
	}()
	w.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = cmd.Process.Kill()
		<-p.ended
		if w.t.Failed() {
			w.t.Logf("worker %s:\n%s", id, strings.Join(said[max(0, len(said)-50):], "\n"))
		}
	})
	return p
}

func (w *world) create() uuid.UUID {
	w.t.Helper()
	user := "partner's session"
	id, err := w.q.Create(w.t.Context(), queue.NewTask{
		Prompt: "Open a small bakery in Lyon", UserID: &user, Origin: "partner", Actor: "partner", Parameters: json.RawMessage(`{"speed_vs_detail": "fast_but_skip_details"}`),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) await(what string, cond func() bool) {
	w.t.Helper()
	for began := time.Now(); !cond(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > patience {
			w.t.Fatalf("never %s", what)
		}
	}
}

func (w *world) state(id uuid.UUID) string {
	row, err := w.q.Task(w.t.Context(), id)
	if err != nil || row.State == nil {
		return fmt.Sprint(err)
	}
	return string(*row.State)
}

func (w *world) answers(id uuid.UUID) map[string]int {
	n := map[string]int{}
	if err := w.q.Log(w.t.Context(), id, 0, func(e event.Event) {
		if a, ok := e.Data.(event.CallAnswered); ok {
			n[a.Key]++
		}
	}); err != nil {
		w.t.Error(err)
	}
	return n
}

// whole checks a finished plan: complete, no call answered twice, one end, one confirmation.
func (w *world) whole(id uuid.UUID) {
	w.t.Helper()
	w.await("ended", func() bool { return slices.Contains([]string{"completed", "failed", "stopped"}, w.state(id)) })
	if s := w.state(id); s != "completed" {
		w.t.Errorf("the task is %s", s)
	}
	for key, n := range w.answers(id) {
		if n > 1 {
			w.t.Errorf("call %s was answered %d times", key, n)
		}
	}
	if _, err := w.q.Report(w.t.Context(), id); err != nil {
		w.t.Error(err)
	}
	var ends int
	if err := w.q.Pool().QueryRow(w.t.Context(), "select count(*) from events where task_id = $1 and event_type = 'TASK_COMPLETED'", id).Scan(&ends); err != nil || ends != 1 {
		w.t.Errorf("%d ends, %v", ends, err)
	}
	w.await("confirmed", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.heard["ok"] > 0 })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.heard["ok"] != 1 || w.heard["error"] != 0 {
		w.t.Errorf("confirmations: %v", w.heard)
	}
}

// F4: Ensure that a worker that is killed in the middle of a run loses the task to another one with another disk,
// which asks no answered call again.
func TestF4Kill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.DSN(t), 60)
	id := w.create()
	first := w.start("first", "", "")
	w.await("under way", func() bool { return len(w.answers(id)) > 10 })
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	w.start("second", "", "")
	w.whole(id)
	if row, err := w.q.Task(t.Context(), id); err != nil || row.Attempt != 2 || row.Crashes != 1 {
		t.Errorf("attempt %d, %d crashes, %v", row.Attempt, row.Crashes, err)
	}
}

// F5: Ensure that a worker may be killed anywhere: the same one, restarted, goes on.
func TestF5KillAnywhere(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"claimed", "opened", "executed", "finished"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, pgtest.DSN(t), 0)
			id := w.create()
			dir := t.TempDir()
			<-w.start("one", dir, point).ended
			w.start("one", dir, "")
			w.whole(id)
		})
	}
}

// F16: Ensure that a task that kills every worker is given up, and that other tasks are not.
func TestF16Poison(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.DSN(t), 0)
	id := w.create()
	dir := t.TempDir()
	for range 4 {
		p := w.start("one", dir, "opened")
		<-p.ready
		for ended := false; !ended; {
			if _, err := w.q.Pool().Exec(t.Context(), "update task_item set not_before = null"); err != nil { // instead of waiting
				t.Fatal(err)
			}
			select {
			case <-p.ended:
				ended = true
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	<-w.start("one", dir, "").ready
	row, err := w.q.Task(t.Context(), id)
	if err != nil || row.FailureReason == nil || *row.FailureReason != queue.ReasonWorker || row.Attempt != 4 {
		t.Errorf("%s after %d attempts, %v", w.state(id), row.Attempt, err)
	}
}

// F13: Ensure that a worker that sleeps longer than its lease finds its task gone when it wakes, even
// on the same disk, and spoils nothing.
func TestF13Stall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.DSN(t), 60)
	dir := t.TempDir()
	id := w.create()
	first := w.start("first", dir, "")
	w.await("under way", func() bool { return len(w.answers(id)) > 10 })
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	w.start("second", dir, "")
	w.await("taken over", func() bool {
		row, err := w.q.Task(t.Context(), id)
		return err == nil && row.WorkerID != nil && *row.WorkerID == "second" && len(w.answers(id)) > 15
	})
	if err := first.Process.Signal(syscall.SIGCONT); err != nil { // in the middle of the other's run
		t.Fatal(err)
	}
	w.whole(id)
	if row, err := w.q.Task(t.Context(), id); err != nil || row.Attempt != 2 {
		t.Errorf("attempt %d, %v", row.Attempt, err)
	}
}

// F1, F6, F7: Ensure that workers start on an empty database in any order and at once, and that SIGTERM ends
// them with status 0, idle or in a run.
func TestF1F6F7StartAndEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.Empty(t), 200)
	var all []*process
	for i := range 3 {
		all = append(all, w.start(fmt.Sprint("worker", i), "", ""))
	}
	for _, p := range all {
		select {
		case <-p.ready:
		case <-p.ended:
			t.Fatalf("a worker has ended: %v", p.ProcessState)
		}
	}
	id := w.create()
	w.await("under way", func() bool { return len(w.answers(id)) > 3 })
	for _, p := range all {
		_ = p.Process.Signal(syscall.SIGTERM)
	}
	for _, p := range all {
		<-p.ended
		if code := p.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit %d", code)
		}
	}
	if s := w.state(id); s != "pending" {
		t.Errorf("the task is %s", s)
	}
}

// Ensure that what is wrong with the settings is said in one line, with status 2 and without a password.
func TestSettings(t *testing.T) {
	t.Parallel()
	for env, says := range map[string]string{
		"SQLALCHEMY_DATABASE_URI=mysql://u:topsecret@h/d":              "SQLALCHEMY_DATABASE_URI",
		"PLANEXE_WORKER_CONCURRENCY=0":                                 "PLANEXE_WORKER_CONCURRENCY",
		"PLANEXE_WORKER_LEASE_SECONDS=1":                               "PLANEXE_WORKER_LEASE_SECONDS",
		"PLANEXE_POSTGRES_PORT=x":                                      "PLANEXE_POSTGRES_PORT",
		"PLANEXE_IFRAME_GENERATOR_CONFIRMATION_PRODUCTION_URL=ftp://x": "CONFIRMATION",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, os.Args[0])
		cmd.Dir = t.TempDir()
		cmd.Env = []string{asProgram + "=", env}
		out, _ := cmd.CombinedOutput()
		cancel()
		if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(string(out), says) || strings.Contains(string(out), "topsecret") {
			t.Errorf("%s: exit %d, %s", env, code, out)
		}
	}
}

// patience is how long a test waits for what has to come: long enough for a busy machine.
const patience = 3 * time.Minute
