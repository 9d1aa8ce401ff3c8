package openai

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"sync"

	"planexe/internal/llm"
	"planexe/internal/llm/wire"
)

// listed is a model in a server's list. Each server has its own name for the context length.
type listed struct {
	ID               string `json:"id"`
	ContextLength    int    `json:"context_length"`        // OpenRouter, Together
	ContextWindow    int    `json:"context_window"`        // Groq
	MaxModelLen      int    `json:"max_model_len"`         // vLLM
	MaxContextLength int    `json:"max_context_length"`    // Mistral
	Loaded           int    `json:"loaded_context_length"` // LM Studio: what counts there
}

func (p *Provider) list(ctx context.Context, address string) ([]listed, error) {
	var raw json.RawMessage
	if err := p.wire.Ask(ctx, address, nil, &raw); err != nil {
		return nil, err
	}
	var object struct {
		Data []listed `json:"data"`
	}
	if err := json.Unmarshal(raw, &object); err == nil {
		return object.Data, nil
	}
	var all []listed // Together sends the bare list
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, p.wire.Fail(llm.ClassServer, "the list of models cannot be read")
	}
	return all, nil
}

// find looks for our model. OpenRouter's names may carry a variant such as :nitro that is not in
// the list.
func (p *Provider) find(models []listed) (listed, bool) {
	name := p.o.Wire.Model
	names := []string{name}
	if p.o.Dialect == OpenRouter {
		base, _, _ := strings.Cut(name, ":")
		names = append(names, base)
	}
	for _, n := range names {
		for _, m := range models {
			if m.ID == n {
				return m, true
			}
		}
	}
	return listed{}, false
}

// Offers tells whether the server's list has the model. An empty list is an error: it says nothing.
func (p *Provider) Offers(ctx context.Context) (bool, error) {
	models, err := p.list(ctx, p.o.Wire.BaseURL+"/models")
	if err != nil {
		return false, err
	}
	if len(models) == 0 {
		return false, p.wire.Fail(llm.ClassServer, "the list of models is empty")
	}
	m, ok := p.find(models)
	if ok && p.o.Dialect != LMStudio { // its length is that of the model, not of what is loaded
		p.learnWindow(cmp.Or(m.ContextLength, m.ContextWindow, m.MaxModelLen, m.MaxContextLength))
	}
	return ok, nil
}

func (p *Provider) learnWindow(n int) {
	if now := p.current(); n > 0 && now.window == 0 {
		p.learn(now, func(next *plan) { next.window = n })
	}
}

// Check is the preflight: is the key good, is there money, does the server have the model. It also
// learns the context length.
func (p *Provider) Check(ctx context.Context) error {
	var keyErr error
	var wg sync.WaitGroup
	switch p.o.Dialect {
	case OpenRouter:
		wg.Go(func() { keyErr = p.checkKey(ctx) })
	case LMStudio:
		wg.Go(func() { p.askLoaded(ctx) })
	}
	ok, err := p.Offers(ctx)
	wg.Wait()
	switch {
	case keyErr != nil:
		return keyErr
	case err != nil:
		return wire.Certain(err)
	case !ok && (p.o.ListsModels || p.o.Dialect != Like):
		e := p.wire.Fail(llm.ClassModelUnknown, "entry %q: %s has no model %q", p.o.Wire.Entry, wire.Host(p.o.Wire.BaseURL), p.o.Wire.Model)
		e.Advice = "correct model of the entry"
		if p.o.Dialect == LMStudio {
			e.Advice = "download the model in LM Studio, or correct model of the entry"
		}
		return e
	}
	return nil
}

// checkKey asks OpenRouter what the key is good for.
func (p *Provider) checkKey(ctx context.Context) error {
	var key struct {
		Data struct {
			Left *float64 `json:"limit_remaining"` // USD; null is no limit
		} `json:"data"`
	}
	if err := p.wire.Ask(ctx, p.o.Wire.BaseURL+"/key", nil, &key); err != nil {
		return wire.Certain(err)
	}
	if left := key.Data.Left; left != nil && *left <= 0 {
		e := p.wire.Fail(llm.ClassCredit, "the limit of the key at %s is used up", wire.Host(p.o.Wire.BaseURL))
		e.Advice = "raise the limit of " + p.o.Wire.KeyName + " at the provider, then resume the run"
		return e
	}
	return nil
}

// askLoaded learns with what context length LM Studio has loaded the model.
func (p *Provider) askLoaded(ctx context.Context) {
	root := strings.TrimSuffix(p.o.Wire.BaseURL, "/v1")
	if models, err := p.list(ctx, root+"/api/v0/models"); err == nil {
		if m, ok := p.find(models); ok {
			p.learnWindow(m.Loaded)
		}
	}
}
