package trace

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"planexe/internal/event"
)

// Run returns what makes spans of a run's events, to be called with each in order, and what ends those that are still open when the
// run is over in whatever way. Without a tracer watch is nil.
func (t *Tracer) Run(ctx context.Context, id string) (watch func(event.Event), over func()) {
	if t == nil {
		return nil, func() {}
	}
	f := &fold{t: t, below: ctx, id: id, steps: map[string]place{}, calls: map[string]place{}}
	return f.apply, f.over
}

// place is an open span and the context of what is below it.
type place struct {
	ctx  context.Context
	span *Span
}

// fold makes the events of one run into spans. The log calls it one event at a time.
type fold struct {
	t     *Tracer
	below context.Context
	id    string
	run   place
	steps map[string]place // by name
	calls map[string]place // by key
	last  time.Time
}

func (f *fold) apply(e event.Event) {
	f.last = e.Time
	switch d := e.Data.(type) {
	case event.RunStarted:
		f.run = f.open(f.below, "run", e.Time, "planexe.run", f.id, "planexe.speed", d.Speed, "planexe.models", d.Models, "planexe.concurrency", d.Concurrency)
	case event.StepStarted:
		f.steps[d.Step] = f.open(f.ctx(), "step "+d.Step, e.Time, "planexe.step", d.Step)
	case event.StepDone:
		f.end(f.steps, d.Step, "", e.Time)
	case event.StepFailed:
		f.end(f.steps, d.Step, class(d.Reason), e.Time)
	case event.CallStarted:
		f.calls[d.Key] = f.open(f.at(d.Step), "call "+d.Step, e.Time, "planexe.step", d.Step, "planexe.label", d.Label)
	case event.CallAttempt:
		f.attempt(d)
	case event.CallAnswered:
		f.end(f.calls, d.Key, "", e.Time)
	case event.CallFailed:
		f.end(f.calls, d.Key, class(d.Reason), e.Time)
	case event.RunEnded:
		f.run.span.Set("planexe.outcome", string(d.Outcome))
		if d.Outcome != event.Complete {
			f.run.span.Fail(class(d.Reason))
		}
		f.over()
	}
}

// attempt tells of one request to a model in the names that OpenTelemetry has for it. The message of a failure stays here: it may
// repeat what was asked.
func (f *fold) attempt(d event.CallAttempt) {
	below := f.at(d.Step)
	if c, ok := f.calls[d.Key]; ok {
		below = c.ctx
	}
	_, s := f.t.begin(below, "chat "+d.Model, d.Started, trace.SpanKindClient, []any{
		"gen_ai.operation.name", "chat", "gen_ai.request.model", d.Model, "gen_ai.usage.input_tokens", d.Usage.Prompt, "gen_ai.usage.output_tokens", d.Usage.Completion,
		"planexe.entry", d.Entry, "planexe.attempt", d.Number, "planexe.tokens_estimated", d.Usage.Estimated,
	})
	if d.Finish != "" {
		s.Set("gen_ai.response.finish_reasons", []string{d.Finish})
	}
	if d.Cost != nil {
		s.Set("planexe.cost_usd", *d.Cost)
	}
	if d.Class != "ok" {
		s.Fail(d.Class)
	}
	s.End(d.Started.Add(d.Duration))
}

// class is a reason in one word.
func class(r event.Reason) string {
	if r.Class == "" {
		return "other"
	}
	return r.Class
}

// ctx is below the run, at below the step when that is open.
func (f *fold) ctx() context.Context {
	if f.run.ctx == nil {
		return f.below
	}
	return f.run.ctx
}

func (f *fold) at(step string) context.Context {
	if s, ok := f.steps[step]; ok {
		return s.ctx
	}
	return f.ctx()
}

func (f *fold) open(ctx context.Context, name string, at time.Time, about ...any) place {
	ctx, s := f.t.Begin(ctx, name, at, about...)
	return place{ctx, s}
}

func (f *fold) end(open map[string]place, key, class string, at time.Time) {
	p, ok := open[key]
	if !ok {
		return
	}
	if class != "" {
		p.span.Fail(class)
	}
	p.span.End(at)
	delete(open, key)
}

// over ends what is still open: of a run that was interrupted, or of one that never heard its own end.
func (f *fold) over() {
	for _, open := range []map[string]place{f.calls, f.steps} {
		for key := range open {
			f.end(open, key, "interrupted", f.last)
		}
	}
	f.run.span.End(f.last)
	f.run.span = nil
}
