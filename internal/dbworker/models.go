package dbworker

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"planexe/internal/config"
	"planexe/internal/llm"
	"planexe/internal/llm/models"
	"planexe/internal/queue"
	"planexe/internal/run"
)

// catalogue reads the models of the configuration again for each task, so that an edit counts for
// the next one, and keeps the entries, which learn about their models, while nothing has changed.
type catalogue struct {
	read  func() (config.Env, error)
	build func(config.LLM) []*llm.Entry

	mu      sync.Mutex
	llm     config.LLM
	entries []*llm.Entry
}

func (c *catalogue) now() (config.LLM, []*llm.Entry, error) {
	env, err := c.read()
	if err != nil {
		return config.LLM{}, nil, err
	}
	cfg, err := config.LoadLLM(env)
	if err != nil {
		return config.LLM{}, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || !reflect.DeepEqual(cfg, c.llm) {
		c.llm, c.entries = cfg, c.build(cfg)
	}
	return c.llm, c.entries, nil
}

// choose picks the entries that a task asks, first tried first.
func (c *catalogue) choose(ctx context.Context, id string) ([]*llm.Entry, string, error) {
	cfg, entries, err := c.now()
	if err != nil {
		return nil, "", err
	}
	ids, why, err := config.Choose(ctx, cfg, id, models.Probe)
	if err != nil {
		return nil, "", err
	}
	var chosen []*llm.Entry
	for _, id := range ids {
		i := slices.IndexFunc(entries, func(e *llm.Entry) bool { return e.ID == id })
		if i < 0 {
			return nil, "", fmt.Errorf("model %s is not configured", id)
		}
		chosen = append(chosen, entries[i])
	}
	return chosen, why, nil
}

// usable says why no task can be run with this configuration.
func (c *catalogue) usable(ctx context.Context) error {
	cfg, _, err := c.now()
	if err != nil {
		return err
	}
	ids, _, err := config.Choose(ctx, cfg, config.Auto, nil)
	if err == nil && len(ids) == 0 {
		err = errors.New("no model is configured")
	}
	return err
}

// secrets are what no log may show.
func (c *catalogue) secrets() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.llm.Secrets()
}

func (c *catalogue) redact(text string) string { return run.Redactor(c.secrets())(text) }

// plan makes a task into a run.
func (w *Worker) plan(ctx context.Context, t queue.Task) (run.Spec, error) {
	spec := run.Spec{
		Graph: w.graph, Hub: w.hub, Speed: t.Parameters.Speed, Concurrency: w.settings.Concurrency,
		AllowRefuse: w.settings.Redline == config.RedlineWarn, Version: w.o.Version,
	}
	if w.settings.MaxCost != nil {
		spec.MaxCost = *w.settings.MaxCost
	}
	var err error
	spec.Models, spec.Why, err = w.models.choose(ctx, w.modelOf(t))
	return spec, err
}

// modelOf is the entry that a task asks for. Partners do not choose what is paid for.
func (w *Worker) modelOf(t queue.Task) string {
	if t.Parameters.Model == "" || t.Origin == "partner" || t.Origin == "" {
		return w.settings.Model
	}
	return t.Parameters.Model
}
