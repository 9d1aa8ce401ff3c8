package replay

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
)

type risks struct {
	Worst string `json:"worst" words:"3"`
}

func client(r *Recording, pace float64, log llm.Log) *llm.Client {
	return llm.NewHub().NewClient(llm.Options{Entries: r.Entries(pace), Concurrency: 4, Log: log})
}

func question(label, prompt string) llm.Question[risks] {
	return llm.Question[risks]{
		Step: "risks", Label: label, Messages: []llm.Message{{Role: llm.User, Content: prompt}}, Fields: map[string]string{"worst": "the worst risk"},
	}
}

func recorded(label, answer string) *Recording {
	return &Recording{Header: Header{Models: []string{"a", "b"}}, Calls: []Call{{
		Step: "risks", Label: label, Key: "k", Entry: "b", Model: "big", Class: "OpenAI", Took: time.Minute, Answer: json.RawMessage(answer),
		Usage: event.Usage{Prompt: 10, Completion: 20},
	}}}
}

// Ensure that an answer is found by name when the prompt has changed, with who gave it, at no cost
// and without a second request.
func TestReplayAnswer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"good": `{"worst":"fire"}`, "with a gap": `{"worst":"fire and flood and war"}`} {
		var attempts []event.CallAttempt
		got, err := llm.Generate(t.Context(), client(recorded("1", answer), 0, func(data ...event.Data) error {
			for _, d := range data {
				if a, ok := d.(event.CallAttempt); ok {
					attempts = append(attempts, a)
				}
			}
			return nil
		}), question("1", "What can go wrong?"))
		if err != nil || got.Content != answer || got.Source != (llm.Source{Model: "big", Class: "OpenAI", Entry: "b"}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if len(attempts) != 1 || *attempts[0].Cost != 0 || attempts[0].Entry != "b" || attempts[0].Usage.Completion != 20 {
			t.Errorf("%s: %+v", name, attempts)
		}
	}
}

// Ensure that free text comes back as it was.
func TestReplayText(t *testing.T) {
	t.Parallel()
	got, err := llm.Generate(t.Context(), client(recorded("", `"# Pitch\n\nBuy it."`), 0, nil), llm.Question[llm.Markdown]{
		Step: "risks", Messages: []llm.Message{{Role: llm.User, Content: "Sell it."}},
	})
	if err != nil || got.Value != "# Pitch\n\nBuy it." {
		t.Errorf("%+v, %v", got, err)
	}
}

// Ensure that a call without a usable answer fails at once, in virtual time, with words that name
// it.
func TestReplayFails(t *testing.T) {
	t.Parallel()
	missing := recorded("2", `{"worst":"fire"}`)
	old := recorded("1", `{"best":"fire"}`)
	failure := recorded("1", "")
	failure.Calls[0].Failure, failure.Calls[0].Message = llm.ClassContext, "no model answered the question of risks (1): too long"
	tests := map[string]struct {
		rec   *Recording
		class llm.Class
		want  string
		takes time.Duration
	}{
		"missing":  {missing, llm.ClassBadRequest, "the recording has no answer for risks (1): it ended before, or was made by another version", 0},
		"unfit":    {old, llm.ClassInvalid, "the recorded answer to the question of risks (1) cannot be used: the answer is an object with \"best\"; wanted one JSON object with \"worst\"", time.Minute},
		"recorded": {failure, llm.ClassContext, "no model answered the question of risks (1): too long", time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := llm.Generate(t.Context(), client(tt.rec, 1, nil), question("1", "?"))
				if llm.ClassOf(err) != tt.class || err.Error() != tt.want {
					t.Errorf("got %v: %v", llm.ClassOf(err), err)
				}
				if took := time.Since(began); took != tt.takes {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// Ensure that answers take their recorded time, scaled, and that a stop does not wait for it.
func TestReplayPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := recorded("", `{"worst":"fire"}`).Entries(0.5)[0].Provider
		ask := llm.Request{Key: "k", Step: "risks", Schema: schema.For[risks]()}
		began := time.Now()
		if _, err := p.Send(t.Context(), ask); err != nil || time.Since(began) != 30*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := p.Send(ctx, ask)
		if llm.ClassOf(err) != llm.ClassCancelled || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 31*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// Ensure that the span counts waits between steps, serial questions inside one, and the limit.
func TestSpan(t *testing.T) {
	t.Parallel()
	call := func(step string, began, ended, took int) Call {
		s := time.Second
		return Call{Step: step, Began: time.Duration(began) * s, Ended: time.Duration(ended) * s, Took: time.Duration(took) * s}
	}
	fan := []Call{call("a", 0, 9, 3), call("a", 0, 8, 3), call("a", 0, 7, 3)}
	tests := map[string]struct {
		calls []Call
		limit int
		want  int
	}{
		"nothing":              {nil, 1, 0},
		"side by side":         {fan, 8, 3},
		"one at a time":        {fan, 1, 9},
		"two at a time":        {fan, 2, 6},
		"a chat":               {[]Call{call("a", 0, 3, 3), call("a", 3, 5, 2)}, 8, 5},
		"steps that wait":      {[]Call{call("a", 0, 3, 3), call("b", 0, 2, 2)}, 8, 5},
		"through a step":       {[]Call{call("a", 0, 3, 3), call("d", 0, 2, 2)}, 8, 5},
		"steps that do not":    {[]Call{call("b", 0, 3, 3), call("c", 0, 2, 2)}, 8, 3},
		"the long chain leads": {[]Call{call("c", 0, 4, 4), call("a", 0, 3, 3), call("b", 0, 3, 3)}, 1, 10},
		"an unknown step":      {[]Call{call("z", 0, 4, 4)}, 8, 0},
	}
	steps := []event.PlannedStep{{Name: "a"}, {Name: "b", Needs: []string{"a", "no such"}}, {Name: "c"}, {Name: "d", Needs: []string{"b"}}}
	for name, tt := range tests {
		r := &Recording{Calls: tt.calls}
		if got := r.Span(steps, tt.limit); got != time.Duration(tt.want)*time.Second {
			t.Errorf("%s: %s, want %d s", name, got, tt.want)
		}
	}
}
