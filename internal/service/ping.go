package service

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"planexe/internal/api"
	"planexe/internal/llm"
)

// mostPings is how many streams may test models at once: each costs money.
const mostPings = 4

type pingInput struct {
	IDs []string `query:"id,explode" doc:"Entries to try; those with a priority when none is given"`
}

func (s *Service) llmPing(_ context.Context, in *pingInput) (*huma.StreamResponse, error) {
	entries, problem := s.toPing(in.IDs)
	if len(in.IDs) > 0 && problem != nil {
		return nil, fail(http.StatusBadRequest, "%v", problem)
	}
	select {
	case s.pings <- struct{}{}:
	default:
		return nil, withRetry(fail(http.StatusTooManyRequests, "%d tests of models are going on already", mostPings), 30)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { <-s.pings }()
		_, w := humachi.Unwrap(ctx)
		out := newStream(w)
		if problem != nil {
			out.data(api.PingEvent{Name: "worker_plan", Status: "error", Response: s.redact(problem.Error())})
		}
		for _, e := range entries {
			if !s.pingOne(ctx.Context(), out, e) {
				return // nobody listens any more
			}
		}
		out.data(api.PingEvent{Name: "server", Status: "done"})
		out.flush()
	}}, nil
}

// toPing returns the entries of these ids, or all that have a priority, the lowest first.
func (s *Service) toPing(ids []string) ([]*llm.Entry, error) {
	l, err := s.catalogue.Now()
	if err != nil {
		return nil, err
	}
	var entries []*llm.Entry
	for _, id := range ids {
		e := l.Entry(id)
		if e == nil {
			return nil, fmt.Errorf("id: there is no model %q", clip(id))
		}
		entries = append(entries, e)
	}
	if len(ids) > 0 {
		return entries, nil
	}
	priority := func(e *llm.Entry) *float64 {
		if m := l.Config.Model(e.ID); m != nil {
			return m.Priority
		}
		return nil
	}
	for _, e := range l.Entries {
		if priority(e) != nil {
			entries = append(entries, e)
		}
	}
	slices.SortStableFunc(entries, func(a, b *llm.Entry) int { return cmp.Compare(*priority(a), *priority(b)) })
	return entries, nil
}

// pingOne asks one model and tells what came; false when the reader is gone.
func (s *Service) pingOne(ctx context.Context, out *stream, e *llm.Entry) bool {
	out.data(api.PingEvent{Name: e.ID, Status: "pinging", Response: "Pinging model…"})
	if !out.flush() {
		return false
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	answered := make(chan api.PingEvent, 1)
	go func() { answered <- s.ping(ctx, e) }()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case event := <-answered:
			out.data(event)
			return ctx.Err() == nil && out.flush()
		case <-beat.C:
			out.comment("still waiting")
			if !out.flush() {
				return false
			}
		}
	}
}

// ping tells what came of one question to a model.
func (s *Service) ping(ctx context.Context, e *llm.Entry) api.PingEvent {
	began := time.Now()
	text, err := llm.Ping(ctx, e, 200)
	if err != nil {
		return api.PingEvent{Name: e.ID, Status: "error", Response: s.redact(fmt.Sprintf("%s: %s", llm.ClassOf(err), told(err)))}
	}
	return api.PingEvent{Name: e.ID, Status: "success", ResponseTime: time.Since(began).Milliseconds(), Response: text}
}
