package multi

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"planexe/internal/event"
	"planexe/internal/queue"
	"planexe/internal/run"
)

// story is what the log of a task's run has told so far.
type story struct {
	mu         sync.Mutex
	state      run.State
	seq        int64
	generation int32
}

// stories keeps those that somebody looked at lately, so that each event is read from the database once and not with every look.
type stories struct {
	queue *queue.Queue
	mu    sync.Mutex
	held  map[uuid.UUID]*story
}

// mostStories bounds what is kept. A story takes some 100 kB.
const mostStories = 200

func (s *stories) get(id uuid.UUID) *story {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.held[id]; st != nil {
		return st
	}
	for old := range s.held {
		if len(s.held) < mostStories {
			break
		}
		delete(s.held, old) // any: the next look reads it anew
	}
	st := &story{}
	s.held[id] = st
	return st
}

// read returns the state that the whole log of a task tells, and the number of its last event. The state is the caller's own. A run
// that began again from nothing has a new generation.
func (s *stories) read(ctx context.Context, id uuid.UUID, generation int32) (run.State, int64, error) {
	st := s.get(id)
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.generation != generation {
		st.state, st.seq, st.generation = run.State{}, 0, generation
	}
	err := s.queue.Log(ctx, id, st.seq, func(e event.Event) {
		st.state.Apply(e)
		st.seq = e.Seq
	})
	return st.state.Clone(), st.seq, err
}
