// Package models makes the entries that can be asked from the configuration.
package models

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"planexe/internal/config"
	"planexe/internal/llm"
	"planexe/internal/llm/anthropic"
	"planexe/internal/llm/demo"
	"planexe/internal/llm/ollama"
	"planexe/internal/llm/openai"
	"planexe/internal/llm/wire"
)

// Calls in flight per account when the entry does not say. A local server works on one at a time;
// sending it more only makes each of them slower.
const (
	remoteSlots = 16
	localSlots  = 1
	demoSlots   = 64
)

// Build returns one entry per model of the configuration, in its order, and one with id demo at
// the end when there is none. Entries that cannot be used carry their Problem, an *llm.Error of
// class config, and have a provider that is never asked. All share one pool of connections.
func Build(cfg config.LLM) []*llm.Entry {
	b := builder{secrets: cfg.Secrets(), transport: wire.NewTransport()}
	var entries []*llm.Entry
	for _, m := range cfg.Models {
		entries = append(entries, b.entry(m))
	}
	if !slices.ContainsFunc(entries, func(e *llm.Entry) bool { return e.ID == config.DemoID }) {
		entries = append(entries, b.entry(config.Model{
			ID: config.DemoID, Class: config.Demo, Arguments: config.Arguments{Model: "demo", MaxTokens: 8192},
		}))
	}
	return entries
}

// Probe returns the ids of those local entries whose server answers and has the model. It asks all
// of them at once, each for at most 5 s.
func Probe(ctx context.Context, candidates []config.Model) []string {
	b := builder{transport: wire.NewTransport()}
	defer b.transport.CloseIdleConnections()
	found := make([]bool, len(candidates))
	var wg sync.WaitGroup
	for i, m := range candidates {
		if p, ok := b.provider(m).(interface {
			Offers(context.Context) (bool, error)
		}); ok && m.Problem == nil {
			wg.Go(func() {
				has, err := p.Offers(ctx)
				found[i] = has && err == nil
			})
		}
	}
	wg.Wait()
	var ids []string
	for i, m := range candidates {
		if found[i] {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

type builder struct {
	secrets   []string
	transport *http.Transport
}

func (b builder) entry(m config.Model) *llm.Entry {
	if m.Arguments.KeyName == "api_key" {
		m.Arguments.KeyName = "api_key of entry " + m.ID // no variable: it stands in the file
	}
	a := m.Arguments
	e := &llm.Entry{
		ID: m.ID, Class: m.Class, Model: a.Model, Host: wire.Host(a.BaseURL), KeyName: a.KeyName,
		Account: account(a), Local: m.Class == config.Ollama || m.Class == config.LMStudio, Demo: m.Class == config.Demo,
		Timeout: a.Timeout, MaxTokens: a.MaxTokens, Retries: a.Retries, Provider: b.provider(m),
	}
	if m.Price != nil {
		e.Price = &llm.Price{Input: m.Price.Input, Output: m.Price.Output, Cached: m.Price.Cached}
	}
	switch {
	case e.Demo:
		e.Host, e.Account, e.Slots = "demo", "demo", demoSlots
	case e.Local || wire.IsLoopback(a.BaseURL):
		e.Slots = localSlots
	default:
		e.Slots = remoteSlots
	}
	e.Slots = cmp.Or(m.MaxConcurrency, e.Slots)
	if m.Problem != nil {
		e.Problem = &llm.Error{
			Class: llm.ClassConfig, Entry: m.ID, Host: e.Host, Message: m.Problem.Error(),
			Advice: "correct the entry in " + config.LLMFile + ", or choose another model",
		}
	}
	return e
}

// account names what rate limits hold for: the address, and a digest of key and user so that
// neither is shown.
func account(a config.Arguments) string {
	u, err := url.Parse(a.BaseURL)
	if err != nil {
		return "" // the entry has a Problem
	}
	who := a.Key + u.User.String()
	u.User = nil
	if who == "" {
		return u.String()
	}
	digest := sha256.Sum256([]byte(who))
	return u.String() + " " + hex.EncodeToString(digest[:4])
}

func (b builder) provider(m config.Model) llm.Provider {
	a := m.Arguments
	w := wire.Options{
		Entry: m.ID, Model: a.Model, BaseURL: a.BaseURL, Key: a.Key, KeyName: a.KeyName, Headers: a.Headers,
		Secrets: b.secrets, Transport: b.transport,
	}
	form := m.Structured
	if form == "auto" {
		form = ""
	}
	switch m.Class {
	case config.Demo:
		return demo.New(a.Latency, a.Seed)
	case config.Ollama:
		return ollama.New(ollama.Options{
			Wire: w, Form: form, Temperature: a.Temperature, KeepAlive: a.KeepAlive, Think: a.Think, Options: a.Extra, Body: a.Body, Window: a.ContextWindow,
		})
	}
	if m.Class == config.Anthropic {
		return anthropic.New(anthropic.Options{Wire: w, Form: form, Temperature: a.Temperature, Extra: a.Extra, Window: a.ContextWindow})
	}
	o := openai.Options{
		Wire: w, Form: form, Strict: a.Strict, Temperature: a.Temperature, Effort: a.ReasoningEffort, Extra: a.Extra, Window: a.ContextWindow,
	}
	switch {
	case a.PreferTools:
		o.FirstForm = openai.Tools
	case a.PreferSchema:
		o.FirstForm = openai.JSONSchema
	}
	switch m.Class {
	case config.OpenAI:
		o.Dialect = openai.OpenAI
	case config.OpenRouter:
		o.Dialect = openai.OpenRouter
	case config.LMStudio:
		o.Dialect = openai.LMStudio
	case config.MistralAI, config.TogetherLLM, config.Groq:
		o.ListsModels = true
	}
	return openai.New(o)
}
