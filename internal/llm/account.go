package llm

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// The breaker of an account opens after this many transport failures in a row, for openFirst at
// first and twice as long after each failed probe.
const (
	openAfter = 5
	openFirst = 30 * time.Second
	openMost  = 5 * time.Minute
)

// account is what all runs of a process know about one base URL and key.
type account struct {
	mu          sync.Mutex
	pausedUntil time.Time // rate limit: nobody asks before
	failures    int       // transport failures in a row
	openUntil   time.Time
	openFor     time.Duration
	probing     bool
	since       time.Time // of the first failure in the row
}

// wait returns how long nobody may ask; 0 admits the caller. A caller that is admitted while the
// breaker is half open is its probe: probe is true, and done must be told its result.
func (a *account) wait() (d time.Duration, probe bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if d := a.pausedUntil.Sub(now); d > 0 {
		return d, false
	}
	if a.failures < openAfter {
		return 0, false
	}
	if d := a.openUntil.Sub(now); d > 0 {
		return d, false
	}
	if a.probing {
		return time.Second, false // the probe's result comes soon
	}
	a.probing = true
	return 0, true
}

// pause keeps everybody away until the provider wants to be asked again.
func (a *account) pause(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if until := time.Now().Add(d); until.After(a.pausedUntil) {
		a.pausedUntil = until
	}
}

// done tells what came of a request. Only transport failures count; every answer, good or bad,
// shows that the host is there. It returns a message when the breaker opens.
func (a *account) done(c Class, probe bool, host string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if probe {
		a.probing = false
	}
	switch c {
	case ClassCancelled, ClassBudget, ClassInternal:
		return ""
	case ClassServer, ClassNetwork, ClassTimeout, ClassStall:
	default:
		a.failures, a.openFor = 0, 0
		return ""
	}
	now := time.Now()
	if a.failures == 0 {
		a.since = now
	}
	a.failures++
	if a.failures < openAfter || a.openUntil.After(now) {
		return ""
	}
	if a.openFor == 0 {
		a.openFor = openFirst
	} else {
		a.openFor = min(2*a.openFor, openMost)
	}
	a.openUntil = now.Add(a.openFor)
	return fmt.Sprintf("%s does not answer since %s; asking again in %s", host, a.since.Local().Format(time.TimeOnly), a.openFor)
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
