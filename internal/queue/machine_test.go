package queue_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"planexe/internal/queue"
	"planexe/internal/store"
)

// in brings a new task into a state and returns it as its worker has it.
func (b *bench) in(s queue.State) queue.Task {
	b.t.Helper()
	if s == queue.Pending {
		return queue.Task{Lease: queue.Lease{ID: b.create("u")}}
	}
	t := b.claimed()
	var err error
	switch s {
	case queue.Completed, queue.Failed, queue.Stopped:
		err = b.q.Finish(b.t.Context(), b.a, t, queue.Ending{State: s, FailureReason: queue.ReasonGeneration})
	case queue.Unknown:
		b.exec("update task_item set state = null where id = $1", t.ID)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return t
}

// F29: Ensure that every trigger in every state does what the table says, with its event, and that
// all else is refused without any write.
func TestF29Transitions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	account := uuid.New()
	b.exec("insert into app_user (id, login) values ($1, 'somebody')", account)
	user := queue.By{Actor: "user:somebody", Owner: &account}
	triggers := map[string]func(queue.Task) error{
		"claim": func(x queue.Task) error {
			tasks, err := b.q.Claim(ctx, b.b, 100)
			if err == nil && !slices.ContainsFunc(tasks, func(c queue.Task) bool { return c.ID == x.ID }) {
				err = queue.ErrLost
			}
			return err
		},
		"renew": func(x queue.Task) error {
			kept, err := b.q.Renew(ctx, b.a, []queue.Lease{x.Lease})
			if err == nil && len(kept) == 0 {
				err = queue.ErrLost
			}
			return err
		},
		"progress": func(x queue.Task) error {
			return b.q.Progress(ctx, x.Lease, queue.Progress{Percentage: 50, Message: "1 of 2"})
		},
		"done": func(x queue.Task) error {
			return b.q.Finish(ctx, b.a, x, queue.Ending{State: queue.Completed, Zip: []byte("z")})
		},
		"fail":     func(x queue.Task) error { return b.q.Finish(ctx, b.a, x, queue.Ending{State: queue.Failed}) },
		"end stop": func(x queue.Task) error { return b.q.Finish(ctx, b.a, x, queue.Ending{State: queue.Stopped}) },
		"release":  func(x queue.Task) error { return b.q.Release(ctx, b.a, x.Lease, "shutdown") },
		"setup":    func(x queue.Task) error { return b.q.GiveBack(ctx, b.a, x.Lease, "disk") },
		"lapse": func(x queue.Task) error {
			b.lapse(x.ID)
			n, err := b.q.Reap(ctx, b.b)
			if err == nil && n == 0 {
				err = queue.ErrLost
			}
			return err
		},
		"restart": func(x queue.Task) error {
			n, err := b.q.Recover(ctx, b.a)
			if err == nil && n == 0 {
				err = queue.ErrLost
			}
			return err
		},
		"stop":        func(x queue.Task) error { return b.q.Stop(ctx, x.ID, root) },
		"retry":       func(x queue.Task) error { return b.q.Retry(ctx, x.ID, root, false) },
		"anew":        func(x queue.Task) error { return b.q.Retry(ctx, x.ID, root, true) },
		"free":        func(x queue.Task) error { return b.q.Free(ctx, x.ID, root) },
		"mark":        func(x queue.Task) error { return b.q.MarkFailed(ctx, x.ID, root, "because") },
		"delete":      func(x queue.Task) error { return b.q.Delete(ctx, x.ID, root) },
		"user delete": func(x queue.Task) error { return b.q.Delete(ctx, x.ID, user) },
		"user free":   func(x queue.Task) error { return b.q.Free(ctx, x.ID, user) },
		"user mark":   func(x queue.Task) error { return b.q.MarkFailed(ctx, x.ID, user, "because") },
	}
	// from → trigger → to and event; "=" is the same state without an event.
	allowed := map[queue.State]map[string]string{
		queue.Pending: {
			"claim": "processing TASK_PROCESSING: Pending -> Processing", "stop": "stopped TASK_STOPPED: Pending -> Stopped",
			"mark": "failed TASK_FAILED: Marked failed by admin", "delete": " GENERIC_EVENT: Task deleted", "user delete": " GENERIC_EVENT: Task deleted",
		},
		queue.Processing: {
			"renew": "=", "progress": "=", "done": "completed TASK_COMPLETED: Processing -> Completed", "fail": "failed TASK_FAILED: Processing -> Failed",
			"end stop": "stopped TASK_STOPPED: Processing -> Stopped", "release": "pending TASK_PENDING: Processing -> Pending",
			"setup": "pending TASK_PENDING: Processing -> Pending", "lapse": "pending TASK_PENDING: Recovered from lost worker",
			"restart": "pending TASK_PENDING: Recovered from lost worker", "stop": "processing GENERIC_EVENT: Stop requested",
			"free": "pending TASK_PENDING: Requeued by admin", "mark": "failed TASK_FAILED: Marked failed by admin", "delete": " GENERIC_EVENT: Task deleted",
		},
		queue.Completed: {"delete": " GENERIC_EVENT: Task deleted", "user delete": " GENERIC_EVENT: Task deleted", "done": "="},
		queue.Failed: {
			"retry": "pending TASK_PENDING: Retry", "anew": "pending TASK_PENDING: Retry from nothing", "delete": " GENERIC_EVENT: Task deleted",
			"user delete": " GENERIC_EVENT: Task deleted", "fail": "=",
		},
		queue.Stopped: {
			"retry": "pending TASK_PENDING: Retry", "anew": "pending TASK_PENDING: Retry from nothing", "delete": " GENERIC_EVENT: Task deleted",
			"user delete": " GENERIC_EVENT: Task deleted", "end stop": "=",
		},
		queue.Unknown: {"delete": " GENERIC_EVENT: Task deleted"},
	}
	for from, row := range allowed {
		for trigger, do := range triggers {
			task := b.in(from)
			b.exec("update task_item set account_id = $1 where id = $2", account, task.ID)
			before, told := b.row(task.ID), b.events(task.ID)
			err := do(task)
			want, ok := row[trigger]
			news := b.events(task.ID)[len(told):]
			switch {
			case !ok:
				if err == nil {
					t.Errorf("%s in %s: allowed", trigger, from)
				}
				after := b.row(task.ID)
				if trigger == "lapse" { // the test itself moved the lease
					before, after = from.String(), b.state(task.ID).String()
				}
				if len(news) > 0 || before != after {
					t.Errorf("%s in %s is refused but writes %q\n%s", trigger, from, news, cmp.Diff(before, after))
				}
			case err != nil:
				t.Errorf("%s in %s: %v", trigger, from, err)
			case want == "=":
				if b.state(task.ID) != from || len(news) > 0 {
					t.Errorf("%s in %s: %s, %q", trigger, from, b.state(task.ID), news)
				}
			default:
				if got := strings.TrimPrefix(fmt.Sprintf("%s %s", b.state(task.ID), strings.Join(news, "; ")), "none"); got != want {
					t.Errorf("%s in %s: %q, want %q", trigger, from, got, want)
				}
			}
			b.exec("delete from task_item")
		}
	}
}

