package models

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"

	"planexe/internal/config"
	"planexe/internal/llm"
)

// List is the configured models at one moment, and the entries made of them.
type List struct {
	Config  config.LLM
	Entries []*llm.Entry
}

// Entry returns the entry of an id, nil when there is none.
func (l List) Entry(id string) *llm.Entry {
	i := slices.IndexFunc(l.Entries, func(e *llm.Entry) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	return l.Entries[i]
}

// Choose returns the entries that a run asks, first tried first, and one sentence that says why; see
// config.Choose.
func (l List) Choose(ctx context.Context, requested string) ([]*llm.Entry, string, error) {
	ids, why, err := config.Choose(ctx, l.Config, requested, Probe)
	if err != nil {
		return nil, "", err
	}
	var chosen []*llm.Entry
	for _, id := range ids {
		e := l.Entry(id)
		if e == nil {
			return nil, "", fmt.Errorf("model %s is not configured", id)
		}
		chosen = append(chosen, e)
	}
	return chosen, why, nil
}

// Catalogue reads the models of the configuration again for each use, so that an edit of the files
// counts for the next run, and keeps the entries, which learn about their models, as long as
// nothing has changed. It is safe for concurrent use.
type Catalogue struct {
	read  func() (config.Env, error)
	build func(config.LLM) []*llm.Entry

	mu   sync.Mutex
	last List
}

// NewCatalogue returns a catalogue of the environment that read returns; build makes the entries.
func NewCatalogue(read func() (config.Env, error), build func(config.LLM) []*llm.Entry) *Catalogue {
	return &Catalogue{read: read, build: build}
}

// Now returns the models as the files say at this moment.
func (c *Catalogue) Now() (List, error) {
	env, err := c.read()
	if err != nil {
		return List{}, err
	}
	cfg, err := config.LoadLLM(env)
	if err != nil {
		return List{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last.Entries == nil || !reflect.DeepEqual(cfg, c.last.Config) {
		c.last = List{cfg, c.build(cfg)}
	}
	return c.last, nil
}

// WithKey is Now with an OpenRouter key of the caller's own, which is in the returned entries only.
// An empty key is none.
func (c *Catalogue) WithKey(key string) (List, error) {
	if key == "" {
		return c.Now()
	}
	env, err := c.read()
	if err != nil {
		return List{}, err
	}
	cfg, err := config.LoadLLM(env.With("OPENROUTER_API_KEY", key))
	if err != nil {
		return List{}, err
	}
	return List{cfg, c.build(cfg)}, nil
}

// Tell logs where the models come from, and what keeps plans from being begun with them.
func (c *Catalogue) Tell(log *slog.Logger) {
	switch l, err := c.Now(); {
	case err != nil:
		log.Error("the models cannot be read: plans are refused until this is mended", "error", err)
	case l.Config.From == config.BuiltIn:
		log.Warn("there is no " + config.LLMFile + ": the built-in models are used")
	default:
		log.Info("models are configured", "from", l.Config.From, "entries", len(l.Entries))
	}
}

// Secrets returns what no log may show; those last read when the files cannot be read now.
func (c *Catalogue) Secrets() []string {
	l, err := c.Now()
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		l = c.last
	}
	return l.Config.Secrets()
}
