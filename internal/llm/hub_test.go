package llm_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
)

// TestPauseHoldsForAll: a rate limit that one call meets keeps the calls of all runs away.
func TestPauseHoldsForAll(t *testing.T) {
	virtual(t, func(t *testing.T) {
		hub := llm.NewHub()
		s := &script{replies: []any{limited(10 * time.Second)}, latency: time.Millisecond}
		e := entry("a", s)
		e.Slots = 2
		began := time.Now()
		var wg sync.WaitGroup
		var benches []*bench
		for range 2 {
			b := newBench(hub, llm.Options{Entries: []*llm.Entry{e}})
			benches = append(benches, b)
			for _, label := range []string{"a", "b", "c"} {
				wg.Go(func() {
					if _, err := b.ask(t.Context(), label); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		early := 0
		for _, at := range s.at {
			if d := at.Sub(began); d > time.Millisecond && d < 10*time.Second {
				t.Errorf("a request after %s", d)
			} else if d <= time.Millisecond {
				early++
			}
		}
		if early > 3 { // two slots, and what the first free one let through at the same instant
			t.Errorf("%d requests before the pause", early)
		}
		for i, b := range benches {
			if n := len(of[event.Notice](b)); n != 1 {
				t.Errorf("run %d was told %d times, want once", i, n)
			}
		}
	})
}

// TestLongRateLimit: over a minute it is another entry's turn; the only entry is waited for, but
// not for longer than a call may take.
func TestLongRateLimit(t *testing.T) {
	virtual(t, func(t *testing.T) {
		first, second := &script{replies: []any{limited(2 * time.Minute)}}, &script{}
		a, b := entry("a", first), entry("b", second)
		hub := llm.NewHub()
		run := newBench(hub, llm.Options{Entries: []*llm.Entry{a, b}})
		began := time.Now()
		for _, label := range []string{"one", "two"} {
			if _, err := run.ask(t.Context(), label); err != nil {
				t.Fatal(err)
			}
		}
		if time.Since(began) != 0 || first.sent() != 1 || second.sent() != 2 {
			t.Errorf("%s, %d and %d requests, want the other entry at once", time.Since(began), first.sent(), second.sent())
		}
		alone := newBench(hub, llm.Options{Entries: []*llm.Entry{a}})
		if _, err := alone.ask(t.Context(), "three"); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d < 2*time.Minute || d > 150*time.Second {
			t.Errorf("the only entry was asked after %s", d)
		}
		hour := &script{exhausted: limited(time.Hour)}
		alone = newBench(hub, llm.Options{Entries: []*llm.Entry{entry("hour", hour)}})
		for _, label := range []string{"four", "five"} { // the second one never sends anything
			_, err := alone.ask(t.Context(), label)
			var le *llm.Error
			if !errors.As(err, &le) || le.Class != llm.ClassRate || le.EndsRun || !le.Reason().CanRetry {
				t.Errorf("error %v, want class rate", err)
			}
		}
		if hour.sent() != 1 {
			t.Errorf("%d requests, want 1", hour.sent())
		}
	})
}

// TestBreaker: after five failures in a row the other entry is used; one probe finds out whether
// the host is back.
func TestBreaker(t *testing.T) {
	virtual(t, func(t *testing.T) {
		first, second := &script{exhausted: fail(llm.ClassNetwork)}, &script{}
		a, b := entry("a", first), entry("b", second)
		hub := llm.NewHub()
		run := newBench(hub, llm.Options{Entries: []*llm.Entry{a, b}})
		ask := func(label string) {
			t.Helper()
			if _, err := run.ask(t.Context(), label); err != nil {
				t.Fatal(err)
			}
		}
		ask("one") // three failures
		ask("two") // two more: open
		if first.sent() != 5 || second.sent() != 2 {
			t.Fatalf("%d and %d requests, want 5 and 2", first.sent(), second.sent())
		}
		opened := time.Now()
		ask("three")
		if first.sent() != 5 {
			t.Error("asked while the breaker was open")
		}
		if n := of[event.Notice](run); len(n) != 1 || !strings.Contains(n[0].Message, "a.example does not answer since") {
			t.Errorf("told %+v", n)
		}
		// Half open: one of several calls is the probe; the others do not wait for it.
		time.Sleep(30*time.Second - time.Since(opened))
		first.latency = time.Second
		var wg sync.WaitGroup
		for _, label := range []string{"4", "5", "6"} {
			wg.Go(func() { ask(label) })
		}
		wg.Wait()
		if first.sent() != 6 || second.sent() != 6 {
			t.Errorf("%d and %d requests, want one probe", first.sent()-5, second.sent()-3)
		}
		// The probe failed: a minute now, and a run with this entry only waits for it.
		first.exhausted = nil
		alone := newBench(hub, llm.Options{Entries: []*llm.Entry{a}})
		began := time.Now()
		if _, err := alone.ask(t.Context(), "7"); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d < 50*time.Second || d > 90*time.Second {
			t.Errorf("asked again after %s, want about a minute", d)
		}
		ask("8")
		if second.sent() != 6 {
			t.Error("the breaker did not close")
		}
	})
}

// TestCancelledProbe lets another call be the probe.
func TestCancelledProbe(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := &script{exhausted: fail(llm.ClassNetwork)}
		e := entry("a", s)
		e.Retries = 5
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{e}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = b.ask(ctx, "one")
		}()
		for s.sent() < 5 {
			time.Sleep(time.Second)
		}
		s.mu.Lock()
		s.replies = []any{func(ctx context.Context, _ llm.Request) any { <-ctx.Done(); return ctx.Err() }}
		s.exhausted = nil
		s.mu.Unlock()
		for s.sent() < 6 {
			time.Sleep(time.Second)
		}
		cancel()
		<-done
		began := time.Now()
		if _, err := b.ask(t.Context(), "two"); err != nil || time.Since(began) > 2*time.Second {
			t.Errorf("%v after %s, want an answer at once", err, time.Since(began))
		}
	})
}

// TestBreakerCountsNoStragglers: requests that were under way when it opened do not open it wider.
func TestBreakerCountsNoStragglers(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := &script{latency: time.Second}
		for range 8 {
			s.replies = append(s.replies, fail(llm.ClassServer))
		}
		e := entry("a", s)
		e.Slots = 8
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{e}})
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if _, err := b.ask(t.Context(), string(rune('a'+i))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if d := s.at[8].Sub(began); d < 30*time.Second || d > 40*time.Second {
			t.Errorf("the probe came after %s, want about 30 s", d)
		}
		if len(of[event.Notice](b)) != 1 {
			t.Errorf("told %+v, want one notice", of[event.Notice](b))
		}
	})
}

