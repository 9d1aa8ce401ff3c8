package llm_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
)

// TestOneFault: what one bad answer costs, and what the next request looks like.
func TestOneFault(t *testing.T) {
	t.Parallel()
	larger := func(t *testing.T, s *script, _ *bench) {
		if first, second := s.requests[0], s.requests[1]; second.MaxTokens != 2*first.MaxTokens || len(second.Messages) != len(first.Messages) {
			t.Errorf("caps %d, %d with %d messages, want the same question with twice the cap", first.MaxTokens, second.MaxTokens, len(second.Messages))
		}
	}
	shows := func(parts ...string) func(*testing.T, *script, *bench) {
		return func(t *testing.T, s *script, _ *bench) {
			m := s.requests[1].Messages
			if len(m) != 4 || m[2].Role != llm.Assistant || m[3].Role != llm.User {
				t.Fatalf("the second request has the turns %v, want the wrong answer and what is wrong with it", m)
			}
			for _, p := range parts {
				if !strings.Contains(m[3].Content, p) {
					t.Errorf("the complaint lacks %q:\n%s", p, m[3].Content)
				}
			}
		}
	}
	hides := func(t *testing.T, s *script, _ *bench) {
		if m := s.requests[1].Messages; len(m) != 2 || m[1].Content == s.requests[0].Messages[1].Content {
			t.Errorf("the second request has the turns %v, want the question with a hint", m)
		}
	}
	repaired := func(t *testing.T, _ *script, b *bench) {
		if a := of[event.CallAttempt](b)[0]; len(a.Repairs) == 0 {
			t.Error("the log names no repair")
		}
	}
	after := func(least, most time.Duration) func(*testing.T, *script, *bench) {
		return func(t *testing.T, s *script, _ *bench) {
			if d := s.at[1].Sub(s.at[0]); d < least || d > most {
				t.Errorf("asked again after %s, want %s to %s", d, least, most)
			}
		}
	}
	slowly := func(d time.Duration, err error) any {
		return func(context.Context, llm.Request) any {
			time.Sleep(d)
			if err != nil {
				return err
			}
			return good
		}
	}
	for name, c := range map[string]struct {
		fault any
		class string // of the first request
		sent  int
		check func(*testing.T, *script, *bench)
	}{
		"empty at the cap":     {llm.Response{Finish: llm.FinishLength}, "empty", 2, larger},
		"thinking only":        {llm.Response{ReasoningOnly: true, Finish: llm.FinishStop}, "empty", 2, larger},
		"empty":                {llm.Response{Finish: llm.FinishStop}, "empty", 2, hides},
		"truncated":            {cut(good[:70]), "truncated", 2, larger},
		"stub":                 {good[:20], "truncated", 2, larger},
		"tokens at the cap":    {llm.Response{Text: "{", Finish: llm.FinishStop, Usage: event.Usage{Completion: 1000}}, "truncated", 2, larger},
		"comma missing":        {strings.Replace(good, `"Bakery",`, `"Bakery"`, 1), "ok", 1, repaired},
		"colon missing":        {strings.Replace(good, `"title":`, `"title"`, 1), "ok", 1, repaired},
		"beyond repair":        {strings.Replace(good, `"title": "Bakery"`, `"title": Bakery`, 1), "invalid", 2, shows("line 1, column")},
		"prose":                {"Would you like to know more?", "invalid", 2, shows("JSON object only")},
		"inner":                {`{"name": "flour"}`, "invalid", 2, shows("part of the object")},
		"missing":              {strings.Replace(good, `"level": "high", `, "", 1), "invalid", 2, shows("level")},
		"echo":                 {`{"type": "object", "properties": {"title": {"type": "string"}}}`, "invalid", 2, hides},
		"enum far off":         {strings.Replace(good, "high", "somewhat", 1), "invalid", 2, shows("somewhat", "medium")},
		"control":              {strings.Replace(good, "Bakery", "Bak\nery", 1), "ok", 1, repaired},
		"fenced":               {"Here it is:\n```json\n" + good + "\n```\nAnything else?", "ok", 1, repaired},
		"enum in other case":   {strings.Replace(good, "high", "High", 1), "ok", 1, repaired},
		"after thinking":       {"<think>{\"title\": 1}</think>" + good, "ok", 1, repaired},
		"short, hard":          {strings.Replace(good, `, {"name": "rent"}`, "", 1), "invalid", 2, shows("risks", "2")},
		"long, hard":           {strings.Replace(good, `{"name": "rent"}`, `{"name": "a"}, {"name": "b"}, {"name": "c"}`, 1), "invalid", 2, shows("risks")},
		"short, soft":          {strings.Replace(good, `, {"text": "sell"}`, "", 1), "content", 2, shows("tips")},
		"rate":                 {limited(time.Second), "rate", 2, after(time.Second, 1250*time.Millisecond)},
		"rate without a time":  {limited(0), "rate", 2, after(1500*time.Millisecond, 3200*time.Millisecond)},
		"server":               {fail(llm.ClassServer), "server", 2, after(750*time.Millisecond, 1250*time.Millisecond)},
		"network":              {fail(llm.ClassNetwork), "network", 2, after(750*time.Millisecond, 1250*time.Millisecond)},
		"server with a time":   {&llm.Error{Class: llm.ClassServer, RetryAfter: 7 * time.Second}, "server", 2, after(7*time.Second, 7*time.Second)},
		"server, a long time":  {&llm.Error{Class: llm.ClassServer, RetryAfter: 90 * time.Second}, "server", 2, after(90*time.Second, 113*time.Second)},
		"timeout":              {slowly(time.Minute, fail(llm.ClassTimeout)), "timeout", 2, func(t *testing.T, s *script, _ *bench) { twice(t, s) }},
		"stall":                {slowly(90*time.Second, fail(llm.ClassStall)), "stall", 2, after(90*time.Second, 90*time.Second)},
		"slow but steady":      {slowly(14*time.Minute, nil), "ok", 1, nil},
		"learned how to ask":   {&llm.Error{Class: llm.ClassAdapted, Message: "without response_format"}, "adapted", 2, after(0, 0)},
		"cap beyond the model": {&llm.Error{Class: llm.ClassAdapted, MaxTokens: 700}, "adapted", 2, func(t *testing.T, s *script, _ *bench) { capIs(t, s, 700) }},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := &script{replies: []any{c.fault}}
				b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s)}})
				got, err := b.ask(t.Context(), "")
				if err != nil {
					t.Fatal(err)
				}
				if got.Value.Level != "high" || len(got.Value.Risks) != 2 {
					t.Errorf("accepted %+v", got.Value)
				}
				if n := s.sent(); n != c.sent {
					t.Fatalf("%d requests, want %d: %v", n, c.sent, b.classes())
				}
				if classes := b.classes(); classes[0] != c.class || c.sent == 2 && classes[1] != "ok" {
					t.Errorf("classes %v, want %s first", classes, c.class)
				}
				if n := len(of[event.Quality](b)); n != 0 {
					t.Errorf("%d quality notes, want none", n)
				}
				if c.check != nil {
					c.check(t, s, b)
				}
			})
		})
	}
}

