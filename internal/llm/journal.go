package llm

import (
	"slices"
	"sync"

	"planexe/internal/event"
)

// Journal is the fold of a log that answers asked questions again: accepted answers by call key
// with their gaps, and what was spent. The zero value is an empty log.
type Journal struct {
	mu      sync.Mutex
	answers map[string]kept
	spent   float64
	priced  int          // requests that cost something
	gaps    []event.Data // quality notes that no other event has followed yet
}

// kept is an accepted answer and the gaps that were noted with it.
type kept struct {
	event.CallAnswered
	gaps []event.Data
}

// Apply folds one event in.
func (j *Journal) Apply(e event.Event) {
	gaps := j.gaps
	j.gaps = nil
	switch d := e.Data.(type) {
	case event.Quality:
		j.gaps = append(gaps, d)
	case event.CallAnswered:
		// The notes of an answer stand right before it.
		j.keep(d, slices.DeleteFunc(gaps, func(g event.Data) bool {
			q := g.(event.Quality)
			return q.Step != d.Step || q.Label != d.Label
		}))
	case event.CallAttempt:
		if d.Cost != nil && *d.Cost > 0 {
			j.spent += *d.Cost
			j.priced++
		}
	}
}

func (j *Journal) keep(a event.CallAnswered, gaps []event.Data) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.answers == nil {
		j.answers = map[string]kept{}
	}
	j.answers[a.Key] = kept{a, gaps}
}

func (j *Journal) answer(key string) (kept, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	a, ok := j.answers[key]
	return a, ok
}
