package multi

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// mostStreams is how many live pages somebody may have open at once.
const mostStreams = 20

// counter counts the open streams of people.
type counter struct {
	mu   sync.Mutex
	open map[uuid.UUID]int
}

func newCounter() *counter { return &counter{open: map[uuid.UUID]int{}} }

func (c *counter) enter(id uuid.UUID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[id] >= mostStreams {
		return false
	}
	c.open[id]++
	return true
}

func (c *counter) leave(id uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[id]--; c.open[id] <= 0 {
		delete(c.open, id)
	}
}

// limited bounds the live streams of a person. What is no stream is not counted.
func (a *app) limited(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/live") {
			next(w, r)
			return
		}
		id := sessionOf(r.Context()).User.ID
		if !a.streams.enter(id) {
			w.Header().Set("Retry-After", "10")
			http.Error(w, "Too many live pages are open. Close some: this one looks now and then instead.", http.StatusTooManyRequests)
			return
		}
		defer a.streams.leave(id)
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go a.watch(ctx, cancel, r)
		next(w, r.WithContext(ctx))
	}
}

// usualRecheck is how often an open stream looks whether its session still is.
const usualRecheck = 30 * time.Second

// watch ends a stream when its session has ended or its owner was disabled. An open page counts as use: hidden ones let go of theirs.
func (a *app) watch(ctx context.Context, cancel context.CancelFunc, r *http.Request) {
	c, err := r.Cookie(a.cookieName(r))
	if err != nil {
		cancel()
		return
	}
	t := time.NewTicker(a.recheck)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if _, ok, err := a.accounts.Session(ctx, c.Value); err == nil && !ok {
				cancel()
				return
			}
		}
	}
}