func twice(t *testing.T, s *script) {
	t.Helper()
	if a, b := s.requests[0].FirstByte, s.requests[1].FirstByte; b != 2*a {
		t.Errorf("limits %s, %s until the first byte, want twice as long", a, b)
	}
}

func capIs(t *testing.T, s *script, want int) {
	t.Helper()
	if got := s.requests[1].MaxTokens; got != want {
		t.Errorf("cap %d, want %d", got, want)
	}
}

// TestSoftGapIsKept: after the re-asks the answer with the fewest gaps counts, and they are noted.
func TestSoftGapIsKept(t *testing.T) {
	virtual(t, func(t *testing.T) {
		gap := strings.Replace(good, `, {"text": "sell"}`, "", 1)
		wordy := strings.Replace(gap, `"tips": [`, `"tips": [{"text": "x"},{"text": "x"},{"text": "x"},`, 1)
		s := &script{replies: []any{gap, "no JSON at all", wordy}}
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s), entry("b", s)}})
		got, err := b.ask(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if s.sent() != 3 || len(got.Value.Tips) != 1 {
			t.Errorf("%d requests, kept %v, want 3 and the first one", s.sent(), got.Value.Tips)
		}
		notes := of[event.Quality](b)
		if len(notes) != 1 || notes[0].Path != "tips" || notes[0].Step != "study" {
			t.Errorf("notes %+v, want one about tips", notes)
		}
	})
}

