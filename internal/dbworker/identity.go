package dbworker

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"planexe/internal/queue"
	"planexe/internal/store"
)

// idPatience is how long a worker waits for a predecessor of its id that is ending.
const idPatience = 10 * time.Second

// identify takes the worker's id and starts to listen, on the connection that holds the id.
func (w *Worker) identify(ctx, listening context.Context, loops *sync.WaitGroup) error {
	host, _ := os.Hostname() // for people only
	log := w.log             // which gets the id when that is known
	w.me = queue.Identity{ID: w.settings.ID, Instance: uuid.New(), Host: host, PID: os.Getpid(), Version: w.o.Version, Slots: w.settings.Slots}
	if w.me.ID == "" {
		w.me.ID = uuid.NewString()
	}
	first, taken := make(chan struct{}), false
	prepare := func(ctx context.Context, conn *pgx.Conn) error {
		q := store.New(conn)
		if taken {
			if ok, err := q.LockWorkerID(ctx, w.me.ID); err != nil {
				return err
			} else if !ok { // the server has not noticed yet that the old connection is gone
				log.Warn("the worker's id is still held by its old connection")
			}
			return nil
		}
		id, err := takeID(ctx, q, w.me.ID, log)
		if err == nil {
			w.me.ID, taken = id, true
		}
		return err
	}
	hear := func(e queue.Wake) {
		switch e.Kind {
		case queue.WakeConnected:
			select {
			case <-first:
				signal(w.renew)
			default:
				close(first)
			}
			signal(w.wake)
		case queue.WakeTask:
			signal(w.wake)
		case queue.WakeStop:
			if w.job(e.Task) != nil {
				signal(w.renew) // which tells what became of it
			}
		}
	}
	down := func(err error) {
		w.log.Warn("the database tells nothing; looking regularly until it does", "error", err)
	}
	loops.Go(func() { w.queue.Listen(listening, prepare, hear, down, queue.WakeTask, queue.WakeStop) })
	select {
	case <-first:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeID holds the id, or the id with a number when another process has it.
func takeID(ctx context.Context, q *store.Queries, want string, log *slog.Logger) (string, error) {
	for n := 1; ; n++ {
		id := want
		if n > 1 {
			id = fmt.Sprintf("%s-%d", want, n)
		}
		for began := time.Now(); ; {
			ok, err := q.LockWorkerID(ctx, id)
			if err != nil {
				return "", fmt.Errorf("take the worker id: %w", err)
			}
			if ok {
				if n > 1 {
					log.Warn("another worker has the id of PLANEXE_WORKER_ID: a number is added", "wanted", want, "worker_id", id)
				}
				return id, nil
			}
			if n > 1 || time.Since(began) > idPatience {
				break
			}
			select {
			case <-time.After(200 * time.Millisecond):
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	}
}

// begin registers the worker and takes back what an earlier process of its id left.
func (w *Worker) begin(ctx context.Context) error {
	for pause := 500 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		err := w.queue.Register(ctx, w.me)
		if err == nil {
			var n int
			if n, err = w.queue.Recover(ctx, w.me); n > 0 {
				w.log.Info("tasks of an earlier process of this id go on", "tasks", n)
			}
		}
		if err == nil {
			if !strings.EqualFold(w.me.ID, w.settings.ID) && w.settings.ID != "" {
				_ = w.queue.Note(ctx, w.me, "Worker id was taken", queue.Details{"wanted": w.settings.ID})
			}
			w.said()
			w.probe(ctx)
			return nil
		}
		w.log.Warn("the worker cannot register", "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// said tells once what settings mean that people wonder about.
func (w *Worker) said() {
	if w.settings.ConfirmURL == "" && w.settings.ConfirmDev == "" {
		w.log.Info("confirmation calls are off: no PLANEXE_IFRAME_GENERATOR_CONFIRMATION_…_URL is set")
	}
	if w.settings.WorkerURL != "" {
		w.log.Info("PLANEXE_WORKER_PLAN_URL has no effect here: reports reach people through the database")
	}
}
