package dbworker

import (
	"context"
	"errors"

	"planexe/internal/config"
	"planexe/internal/llm"
	"planexe/internal/queue"
	"planexe/internal/run"
)

// usableModels says why no task can be run with this configuration.
func (w *Worker) usableModels(ctx context.Context) error {
	l, err := w.models.Now()
	if err != nil {
		return err
	}
	ids, _, err := config.Choose(ctx, l.Config, config.Auto, nil)
	if err == nil && len(ids) == 0 {
		err = errors.New("no model is configured")
	}
	return err
}

// choose picks the entries that a task asks, first tried first.
func (w *Worker) choose(ctx context.Context, t queue.Task) ([]*llm.Entry, string, error) {
	l, err := w.models.Now()
	if err != nil {
		return nil, "", err
	}
	return l.Choose(ctx, w.modelOf(t))
}

// redact blacks out known secrets.
func (w *Worker) redact(text string) string { return run.Redactor(w.models.Secrets())(text) }

// plan makes a task into a run.
func (w *Worker) plan(ctx context.Context, t queue.Task) (run.Spec, error) {
	spec := run.Spec{
		Graph: w.graph, Hub: w.hub, Speed: t.Parameters.Speed, Concurrency: w.settings.Concurrency,
		AllowRefuse: w.settings.Redline == config.RedlineWarn, Version: w.o.Version,
	}
	spec.MaxCost = t.Parameters.MaxCost
	if most := w.settings.MaxCost; most != nil && (spec.MaxCost == 0 || spec.MaxCost > *most) {
		spec.MaxCost = *most
	}
	var err error
	spec.Models, spec.Why, err = w.choose(ctx, t)
	return spec, err
}

// modelOf is the entry that a task asks for. Partners do not choose what is paid for.
func (w *Worker) modelOf(t queue.Task) string {
	if t.Parameters.Model == "" || t.Origin == "partner" || t.Origin == "" {
		return w.settings.Model
	}
	return t.Parameters.Model
}