// TestHardCheck: a rule of the type's own check that is not soft is never broken.
func TestHardCheck(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := &script{exhausted: strings.Replace(good, "Bakery", "Brewery", 1)}
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s)}})
		q := question("")
		q.Check = func(v *study) []schema.Problem {
			if v.Title == "Bakery" {
				return nil
			}
			return []schema.Problem{{Path: "title", Found: v.Title, Want: "Bakery"}}
		}
		if got, err := llm.Generate(t.Context(), b.Client, q); llm.ClassOf(err) != llm.ClassInvalid {
			t.Errorf("got %+v, %v, want class invalid", got.Value, err)
		}
	})
}

// TestAlwaysInvalid: a call ends after 16 requests, and its error tells of each.
func TestAlwaysInvalid(t *testing.T) {
	virtual(t, func(t *testing.T) {
		one, two := &script{exhausted: "no"}, &script{exhausted: "no"}
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", one), entry("b", two)}})
		_, err := b.ask(t.Context(), "")
		var le *llm.Error
		if le, _ = err.(*llm.Error); le == nil || le.Class != llm.ClassInvalid || le.EndsRun {
			t.Fatalf("error %v, want class invalid, which does not end the run", err)
		}
		if n := one.sent() + two.sent(); n != 16 || one.sent() < 6 || two.sent() < 6 {
			t.Errorf("%d and %d requests, want 16 over both", one.sent(), two.sent())
		}
		if len(le.Attempts) != 16 || strings.Count(err.Error(), "\n") != 16 {
			t.Errorf("the error tells of %d attempts:\n%v", len(le.Attempts), err)
		}
		if n := len(of[event.CallFailed](b)); n != 1 {
			t.Errorf("%d events say that the call failed, want 1", n)
		}
		// Each entry gets the question as it was, without the talk about the other's answer.
		if m := two.requests[0].Messages; len(m) != 2 || m[1].Content != "Study this " {
			t.Errorf("the second entry was asked %v", m)
		}
	})
}

// TestRateIsNotCounted: 16 requests and five waits for a rate limit on top.
func TestRateIsNotCounted(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := &script{exhausted: "no"}
		for range 5 {
			s.replies = append(s.replies, limited(time.Second))
		}
		e := entry("a", s)
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{e, entry("b", &script{exhausted: "no"})}})
		_, err := b.ask(t.Context(), "")
		if n := len(b.classes()); n != 16+5 {
			t.Errorf("%d requests, want 16 and 5 that met the rate limit: %v", n, err)
		}
	})
}

// TestStepDown: two unreadable answers in a row to a schema lead to a simpler form; readable ones
// that are wrong do not.
func TestStepDown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		replies []any
		left    int
	}{
		"prose and empty":   {[]any{"no", llm.Response{Finish: llm.FinishStop}}, 0},
		"one is readable":   {[]any{"no", `{"name": "flour"}`, "no"}, 1},
		"broken rules only": {[]any{`{"name": "flour"}`, `{"name": "flour"}`}, 1},
		"cut":               {[]any{cut("{"), cut("{")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := &script{replies: c.replies, forms: 1}
				b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s)}})
				if _, err := b.ask(t.Context(), ""); err != nil {
					t.Fatal(err)
				}
				if s.forms != c.left {
					t.Errorf("%d simpler forms left, want %d", s.forms, c.left)
				}
			})
		})
	}
}

