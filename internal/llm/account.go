package llm

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// The breaker of an account opens after this many transport failures in a row, for openFirst at
// first and twice as long after each failed probe.
const (
	openAfter = 5
	openFirst = 30 * time.Second
	openMost  = 5 * time.Minute
	probeTick = time.Second // how often the result of another call's probe is looked for
)

// account is what all runs of a process know about one base URL and key.
type account struct {
	mu sync.Mutex

	pausedUntil time.Time // the provider wants quiet until then
	pausedBy    *Error

	failures  int           // transport failures in a row
	since     time.Time     // of the first of them
	openFor   time.Duration // 0: the breaker is closed
	openUntil time.Time
	openBy    *Error
	probing   bool
}

// wait returns how long nobody may ask and because of what; 0 when asking is allowed.
func (a *account) wait() (time.Duration, *Error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.left()
}

func (a *account) left() (time.Duration, *Error) {
	if d := time.Until(a.pausedUntil); d > 0 {
		return d, a.pausedBy
	}
	if a.openFor == 0 {
		return 0, nil
	}
	if d := time.Until(a.openUntil); d > 0 {
		return d, a.openBy
	}
	if a.probing {
		return probeTick, a.openBy
	}
	return 0, nil
}

// enter admits a caller that has a slot; ok is false when it has to wait after all. With a half
// open breaker the caller is the probe. done must be told what came of an admitted request.
func (a *account) enter() (probe, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if d, _ := a.left(); d > 0 {
		return false, false
	}
	a.probing = a.openFor > 0
	return a.probing, true
}

// pause keeps everybody away for a while. It returns false when that is so already: then the
// answer that led here was on its way before.
func (a *account) pause(d time.Duration, by *Error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := time.Until(a.pausedUntil)
	if d > was {
		a.pausedUntil, a.pausedBy = time.Now().Add(d), by
	}
	return was <= 0
}

// done tells what came of a request. Only transport failures count; every answer, good or bad,
// shows that the host is there. It returns true when the breaker opens.
func (a *account) done(e *Error, probe bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if probe {
		a.probing = false
	}
	switch classOf(e) {
	case ClassCancelled, ClassBudget, ClassInternal:
		return false
	case ClassServer, ClassNetwork, ClassTimeout, ClassStall:
	default:
		a.failures, a.openFor = 0, 0
		return false
	}
	now := time.Now()
	if a.failures == 0 {
		a.since = now
	}
	a.failures++
	if a.openFor > 0 && !probe || a.failures < openAfter {
		return false // requests that were under way when it opened tell nothing new
	}
	if a.openFor *= 2; a.openFor == 0 {
		a.openFor = openFirst
	}
	a.openFor = min(a.openFor, openMost)
	a.openUntil, a.openBy = now.Add(a.openFor), e
	return true
}

// silentSince returns the time of the first of the failures that opened the breaker.
func (a *account) silentSince() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.since
}

// jitter returns d, a quarter more or less at random, so that calls do not come back as one.
func jitter(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()-0.5)/2*float64(d))
}

// sleep waits, or returns early with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
