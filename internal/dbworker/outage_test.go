package dbworker

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"planexe/internal/pgembed"
	"planexe/internal/pgtest"
	"planexe/internal/queue"
	"planexe/internal/store"
)

// cluster is a Postgres that a test stops and starts.
type cluster struct {
	t   *testing.T
	dir string
	*pgembed.Cluster
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: pgtest.Dir(t)}
	c.start()
	t.Cleanup(func() { _ = c.Stop() })
	return c
}

func (c *cluster) start() {
	c.t.Helper()
	socket := ""
	if c.Cluster != nil {
		socket = c.Socket()
	}
	var err error
	c.Cluster, err = pgembed.Start(context.Background(), pgembed.Options{Dir: c.dir, Socket: socket, Settings: pgtest.Fast, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.t.Fatal(err)
	}
}

// world migrates the cluster's database.
func (c *cluster) world() *world {
	c.t.Helper()
	pool, err := store.Open(c.t.Context(), store.Options{DSN: c.DSN(pgembed.User), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.t.Fatal(err)
	}
	pool.Close()
	return over(c.t, c.DSN(pgembed.User))
}

// F8: Ensure that a run survives a database that is away for longer than a lease, and that no new call
// starts when its lease is running out.
func TestF8DatabaseAwayInARun(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	w := c.world()
	w.latency(50)
	w.worker(w.settings("one", t.TempDir()), nil)
	id := w.insert(bakery)
	w.underWay(id)
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second) // the lease, which is what this is about
	asked := w.asked.Load()
	time.Sleep(time.Second)
	if got := w.asked.Load(); got != asked {
		t.Errorf("%d calls with the lease over", got-asked)
	}
	c.start()
	if row := w.ended(id); !in(queue.Completed)(row) || row.Attempt != 1 {
		t.Errorf("%+v", show(row))
	}
	w.once(id)
}

// F9: Ensure that an idle worker outlives the database and takes the next task.
func TestF9DatabaseAwayIdle(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	w := c.world()
	w.worker(w.settings("one", t.TempDir()), nil)
	w.ended(w.insert(" "))
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * time.Second) // longer than a lease
	c.start()
	w.pool.Reset()
	w.ended(w.insert(" "))
}

// F10: Ensure that a result is kept when the database goes away in the very moment of the end.
func TestF10DatabaseAwayAtTheEnd(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	w := c.world()
	gone := make(chan struct{})
	var once sync.Once
	w.worker(w.settings("one", t.TempDir()), func(at string) {
		if at == "executed" {
			once.Do(func() { _ = c.Stop(); close(gone) })
		}
	})
	id := w.insert(bakery)
	<-gone
	time.Sleep(time.Second)
	c.start()
	if row := w.ended(id); !in(queue.Completed)(row) || row.Attempt != 1 {
		t.Errorf("%+v", show(row))
	}
	if n := w.count(id, "TASK_COMPLETED"); n != 1 {
		t.Errorf("%d ends", n)
	}
}
