// Package slots limits how many model calls are in flight: per run, and per provider account over
// all runs. A call gets both rights at once or waits holding neither, so a run that waits for a
// busy provider never blocks its own calls to another one, and no two limits can deadlock.
package slots

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// raiseAfter is how many successes win back one slot of a limit that a rate answer halved.
const raiseAfter = 20

// A slot that was given back stays free for a moment when others wait: time for the calls that
// follow the finished one to join the line, for they are the most urgent, and for calls that end
// together to end. The moment is a thirtieth of what the call took, at most maxHandover; calls that
// end meanwhile prolong it, to four moments at most.
const (
	handoverShare = 30
	maxHandover   = 50 * time.Millisecond
)

// Pool holds the limits of one process.
type Pool struct {
	mu       sync.Mutex
	handing  *time.Timer // set while slots that were given back wait for the next dispatch
	handed   time.Time   // when the first of them was given back
	runs     []*Run      // those with waiting calls, in turn order
	accounts map[string]*account
	seq      int64
}

type account struct {
	max, limit, used int
	successes        int // since the last change of limit
}

// Run is one run's share. Its calls are served by priority, highest first; runs take turns.
type Run struct {
	pool    *Pool
	limit   int
	used    int
	waiting []*waiter // highest priority first, oldest first among equals
}

type waiter struct {
	account  *account
	priority int
	seq      int64
	granted  chan struct{}
}

// New returns a pool without accounts; they appear as calls name them.
func New() *Pool { return &Pool{accounts: map[string]*account{}} }

// Run registers a run that may have limit calls in flight, at least 1.
func (p *Pool) Run(limit int) *Run { return &Run{pool: p, limit: max(1, limit)} }

// Acquire waits until the run and the account both have room, and returns what gives the room
// back; calling it again does nothing. limit is the account's configured number of calls in
// flight; the first caller sets it. Priority is the length of the chain of calls that depends on
// this one: the longest goes first.
func (r *Run) Acquire(ctx context.Context, name string, limit, priority int) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := r.pool
	p.mu.Lock()
	a := p.account(name, limit)
	p.seq++
	w := &waiter{account: a, priority: priority, seq: p.seq, granted: make(chan struct{})}
	at, _ := slices.BinarySearchFunc(r.waiting, w, byPriority)
	r.waiting = slices.Insert(r.waiting, at, w)
	if len(r.waiting) == 1 {
		p.runs = append(p.runs, r)
	}
	if p.handing == nil {
		p.dispatch()
	}
	p.mu.Unlock()

	select {
	case <-w.granted:
		began := time.Now()
		return sync.OnceFunc(func() { r.release(a, time.Since(began)) }), nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-w.granted: // lost the race: the slot is ours, give it back
		r.used--
		a.used--
		p.dispatch()
	default:
		r.remove(w)
	}
	return nil, ctx.Err()
}

func byPriority(a, b *waiter) int {
	return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.seq, b.seq))
}

func (r *Run) release(a *account, took time.Duration) {
	p := r.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	r.used--
	a.used--
	moment := min(took/handoverShare, maxHandover)
	switch {
	case p.handing != nil:
		if time.Since(p.handed) < 3*moment {
			p.handing.Reset(moment)
		}
	case len(p.runs) > 0:
		p.handed = time.Now()
		p.handing = time.AfterFunc(moment, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.handing = nil
			p.dispatch()
		})
	}
}

// Slow halves an account's limit: the provider said that it was asked too often.
func (p *Pool) Slow(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.accounts[name]; a != nil {
		a.limit, a.successes = max(1, a.limit/2), 0
	}
}

// Succeeded counts towards winning back what Slow took.
func (p *Pool) Succeeded(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.accounts[name]
	if a == nil || a.limit >= a.max {
		return
	}
	if a.successes++; a.successes >= raiseAfter {
		a.limit, a.successes = a.limit+1, 0
		p.dispatch()
	}
}

func (p *Pool) account(name string, limit int) *account {
	a := p.accounts[name]
	if a == nil {
		a = &account{max: max(1, limit), limit: max(1, limit)}
		p.accounts[name] = a
	}
	return a
}

// dispatch grants every slot that can be granted, one per run and turn.
func (p *Pool) dispatch() {
	for granted := true; granted; {
		granted = false
		for _, r := range slices.Clone(p.runs) {
			if w := r.next(); w != nil {
				r.used++
				w.account.used++
				r.remove(w)
				// Served runs go to the end of the line.
				if i := slices.Index(p.runs, r); i >= 0 {
					p.runs = append(slices.Delete(p.runs, i, i+1), r)
				}
				close(w.granted)
				granted = true
			}
		}
	}
}

// next returns the run's most urgent call whose account has room, or nil.
func (r *Run) next() *waiter {
	if r.used >= r.limit {
		return nil
	}
	for _, w := range r.waiting {
		if w.account.used < w.account.limit {
			return w
		}
	}
	return nil
}

func (r *Run) remove(w *waiter) {
	if i := slices.Index(r.waiting, w); i >= 0 {
		r.waiting = slices.Delete(r.waiting, i, i+1)
	}
	if len(r.waiting) == 0 {
		if i := slices.Index(r.pool.runs, r); i >= 0 {
			r.pool.runs = slices.Delete(r.pool.runs, i, i+1)
		}
	}
}