// TestNextEntry: classes that no second try on the same entry can help.
func TestNextEntry(t *testing.T) {
	t.Parallel()
	for class, out := range map[llm.Class]bool{
		llm.ClassAuth: true, llm.ClassCredit: true, llm.ClassModelUnknown: true, llm.ClassConfig: true,
		llm.ClassBadRequest: false, llm.ClassModelRefused: false, llm.ClassContext: false,
	} {
		t.Run(string(class), func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				first, second := &script{replies: []any{fail(class)}}, &script{}
				b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", first), entry("b", second)}})
				for _, label := range []string{"one", "two"} {
					if _, err := b.ask(t.Context(), label); err != nil {
						t.Fatal(err)
					}
				}
				want := 2
				if out {
					want = 1
				}
				if first.sent() != want || second.sent() != 3-want {
					t.Errorf("%d and %d requests, want %d and %d", first.sent(), second.sent(), want, 3-want)
				}
				told := slices.ContainsFunc(of[event.Notice](b), func(n event.Notice) bool { return strings.Contains(n.Message, "model a is not used") })
				if told != out {
					t.Errorf("told that the entry is out: %t, want %t", told, out)
				}
			})
		})
	}
}

// TestNoKeyWorks: when the last key is refused the run ends, and calls that waited for a slot send
// nothing.
func TestNoKeyWorks(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := &script{exhausted: fail(llm.ClassAuth), latency: time.Second}
		e, same := entry("a", s), entry("b", s)
		e.Slots, same.Account = 1, e.Account
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{e, same}})
		errs := make(chan error, 5)
		for i := range 5 {
			go func() {
				_, err := b.ask(t.Context(), string(rune('a'+i)))
				errs <- err
			}()
		}
		for range 5 {
			err := <-errs
			if le, ok := err.(*llm.Error); !ok || le.Class != llm.ClassAuth || !le.EndsRun {
				t.Errorf("error %v, want class auth, which ends the run", err)
			}
		}
		if s.sent() != 1 {
			t.Errorf("%d requests, want 1", s.sent())
		}
	})
}

// TestContext: a prompt that is too long goes to an entry with more room, and to no other.
func TestContext(t *testing.T) {
	virtual(t, func(t *testing.T) {
		unknown, small, large := &script{replies: []any{fail(llm.ClassContext)}}, &script{window: 10}, &script{window: 10000}
		entries := []*llm.Entry{entry("unknown", unknown), entry("small", small), entry("large", large)}
		b := newBench(nil, llm.Options{Entries: entries})
		if _, err := b.ask(t.Context(), strings.Repeat("long ", 100)); err != nil {
			t.Fatal(err)
		}
		if small.sent() != 0 || large.sent() != 1 {
			t.Errorf("%d and %d requests, want none to the small one", small.sent(), large.sent())
		}
		b = newBench(nil, llm.Options{Entries: entries[1:2]})
		began := time.Now()
		if _, err := b.ask(t.Context(), strings.Repeat("long ", 100)); llm.ClassOf(err) != llm.ClassContext {
			t.Errorf("error %v, want class context", err)
		}
		if d := time.Since(began); d != 0 || small.sent() != 0 {
			t.Errorf("known after %s and %d requests, want at once", d, small.sent())
		}
		// A wrong answer that leaves no room for itself is not shown.
		s := &script{window: 150, replies: []any{strings.Repeat("prose ", 200)}}
		b = newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s)}})
		if _, err := b.ask(t.Context(), ""); err != nil || len(s.requests[1].Messages) != 2 {
			t.Errorf("error %v, second request %v", err, s.requests)
		}
	})
}

// TestPanicFreesTheSlot: a bug in a provider costs the call, not the account.
func TestPanicFreesTheSlot(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := &script{replies: []any{struct{}{}}}
		e := entry("a", s)
		e.Slots = 1
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{e}})
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_, _ = b.ask(t.Context(), "")
		}()
		if _, err := b.ask(t.Context(), ""); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}