// TestBadAnswersKeepTheBreakerClosed: they show that the host is there.
func TestBadAnswersKeepTheBreakerClosed(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := &script{}
		for range 4 {
			s.replies = append(s.replies, fail(llm.ClassServer), fail(llm.ClassServer), "no JSON")
		}
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s)}})
		if _, err := b.ask(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if n := of[event.Notice](b); len(n) != 0 {
			t.Errorf("told %+v, want nothing", n)
		}
	})
}

// TestPreflight: entries are checked side by side, once for all runs that start within a minute.
func TestPreflight(t *testing.T) {
	virtual(t, func(t *testing.T) {
		unknown := &script{check: func(context.Context) error {
			time.Sleep(time.Second)
			return &llm.Error{Class: llm.ClassModelUnknown, Message: "no model x", Advice: "correct model"}
		}}
		slow := &script{check: func(ctx context.Context) error {
			<-ctx.Done()
			return &llm.Error{Class: llm.ClassNetwork, Message: "too slow"}
		}}
		bad := entry("bad", &script{})
		bad.Problem = &llm.Error{Class: llm.ClassConfig, Message: "no key"}
		a, b := entry("a", unknown), entry("b", slow)
		hub := llm.NewHub()
		began := time.Now()
		gone, leave := context.WithCancel(t.Context())
		go func() { _ = newBench(hub, llm.Options{Entries: []*llm.Entry{a, b}}).Preflight(gone) }()
		synctest.Wait()
		leave() // the first of them gives up; the others get their result all the same
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				run := newBench(hub, llm.Options{Entries: []*llm.Entry{a, bad, b}})
				if err := run.Preflight(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := run.ask(t.Context(), ""); err != nil {
					t.Error(err)
				}
				if n := of[event.Notice](run); len(n) != 2 || !strings.Contains(n[0].Message, "no model x") {
					t.Errorf("told %+v, want both entries that are out", n)
				}
			})
		}
		wg.Wait()
		if d := time.Since(began); d != 5*time.Second || unknown.checks != 1 || slow.checks != 1 || unknown.sent() != 0 {
			t.Errorf("%s, %d and %d checks, %d requests", d, unknown.checks, slow.checks, unknown.sent())
		}
		err := newBench(hub, llm.Options{Entries: []*llm.Entry{a, bad}}).Preflight(t.Context())
		var none *llm.NoModelError
		if !errors.As(err, &none) || !strings.Contains(err.Error(), "a: no model x (correct model)") || !strings.Contains(err.Error(), "bad: no key") {
			t.Errorf("error %v, want the reason of each entry", err)
		}
		time.Sleep(time.Minute)
		_ = newBench(hub, llm.Options{Entries: []*llm.Entry{a}}).Preflight(t.Context())
		if unknown.checks != 2 {
			t.Errorf("%d checks, want a second one after a minute", unknown.checks)
		}
	})
}

