package service

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"planexe/internal/config"
	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/models"
	"planexe/internal/run"
)

// catalogue reads the models of the configuration again for each use, so that an edit of the files
// counts for the next run, and keeps the entries, which learn about their models, as long as
// nothing has changed.
type catalogue struct {
	read  func() (config.Env, error)
	build func(config.LLM) []*llm.Entry

	mu      sync.Mutex
	llm     config.LLM
	entries []*llm.Entry
}

// list is the configured models at one moment.
type list struct {
	llm     config.LLM
	entries []*llm.Entry
}

func (l list) entry(id string) *llm.Entry {
	i := slices.IndexFunc(l.entries, func(e *llm.Entry) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	return l.entries[i]
}

// now returns the models as the files say at this moment.
func (c *catalogue) now() (list, error) {
	env, err := c.read()
	if err != nil {
		return list{}, err
	}
	cfg, err := config.LoadLLM(env)
	if err != nil {
		return list{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || !reflect.DeepEqual(cfg, c.llm) {
		c.llm, c.entries = cfg, c.build(cfg)
	}
	return list{c.llm, c.entries}, nil
}

// withKey returns the models as they are with a provider key of the caller's own. The key is in
// these entries only.
func (c *catalogue) withKey(key string) (list, error) {
	env, err := c.read()
	if err != nil {
		return list{}, err
	}
	cfg, err := config.LoadLLM(env.With("OPENROUTER_API_KEY", key))
	if err != nil {
		return list{}, err
	}
	return list{cfg, c.build(cfg)}, nil
}

func (c *catalogue) models(key string) (list, error) {
	if key != "" {
		return c.withKey(key)
	}
	return c.now()
}

// secrets returns what no log may show.
func (c *catalogue) secrets() []string {
	l, err := c.now()
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.llm.Secrets()
	}
	return l.llm.Secrets()
}

// choose picks the entries of a run.
func (l list) choose(ctx context.Context, id string) ([]*llm.Entry, string, error) {
	ids, why, err := config.Choose(ctx, l.llm, id, models.Probe)
	if err != nil {
		return nil, "", err
	}
	var chosen []*llm.Entry
	for _, id := range ids {
		e := l.entry(id)
		if e == nil {
			return nil, "", fmt.Errorf("model %s is not configured", id)
		}
		chosen = append(chosen, e)
	}
	return chosen, why, nil
}

// plan makes what was asked for into a run, when its turn has come.
func (s *Service) plan(ctx context.Context, asked event.RunQueued, key string) (run.Spec, error) {
	l, err := s.catalogue.models(key)
	if err != nil {
		return run.Spec{}, err
	}
	hub := s.hub
	if key != "" {
		hub = llm.NewHub() // which would else keep what it knows of these entries for ever
	}
	spec := run.Spec{
		Graph: s.graph, Hub: hub, Speed: asked.Speed, Concurrency: s.settings.Concurrency, MaxCost: asked.MaxCost,
		From: asked.From, Only: asked.Only, AllowRefuse: s.settings.Redline == config.RedlineWarn, Version: s.version,
	}
	spec.Speed, spec.Serial = run.Mode(asked.Speed)
	spec.Models, spec.Why, err = l.choose(ctx, asked.Model)
	return spec, err
}

// checkModel says why a run with this model could not begin.
func (s *Service) checkModel(ctx context.Context, id, key string) error {
	l, err := s.catalogue.models(key)
	if err != nil {
		return invalid("llm_model", "value_error", "the configuration cannot be used: %v", err)
	}
	// Without a probe: auto always finds something, and looking for local models can wait.
	if _, _, err := config.Choose(ctx, l.llm, id, nil); err != nil {
		return invalid("llm_model", "value_error", "%s", s.redact(err.Error(), key))
	}
	return nil
}

// redact blacks out known secrets.
func (s *Service) redact(text string, more ...string) string {
	return run.Redactor(append(s.catalogue.secrets(), more...))(text)
}

// firstLine is the beginning of a message for a place with little room.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
