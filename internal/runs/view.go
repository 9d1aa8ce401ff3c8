package runs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"planexe/internal/event"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

// View is a run as its whole log tells it.
type View struct {
	State run.State
	Asked event.RunQueued // what the last execution was asked for; zero when no service started it
	Seq   int64           // number of the last event that is in State
}

// viewed is a view with the state on disk that it was made of. Nobody changes it.
type viewed struct {
	View
	records *pipeline.Records
	mark    mark
}

// mostViews bounds the views that are kept of runs that are not live.
const mostViews = 64

// View returns the view of a run, live or not. Of a directory without a log it is zero. The state
// is the caller's own.
func (m *Manager) View(id string) (View, error) {
	m.mu.Lock()
	l := m.live[id]
	m.mu.Unlock()
	if l != nil {
		return l.view(), nil
	}
	return m.o.Library.view(id)
}

func (l *live) view() View {
	l.mu.Lock()
	defer l.mu.Unlock()
	return View{State: l.fold.state.Clone(), Asked: l.asked, Seq: int64(l.fold.events)}
}

func (l *Library) view(id string) (View, error) {
	v, err := l.viewed(id)
	if err != nil {
		return View{}, err
	}
	own := v.View
	own.State = own.State.Clone()
	return own, nil
}

// viewed reads the log of a run that is not live, unless it is as it was. The parts of a page are asked for together:
// the first one reads, the others get the same.
func (l *Library) viewed(id string) (viewed, error) {
	path, err := l.Find(id)
	if err != nil {
		return viewed{}, err
	}
	now := markOf(path)
	l.mu.Lock()
	v, ok := l.views[id]
	l.mu.Unlock()
	if ok && v.mark == now {
		return v, nil
	}
	read, err, _ := l.viewing.Do(fmt.Sprint(id, now), func() (any, error) {
		var f fold
		records := &pipeline.Records{}
		if err := replay(path, func(e event.Event) { f.apply(e); records.Apply(e) }); err != nil {
			return nil, err
		}
		v := viewed{View{State: f.state, Asked: f.asked, Seq: int64(f.events)}, records, now}
		l.keepView(id, v)
		return v, nil
	})
	if err != nil {
		return viewed{}, err
	}
	return read.(viewed), nil
}

func (l *Library) keepView(id string, v viewed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for old := range l.views {
		if len(l.views) < mostViews {
			break
		}
		delete(l.views, old) // any: the next look makes it anew
	}
	l.views[id] = v
}

// Events tells a run that is not live to the end, from the event after a number on. tell returns
// false to stop it.
func (l *Library) Events(id string, after int64, tell func(Line) bool) error {
	path, err := l.Find(id)
	if err != nil {
		return err
	}
	more := true
	return replay(path, func(e event.Event) {
		if more && e.Seq > after {
			more = tell(told(e))
		}
	})
}

func replay(path string, f func(event.Event)) error {
	d, err := rundir.OpenRead(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Outline(f)
}

// Names lists what is directly in a run directory, sub-directories included, in plain string
// order; the hidden folder is left out.
func (l *Library) Names(id string) ([]fs.DirEntry, error) {
	path, err := l.Find(id)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("list the files of run %s: %w", id, cause(err))
	}
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == rundir.Hidden }), nil
}

// Complete tells whether the mark of completion is in a run directory.
func (l *Library) Complete(id string) bool {
	path, err := l.Find(id)
	if err != nil {
		return false
	}
	_, err = os.Lstat(filepath.Join(path, plan.Complete.Name))
	return err == nil
}

// Prompt returns the person's own words of a run.
func (l *Library) Prompt(id string) (string, error) {
	path, err := l.Find(id)
	if err != nil {
		return "", err
	}
	d, err := rundir.OpenRead(path)
	if err != nil {
		return "", err
	}
	defer d.Close()
	text, err := d.Read(plan.Prompt.Name)
	return PromptOf(string(text)), err
}
