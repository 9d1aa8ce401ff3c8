package run

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/event"
)

// Ensure that first requests and all others are counted apart, and that the costliest step stands first.
func TestCalls(t *testing.T) {
	t.Parallel()
	var c Calls
	for _, d := range []event.Data{
		event.CallStarted{Step: "a"},
		event.CallAttempt{Step: "a", Number: 1, Usage: event.Usage{Prompt: 10, Completion: 1}},
		event.CallAttempt{Step: "b", Number: 1, Usage: event.Usage{Prompt: 30, Completion: 2}},
		event.CallAttempt{Step: "b", Label: "x", Number: 1, Usage: event.Usage{Prompt: 40}},
		event.CallAttempt{Step: "b", Label: "x", Number: 2, Class: "rate"},
		event.CallAttempt{Step: "b", Label: "x", Number: 3, Usage: event.Usage{Prompt: 50, Completion: 4}},
	} {
		c.Apply(event.Event{Data: d})
	}
	want := []CallCount{{"b", 2, 70, 2, 50, 6}, {"a", 1, 10, 0, 0, 1}}
	if diff := cmp.Diff(want, c.Steps()); diff != "" {
		t.Error(diff)
	}
	if got, want := c.Total(), (CallCount{"all", 3, 80, 2, 50, 7}); got != want {
		t.Errorf("in all %+v, want %+v", got, want)
	}
}
