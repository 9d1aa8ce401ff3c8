package dbworker

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/config"
	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/models"
	"planexe/internal/pgtest"
	"planexe/internal/queue"
	"planexe/internal/store"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is a database with workers on it.
type world struct {
	t     *testing.T
	dsn   string
	pool  *pgxpool.Pool
	q     *queue.Queue
	conf  string                                                               // directory of llm_config.json
	send  func(ctx context.Context, r llm.Request) (llm.Response, bool, error) // answers for the demo model where it says so
	asked atomic.Int64
	pause atomic.Int64 // of the model, in ns
	cost  float64      // of each request in USD
}

// faulty is the demo model with the faults of a world.
type faulty struct {
	llm.Provider
	w *world
}

func (f faulty) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	f.w.asked.Add(1)
	if f.w.send != nil {
		if resp, done, err := f.w.send(ctx, r); done {
			return resp, err
		}
	}
	select {
	case <-time.After(time.Duration(f.w.pause.Load())):
	case <-ctx.Done():
		return llm.Response{}, &llm.Error{Class: llm.ClassCancelled, Err: context.Cause(ctx)}
	}
	key, err := json.Marshal(r.Messages)
	if err != nil {
		return llm.Response{}, err
	}
	if r.Schema != nil {
		key = append(key, r.Schema.Digest()...)
	}
	known, ok := answers.Load(string(key))
	if !ok {
		resp, err := f.Provider.Send(ctx, r)
		if err != nil {
			return resp, err
		}
		known, _ = answers.LoadOrStore(string(key), resp)
	}
	resp := known.(llm.Response)
	if f.w.cost > 0 {
		resp.Cost = &f.w.cost
	}
	return resp, nil
}

// answers are the demo model's, by question: all these tests plan the same, and the race detector
// makes the demo model slow.
var answers sync.Map

func (w *world) models(cfg config.LLM) []*llm.Entry {
	entries := models.Build(cfg)
	for _, e := range entries {
		e.Provider = faulty{e.Provider, w}
		if w.cost > 0 {
			e.Price, e.Demo = &llm.Price{Input: 1, Output: 1}, false
		}
	}
	return entries
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dsn := pgtest.DSN(t)
	return over(t, dsn)
}

// over is a world on a database that is there.
func over(t *testing.T, dsn string) *world {
	t.Helper()
	pool := pgtest.Connect(t, dsn)
	w := &world{t: t, dsn: dsn, pool: pool, q: queue.New(pool, queue.Limits{}), conf: t.TempDir()}
	if err := os.WriteFile(filepath.Join(w.conf, "llm_config.json"), []byte(`{"demo": {"class": "Demo", "priority": 1, "arguments": {"latency_ms": 0}}}`), 0o666); err != nil {
		t.Fatal(err)
	}
	return w
}

// latency sets how long the demo model takes.
func (w *world) latency(ms int) {
	w.pause.Store(int64(time.Duration(ms) * time.Millisecond))
}

// settings of a worker with short times.
func (w *world) settings(id, dir string) config.DatabaseWorker {
	return config.DatabaseWorker{
		Pipeline: config.Pipeline{RunDir: dir, Concurrency: 8, Model: config.Auto, Redline: config.RedlineStop, LogLevel: config.LogLevel{Level: slog.LevelWarn}},
		Database: config.Database{URI: config.Secret(w.dsn)}, ID: id, Slots: 4, Lease: config.Seconds(3 * time.Second), Poll: config.Seconds(200 * time.Millisecond),
		Drain: config.Seconds(3 * time.Second), HealthHost: "127.0.0.1", MaxCrashes: 3, MaxArtifact: 64, MaxZip: 64, Retention: 7, EventDays: 90,
	}
}

// instance is a worker in this process.
type instance struct {
	*Worker
	stop func() // tells it to end and waits
	log  *lines
}

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (w *world) worker(s config.DatabaseWorker, point func(string)) *instance {
	w.t.Helper()
	log := &lines{}
	env := config.NewEnv(map[string]string{}, w.conf)
	worker, err := New(Options{
		Settings: s, Version: "test", Log: slog.New(slog.NewTextHandler(log, nil)), Point: point,
		Env: func() (config.Env, error) { return env, nil }, Models: w.models,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				w.t.Errorf("worker %s: %v", s.ID, err)
			}
		})
	}
	w.t.Cleanup(func() {
		stop()
		if w.t.Failed() {
			w.t.Logf("log of worker %s:\n%s", s.ID, log)
		}
	})
	return &instance{worker, stop, log}
}

