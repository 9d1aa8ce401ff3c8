package kit

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"
)

// Sessions keeps values of browsers in memory, for so long and not a minute longer.
type Sessions[T any] struct {
	cookie string
	keep   time.Duration
	mu     sync.Mutex
	held   map[[32]byte]held[T]
}

type held[T any] struct {
	value T
	until time.Time
}

// NewSessions keeps each value for so long after it was put, named by a cookie.
func NewSessions[T any](cookie string, keep time.Duration) *Sessions[T] {
	return &Sessions[T]{cookie: cookie, keep: keep, held: map[[32]byte]held[T]{}}
}

// Get returns the value of a request's browser.
func (s *Sessions[T]) Get(r *http.Request) (value T, ok bool) {
	c, err := r.Cookie(s.cookie)
	if err != nil {
		return value, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.held[sha256.Sum256([]byte(c.Value))]
	if !ok || time.Now().After(h.until) {
		return value, false
	}
	return h.value, true
}

// Put keeps a value under a new name, so that a name somebody knew before is worth nothing.
func (s *Sessions[T]) Put(w http.ResponseWriter, r *http.Request, value T) {
	name := rand.Text()
	now := time.Now()
	s.mu.Lock()
	for id, h := range s.held {
		if now.After(h.until) {
			delete(s.held, id)
		}
	}
	if c, err := r.Cookie(s.cookie); err == nil {
		delete(s.held, sha256.Sum256([]byte(c.Value)))
	}
	s.held[sha256.Sum256([]byte(name))] = held[T]{value, now.Add(s.keep)}
	s.mu.Unlock()
	SetCookie(w, r, s.cookie, name, s.keep)
}

// Drop forgets the value of a request's browser.
func (s *Sessions[T]) Drop(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(s.cookie); err == nil {
		s.mu.Lock()
		delete(s.held, sha256.Sum256([]byte(c.Value)))
		s.mu.Unlock()
	}
	DropCookie(w, r, s.cookie)
}

// Same compares secrets in a time that tells nothing of either.
func Same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// Throttle slows guessing down: after a few wrong tries everybody has to wait, longer each time. It counts
// all callers together: addresses are cheap, and behind a proxy they are all one.
type Throttle struct {
	mu    sync.Mutex
	wrong int
	until time.Time
}

const (
	freeTries = 5                // wrong ones before the first wait
	longest   = 5 * time.Minute  // wait
	forgive   = 15 * time.Minute // after which earlier tries are forgotten
)

// Wait returns how long nobody may try; 0 is a go.
func (t *Throttle) Wait() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(0, time.Until(t.until))
}

// Note counts a try.
func (t *Throttle) Note(right bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if right {
		t.wrong, t.until = 0, time.Time{}
		return
	}
	if time.Since(t.until) > forgive {
		t.wrong = 0
	}
	t.wrong++
	t.until = time.Now()
	if n := t.wrong - freeTries; n >= 0 {
		t.until = t.until.Add(min(longest, time.Second<<min(n, 9)))
	}
}
