package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"planexe/internal/event"
	"planexe/internal/rundir"
)

// Recover resumes the runs that a service was executing when it ended, oldest first. Those that
// came with a key of their own wait for it. It returns how many were resumed.
func (m *Manager) Recover() (int, error) {
	all, _, err := m.o.Library.List(Filter{States: []State{Interrupted}})
	if err != nil {
		return 0, err
	}
	slices.Reverse(all)
	n := 0
	for _, s := range all {
		asked, ok := m.unfinished(s.ID)
		if !ok {
			continue
		}
		switch err := m.Resume(s.ID, asked, ""); {
		case errors.Is(err, ErrBusy), errors.Is(err, ErrClosing):
			return n, err
		case err != nil:
			m.o.Log.Warn("a run could not be resumed", "run_id", s.ID, "error", err)
		default:
			n++
		}
	}
	return n, nil
}

// unfinished returns what a service was asked for in a run that it has not ended.
func (m *Manager) unfinished(id string) (event.RunQueued, bool) {
	path, err := m.o.Library.Find(id)
	if err != nil {
		return event.RunQueued{}, false
	}
	d, err := rundir.OpenRead(path)
	if err != nil {
		return event.RunQueued{}, false
	}
	defer d.Close()
	var f fold
	if err := d.Outline(f.apply); err != nil {
		return event.RunQueued{}, false
	}
	asked := f.asked
	if !f.queued {
		asked.From = "" // the log has it since the run started, and asking again would pay again
	}
	return asked, asked.Model != "" && !asked.OwnKey && (f.open || f.state.Outcome == event.Interrupted)
}

// Close interrupts all runs and waits until they have ended or ctx is over. They go on at the next
// Recover.
func (m *Manager) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closing = true
	waiting := slices.Clone(m.waiting)
	for _, l := range m.live {
		l.interrupt(errClosing)
	}
	m.mu.Unlock()
	for _, l := range waiting {
		m.leave(l)
	}
	done := make(chan struct{})
	go func() { m.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("runs did not end in time: %w", ctx.Err())
	}
}
