package runs

import (
	"context"
	"strings"
	"sync"
	"time"

	"planexe/internal/event"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

// live is a run that waits for its turn or executes.
type live struct {
	id    string
	asked event.RunQueued
	key   string // in memory only
	trace string // where the request stood that began it
	dir   *rundir.Dir
	feed  *Feed
	base  Summary // as it was when the run was taken up
	words string

	mu       sync.Mutex
	fold     fold
	files    map[string]bool // declared ones that are there
	started  bool
	stopping bool
	cancel   context.CancelCauseFunc // nil while it waits
}

// open reads what the log tells so far and follows it from then on.
func (l *live) open() error {
	l.feed, l.files = newFeed(), map[string]bool{}
	err := l.dir.Replay(func(e event.Event) {
		l.fold.apply(e)
		l.feed.add(e)
	})
	if err != nil {
		return err
	}
	names, err := l.dir.Names()
	if err != nil {
		return err
	}
	e := l.fold.entry(l.id, l.dir)
	l.base, l.words = e.Summary, e.words
	declared := map[string]bool{}
	for _, n := range plan.Expected() {
		declared[n] = true
	}
	for _, n := range names {
		l.files[n] = declared[n]
	}
	l.dir.Watch(func(e event.Event) {
		l.mu.Lock()
		l.fold.apply(e)
		switch d := e.Data.(type) {
		case event.ArtifactWritten:
			l.files[d.Name] = declared[d.Name]
		case event.ArtifactRemoved:
			delete(l.files, d.Name)
		}
		l.mu.Unlock()
		l.feed.add(e)
	})
	return nil
}

func (l *live) start(cancel context.CancelCauseFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started, l.cancel = true, cancel
	if l.stopping { // it was asked to stop in the very moment of its turn
		cancel(run.ErrStop)
	}
}

func (l *live) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopping = true
	if l.cancel != nil {
		l.cancel(run.ErrStop)
	}
}

func (l *live) interrupt(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		l.cancel(cause)
	}
}

func (l *live) isStopping() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopping
}

// snapshot copies the state so that it can be read while the run goes on.
func (l *live) snapshot() run.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fold.state.Clone()
}

// summary is the run as it stands now.
func (l *live) summary() Summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.base
	st := &l.fold.state
	s.EndedAt, s.Reason, s.Progress = time.Time{}, event.Reason{}, 0
	s.Usage, s.Cost, s.Model = st.Usage, st.Cost, l.asked.Model
	s.Speed = strings.TrimSuffix(l.asked.Speed, "+serial_review")
	s.Files = 0
	for _, declared := range l.files {
		if declared {
			s.Files++
		}
	}
	s.HasReport = has(l.files, plan.Report.Name)
	switch {
	case l.stopping:
		s.State = Stopping
	case !l.started:
		s.State = Waiting
		return s
	default:
		s.State = Running
	}
	s.Progress = st.Progress()
	if !st.Began.IsZero() {
		s.Seconds = time.Since(st.Began).Seconds()
	}
	return s
}

func has(set map[string]bool, name string) bool {
	_, ok := set[name]
	return ok
}
