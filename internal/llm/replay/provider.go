package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"planexe/internal/llm"
)

// slots is how many recorded answers can be on their way at once; the run has its own limit.
const slots = 256

// Entries returns the models of the recording, first tried first. They cost nothing, need no
// network, and all give the recording's answers. Each answer takes as long as it took then, times
// pace; 0 gives them at once. Answers are checked anew, so the quality notes are those of today's
// rules.
func (r *Recording) Entries(pace float64) []*llm.Entry {
	p := &provider{pace: pace, byKey: map[string]*Call{}, byName: map[name]*Call{}}
	for i := range r.Calls {
		c := &r.Calls[i]
		p.byKey[c.Key], p.byName[name{c.Step, c.Label}] = c, c
	}
	var entries []*llm.Entry
	for _, id := range r.Models {
		entries = append(entries, &llm.Entry{
			ID: id, Class: "Replay", Model: id, Host: "recording", Account: "recording", Local: true, Demo: r.Demo,
			Timeout: time.Minute, Slots: slots, Provider: p,
		})
	}
	return entries
}

type name struct{ step, label string }

// provider answers from a recording. A question is found by its key, else by its name: a prompt
// that is worded otherwise than it was still has its answer.
type provider struct {
	pace   float64
	byKey  map[string]*Call
	byName map[name]*Call
}

// Send gives the recorded answer, or the recorded failure.
func (p *provider) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	c := p.byKey[r.Key]
	if c == nil || c.Step != r.Step {
		c = p.byName[name{r.Step, r.Label}]
	}
	if c == nil {
		asked := Call{Step: r.Step, Label: r.Label}
		return llm.Response{}, &llm.Error{
			Class: llm.ClassBadRequest, EndsCall: true,
			Message: fmt.Sprintf("the recording has no answer for %s: it ended before, or was made by another version", asked.what()),
			Advice:  "resume the run without --replay, to have a model answer what is missing",
		}
	}
	wait := time.NewTimer(time.Duration(float64(c.Took) * p.pace))
	defer wait.Stop()
	select {
	case <-ctx.Done():
	case <-wait.C:
	}
	if ctx.Err() != nil {
		return llm.Response{}, &llm.Error{Class: llm.ClassCancelled, Message: "stopped", Err: context.Cause(ctx)}
	}
	if c.Failure != "" {
		return llm.Response{}, &llm.Error{Class: c.Failure, EndsCall: true, Message: c.Message}
	}
	text := string(c.Answer)
	if r.Schema == nil {
		var free string
		if err := json.Unmarshal(c.Answer, &free); err == nil {
			text = llm.StartMarkdown + "\n" + free + "\n" + llm.EndMarkdown
		}
	}
	usage := c.Usage
	usage.Estimated = true // of several requests together: it says nothing of an output cap
	return llm.Response{
		Text: text, Finish: llm.FinishStop, Form: "recording", Usage: usage, Cost: new(float64),
		Recorded: &llm.Source{Model: c.Model, Class: c.Class, Entry: c.Entry, Demo: c.Demo},
	}, nil
}

// Check finds nothing to complain about.
func (p *provider) Check(context.Context) error { return nil }

// StepDown has no simpler form to go to.
func (p *provider) StepDown() bool { return false }

// Window is not limited.
func (p *provider) Window() int { return 0 }
