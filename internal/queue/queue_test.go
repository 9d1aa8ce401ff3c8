package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"planexe/internal/queue"
)

// F3: Ensure that three workers run fifty tasks once each, started in the order of their creation.
func TestF3Order(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var want []uuid.UUID
	for range 50 {
		want = append(want, b.create("u"))
	}
	workers := []queue.Identity{worker("1"), worker("2"), worker("3")}
	var got []uuid.UUID
	for i := 0; len(got) < len(want); i++ {
		for _, x := range b.claim(workers[i%3], 2) {
			got = append(got, x.ID)
		}
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("task %d is claimed out of order", i)
		}
	}
	if extra := b.claim(b.a, 10); len(extra) > 0 {
		t.Errorf("%d are claimed twice", len(extra))
	}
}

// F31: Ensure that users take turns: one task of a user is claimed second behind a hundred of another's.
func TestF31Turns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.create("many")
	for range 99 {
		b.create("many")
	}
	one := b.create("one")
	if p, err := b.q.Position(t.Context(), one); err != nil || p != 1 {
		t.Errorf("position %d, %v", p, err)
	}
	tasks := b.claim(b.a, 2)
	if tasks[0].ID != first || tasks[1].ID != one {
		t.Errorf("claimed are %v and %v", tasks[0].ID, tasks[1].ID)
	}
	urgent, err := b.q.Create(t.Context(), queue.NewTask{Prompt: "x", Origin: "ui", Priority: 1, Actor: "admin:root"})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.claim(b.a, 1)[0].ID; got != urgent {
		t.Error("priority does not come first")
	}
}