// row is everything about a task as text.
func (b *bench) row(id uuid.UUID) string {
	b.t.Helper()
	var s string
	b.one("select coalesce((select row_to_json(t)::text from task_item t where id = $1), '')", &s, id)
	return s
}

// Ensure that transitions that depend on counts and wishes take the right turn.
func TestTurns(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, c := range []struct {
		name string
		do   func(b *bench, x queue.Task) error
		want queue.State
		why  string // failure_reason
		set  string
	}{
		{"stop, then the worker dies", func(b *bench, x queue.Task) error { b.lapse(x.ID); _, err := b.q.Reap(ctx, b.b); return err }, queue.Stopped, "", "stop_requested = true"},
		{"stop, then the worker restarts", func(b *bench, _ queue.Task) error { _, err := b.q.Recover(ctx, b.a); return err }, queue.Stopped, "", "stop_requested = true"},
		{"stop, then a shutdown", func(b *bench, x queue.Task) error { return b.q.Release(ctx, b.a, x.Lease, "") }, queue.Stopped, "", "stop_requested = true"},
		{"stop, then an admin frees it", func(b *bench, x queue.Task) error { return b.q.Free(ctx, x.ID, root) }, queue.Stopped, "", "stop_requested = true"},
		{"F16: third crash", func(b *bench, x queue.Task) error { b.lapse(x.ID); _, err := b.q.Reap(ctx, b.b); return err }, queue.Failed, queue.ReasonWorker, "crashes = 2"},
		{"second crash", func(b *bench, x queue.Task) error { b.lapse(x.ID); _, err := b.q.Reap(ctx, b.b); return err }, queue.Pending, "", "crashes = 1"},
		{"F11: fifth setup failure", func(b *bench, x queue.Task) error { return b.q.GiveBack(ctx, b.a, x.Lease, "") }, queue.Failed, queue.ReasonSetup, "setup_failures = 4"},
		{"fourth setup failure", func(b *bench, x queue.Task) error { return b.q.GiveBack(ctx, b.a, x.Lease, "") }, queue.Pending, "", "setup_failures = 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			x := b.claimed()
			b.exec("update task_item set "+c.set+" where id = $1", x.ID)
			if err := c.do(b, x); err != nil {
				t.Fatal(err)
			}
			row, err := b.q.Task(t.Context(), x.ID)
			if err != nil || b.state(x.ID) != c.want || c.why != "" && (row.FailureReason == nil || *row.FailureReason != c.why) {
				t.Errorf("%s, %+v, %v", b.state(x.ID), row, err)
			}
			if c.want == queue.Pending && row.NotBefore == nil {
				t.Error("it is not delayed")
			}
			if c.want == queue.Pending && len(b.claim(b.b, 1)) > 0 {
				t.Error("it is claimed at once")
			}
			if row.WorkerID != nil || row.LeaseExpiresAt != nil {
				t.Error("it is still somebody's")
			}
		})
	}
}

