package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/pgtest"
	"planexe/internal/queue"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// bench is a queue of its own with two workers and an admin.
type bench struct {
	t    testing.TB
	pool *pgxpool.Pool
	q    *queue.Queue
	a, b queue.Identity
}

var root = queue.By{Actor: "admin:root"}

func setup(t testing.TB) *bench {
	t.Helper()
	pool := pgtest.Pool(t)
	return &bench{t, pool, queue.New(pool, queue.Limits{}), worker("a"), worker("b")}
}

func worker(id string) queue.Identity { return queue.Identity{ID: id, Instance: uuid.New(), Slots: 4} }

func (b *bench) create(user string) uuid.UUID {
	b.t.Helper()
	id, err := b.q.Create(b.t.Context(), queue.NewTask{Prompt: "Open a bakery", UserID: &user, Origin: "ui", Actor: "user:" + user})
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *bench) claim(w queue.Identity, n int) []queue.Task {
	b.t.Helper()
	tasks, err := b.q.Claim(b.t.Context(), w, n)
	if err != nil {
		b.t.Fatal(err)
	}
	return tasks
}

// claimed makes a task and has worker a claim it.
func (b *bench) claimed() queue.Task {
	b.t.Helper()
	b.create("u")
	return b.claim(b.a, 1)[0]
}

func (b *bench) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}

// slowly executes what takes longer than a statement may.
func (b *bench) slowly(sql string) {
	b.t.Helper()
	c := b.pool.Config().ConnConfig
	c.RuntimeParams["statement_timeout"] = "0"
	conn, err := pgx.ConnectConfig(b.t.Context(), c)
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(b.t.Context(), sql); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) lapse(id uuid.UUID) {
	b.t.Helper()
	b.exec("update task_item set lease_expires_at = now() - interval '1 second' where id = $1", id)
}

func (b *bench) one(sql string, dst any, args ...any) {
	b.t.Helper()
	if err := b.pool.QueryRow(b.t.Context(), sql, args...).Scan(dst); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
}

func (b *bench) state(id uuid.UUID) queue.State {
	b.t.Helper()
	row, err := b.q.Task(b.t.Context(), id)
	if errors.Is(err, queue.ErrNotFound) {
		return queue.None
	}
	if err != nil {
		b.t.Fatal(err)
	}
	if row.State == nil {
		return queue.Unknown
	}
	return queue.State(*row.State)
}

func (b *bench) events(id uuid.UUID) []string {
	b.t.Helper()
	rows, err := b.pool.Query(b.t.Context(), "select event_type::text || ': ' || message from events where task_id = $1 order by id", id)
	if err != nil {
		b.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