// Ensure that many workers on many connections never claim a task twice.
func TestDoubleClaim(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const tasks = 400
	b.exec("insert into task_item (state, prompt, user_id, fair_tag) select 'pending', 'x', 'u' || n % 7, n / 7 from generate_series(1, $1::int) n", tasks)
	var mu sync.Mutex
	seen := map[uuid.UUID]int{}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			w := worker(string(rune('a' + i)))
			for {
				got, err := b.q.Claim(context.Background(), w, 1+i%3)
				if err != nil {
					t.Error(err)
				}
				if len(got) == 0 {
					return
				}
				mu.Lock()
				for _, x := range got {
					seen[x.ID]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for id, n := range seen {
		if n > 1 {
			t.Errorf("%s was claimed %d times", id, n)
		}
	}
	if len(seen) != tasks {
		t.Errorf("%d of %d were claimed", len(seen), tasks)
	}
}

// F13: Ensure that an attempt that has lost its task can write nothing.
func TestF13Fence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old := b.claimed()
	s, err := b.q.OpenStore(t.Context(), old.Lease, queue.StoreOptions{Base: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Write("a.txt", []byte("first")); err != nil {
		t.Fatal(err)
	}
	b.lapse(old.ID)
	if n, err := b.q.Reap(t.Context(), b.b); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	now := b.claim(b.b, 1)[0]
	before := b.row(old.ID)
	ctx := t.Context()
	for name, err := range map[string]error{
		"write":    s.Write("a.txt", []byte("late")),
		"remove":   s.Remove("a.txt"),
		"progress": b.q.Progress(ctx, old.Lease, queue.Progress{Percentage: 99}),
		"finish":   b.q.Finish(ctx, b.a, old, queue.Ending{State: queue.Completed}),
		"release":  b.q.Release(ctx, b.a, old.Lease, ""),
		"setup":    b.q.GiveBack(ctx, b.a, old.Lease, ""),
	} {
		if !errors.Is(err, queue.ErrLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if kept, err := b.q.Renew(ctx, b.a, []queue.Lease{old.Lease}); err != nil || len(kept) > 0 {
		t.Errorf("renew: %v, %v", kept, err)
	}
	if data, err := b.q.Artifact(ctx, old.ID, "a.txt"); err != nil || string(data) != "first" {
		t.Errorf("the file is %q, %v", data, err)
	}
	if b.row(old.ID) != before {
		t.Error("the row has changed")
	}
	if err := b.q.Finish(ctx, b.b, now, queue.Ending{State: queue.Completed}); err != nil {
		t.Errorf("the new owner: %v", err)
	}
}

// Ensure that an end is written once, however often it is sent, and that others' ends are not taken for it.
func TestFinishAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	x := b.claimed()
	end := queue.Ending{State: queue.Completed, Confirm: "http://partner.test"}
	for range 3 { // as after lost answers
		if err := b.q.Finish(t.Context(), b.a, x, end); err != nil {
			t.Fatal(err)
		}
	}
	var outbox, events int
	b.one("select count(*) from outbox", &outbox)
	b.one("select count(*) from events where event_type = 'TASK_COMPLETED'", &events)
	if outbox != 1 || events != 1 {
		t.Errorf("%d confirmations, %d events", outbox, events)
	}
	if err := b.q.Finish(t.Context(), b.a, x, queue.Ending{State: queue.Failed}); !errors.Is(err, queue.ErrLost) {
		t.Errorf("another end: %v", err)
	}
}

// F25: Ensure that a task, its event and what its door adds are one transaction.
func TestF25OneTransaction(t *testing.T) {
	t.Parallel()
	b := setup(t)
	failure := errors.New("the door fails")
	err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "insert into nonces (nonce_key, created_at, last_accessed_at, request_count) values ('n', now(), now(), 1)"); err != nil {
			return err
		}
		if _, err := b.q.CreateIn(t.Context(), tx, queue.NewTask{Prompt: "x", Origin: "partner", Actor: "partner"}); err != nil {
			return err
		}
		return failure
	})
	var rows int
	b.one("select (select count(*) from nonces) + (select count(*) from task_item) + (select count(*) from events)", &rows)
	if !errors.Is(err, failure) || rows != 0 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

// F20: Ensure that whatever old rows hold has a meaning.
func TestF20Parameters(t *testing.T) {
	t.Parallel()
	fast, all := queue.SpeedFast, queue.SpeedAll
	for text, want := range map[string]queue.Parameters{
		"": {Speed: all}, "null": {Speed: all}, "[1]": {Speed: all}, `"fast"`: {Speed: all}, "{": {Speed: all},
		`{"fast": ""}`: {Speed: fast}, `{"fast": "1", "developer": "yes"}`: {Speed: fast, Developer: true}, `{"fast": null}`: {Speed: fast},
		`{"fast": "false"}`: {Speed: all}, `{"fast": 0}`: {Speed: all}, `{"fast": "Off", "developer": "no"}`: {Speed: all},
		`{"speed_vs_detail": "fast_but_skip_details"}`: {Speed: fast}, `{"speedvsdetail": "ping_llm", "fast": ""}`: {Speed: queue.SpeedPing},
		`{"speed_vs_detail": "nonsense", "fast": "1"}`: {Speed: fast}, `{"speed_vs_detail": "all_details_but_slow", "fast": "1"}`: {Speed: all},
		`{"llm_model": "x"}`: {Speed: all, Model: "x"}, `{"llm_model": 3}`: {Speed: all},
		`{"max_cost": "0.5"}`: {Speed: all, MaxCost: 0.5}, `{"max_cost": 2}`: {Speed: all, MaxCost: 2}, `{"max_cost": "-1"}`: {Speed: all}, `{"max_cost": "NaN"}`: {Speed: all}, `{"max_cost": "1e999"}`: {Speed: all}, `{"max_cost": "Inf", "traceparent": 3}`: {Speed: all},
	} {
		if got := queue.ParseParameters(json.RawMessage(text)); got != want {
			t.Errorf("%s: %+v", text, got)
		}
	}
	b := setup(t)
	for _, p := range []string{"null", "'null'", "'[1]'", "'\"fast\"'"} {
		b.exec("insert into task_item (id, timestamp_created, state, prompt, user_id, last_seen_timestamp, parameters) values (gen_random_uuid(), null, 'pending', null, null, null, " + p + ")")
	}
	tasks := b.claim(b.a, 10)
	for _, x := range tasks {
		if x.Prompt != "" || x.UserID != nil || x.Parameters.Speed != all || x.Waited != 0 {
			t.Errorf("%+v", x)
		}
		if _, err := b.q.Task(t.Context(), x.ID); err != nil {
			t.Error(err)
		}
	}
	if len(tasks) != 4 {
		t.Errorf("%d tasks", len(tasks))
	}
}

// Ensure that a claim whose answer was lost is found.
func TestStrays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	known, lost := b.claimed(), b.claimed()
	strays, err := b.q.Strays(t.Context(), b.a, map[uuid.UUID]bool{known.ID: true})
	if err != nil || len(strays) != 1 || strays[0].ID != lost.ID || strays[0].Attempt != lost.Attempt {
		t.Errorf("%+v, %v", strays, err)
	}
}

// F35: Ensure that a stop is heard, whoever is told first, and that an end that came before it counts.
func TestF35Stop(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := within(t, 20*time.Second)
	heard := make(chan queue.Wake, 100)
	go b.q.Listen(ctx, nil, func(w queue.Wake) { heard <- w }, func(error) {}, queue.WakeStop, queue.WakeTask)
	if w := <-heard; w.Kind != queue.WakeConnected {
		t.Fatal(w)
	}
	x := b.claimed()
	if w := <-heard; w.Kind != queue.WakeTask {
		t.Errorf("a new task is told as %+v", w)
	}
	if err := b.q.Stop(ctx, x.ID, root); err != nil {
		t.Fatal(err)
	}
	if w := <-heard; w != (queue.Wake{Kind: queue.WakeStop, Task: x.ID}) {
		t.Errorf("a stop is told as %+v", w)
	}
	if err := b.q.Stop(ctx, x.ID, root); !errors.Is(err, queue.ErrStopRequested) {
		t.Errorf("a second stop: %v", err)
	}
	kept, err := b.q.Renew(ctx, b.a, []queue.Lease{x.Lease})
	if err != nil || len(kept) != 1 || !kept[0].StopRequested {
		t.Errorf("a renewal hears %+v, %v", kept, err)
	}
	if err := b.q.Finish(ctx, b.a, x, queue.Ending{State: queue.Completed}); err != nil { // it was quicker
		t.Error(err)
	}
	var refused *queue.RefusedError
	if err := b.q.Stop(ctx, x.ID, root); !errors.As(err, &refused) || b.state(x.ID) != queue.Completed {
		t.Errorf("a stop of a completed task: %v", err)
	}
	pending := b.create("u")
	b.exec("update task_item set stop_requested = true where id = $1", pending) // as February does
	if tasks := b.claim(b.a, 5); len(tasks) > 0 {
		t.Error("a task with a stop request is claimed")
	}
}
