package tool

import (
	"context"
	"fmt"
	"strings"

	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/llm"
	"planexe/internal/llm/models"
	"planexe/internal/pipeline"
	"planexe/internal/run"
)

// setup is what a command that asks models needs.
type setup struct {
	settings config.Pipeline
	models   models.List
	graph    *pipeline.Graph
}

// load reads the configuration and says what of it has no effect.
func load(std command.Streams) (*setup, error) {
	s := &setup{}
	env, err := command.Load(&s.settings)
	if err != nil {
		return nil, err
	}
	if err := env.LeftOut(); err != nil {
		fmt.Fprintf(std.Err, "A .env is left out, it cannot be read: %v\n", err)
	}
	for _, r := range command.Remarks(env) {
		fmt.Fprintln(std.Err, r)
	}
	if s.models.Config, err = config.LoadLLM(env); err != nil {
		return nil, err
	}
	s.models.Entries = models.Build(s.models.Config)
	s.graph, err = run.NewGraph(command.Version())
	return s, err
}

// choose picks the models of a run and says why.
func (s *setup) choose(ctx context.Context, requested string) ([]*llm.Entry, string, error) {
	if requested == "" {
		requested = s.settings.Model
	}
	return s.models.Choose(ctx, requested)
}

func entryIDs(entries []*llm.Entry) string {
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return strings.Join(ids, ", ")
}