// N12: Ensure that a task that another program was processing gets its time, and is taken over then.
func TestAdoptProcessing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := uuid.New()
	b.exec("insert into task_item (id, state, prompt) values ($1, 'processing', 'x')", id)
	reap := func(want int) {
		t.Helper()
		if n, err := b.q.Reap(t.Context(), b.a); err != nil || n != want {
			t.Errorf("%d were taken, %v", n, err)
		}
	}
	reap(0)
	if b.state(id) != queue.Processing {
		t.Fatal(b.state(id))
	}
	b.exec("insert into workers (id, started_at, last_heartbeat_at, current_task_id) values ('old', now() at time zone 'utc', now() at time zone 'utc', $1)", id.String())
	b.lapse(id)
	reap(0) // its worker is alive
	b.exec("update workers set last_heartbeat_at = last_heartbeat_at - interval '20 minutes'")
	b.lapse(id)
	reap(1)
	if tasks := b.claim(b.a, 1); len(tasks) != 1 || tasks[0].ID != id {
		t.Errorf("%+v", tasks)
	}
}

// Ensure that a user's words reach only a user's own tasks, and that nobody learns of others'.
func TestOwners(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mine, other := uuid.New(), uuid.New()
	b.exec("insert into app_user (id, login) values ($1, 'me'), ($2, 'other')", mine, other)
	id, err := b.q.Create(t.Context(), queue.NewTask{Prompt: "x", Account: &mine, Origin: "ui", Actor: "user:me"})
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(queue.By) error{
		"stop":   func(by queue.By) error { return b.q.Stop(t.Context(), id, by) },
		"retry":  func(by queue.By) error { return b.q.Retry(t.Context(), id, by, false) },
		"delete": func(by queue.By) error { return b.q.Delete(t.Context(), id, by) },
	} {
		if err := do(queue.By{Actor: "user:other", Owner: &other}); !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("%s by another: %v", name, err)
		}
	}
	if err := b.q.Stop(t.Context(), uuid.New(), root); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("%v", err)
	}
	me := queue.By{Actor: "user:me", Owner: &mine}
	for _, do := range []func() error{
		func() error { return b.q.Stop(t.Context(), id, me) }, func() error { return b.q.Retry(t.Context(), id, me, false) },
		func() error { return b.q.Delete(t.Context(), id, me) },
	} {
		if err := do(); err != nil {
			t.Error(err)
		}
	}
}

// F24: Ensure that no statement takes a time from a worker: only the database's clock counts.
func TestF24DatabaseClock(t *testing.T) {
	t.Parallel()
	for _, p := range []any{
		store.InsertTaskParams{}, store.ClaimTasksParams{}, store.RenewLeasesParams{}, store.SetProgressParams{}, store.FinishTaskParams{}, store.GiveLeaseParams{},
		store.ReturnTaskParams{}, store.RetryTaskParams{}, store.EndTaskParams{}, store.RequestStopParams{}, store.InsertEventParams{}, store.HeartbeatParams{},
		store.RegisterWorkerParams{}, store.SettleOutboxParams{}, store.UpsertArtifactParams{}, store.InsertLogParams{}, store.InsertOutboxParams{},
	} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(p)) {
			if f.Type == reflect.TypeFor[time.Time]() || f.Type == reflect.TypeFor[*time.Time]() {
				t.Errorf("%T.%s is a time", p, f.Name)
			}
		}
	}
}
