package runs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"planexe/internal/event"
	"planexe/internal/run"
	"planexe/internal/rundir"
	"planexe/internal/trace"
)

// Options of a manager.
type Options struct {
	Library *Library
	// Plan makes what a request means now: models, limits, graph. It is called when the run gets its
	// turn. key is the caller's own provider key, "" when there is none.
	Plan       func(ctx context.Context, asked event.RunQueued, key string) (run.Spec, error)
	MaxRuns    int             // at once, default 8
	MaxWaiting int             // behind them, default 100
	Log        *slog.Logger    // of the service, default slog.Default
	LogLevel   slog.Level      // of the runs' log.txt
	Secrets    func() []string // what no log may show, asked when a run begins; nil is nothing
	Activity   bool            // also write track_activity.jsonl
	Relay      io.Writer       // gets the lines of all log.txt too; nil is nobody
	Trace      *trace.Tracer   // nil traces nothing
}

// Manager executes runs in this process, a bounded number at once, the rest in the order of
// asking. A panic in one of them ends that one only.
type Manager struct {
	o  Options
	wg sync.WaitGroup

	mu      sync.Mutex
	closing bool
	live    map[string]*live
	waiting []*live
	running int
	ended   []ended // of this process, newest last

	inspections inspections
}

type ended struct {
	id   string
	code *int
	stop bool
}

// remembered bounds the endings that a manager remembers.
const remembered = 1000

// errClosing is the cause by which runs are interrupted when the service ends.
var errClosing = errors.New("the service was shut down")

// NewManager returns a manager. Close has to be called.
func NewManager(o Options) *Manager {
	o.MaxRuns, o.MaxWaiting = cmp.Or(o.MaxRuns, 8), cmp.Or(o.MaxWaiting, 100)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Manager{o: o, live: map[string]*live{}}
}

// patience is how long Submit looks for a free second to name a run by.
const patience = 5 * time.Second

// Submit makes a new run and starts it. It returns as soon as the run is on disk.
func (m *Manager) Submit(ctx context.Context, prompt string, uuid bool, asked event.RunQueued, key string) (id string, err error) {
	if err := m.room(); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		now := time.Now()
		id, dir, err := m.create(now, uuid)
		if err == nil {
			if err = run.Begin(dir, prompt, now); err != nil {
				dir.Close()
			} else {
				err = m.begin(&live{id: id, asked: asked, key: key, dir: dir, trace: m.o.Trace.Carry(ctx)})
			}
			if err != nil {
				_ = os.RemoveAll(dir.Path()) // nobody was told of it
			}
			return id, err
		}
		var locked *rundir.LockedError
		var foreign *rundir.ForeignError
		if !errors.As(err, &locked) && !errors.As(err, &foreign) {
			return "", err
		}
		select { // ids are seconds: wait for the next one
		case <-time.After(now.Truncate(time.Second).Add(time.Second).Sub(now)):
		case <-ctx.Done():
			return id, ErrExists
		}
	}
}

func (m *Manager) create(now time.Time, uuid bool) (string, *rundir.Dir, error) {
	id := NewID(now, uuid)
	path, err := m.o.Library.Path(id)
	if err != nil {
		return "", nil, err
	}
	dir, err := rundir.Create(path)
	return id, dir, err
}

// room tells whether one more run can be taken.
func (m *Manager) room() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closing:
		return ErrClosing
	case m.running >= m.o.MaxRuns && len(m.waiting) >= m.o.MaxWaiting:
		return ErrBusy
	}
	return nil
}

// Resume starts an existing run: what is done is kept.
func (m *Manager) Resume(id string, asked event.RunQueued, key string) error {
	if err := m.room(); err != nil {
		return err
	}
	path, err := m.o.Library.Find(id)
	if err != nil {
		return err
	}
	if !rundir.IsRun(path) {
		return ErrNotFound
	}
	dir, err := rundir.Open(path)
	var locked *rundir.LockedError
	switch {
	case errors.As(err, &locked):
		return ErrActive
	case err != nil:
		return err
	}
	return m.begin(&live{id: id, asked: asked, key: key, dir: dir})
}