// TestBudget: the requests under way count as estimated, and the run ends before the limit is
// passed by more than they cost.
func TestBudget(t *testing.T) {
	virtual(t, func(t *testing.T) {
		cost := 0.10
		s := &script{latency: time.Second, exhausted: llm.Response{Text: good, Finish: llm.FinishStop, Cost: &cost}}
		e := entry("a", s)
		e.Slots = 16
		e.Price = &llm.Price{Output: 0.10 / 1500 * 1e6} // what is estimated is what it costs
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{e}, MaxCost: 0.55, Concurrency: 8})
		if err := b.Preflight(t.Context()); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		refused := make(chan error, 10)
		for i := range 10 {
			wg.Go(func() {
				if _, err := b.ask(t.Context(), string(rune('a'+i))); err != nil {
					refused <- err
				}
			})
		}
		wg.Wait()
		close(refused)
		if s.sent() != 6 || len(refused) != 4 {
			t.Errorf("%d requests and %d refusals, want 6 and 4", s.sent(), len(refused))
		}
		for err := range refused {
			le, _ := err.(*llm.Error)
			if outcome, ends := le.Ending(); le.Class != llm.ClassBudget || !ends || outcome != event.Budget {
				t.Errorf("error %v, want the run to end", err)
			}
		}
		// A resumed run knows what was spent.
		journal := &llm.Journal{}
		for _, x := range b.log {
			journal.Apply(x)
		}
		again := newBench(nil, llm.Options{Entries: []*llm.Entry{e}, MaxCost: 0.55, Journal: journal})
		if _, err := again.ask(t.Context(), "new"); llm.ClassOf(err) != llm.ClassBudget {
			t.Errorf("error %v, want class budget", err)
		}
	})
}

// TestUnknownPrice: where costs cannot be known, no limit can be kept.
func TestUnknownPrice(t *testing.T) {
	virtual(t, func(t *testing.T) {
		priceless := func(id, class string) (*llm.Entry, *script) {
			s := &script{exhausted: llm.Response{Text: good, Finish: llm.FinishStop}}
			e := entry(id, s)
			e.Class, e.Price = class, nil
			return e, s
		}
		like, _ := priceless("like", "OpenAILike")
		router, _ := priceless("router", "OpenRouter")
		home, local := priceless("home", "Ollama")
		home.Local = true
		if err := newBench(nil, llm.Options{Entries: []*llm.Entry{like}, MaxCost: 1}).Preflight(t.Context()); err == nil ||
			!strings.Contains(err.Error(), "price") {
			t.Errorf("error %v, want that the price is missing", err)
		}
		if err := newBench(nil, llm.Options{Entries: []*llm.Entry{like}}).Preflight(t.Context()); err != nil {
			t.Errorf("without a limit: %v", err)
		}
		// OpenRouter tells what a request costs. When it does not, it is not asked again.
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{router, home}, MaxCost: 1})
		if err := b.Preflight(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, label := range []string{"one", "two"} {
			if _, err := b.ask(t.Context(), label); err != nil {
				t.Fatal(err)
			}
		}
		a := of[event.CallAttempt](b)
		if local.sent() != 1 || a[0].Cost != nil || a[1].Cost == nil || *a[1].Cost != 0 {
			t.Errorf("attempts %+v, want the first of unknown cost, the second free of charge", a)
		}
	})
}

// TestCostOfFailures: what a broken answer has cost counts; a refusal costs nothing; the rest is
// unknown and never 0.
func TestCostOfFailures(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := &script{replies: []any{cut("{"), &llm.Error{Class: llm.ClassServer, Status: 503}, fail(llm.ClassNetwork)}}
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s)}})
		if _, err := b.ask(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		a := of[event.CallAttempt](b)
		if a[0].Cost == nil || *a[0].Cost != (100*1.0+1000*10.0)/1e6 || a[1].Cost == nil || *a[1].Cost != 0 || a[2].Cost != nil {
			t.Errorf("costs %v, %v, %v", a[0].Cost, a[1].Cost, a[2].Cost)
		}
	})
}
