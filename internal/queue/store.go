package queue

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"planexe/internal/event"
	"planexe/internal/rundir"
)

// Store is the place of a run that a worker makes: a run directory whose files and events are in
// the database too. Write, Remove and the events that have been paid for return when the database
// has them; everything reaches it in order. Nothing is written there once the task was lost:
// ErrLost. While the database is away those calls wait.
type Store struct {
	*rundir.Dir
	q       *Queue
	lease   Lease
	log     *slog.Logger
	maxSize int
	tooBig  func(name string, size int)

	ctx    context.Context // of the uploads; its cause is what ended them
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when the uploader has ended

	mu        sync.Mutex
	queued    []item
	last      int64         // number of the last item ever queued
	committed int64         // number of the last item in the database
	changed   chan struct{} // closed and made anew at each commit
	more      chan struct{} // has room for one: there are items
	gate      chan struct{} // closed while calls may start
	open      bool
	diskErr   error // of the first write that failed here
}

// item is something that has to reach the database: an event, a file, or the removal of one.
type item struct {
	event  *event.Event
	name   string
	data   []byte
	remove bool
}

func (i item) size() int { return len(i.data) + 512 }

// Bounds of one transaction.
const (
	mostItems = 500
	mostBytes = 4 << 20
)

// StoreOptions of a Store.
type StoreOptions struct {
	Base        string                      // directory that holds the run directories
	MaxArtifact int                         // bytes; larger files stay on this disk only. Default 64 MiB
	TooBig      func(name string, size int) // is told of them; nil is nobody
	Log         *slog.Logger
}

// OpenStore opens the run directory of a claimed task, brings it and the database to the same
// state, and starts sending what is made in it. Close has to be called.
func (q *Queue) OpenStore(ctx context.Context, l Lease, o StoreOptions) (*Store, error) {
	d, h, mine, err := q.place(ctx, l, o.Base)
	if err != nil {
		return nil, err
	}
	s := &Store{
		Dir: d, q: q, lease: l, log: cmp.Or(o.Log, slog.Default()), maxSize: cmp.Or(o.MaxArtifact, 64<<20), tooBig: o.TooBig,
		done: make(chan struct{}), changed: make(chan struct{}), more: make(chan struct{}, 1), gate: make(chan struct{}),
	}
	s.Resume()
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	d.Watch(func(e event.Event) { s.put(item{event: &e}) })
	if mine {
		err = s.catchUp(h)
	}
	go s.upload()
	if err == nil {
		err = s.wait(s.tail())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("send what the run directory has: %w", err), s.Close())
	}
	return s, nil
}

// catchUp sends what the directory has and the database has not.
func (s *Store) catchUp(h held) error {
	// Events first: they say which of the files are steps' and which a person's.
	if err := s.Dir.Replay(func(e event.Event) {
		if e.Seq > h.seq {
			s.put(item{event: &e})
		}
	}); err != nil {
		return err
	}
	names, err := s.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == rundir.LogName {
			continue
		}
		data, err := s.Read(name)
		if err != nil {
			return err
		}
		if !bytes.Equal(h.files[name], sum(data)) {
			s.putFile(name, data)
		}
		delete(h.files, name)
	}
	for name := range h.files {
		s.put(item{name: name, remove: true})
	}
	return nil
}

// Write stores an artifact here and in the database.
func (s *Store) Write(name string, data []byte) error {
	if err := s.alive(); err != nil {
		return err
	}
	if err := s.disk(s.Dir.Write(name, data)); err != nil {
		return err
	}
	return s.wait(s.putFile(name, data))
}

// Remove deletes an artifact here and in the database.
func (s *Store) Remove(name string) error {
	if err := s.alive(); err != nil {
		return err
	}
	if err := s.disk(s.Dir.Remove(name)); err != nil {
		return err
	}
	return s.wait(s.put(item{name: name, remove: true}))
}

// Append adds events here, and waits for the database if one of them is durable. The start of a call waits
// while Pause is in force.
func (s *Store) Append(data ...event.Data) error {
	if err := s.alive(); err != nil {
		return err
	}
	durable := false
	for _, d := range data {
		_, is := d.(event.Durable)
		durable = durable || is
		if _, starts := d.(event.CallStarted); starts {
			if err := s.pass(); err != nil {
				return err
			}
		}
	}
	if err := s.disk(s.Dir.Append(data...)); err != nil || !durable {
		return err
	}
	return s.wait(s.tail())
}

// disk remembers that this machine's disk failed the run, which is no model's fault.
func (s *Store) disk(err error) error {
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.diskErr == nil {
			s.diskErr = err
		}
	}
	return err
}

// DiskError returns the first failure of a write to the directory, nil when there was none.
func (s *Store) DiskError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.diskErr
}

// Lost tells whether the task was taken away.
func (s *Store) Lost() bool { return errors.Is(context.Cause(s.ctx), ErrLost) }

// Pause keeps new calls from starting: the lease may be over soon, and another worker would ask
// the same again. Those under way end, and their answers are kept.
func (s *Store) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		s.open, s.gate = false, make(chan struct{})
	}
}

// Resume ends a Pause.
func (s *Store) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open {
		s.open = true
		close(s.gate)
	}
}

func (s *Store) pass() error {
	s.mu.Lock()
	gate := s.gate
	s.mu.Unlock()
	select {
	case <-gate:
		return nil
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// Abandon ends the sending; calls that wait return the cause. What was not sent stays in the
// directory, for the next attempt on this disk.
func (s *Store) Abandon(cause error) { s.cancel(cause) }

// Close ends the sending, which Flush has waited for, and closes the directory.
func (s *Store) Close() error {
	s.cancel(errClosed)
	<-s.done
	return s.Dir.Close()
}

var errClosed = errors.New("the run directory is closed")

// Flush waits until everything is in the database.
func (s *Store) Flush() error { return s.wait(s.tail()) }

func (s *Store) alive() error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return nil
}

func (s *Store) putFile(name string, data []byte) int64 {
	if len(data) > s.maxSize {
		if s.tooBig != nil {
			s.tooBig(name, len(data))
		}
		// An older version of it would be taken for the present one.
		return s.put(item{name: name, remove: true})
	}
	return s.put(item{name: name, data: bytes.Clone(nonNil(data))})
}

func (s *Store) put(i item) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queued = append(s.queued, i)
	s.last++
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.last
}

func (s *Store) tail() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// wait returns when the item of this number is in the database.
func (s *Store) wait(number int64) error {
	for {
		s.mu.Lock()
		done, changed := s.committed >= number, s.changed
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
	}
}