// begin puts a run in line. It owns the directory, whatever it returns.
func (m *Manager) begin(l *live) error {
	l.asked.OwnKey = l.key != ""
	if err := l.open(); err != nil {
		l.dir.Close()
		return err
	}
	m.mu.Lock()
	if m.closing {
		m.mu.Unlock()
		l.dir.Close()
		return ErrClosing
	}
	m.live[l.id] = l
	m.waiting = append(m.waiting, l)
	m.mu.Unlock()
	m.o.Library.put(entry{Summary: l.base, words: l.words, live: l.summary})
	// The lock of the directory has kept every other start away: what is asked for goes into the log.
	if err := l.dir.Append(l.asked); err != nil {
		m.leave(l)
		return err
	}
	m.dispatch()
	return nil
}

// dispatch gives free places to those who wait.
func (m *Manager) dispatch() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for !m.closing && m.running < m.o.MaxRuns && len(m.waiting) > 0 {
		l := m.waiting[0]
		m.waiting = m.waiting[1:]
		m.running++
		ctx, cancel := context.WithCancelCause(context.Background())
		l.start(cancel)
		m.wg.Go(func() {
			defer cancel(nil)
			end, err := m.execute(ctx, l)
			m.finish(ctx, l, end, err)
		})
	}
}

// execute runs a plan to its end.
func (m *Manager) execute(ctx context.Context, l *live) (end run.End, err error) {
	defer func() {
		if p := recover(); p != nil {
			m.o.Log.Error("panic in a run", "run_id", l.id, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	text, err := l.dir.OpenLog()
	if err != nil {
		return end, err
	}
	defer text.Close()
	var lines io.Writer = text
	if m.o.Relay != nil {
		lines = io.MultiWriter(text, &prefixed{m.o.Relay, l.id})
	}
	var secrets []string
	if m.o.Secrets != nil {
		secrets = m.o.Secrets()
	}
	if l.key != "" {
		secrets = append(slices.Clone(secrets), l.key)
	}
	l.dir.Watch(run.LogTo(lines, m.o.LogLevel, secrets))
	if watch, over := m.o.Trace.Run(m.o.Trace.Carried(context.Background(), l.trace), l.id); watch != nil {
		l.dir.Watch(watch)
		defer over()
	}
	spec, err := m.o.Plan(ctx, l.asked, l.key)
	if err != nil {
		return end, err
	}
	end, err = run.Execute(ctx, l.id, l.dir, spec)
	if err == nil && m.o.Activity {
		err = run.WriteActivity(l.dir)
	}
	return end, err
}

// prefixed writes whole lines with the id of their run in front.
type prefixed struct {
	w  io.Writer
	id string
}

func (p *prefixed) Write(line []byte) (int, error) {
	_, _ = fmt.Fprintf(p.w, "%s %s", p.id, line) // a relay that is gone must not end a plan
	return len(line), nil
}

// finish tells the end of a run that could not even begin, and frees its place.
func (m *Manager) finish(ctx context.Context, l *live, end run.End, err error) {
	switch {
	case err == nil:
	case errors.Is(context.Cause(ctx), run.ErrStop):
		end.Outcome = event.Stopped
		err = m.tellStop(l)
	case errors.Is(context.Cause(ctx), errClosing):
		end.Outcome, err = event.Interrupted, nil // the log still says what was asked for, and Recover asks it again
	default:
		end.Outcome, end.Reason = event.Failed, reasonOf(err)
		err = l.dir.Append(event.RunEnded{Outcome: end.Outcome, Reason: end.Reason})
	}
	if err != nil { // the disk is full or gone
		m.o.Log.Error("the end of a run cannot be written", "run_id", l.id, "error", err)
	}
	m.o.Log.Info("run ended", "run_id", l.id, "outcome", end.Outcome, "reason", end.Reason.Message)
	m.mu.Lock()
	m.running--
	m.mu.Unlock()
	m.remember(l, end.Outcome)
	m.leave(l)
	m.dispatch()
}

// remember keeps how a run ended for Ended.
func (m *Manager) remember(l *live, o event.Outcome) {
	e := ended{id: l.id, stop: l.isStopping()}
	switch code := run.ExitCode(o); o {
	case event.Interrupted:
	case event.Stopped:
		code = -15 // as a child ended by the signal would have it
		e.code = &code
	default:
		e.code = &code
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = slices.DeleteFunc(m.ended, func(x ended) bool { return x.id == l.id })
	m.ended = append(m.ended, e)
	if n := len(m.ended) - remembered; n > 0 {
		m.ended = slices.Delete(m.ended, 0, n)
	}
}

// leave takes a run out of the live ones.
func (m *Manager) leave(l *live) {
	m.mu.Lock()
	m.waiting = slices.DeleteFunc(m.waiting, func(w *live) bool { return w == l })
	m.mu.Unlock()
	// While the directory is locked nobody can take the run up again: from here on the disk tells.
	m.o.Library.forget(l.id)
	if err := l.dir.Close(); err != nil {
		m.o.Log.Warn("a run directory could not be closed", "run_id", l.id, "error", err)
	}
	m.mu.Lock()
	if m.live[l.id] == l {
		delete(m.live, l.id)
	}
	m.mu.Unlock()
	l.feed.end()
}

// reasonOf says to people why a run could not begin.
func reasonOf(err error) event.Reason {
	var x interface{ Reason() event.Reason }
	if errors.As(err, &x) {
		return x.Reason()
	}
	return event.Reason{Class: "config", Message: err.Error(), CanRetry: true, Advice: "correct it, then resume the run"}
}

// Stop ends a live run, or one that waits, for good: it does not go on by itself. The bool tells
// whether it was live. ErrNotFound is a run that this process has never had.
func (m *Manager) Stop(id string) (bool, error) {
	m.mu.Lock()
	l := m.live[id]
	known := l != nil || slices.ContainsFunc(m.ended, func(e ended) bool { return e.id == id })
	waits := slices.Index(m.waiting, l)
	if l != nil && waits >= 0 {
		m.waiting = slices.Delete(m.waiting, waits, waits+1)
	}
	m.mu.Unlock()
	switch {
	case !known:
		return false, ErrNotFound
	case l == nil:
		return false, nil
	case waits < 0:
		l.stop()
		return true, nil
	}
	l.stop()
	err := m.tellStop(l)
	m.remember(l, event.Stopped)
	m.leave(l)
	return true, err
}

// tellStop writes what package run writes when a run is stopped that it executes.
func (m *Manager) tellStop(l *live) error {
	reason := event.Reason{Class: "stopped", Message: run.ErrStop.Error(), CanRetry: true, Advice: "resume the run to go on"}
	return errors.Join(l.dir.Write(rundir.StopName, nil), l.dir.Append(event.RunEnded{Outcome: event.Stopped, Reason: reason}))
}

// Live is what is told of a run that this process executes or has executed.
type Live struct {
	Known   bool // this process has had the run
	Active  bool
	Stop    bool // a stop was asked for
	Code    *int // exit status; nil while active and after an interruption
	Waiting int  // how many are in front of it, 0 when it is running
}

// Live tells how a run stands in this process.
func (m *Manager) Live(id string) Live {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.live[id]; l != nil {
		return Live{Known: true, Active: true, Stop: l.isStopping(), Waiting: slices.Index(m.waiting, l) + 1}
	}
	if i := slices.IndexFunc(m.ended, func(e ended) bool { return e.id == id }); i >= 0 {
		return Live{Known: true, Stop: m.ended[i].stop, Code: m.ended[i].code}
	}
	return Live{}
}

// State returns the present state of a live run.
func (m *Manager) State(id string) (run.State, bool) {
	m.mu.Lock()
	l := m.live[id]
	m.mu.Unlock()
	if l == nil {
		return run.State{}, false
	}
	return l.snapshot(), true
}

// Counts returns how many runs execute and how many wait.
func (m *Manager) Counts() (running, waiting int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.running, len(m.waiting)
}

// Feed returns the events of a live run, nil when it is not live.
func (m *Manager) Feed(id string) *Feed {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.live[id]; l != nil {
		return l.feed
	}
	return nil
}
