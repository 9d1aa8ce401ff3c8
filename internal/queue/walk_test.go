package queue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"planexe/internal/queue"
)

// guard makes the database itself refuse what the table of transitions does not know, and an
// attempt that comes again.
const guard = `
create table seen (task_id uuid, attempt integer, primary key (task_id, attempt));
create function guard() returns trigger language plpgsql as $$
begin
  if new.attempt < old.attempt then raise exception 'attempt % follows %', new.attempt, old.attempt; end if;
  if new.state = 'processing' and old.state <> 'processing' then
    if new.attempt <= old.attempt then raise exception 'claimed without a new attempt'; end if;
    insert into seen values (new.id, new.attempt); -- unique
  end if;
  if new.state is distinct from old.state and (old.state, new.state) not in (
    ('pending', 'processing'), ('pending', 'stopped'), ('pending', 'failed'), ('processing', 'pending'), ('processing', 'completed'), ('processing', 'failed'),
    ('processing', 'stopped'), ('failed', 'pending'), ('stopped', 'pending')) then
    raise exception 'from % to %', old.state, new.state;
  end if;
  if new.state <> 'processing' and (new.worker_id is not null or new.lease_expires_at is not null) then raise exception '% but owned', new.state; end if;
  return new;
end $$;
create trigger guard before update on task_item for each row execute function guard();`

// F30: Ensure that a seeded random walk by eight workers, a reaper and an admin, while connections are
// killed under them and answers are lost, keeps every invariant: the guard's, one end per attempt, one owner.
func TestF30RandomWalk(t *testing.T) {
	t.Parallel()
	tasks, steps := 60, 150
	if testing.Short() {
		tasks, steps = 20, 40
	}
	b := setup(t)
	b.exec(guard)
	for i := range tasks {
		b.create(fmt.Sprint("user", i%5))
	}
	w := &walk{bench: b, owner: map[string]string{}}
	ctx, cancel := context.WithCancel(t.Context())
	var chaos, workers sync.WaitGroup
	chaos.Go(func() { w.kill(ctx, rand.New(rand.NewPCG(1, 0))) })
	chaos.Go(func() { w.administer(ctx, rand.New(rand.NewPCG(2, 0))) })
	for i := range 8 {
		workers.Go(func() { w.work(worker(fmt.Sprint("w", i)), rand.New(rand.NewPCG(3, uint64(i))), steps) })
	}
	workers.Wait()
	cancel()
	chaos.Wait()
	w.pool.Reset() // the dead connections in it
	w.check()
	w.settle()
}

type walk struct {
	*bench
	mu    sync.Mutex
	owner map[string]string // task and attempt → who was told that it is his
	ops   int
}

// did counts an operation and tells whether its error is one that may be: a killed connection, a
// task that is somebody else's, a refusal. Anything else fails the test.
func (w *walk) did(what string, err error) bool {
	w.mu.Lock()
	w.ops++
	w.mu.Unlock()
	var refused *queue.RefusedError
	var pg interface{ SQLState() string }
	switch {
	case err == nil:
		return true
	case errors.Is(err, queue.ErrLost), errors.Is(err, queue.ErrNotFound), errors.Is(err, queue.ErrStopRequested), errors.As(err, &refused):
	case errors.As(err, &pg) && pg.SQLState() != "57P01" && pg.SQLState() != "40P01":
		w.t.Errorf("%s: %v", what, err)
	}
	return false
}

func (w *walk) work(me queue.Identity, r *rand.Rand, steps int) {
	ctx := context.Background()
	mine := map[uuid.UUID]queue.Task{}
	doubt := false
	for range steps {
		var any queue.Task
		for _, id := range slices.SortedFunc(maps.Keys(mine), func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }) {
			any = mine[id]
			if r.IntN(2) == 0 {
				break
			}
		}
		switch r.IntN(10) {
		case 0, 1, 2:
			got, err := w.q.Claim(ctx, me, 1+r.IntN(3))
			if !w.did("claim", err) {
				doubt = true
			}
			for _, x := range got {
				w.took(me, x.Lease)
				if r.IntN(10) == 0 {
					doubt = true // as if the answer had been lost
				} else {
					mine[x.ID] = x
				}
			}
		case 3, 4:
			var leases []queue.Lease
			for _, x := range mine {
				leases = append(leases, x.Lease)
			}
			kept, err := w.q.Renew(ctx, me, leases)
			if w.did("renew", err) {
				still := map[uuid.UUID]bool{}
				for _, k := range kept {
					still[k.ID] = true
				}
				maps.DeleteFunc(mine, func(id uuid.UUID, _ queue.Task) bool { return !still[id] })
			}
		case 5, 6:
			if any.Attempt == 0 {
				continue
			}
			end := queue.Ending{State: []queue.State{queue.Completed, queue.Failed, queue.Stopped}[r.IntN(3)], Zip: []byte("z")}
			for tries := 0; tries < 20; tries++ { // until it is known
				err := w.q.Finish(ctx, me, any, end)
				if w.did("finish", err) && r.IntN(4) > 0 || errors.Is(err, queue.ErrLost) {
					break
				}
			}
			delete(mine, any.ID)
		case 7:
			if any.Attempt > 0 && w.did("release", w.q.Release(ctx, me, any.Lease, "walk")) {
				delete(mine, any.ID)
			}
		case 8:
			_, err := w.q.Reap(ctx, me)
			w.did("reap", err)
		case 9:
			if !doubt {
				continue
			}
			known := map[uuid.UUID]bool{}
			for id := range mine {
				known[id] = true
			}
			strays, err := w.q.Strays(ctx, me, known)
			for _, l := range strays {
				w.did("return a stray", w.q.Release(ctx, me, l, "stray"))
			}
			doubt = err != nil
		}
	}
}

