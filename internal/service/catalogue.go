package service

import (
	"context"
	"strings"

	"planexe/internal/config"
	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/run"
)

// plan makes what was asked for into a run, when its turn has come.
func (s *Service) plan(ctx context.Context, asked event.RunQueued, key string) (run.Spec, error) {
	l, err := s.catalogue.WithKey(key)
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
	spec.Models, spec.Why, err = l.Choose(ctx, asked.Model)
	return spec, err
}

// checkModel says why a run with this model could not begin.
func (s *Service) checkModel(ctx context.Context, id, key string) error {
	l, err := s.catalogue.WithKey(key)
	if err != nil {
		return invalid("llm_model", "value_error", "the configuration cannot be used: %v", err)
	}
	// Without a probe: auto always finds something, and looking for local models can wait.
	if _, _, err := config.Choose(ctx, l.Config, id, nil); err != nil {
		return invalid("llm_model", "value_error", "%s", s.redact(err.Error(), key))
	}
	return nil
}

// redact blacks out known secrets.
func (s *Service) redact(text string, more ...string) string {
	return run.Redactor(append(s.catalogue.Secrets(), more...))(text)
}

// firstLine is the beginning of a message for a place with little room.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
