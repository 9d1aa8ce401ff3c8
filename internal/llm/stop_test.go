package llm_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
)

var errStop = errors.New("a person stopped it")

// TestStop: nothing is sent after a stop, and what was under way ends at once.
func TestStop(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply any
		busy  bool // the only slot is taken
		sent  int
	}{
		"waiting for a retry": {fail(llm.ClassServer), false, 1},
		"waiting for a pause": {limited(30 * time.Second), false, 1},
		"waiting for a slot":  {nil, true, 0},
		"sending": {func(ctx context.Context, _ llm.Request) any {
			<-ctx.Done()
			return &llm.Error{Class: llm.ClassNetwork, Message: "closed"} // whatever the provider makes of it
		}, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				hub := llm.NewHub()
				s := &script{replies: []any{c.reply}}
				e := entry("a", s)
				e.Slots = 1
				b := newBench(hub, llm.Options{Entries: []*llm.Entry{e}})
				if c.busy {
					busy := entry("busy", &script{latency: time.Hour})
					busy.Account, busy.Slots = e.Account, 1
					other := newBench(hub, llm.Options{Entries: []*llm.Entry{busy}})
					otherCtx, cancel := context.WithCancel(t.Context())
					defer cancel()
					go other.ask(otherCtx, "")
					synctest.Wait()
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				done := make(chan error, 1)
				began := time.Now()
				go func() {
					_, err := b.ask(ctx, "")
					done <- err
				}()
				time.Sleep(500 * time.Millisecond)
				synctest.Wait()
				cancel(errStop)
				err := <-done
				if llm.ClassOf(err) != llm.ClassCancelled || !errors.Is(err, errStop) {
					t.Errorf("error %v, want class cancelled with its cause", err)
				}
				if d := time.Since(began); d != 500*time.Millisecond || s.sent() != c.sent {
					t.Errorf("ended after %s and %d requests, want at once and %d", d, s.sent(), c.sent)
				}
				if n := len(of[event.CallFailed](b)); n != 0 {
					t.Error("a stopped call is told to have failed")
				}
				if _, err := b.ask(ctx, "another"); llm.ClassOf(err) != llm.ClassCancelled || s.sent() != c.sent {
					t.Errorf("a question after the stop: %v and %d requests", err, s.sent())
				}
			})
		})
	}
}

// TestStopKeepsTheAnswer: one that was complete when the stop came is paid for.
func TestStopKeepsTheAnswer(t *testing.T) {
	virtual(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &script{replies: []any{func(context.Context, llm.Request) any {
			cancel()
			return good
		}}}
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s)}})
		if _, err := b.ask(ctx, ""); err != nil {
			t.Error(err)
		}
		if n := len(of[event.CallAnswered](b)); n != 1 {
			t.Errorf("%d answers in the log, want 1", n)
		}
	})
}

// TestResume: what the log holds is not asked again, and its gaps are told again.
func TestResume(t *testing.T) {
	virtual(t, func(t *testing.T) {
		gap := `{"title": "Bakery", "level": "high", "risks": [{"name": "flour"}, {"name": "rent"}], "tips": [{"text": "bake"}]}`
		s := &script{exhausted: gap}
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s)}})
		for _, label := range []string{"one", "two"} {
			if _, err := b.ask(t.Context(), label); err != nil {
				t.Fatal(err)
			}
		}
		before := s.sent()
		journal := &llm.Journal{}
		for _, e := range b.log {
			journal.Apply(e)
		}
		again := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s)}, Journal: journal})
		got, err := again.ask(t.Context(), "two")
		if err != nil || s.sent() != before || got.Value.Title != "Bakery" || got.Source.Entry != "a" {
			t.Errorf("got %+v, %v and %d requests", got, err, s.sent()-before)
		}
		notes := of[event.Quality](again)
		if len(notes) != 1 || notes[0].Label != "two" {
			t.Errorf("notes %+v, want that of the second question", notes)
		}
		if len(of[event.CallReused](again)) != 1 || len(of[event.CallStarted](again)) != 0 {
			t.Error("the log does not tell that the answer was there")
		}
		q := question("two")
		q.Generation = 1
		if _, err := llm.Generate(t.Context(), again.Client, q); err != nil || s.sent() == before {
			t.Errorf("%v: a new generation was answered from the log", err)
		}
	})
}

// TestUnwritableLog ends the call and the run, whatever the model says.
func TestUnwritableLog(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := &script{}
		full := errors.New("no space left")
		n := 0
		c := llm.NewHub().NewClient(llm.Options{Entries: []*llm.Entry{entry("a", s)}, Log: func(...event.Data) error {
			if n++; n > 1 {
				return full
			}
			return nil
		}})
		_, err := llm.Generate(t.Context(), c, question(""))
		le, ok := err.(*llm.Error)
		if !ok || le.Class != llm.ClassInternal || !le.EndsRun || !errors.Is(err, full) || s.sent() != 1 {
			t.Errorf("error %v after %d requests", err, s.sent())
		}
	})
}
