package service

import (
	"context"
	"net/http"

	"planexe/internal/api"
	"planexe/internal/progress"
	"planexe/internal/run"
	"planexe/internal/runs"
)

type EstimateInput struct {
	Model string `query:"llm_model" maxLength:"200" doc:"As in POST /runs"`
	Speed string `query:"speed_vs_detail" enum:"all_details_but_slow,fast_but_skip_details" doc:"As in POST /runs"`
}

func (s *Service) estimate(ctx context.Context, in *EstimateInput) (*answer[api.Estimate], error) {
	var all []string
	for _, st := range s.graph.Steps() {
		all = append(all, st.Name)
	}
	return s.estimateSteps(ctx, all, in.Model, in.Speed)
}

type estimateRerunInput struct {
	RunInput
	EstimateInput
	From string `query:"from" maxLength:"100" doc:"As in the rerun"`
	Only string `query:"only" maxLength:"100" doc:"As in the rerun"`
	File string `query:"file" maxLength:"200" doc:"As if this file were edited"`
}

func (s *Service) estimateRerun(ctx context.Context, in *estimateRerunInput) (*answer[api.Estimate], error) {
	if _, err := s.library.Summary(in.ID); err != nil {
		return nil, s.failed(err, in.ID, "read the run")
	}
	for name, step := range map[string]string{"from": in.From, "only": in.Only} {
		if _, ok := s.graph.Step(step); step != "" && !ok {
			return nil, fail(http.StatusBadRequest, "%s: there is no step %q", name, step)
		}
	}
	if in.File != "" && !runs.Editable(s.graph, in.File) {
		return nil, fail(http.StatusBadRequest, "file: %v", runs.ErrNotEditable)
	}
	v, err := s.manager.View(in.ID)
	if err != nil {
		return nil, s.failed(err, in.ID, "read the run")
	}
	if in.Model == "" {
		in.Model = v.Asked.Model
	}
	if in.Speed == "" {
		in.Speed, _ = run.Mode(v.State.Run.Speed)
	}
	steps := []string{in.Only}
	if in.Only == "" {
		if steps, err = s.manager.Stale(in.ID, s.graph, in.File); err != nil {
			return nil, s.failed(err, in.ID, "read the run")
		}
		if in.From != "" {
			steps = append(steps, s.graph.Downstream(in.From)...)
		}
	}
	return s.estimateSteps(ctx, steps, in.Model, in.Speed)
}

func (s *Service) estimateSteps(ctx context.Context, steps []string, model, speed string) (*answer[api.Estimate], error) {
	l, err := s.catalogue.Now()
	if err != nil {
		return nil, fail(http.StatusServiceUnavailable, "the models cannot be read: %s", s.redact(err.Error()))
	}
	chosen, why, err := l.Choose(ctx, model)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "llm_model: %s", s.redact(err.Error()))
	}
	if speed == "" {
		speed = string(s.settings.Speed)
	}
	e := runs.EstimateSteps(s.graph, steps, speed, chosen[0], s.settings.Concurrency)
	out := api.Estimate{
		Steps: e.Steps, Calls: e.Calls, Tokens: progress.Usage(e.Usage), Cost: e.Cost, Models: []string{}, Why: why,
		Demo: chosen[0].Demo, LocalOnly: chosen[0].Local,
	}
	for _, m := range chosen {
		out.Models = append(out.Models, m.ID)
	}
	if e.Seconds >= 0 {
		out.Seconds = &e.Seconds
	}
	return &answer[api.Estimate]{out}, nil
}
