// Package demo is the model that needs no key and no network: it fills any schema with text built
// from the user's own words. Equal questions get equal answers. The sentences around those words are
// English whatever the language of the prompt, and none of it is advice: whoever shows it says so.
package demo

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
)

// New returns the demo model. Each answer takes latency; another seed gives other answers.
func New(latency time.Duration, seed int64) llm.Provider {
	return &model{latency: latency, seed: seed}
}

type model struct {
	latency time.Duration
	seed    int64
}

// Send answers with an object that follows r.Schema to the letter, or with Markdown when there is
// none. The only error is *llm.Error of class cancelled.
func (m *model) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	wait := time.NewTimer(m.latency)
	defer wait.Stop()
	select {
	case <-ctx.Done():
	case <-wait.C:
	}
	if ctx.Err() != nil {
		return llm.Response{}, &llm.Error{Class: llm.ClassCancelled, Message: "stopped", Err: context.Cause(ctx)}
	}
	text, err := m.answer(r)
	if err != nil {
		return llm.Response{}, &llm.Error{Class: llm.ClassInternal, Message: "the demo model cannot write its answer", Err: err}
	}
	usage := event.Usage{Completion: (len(text) + 3) / 4, Estimated: true}
	for _, msg := range r.Messages {
		usage.Prompt += (len(msg.Content) + 3) / 4
	}
	return llm.Response{Text: text, Finish: llm.FinishStop, Form: "direct", Usage: usage, Cost: new(float64)}, nil
}

// Check finds nothing to complain about.
func (m *model) Check(context.Context) error { return nil }

// StepDown has no simpler form to go to.
func (m *model) StepDown() bool { return false }

// Window is not limited.
func (m *model) Window() int { return 0 }

func (m *model) answer(r llm.Request) (string, error) {
	rng, err := m.random(r)
	if err != nil {
		return "", err
	}
	w := newWriter(rng, read(r.Messages), r.Messages)
	if r.Schema == nil {
		return freeText(w, r.Messages), nil
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode((&filler{w}).value(r.Schema, place{})); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}

// random depends on the question and the seed, and on nothing else.
func (m *model) random(r llm.Request) (*rand.Rand, error) {
	digest := ""
	if r.Schema != nil {
		digest = r.Schema.Digest()
	}
	question, err := json.Marshal([]any{m.seed, r.Messages, digest})
	if err != nil {
		return nil, fmt.Errorf("encode the question: %w", err)
	}
	return rand.New(rand.NewChaCha8(sha256.Sum256(question))), nil
}
