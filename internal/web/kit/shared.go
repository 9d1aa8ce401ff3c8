package kit

import (
	"context"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Shared makes the moving parts of a page once for all who look at it. The zero value is ready.
type Shared struct {
	mu     sync.Mutex
	topics map[string]*Topic
}

// Topic is one page with moving parts and those who look at it.
type Topic struct {
	viewers int // under the lock of Shared
	leave   context.CancelFunc

	mu    sync.Mutex
	parts Parts
	over  bool
	more  chan struct{} // closed when something has changed
}

// Set replaces parts by name; the others stay.
func (t *Topic) Set(p Parts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := maps.Clone(t.parts)
	maps.Copy(next, p)
	if maps.Equal(next, t.parts) {
		return
	}
	t.parts = next
	t.wake()
}

// End tells all pages that nothing more will come.
func (t *Topic) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	t.wake()
}

func (t *Topic) wake() {
	close(t.more)
	t.more = make(chan struct{})
}

func (t *Topic) now() (Parts, bool, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.parts, t.over, t.more
}

// pulse is how often a silent stream shows that it is alive.
const pulse = 10 * time.Second

// Serve streams the parts of the topic named key to one page until it leaves or the topic ends. The
// first page starts follow, which tells the topic how things stand; its context ends with the last page.
func (s *Shared) Serve(w http.ResponseWriter, r *http.Request, key string, follow func(context.Context, *Topic)) {
	t := s.join(r.Context(), key, follow)
	defer s.part(key, t)
	stream := NewStream(w)
	for {
		parts, over, more := t.now()
		if len(parts) > 0 && stream.Send(parts) != nil {
			return
		}
		if over {
			_ = stream.End()
			return
		}
		if stream.Beat() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-more:
		case <-time.After(pulse):
		}
	}
}

func (s *Shared) join(ctx context.Context, key string, follow func(context.Context, *Topic)) *Topic {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[key]
	if t == nil {
		// The values of the first page's request serve all; its end does not.
		within, leave := context.WithCancel(context.WithoutCancel(ctx))
		t = &Topic{leave: leave, parts: Parts{}, more: make(chan struct{})}
		if s.topics == nil {
			s.topics = map[string]*Topic{}
		}
		s.topics[key] = t
		go func() {
			defer t.End()
			follow(within, t)
		}()
	}
	t.viewers++
	return t
}

// part leaves the topic; with the last page it ends. One that is over is made anew for the next page.
func (s *Shared) part(key string, t *Topic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.viewers--
	_, over, _ := t.now()
	if (t.viewers == 0 || over) && s.topics[key] == t {
		delete(s.topics, key)
	}
	if t.viewers == 0 {
		t.leave()
	}
}