// took notes an owner and complains of a second one.
func (w *walk) took(me queue.Identity, l queue.Lease) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := fmt.Sprint(l.ID, "/", l.Attempt)
	if who, ok := w.owner[key]; ok {
		w.t.Errorf("%s belongs to %s and %s", key, who, me.ID)
	}
	w.owner[key] = me.ID
}

// kill cuts connections in the middle of whatever they do.
func (w *walk) kill(ctx context.Context, r *rand.Rand) {
	conn, err := pgx.ConnectConfig(ctx, w.pool.Config().ConnConfig)
	if err != nil {
		w.t.Error(err)
		return
	}
	defer conn.Close(context.Background())
	for ctx.Err() == nil {
		_, _ = conn.Exec(ctx, "select pg_terminate_backend(pid) from (select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() order by random() limit $1) x", 1+r.IntN(3))
		select {
		case <-time.After(time.Duration(5+r.IntN(20)) * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// administer does what people do, and lets leases run out.
func (w *walk) administer(ctx context.Context, r *rand.Rand) {
	for ctx.Err() == nil {
		var id uuid.UUID
		if err := w.pool.QueryRow(ctx, "select id from task_item order by random() limit 1").Scan(&id); err != nil {
			continue // killed
		}
		var err error
		switch r.IntN(8) {
		case 0:
			err = w.q.Stop(ctx, id, root)
		case 1, 2:
			err = w.q.Retry(ctx, id, root, r.IntN(3) == 0)
		case 3:
			err = w.q.Free(ctx, id, root)
		case 4:
			err = w.q.MarkFailed(ctx, id, root, "walk")
		default:
			_, err = w.pool.Exec(ctx, "update task_item set lease_expires_at = now() - interval '1 s', crashes = 0 where id = $1 and state = 'processing'", id)
		}
		if ctx.Err() == nil {
			w.did("admin", err)
		}
	}
}

// check looks at what is left.
func (w *walk) check() {
	w.t.Helper()
	var doubled int
	w.one(`select count(*) from (select task_id, context->>'attempt' from events
		where event_type in ('TASK_COMPLETED', 'TASK_FAILED', 'TASK_STOPPED') and message like 'Processing -> %' group by 1, 2 having count(*) > 1) x`, &doubled)
	if doubled > 0 {
		w.t.Errorf("%d attempts have ended twice", doubled)
	}
	var claims, events int
	w.one("select count(*) from seen", &claims)
	w.one("select count(*) from events where event_type = 'TASK_PROCESSING'", &events)
	if claims != events {
		w.t.Errorf("%d claims have %d events", claims, events)
	}
	if claims < 20 || len(w.owner) > claims {
		w.t.Errorf("%d claims, of which workers heard %d", claims, len(w.owner))
	}
	w.t.Logf("%d operations, %d claims, %d of them heard", w.ops, claims, len(w.owner))
}

// settle lets one healthy worker finish what is left: nothing is lost.
func (w *walk) settle() {
	me := worker("last")
	w.exec("update task_item set lease_expires_at = now() - interval '1 s', crashes = 0 where state = 'processing'")
	w.exec("update task_item set not_before = null")
	if _, err := w.q.Reap(w.t.Context(), me); err != nil {
		w.t.Fatal(err)
	}
	w.exec("update task_item set not_before = null where state = 'pending'")
	for _, x := range w.claim(me, 1000) {
		if err := w.q.Finish(w.t.Context(), me, x, queue.Ending{State: queue.Completed}); err != nil {
			w.t.Error(err)
		}
	}
	var left int
	w.one("select count(*) from task_item where state in ('pending', 'processing')", &left)
	if left > 0 {
		var which string
		w.one("select string_agg(row_to_json(x)::text, ' ') from (select state, attempt, crashes, worker_id, lease_expires_at, not_before, stop_requested, finished_at from task_item where state in ('pending', 'processing')) x", &which)
		w.t.Errorf("%d tasks are stuck: %s", left, which)
	}
}
