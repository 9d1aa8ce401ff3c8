package dbworker

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/queue"
	"planexe/internal/rundir"
	"planexe/internal/store"
)

const bakery = "Open a small bakery in Lyon with a budget of 300,000 EUR"

// F7: Ensure that a worker that is told to end in the middle of a run gives the task back, starting no call,
// and that another with another disk goes on without asking an answered call again.
func TestF7ShutdownInARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.latency(100)
	one := w.worker(w.settings("one", t.TempDir()), nil)
	id := w.insert(bakery)
	w.underWay(id)
	one.stop()
	asked := w.asked.Load()
	row, err := w.q.Task(t.Context(), id)
	if err != nil || !in(queue.Pending)(row) || row.Crashes != 0 || row.NotBefore != nil {
		t.Errorf("%+v, %v", show(row), err)
	}
	var status string
	if err := w.pool.QueryRow(t.Context(), "select status from workers where id = 'one'").Scan(&status); err != nil || status != "stopped" {
		t.Errorf("the worker is %q, %v", status, err)
	}
	if got := w.asked.Load(); got != asked {
		t.Errorf("%d calls after the end", got-asked)
	}
	w.latency(0)
	w.worker(w.settings("two", t.TempDir()), nil)
	if row := w.ended(id); !in(queue.Completed)(row) || row.Attempt != 2 {
		t.Errorf("%+v", show(row))
	}
	w.once(id)
}

// F6: Ensure that an idle worker ends at once and says so.
func TestF6ShutdownIdle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.worker(w.settings("one", t.TempDir()), nil)
	w.ended(w.insert(" ")) // it works
	one.stop()
	var status string
	var told int
	err := w.pool.QueryRow(t.Context(), "select status, (select count(*) from events where message in ('Worker started', 'Worker stopped')) from workers").Scan(&status, &told)
	if err != nil || status != "stopped" || told != 2 {
		t.Errorf("%s, %d events, %v", status, told, err)
	}
}

// F20: Ensure that a task without a prompt fails without a call.
func TestF20NothingToPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.worker(w.settings("one", t.TempDir()), nil)
	id := uuid.New()
	if _, err := w.pool.Exec(t.Context(), "insert into task_item (id, timestamp_created, state, prompt, user_id, last_seen_timestamp) values ($1, null, 'pending', null, null, null)", id); err != nil {
		t.Fatal(err)
	}
	if row := w.ended(id); !in(queue.Failed)(row) || *row.FailureReason != queue.ReasonInvalid || *row.Recoverable || w.asked.Load() > 0 {
		t.Errorf("%+v, %d calls", show(row), w.asked.Load())
	}
}

// F14, F15: Ensure that a run whose task is deleted, marked or taken away ends and writes nothing
// more, that a stop ends it as stopped, and that the worker goes on.
func TestF14F15TakenAway(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		act  func(w *world, id uuid.UUID) error
		want queue.State
	}{
		"deleted": {func(w *world, id uuid.UUID) error { return w.q.Delete(t.Context(), id, queue.By{Actor: "admin:x"}) }, queue.None},
		"deleted by hand": {func(w *world, id uuid.UUID) error {
			_, err := w.pool.Exec(t.Context(), "delete from task_item where id = $1", id)
			return err
		}, queue.None},
		"marked": {func(w *world, id uuid.UUID) error {
			return w.q.MarkFailed(t.Context(), id, queue.By{Actor: "admin:x"}, "enough")
		}, queue.Failed},
		"state set by hand": {func(w *world, id uuid.UUID) error {
			_, err := w.pool.Exec(t.Context(), "update task_item set state = 'failed' where id = $1", id)
			return err
		}, queue.Failed},
		"stopped": {func(w *world, id uuid.UUID) error { return w.q.Stop(t.Context(), id, queue.By{Actor: "user:x"}) }, queue.Stopped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.latency(150)
			s := w.settings("one", t.TempDir())
			s.Slots = 1
			w.worker(s, nil)
			id := w.insert(bakery)
			w.underWay(id)
			if err := c.act(w, id); err != nil {
				t.Fatal(err)
			}
			next := w.insert("") // which the only place gets when the first is out of it
			w.ended(next)
			row, err := w.q.Task(t.Context(), id)
			switch {
			case c.want == queue.None:
				if err != queue.ErrNotFound || w.count(id, "TASK_") > 2 { // pending is not told by an old program
					t.Errorf("%v, %d events", err, w.count(id, "TASK_"))
				}
			case err != nil || !in(c.want)(row):
				t.Errorf("%+v, %v", show(row), err)
			}
			if w.count(id, "TASK_COMPLETED") > 0 {
				t.Error("an event claims success")
			}
			if c.want == queue.Stopped {
				if _, err := w.q.Zip(t.Context(), id); err != nil {
					t.Errorf("no archive of the stopped run: %v", err)
				}
			}
		})
	}
}