// insert makes a task as a program of the reference does: plain SQL on the old columns.
func (w *world) insert(prompt string) uuid.UUID {
	w.t.Helper()
	id := uuid.New()
	_, err := w.pool.Exec(w.t.Context(), `insert into task_item (id, timestamp_created, state, prompt, progress_percentage, progress_message, last_seen_timestamp, user_id, parameters)
		values ($1, now() at time zone 'utc', 'pending', $2, 0, 'Awaiting server to start…', now() at time zone 'utc', 'somebody', '{"fast": ""}')`, id, prompt)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// ping makes a task that asks one question only, as a partner's.
func (w *world) ping() uuid.UUID {
	w.t.Helper()
	user := "somebody"
	id, err := w.q.Create(w.t.Context(), queue.NewTask{Prompt: bakery, UserID: &user, Origin: "partner", Actor: "partner", Parameters: json.RawMessage(`{"speed_vs_detail": "ping_llm"}`)})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// await returns the task when cond holds for it.
func (w *world) await(id uuid.UUID, what string, cond func(store.GetTaskRow) bool) store.GetTaskRow {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	woken := make(chan struct{}, 1)
	go w.q.Listen(ctx, nil, func(queue.Wake) { signal(woken) }, func(error) {}, queue.WakeProgress)
	for {
		row, err := w.q.Task(ctx, id)
		if err == nil && cond(row) {
			return row
		}
		select {
		case <-woken:
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			w.t.Fatalf("task %s is never %s: %+v, %v", id, what, show(row), err)
		}
	}
}

func show(r store.GetTaskRow) map[string]any {
	m := map[string]any{"attempt": r.Attempt, "progress": r.ProgressPercentage, "crashes": r.Crashes}
	if r.State != nil {
		m["state"] = *r.State
	}
	for k, v := range map[string]*string{"message": r.ProgressMessage, "reason": r.FailureReason, "error": r.ErrorMessage, "worker": r.WorkerID} {
		if v != nil {
			m[k] = *v
		}
	}
	return m
}

func in(s queue.State) func(store.GetTaskRow) bool {
	return func(r store.GetTaskRow) bool { return r.State != nil && string(*r.State) == string(s) }
}

func (w *world) ended(id uuid.UUID) store.GetTaskRow {
	w.t.Helper()
	return w.await(id, "ended", func(r store.GetTaskRow) bool {
		return in(queue.Completed)(r) || in(queue.Failed)(r) || in(queue.Stopped)(r)
	})
}

// answers counts how often each call of a task was answered, as the database tells.
func (w *world) answers(id uuid.UUID) map[string]int {
	w.t.Helper()
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

// once complains of calls that were answered twice.
func (w *world) once(id uuid.UUID) {
	w.t.Helper()
	n := w.answers(id)
	for key, times := range n {
		if times != 1 {
			w.t.Errorf("call %s was answered %d times", key, times)
		}
	}
	if len(n) < 50 {
		w.t.Errorf("only %d calls were answered", len(n))
	}
}

// underWay waits until some calls of a task have been answered.
func (w *world) underWay(id uuid.UUID) {
	w.t.Helper()
	for began := time.Now(); len(w.answers(id)) < 5; time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > patience {
			w.t.Fatal("no call is answered")
		}
	}
}

// count returns the number of events of a task with this beginning of "TYPE: message".
func (w *world) count(id uuid.UUID, beginning string) (n int) {
	w.t.Helper()
	err := w.pool.QueryRow(w.t.Context(), "select count(*) from events where task_id = $1 and starts_with(event_type::text || ': ' || message, $2)", id, beginning).Scan(&n)
	if err != nil {
		w.t.Error(err)
	}
	return n
}

// patience is how long a test waits for what has to come: long enough for a busy machine.
const patience = 3 * time.Minute
