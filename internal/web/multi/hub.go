package multi

import (
	"context"
	"log/slog"
	"sync"

	"github.com/google/uuid"

	"planexe/internal/queue"
)

// hub wakes open pages when something happens to a task. All pages share one connection to the database.
type hub struct {
	mu   sync.Mutex
	subs map[chan struct{}]uuid.UUID // uuid.Nil waits for anything
}

func newHub() *hub { return &hub{subs: map[chan struct{}]uuid.UUID{}} }

// run listens until ctx is over. Pages also look by themselves now and then, so a lost connection only makes them slower.
func (h *hub) run(ctx context.Context, q *queue.Queue, log *slog.Logger) {
	q.Listen(ctx, nil, h.wake, func(err error) { log.Warn("live pages are not woken at the moment", "error", err) }, queue.WakeTask, queue.WakeProgress)
}

func (h *hub) wake(w queue.Wake) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c, id := range h.subs {
		if id == uuid.Nil || id == w.Task || w.Kind != queue.WakeProgress {
			select {
			case c <- struct{}{}:
			default: // it is awake already
			}
		}
	}
}

// join returns a channel that is told when something happens to a task, and a function that ends that.
func (h *hub) join(id uuid.UUID) (woken <-chan struct{}, leave func()) {
	c := make(chan struct{}, 1)
	h.mu.Lock()
	h.subs[c] = id
	h.mu.Unlock()
	return c, func() {
		h.mu.Lock()
		delete(h.subs, c)
		h.mu.Unlock()
	}
}