// F11: Ensure that a worker whose directory cannot be used takes no task, says why and goes on when
// it is mended.
func TestF11NoDirectory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.WriteFile(dir, nil, 0o666); err != nil { // a file of that name: also root cannot write below it
		t.Fatal(err)
	}
	id, other := w.insert(" "), w.insert("  ")
	one := w.worker(w.settings("one", dir), nil)
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		var status, reason string
		err := w.pool.QueryRow(t.Context(), "select status, coalesce(status_reason, '') from workers").Scan(&status, &reason)
		if err == nil && status == "blocked" && strings.Contains(reason, "PLANEXE_RUN_DIR") {
			break
		}
		if time.Since(began) > patience {
			t.Fatalf("%s %s %v", status, reason, err)
		}
	}
	for _, x := range []uuid.UUID{id, other} {
		if row, err := w.q.Task(t.Context(), x); err != nil || !in(queue.Pending)(row) || row.Attempt != 0 {
			t.Errorf("%+v, %v", show(row), err)
		}
	}
	if one.ready(t.Context()) == "" || one.live() != "" {
		t.Error("it has to be alive and not ready")
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	one.probe(t.Context()) // which it does every 10 s
	w.ended(id)
	w.ended(other)
}

// F11: Ensure that a task whose own directory cannot be made is given back with a delay, and that others run.
func TestF11OneDirectory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	id := w.insert(bakery)
	// Moving what is in its place aside fails, for root too: that name is a mount of nothing, so to say.
	if err := os.Symlink(filepath.Join(dir, id.String()), filepath.Join(dir, id.String())); err != nil { // leads to itself
		t.Fatal(err)
	}
	w.worker(w.settings("one", dir), nil)
	row := w.await(id, "given back", func(r store.GetTaskRow) bool { return r.SetupFailures > 0 })
	if !in(queue.Pending)(row) || row.NotBefore == nil {
		t.Errorf("%+v", show(row))
	}
	w.ended(w.insert(" "))
}

// F12: Ensure that a run whose disk fails ends with that reason.
func TestF12DiskFailsInARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	w.worker(w.settings("one", dir), nil)
	var once sync.Once
	id := uuid.New()
	w.send = func(context.Context, llm.Request) (llm.Response, bool, error) {
		if w.asked.Load() > 10 { // there is no room for new files any more
			once.Do(func() { _ = os.RemoveAll(filepath.Join(dir, id.String(), rundir.Hidden, "tmp")) })
		}
		return llm.Response{}, false, nil
	}
	if _, err := w.pool.Exec(t.Context(), "insert into task_item (id, state, prompt) values ($1, 'pending', $2)", id, bakery); err != nil {
		t.Fatal(err)
	}
	if row := w.ended(id); !in(queue.Failed)(row) || *row.FailureReason != queue.ReasonStorage || !*row.Recoverable {
		t.Errorf("%+v", show(row))
	}
}

// F16: Ensure that a panic in a run fails that run only.
func TestF16Panic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var first atomic.Bool
	one := w.worker(w.settings("one", t.TempDir()), func(at string) {
		if at == "opened" && first.CompareAndSwap(false, true) {
			panic("poison")
		}
	})
	if row := w.ended(w.ping()); !in(queue.Failed)(row) || *row.FailureReason != queue.ReasonInternal {
		t.Errorf("%+v", show(row))
	}
	if row := w.ended(w.ping()); !in(queue.Completed)(row) {
		t.Errorf("%+v", show(row))
	}
	if !strings.Contains(one.log.String(), "poison") {
		t.Error("the log does not tell")
	}
}

