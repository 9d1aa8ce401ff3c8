package run_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/run"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	for o, want := range map[event.Outcome]int{
		event.Complete: 0, event.Failed: 1, event.Stopped: 3, event.Partial: 4, event.Refused: 5, event.Budget: 6, event.Interrupted: 143, "": 1, "other": 1,
	} {
		if got := run.ExitCode(o); got != want {
			t.Errorf("%q: %d, want %d", o, got, want)
		}
	}
}

func fold(events ...event.Data) *run.State {
	s := &run.State{}
	for i, d := range events {
		s.Apply(event.Event{Seq: int64(i + 1), Time: time.Unix(int64(i), 0), Data: d})
	}
	return s
}

var planned = event.RunStarted{Run: "r", Concurrency: 2, Steps: []event.PlannedStep{{Name: "a", Calls: 4, Tail: 5}, {Name: "b", Tail: 3}, {Name: "c", Calls: 2, Tail: 2}}}

func TestProgress(t *testing.T) {
	t.Parallel()
	answered := func(step, key string) event.Data { return event.CallAnswered{Step: step, Key: key} }
	for name, c := range map[string]struct {
		events []event.Data
		want   float64
	}{
		"empty log":       {nil, 0},
		"started":         {[]event.Data{planned}, 0},
		"half of a step":  {[]event.Data{planned, event.StepStarted{Step: "a"}, answered("a", "1"), answered("a", "2")}, 2.05 / 6.3},
		"reuse counts":    {[]event.Data{planned, event.StepStarted{Step: "a"}, event.CallReused{Step: "a", Key: "1"}, answered("a", "2")}, 2.05 / 6.3},
		"more than meant": {[]event.Data{planned, event.StepStarted{Step: "c"}, answered("c", "1"), answered("c", "2"), answered("c", "3")}, 0.9 * 2.1 / 6.3},
		"done":            {[]event.Data{planned, event.StepStarted{Step: "c"}, answered("c", "1"), event.StepDone{Step: "c"}}, 2.1 / 6.3},
		"every ending":    {[]event.Data{planned, event.StepKept{Step: "a"}, event.StepFailed{Step: "b"}, event.StepSkipped{Step: "c"}}, 1},
		"a new execution": {[]event.Data{planned, event.StepDone{Step: "a"}, event.RunEnded{Outcome: event.Stopped}, planned}, 0},
	} {
		if got := fold(c.events...).Progress(); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// The models a plan is made of are those whose answers its present outputs hold, whichever
// execution they come from.
func TestModels(t *testing.T) {
	t.Parallel()
	begin := func(step string) event.Data { return event.StepStarted{Step: step} }
	answer := func(step, key, entry string) event.Data {
		return event.CallAnswered{Step: step, Key: key, Entry: entry, Demo: entry == "demo"}
	}
	log := []event.Data{
		planned, begin("a"), answer("a", "1", "large"), answer("a", "2", "small"), event.StepDone{Step: "a"}, begin("c"), answer("c", "3", "demo"),
		planned, event.StepKept{Step: "a"}, begin("c"), event.CallReused{Step: "c", Key: "3"}, answer("c", "4", "large"), event.StepDone{Step: "c"},
	}
	s := fold(log...)
	if got := s.Models(); !slices.Equal(got, []string{"large", "small", "demo"}) || !s.Demo() {
		t.Errorf("models %v, demo %v", got, s.Demo())
	}
	s = fold(append(log, planned, begin("c"), answer("c", "5", "small"), event.StepDone{Step: "c"})...)
	if got := s.Models(); !slices.Equal(got, []string{"large", "small"}) || s.Demo() {
		t.Errorf("after another execution: models %v, demo %v", got, s.Demo())
	}
}

// Whatever order a run's events come in, progress only rises, and is 1 when every step has ended.
func TestProgressOnlyRises(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var s run.State
		apply := func(d event.Data) { s.Apply(event.Event{Data: d}) }
		start := event.RunStarted{}
		stories := map[string][]event.Data{}
		for i := range 1 + rng.IntN(8) {
			name := string(rune('a' + i))
			start.Steps = append(start.Steps, event.PlannedStep{Name: name, Calls: rng.IntN(5)})
			story := []event.Data{event.StepStarted{Step: name}}
			for range rng.IntN(8) {
				story = append(story, []event.Data{
					event.CallStarted{Step: name}, event.CallAttempt{Step: name}, event.CallAnswered{Step: name}, event.CallReused{Step: name}, event.CallFailed{Step: name}, event.Quality{Step: name},
				}[rng.IntN(6)])
			}
			story = append(story, []event.Data{event.StepDone{Step: name}, event.StepFailed{Step: name}}[rng.IntN(2)])
			if rng.IntN(3) == 0 {
				story = []event.Data{[]event.Data{event.StepKept{Step: name}, event.StepSkipped{Step: name}}[rng.IntN(2)]}
			}
			stories[name] = story
		}
		apply(start)
		last := s.Progress()
		for len(stories) > 0 {
			name := start.Steps[rng.IntN(len(start.Steps))].Name
			story, ok := stories[name]
			if !ok {
				continue
			}
			apply(story[0])
			if stories[name] = story[1:]; len(story) == 1 {
				delete(stories, name)
			}
			if now := s.Progress(); now < last || now > 1 {
				t.Fatalf("seed %d: progress went from %v to %v", seed, last, now)
			}
			last = s.Progress()
		}
		if ended, all := s.Counts(); ended != all || last < 1-1e-9 {
			t.Errorf("seed %d: %d of %d ended, progress %v", seed, ended, all, last)
		}
	}
}

func TestStateOfCalls(t *testing.T) {
	t.Parallel()
	paid := 0.25
	first := []event.Data{
		planned, event.StepStarted{Step: "a", Why: "never done"}, event.CallStarted{Key: "1", Step: "a"}, event.CallStarted{Key: "2", Step: "a"},
		event.CallAttempt{Key: "1", Step: "a", Number: 1, Class: "invalid", Cost: &paid, Duration: time.Second, Usage: event.Usage{Prompt: 10, Completion: 1}},
		event.CallAttempt{Key: "1", Step: "a", Number: 2, Class: "ok", Cost: &paid, Duration: 3 * time.Second, Usage: event.Usage{Prompt: 11, Estimated: true}},
		event.CallAnswered{Key: "1", Step: "a"},
		event.CallAttempt{Key: "2", Step: "a", Number: 1, Class: "network"},
		event.CallFailed{Key: "2", Step: "a"},
		event.CallStarted{Key: "3", Step: "a"},
		event.Quality{Step: "a", Note: "short"}, event.Quality{Step: "b", Note: "long"},
	}
	s := fold(first...)
	if s.Calls != 1 || s.Requests != 3 || s.Retries != 1 || s.Unpriced != 1 || s.Cost != 0.5 || s.Steps[0].Cost != 0.5 {
		t.Errorf("%+v", s)
	}
	if s.Usage != (event.Usage{Prompt: 21, Completion: 1, Estimated: true}) {
		t.Errorf("usage %+v", s.Usage)
	}
	if _, ok := s.Active["3"]; !ok || len(s.Active) != 1 {
		t.Errorf("active %v", s.Active)
	}
	// Five units of the longest chain, four seconds per answered call.
	if got := s.Left(); got != 20*time.Second {
		t.Errorf("%v left", got)
	}
	// A resume starts anew but for money, tokens and notes; the notes of a step go when it runs again.
	s = fold(append(first, event.RunEnded{Outcome: event.Interrupted}, planned, event.StepStarted{Step: "a"})...)
	if s.Calls+s.Requests+s.Retries+len(s.Active) != 0 || s.Outcome != "" || s.Cost != 0.5 || s.Usage.Prompt != 21 || s.Unpriced != 1 || s.Left() != 0 {
		t.Errorf("after a resume %+v", s)
	}
	if len(s.Quality["a"]) != 0 || len(s.Quality["b"]) != 1 {
		t.Errorf("quality %v", s.Quality)
	}
}

func TestCheckPrompt(t *testing.T) {
	t.Parallel()
	long := string(make([]byte, run.MaxPrompt+1))
	for in, want := range map[string]string{
		"  open a bakery\n": "open a bakery", "\ufeffétage": "étage", "": "", " \n\t": "", "\ufeff ": "", "a\x00b": "", "\xff\xfe": "", long: "",
	} {
		got, err := run.CheckPrompt(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.20q: %q, %v", in, got, err)
		}
	}
}

func TestBegin(t *testing.T) {
	t.Parallel()
	m := newMemory()
	at := time.Date(2026, 1, 3, 23, 30, 5, 999, time.FixedZone("CET", 3600))
	if err := run.Begin(m, "Open a bakery.", at); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"001-1-start_time.json": "{\n  \"server_iso_utc\": \"2026-01-03T22:30:05Z\",\n  \"server_iso_local\": \"2026-01-03T23:30:05+01:00\",\n  \"server_timezone_name\": \"CET\"\n}",
		"001-2-plan.txt":        "Plan:\nOpen a bakery.\n\nToday's date:\n2026-Jan-03\n\nProject start ASAP",
	} {
		if got, err := m.Read(name); err != nil || string(got) != want {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}
