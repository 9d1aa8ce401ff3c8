package slots

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Ensure that neither limit is ever exceeded, whoever cancels when, and that nobody is forgotten.
func TestLimitsHoldUnderRandomLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New()
		limits := map[string]int{"a": 3, "b": 1}
		var perAccount sync.Map
		inFlight := func(name string) *atomic.Int64 {
			v, _ := perAccount.LoadOrStore(name, new(atomic.Int64))
			return v.(*atomic.Int64)
		}
		var wg sync.WaitGroup
		for run := range 4 {
			r, mine := p.Run(2), new(atomic.Int64)
			for call := range 50 {
				rng := rand.New(rand.NewPCG(uint64(run), uint64(call)))
				name := []string{"a", "b"}[rng.IntN(2)]
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.IntN(4000))*time.Millisecond)
					defer cancel()
					release, err := r.Acquire(ctx, name, limits[name], rng.IntN(9))
					if err != nil {
						return
					}
					if n := mine.Add(1); n > 2 {
						t.Errorf("run has %d calls in flight, limit 2", n)
					}
					if n := inFlight(name).Add(1); n > int64(limits[name]) {
						t.Errorf("account %s has %d calls in flight, limit %d", name, n, limits[name])
					}
					time.Sleep(time.Duration(rng.IntN(100)) * time.Millisecond)
					mine.Add(-1)
					inFlight(name).Add(-1)
					release()
					release() // twice must be harmless
				})
			}
		}
		wg.Wait()
		if len(p.runs) != 0 {
			t.Errorf("%d runs still in line", len(p.runs))
		}
		for name, a := range p.accounts {
			if a.used != 0 {
				t.Errorf("account %s: %d slots never came back", name, a.used)
			}
		}
	})
}

// Ensure that the longest chain goes first inside a run, and that runs take turns.
func TestOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New()
		big, small := p.Run(8), p.Run(8)
		hold, _ := big.Acquire(t.Context(), "x", 1, 0)
		var order []string
		var wg sync.WaitGroup
		ask := func(r *Run, name string, priority int) {
			wg.Go(func() {
				release, err := r.Acquire(t.Context(), "x", 1, priority)
				if err != nil {
					t.Error(err)
				}
				order = append(order, name) // the single slot serialises this
				release()
			})
			synctest.Wait()
		}
		ask(big, "big5", 5)
		ask(big, "big9", 9)
		ask(big, "big7", 7)
		ask(small, "small1", 1)
		hold()
		wg.Wait()
		want := []string{"big9", "small1", "big7", "big5"}
		for i := range want {
			if order[i] != want[i] {
				t.Fatalf("order %v, want %v", order, want)
			}
		}
	})
}

// Ensure that a run stuck on a busy account can still use another one.
func TestBusyAccountDoesNotBlockTheRun(t *testing.T) {
	t.Parallel()
	p := New()
	other, mine := p.Run(1), p.Run(1)
	hold, _ := other.Acquire(t.Context(), "busy", 1, 0)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := mine.Acquire(ctx, "busy", 1, 9); done <- err }()
	release, err := mine.Acquire(t.Context(), "free", 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	release()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled wait", err)
	}
	hold()
}

// Ensure that a rate answer halves the limit and successes win it back, one by one.
func TestSlowAndRecover(t *testing.T) {
	t.Parallel()
	p := New()
	r := p.Run(9)
	release, _ := r.Acquire(t.Context(), "x", 5, 0)
	release()
	p.Slow("x")
	if got := p.accounts["x"].limit; got != 2 {
		t.Fatalf("limit after one rate answer is %d, want 2", got)
	}
	for range 3 {
		p.Slow("x")
	}
	if got := p.accounts["x"].limit; got != 1 {
		t.Fatalf("limit is %d, want at least and at most 1", got)
	}
	for range 10 * raiseAfter {
		p.Succeeded("x")
	}
	if got := p.accounts["x"].limit; got != 5 {
		t.Errorf("limit after many successes is %d, want the configured 5", got)
	}
}