// F18: Ensure that a title that is no text is none, and that the end does not depend on it.
func TestF18Title(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.insert("x")
	tasks, err := w.q.Claim(t.Context(), queue.Identity{ID: "w"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.q.OpenStore(t.Context(), tasks[0].Lease, queue.StoreOptions{Base: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for text, want := range map[string]string{"": "", "\xff\xfe": "", " A bakery\n": "A bakery", "a\x00b": "ab"} {
		if err := s.Write(plan.ProjectTitle.Name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := title(s); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	if err := s.Remove(plan.ProjectTitle.Name); err != nil || title(s) != "" {
		t.Error(err)
	}
}

// F19: Ensure that a large report is stored, and that an archive above the limit is refused, with an
// event and without harm to the state.
func TestF19Large(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.insert("x")
	me := queue.Identity{ID: "w"}
	tasks, err := w.q.Claim(t.Context(), me, 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.q.OpenStore(t.Context(), tasks[0].Lease, queue.StoreOptions{Base: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	report := make([]byte, 50<<20)
	if _, err := rand.NewChaCha8([32]byte{}).Read(report); err != nil { // what cannot be compressed
		t.Fatal(err)
	}
	for i := range report {
		report[i] = ' ' + report[i]%90
	}
	if err := s.Write(plan.Report.Name, report); err != nil {
		t.Fatal(err)
	}
	settings := w.settings("w", t.TempDir())
	settings.MaxZip = 1
	j := &job{w: &Worker{queue: w.q, settings: settings, me: me, log: slog.New(slog.DiscardHandler)}, task: tasks[0], began: time.Now()}
	j.ctx = t.Context()
	e := queue.Ending{State: queue.Completed}
	j.collect(s, &e)
	if err := w.q.Finish(t.Context(), me, tasks[0], e); err != nil {
		t.Fatal(err)
	}
	row, err := w.q.Task(t.Context(), id)
	if err != nil || !in(queue.Completed)(row) || row.ReportSize != int64(len(report)) || row.ZipSize != 0 || w.count(id, "GENERIC_ERROR: The archive") != 1 {
		t.Errorf("%+v: report %d, zip %d, %v", show(row), row.ReportSize, row.ZipSize, err)
	}
}

// F22: Ensure that two workers of one id do not share a row.
func TestF22SameID(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped: waits 10 s for a predecessor")
	}
	w := newWorld(t)
	w.worker(w.settings("same", t.TempDir()), nil)
	two := w.worker(w.settings("same", t.TempDir()), nil)
	var ids string
	for began := time.Now(); ids != "same,same-2"; time.Sleep(50 * time.Millisecond) {
		if err := w.pool.QueryRow(t.Context(), "select coalesce(string_agg(id, ',' order by id), '') from workers").Scan(&ids); err != nil || time.Since(began) > patience {
			t.Fatalf("%s, %v\n%s", ids, err, two.log)
		}
	}
}

// F23: Ensure that a run that no model can make fails with step and reason, and stops asking.
func TestF23NoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send = func(_ context.Context, r llm.Request) (llm.Response, bool, error) {
		return llm.Response{}, true, &llm.Error{Class: llm.ClassAuth, Message: "the key sk-secret-key is wrong"}
	}
	w.worker(w.settings("one", t.TempDir()), nil)
	row := w.ended(w.insert(bakery))
	if !in(queue.Failed)(row) || *row.FailureReason != queue.ReasonGeneration || row.ErrorMessage == nil || *row.ErrorMessage == "" || w.asked.Load() > 20 {
		t.Errorf("%+v, %d calls", show(row), w.asked.Load())
	}
}

// F28: Ensure that a network that is cut for a while between worker and model ends no task.
func TestF28NetworkCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send = func(context.Context, llm.Request) (llm.Response, bool, error) {
		if n := w.asked.Load(); n > 20 && n < 24 {
			return llm.Response{}, true, &llm.Error{Class: llm.ClassNetwork, Message: "connection refused"}
		}
		return llm.Response{}, false, nil
	}
	w.worker(w.settings("one", t.TempDir()), nil)
	if row := w.ended(w.insert(bakery)); !in(queue.Completed)(row) || row.Attempt != 1 {
		t.Errorf("%+v", show(row))
	}
}

// Ensure that a ping asks one question and makes a small report of the answer.
func TestPing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.worker(w.settings("one", t.TempDir()), nil)
	id, err := w.q.Create(t.Context(), queue.NewTask{Prompt: bakery, Origin: "ui", Actor: "user:x", Parameters: json.RawMessage(`{"speed_vs_detail": "ping_llm"}`)})
	if err != nil {
		t.Fatal(err)
	}
	row := w.ended(id)
	report, err := w.q.Report(t.Context(), id)
	if !in(queue.Completed)(row) || err != nil || !strings.Contains(report, "A model answered") || w.asked.Load() != 1 {
		t.Errorf("%+v, %v, %d calls: %s", show(row), err, w.asked.Load(), report)
	}
}

// Ensure that many tasks run at once in one process, and that lost backends cost nothing.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.latency(20)
	s := w.settings("one", t.TempDir())
	s.Slots = 3
	w.worker(s, nil)
	var ids []uuid.UUID
	for range 3 {
		ids = append(ids, w.insert(bakery))
	}
	w.underWay(ids[2])
	for range 5 {
		_, _ = w.pool.Exec(t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
		time.Sleep(100 * time.Millisecond)
	}
	for _, id := range ids {
		if row := w.ended(id); !in(queue.Completed)(row) || row.Attempt != 1 {
			t.Errorf("%+v", show(row))
		}
		w.once(id)
	}
}

// Ensure that health and metrics tell what a prober needs.
func TestHealth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.worker(w.settings("one", t.TempDir()), nil)
	w.ended(w.insert(" "))
	var b strings.Builder
	one.writeMetrics(t.Context(), &b)
	for _, want := range []string{`planexe_claims_total{worker_id="one"} 1`, `planexe_finished_total{worker_id="one",state="failed"} 1`, `planexe_queue_tasks{state="pending"} 0`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
	if one.live() != "" || one.ready(t.Context()) != "" {
		t.Errorf("%q, %q", one.live(), one.ready(t.Context()))
	}
}
