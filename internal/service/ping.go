package service

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"planexe/internal/api"
	"planexe/internal/llm"
)

const (
	pingLimit = 30 * time.Second // for one model
	mostPings = 4                // streams at once: each costs money
)

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
	l, err := s.catalogue.now()
	if err != nil {
		return nil, err
	}
	var entries []*llm.Entry
	for _, id := range ids {
		e := l.entry(id)
		if e == nil {
			return nil, fmt.Errorf("id: there is no model %q", clip(id))
		}
		entries = append(entries, e)
	}
	if len(ids) > 0 {
		return entries, nil
	}
	priority := func(e *llm.Entry) *float64 {
		if m := l.llm.Model(e.ID); m != nil {
			return m.Priority
		}
		return nil
	}
	for _, e := range l.entries {
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

// ping asks once: no retry, no fallback, and nothing that it finds touches a run.
func (s *Service) ping(ctx context.Context, e *llm.Entry) api.PingEvent {
	failed := func(err error) api.PingEvent {
		class := llm.ClassOf(err)
		return api.PingEvent{Name: e.ID, Status: "error", Response: s.redact(fmt.Sprintf("%s: %s", class, told(err)))}
	}
	if e.Problem != nil {
		return failed(e.Problem)
	}
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	request := llm.Request{
		Messages:  []llm.Message{{Role: llm.User, Content: "Can you read this? Answer with OK and nothing else."}},
		MaxTokens: min(256, max(1, e.MaxTokens)), FirstByte: pingLimit,
	}
	began := time.Now()
	resp, err := e.Provider.Send(ctx, request)
	if llm.ClassOf(err) == llm.ClassAdapted { // the provider has learned how to ask
		resp, err = e.Provider.Send(ctx, request)
	}
	if err != nil {
		return failed(err)
	}
	text := []rune(strings.Join(strings.Fields(resp.Text), " "))
	return api.PingEvent{Name: e.ID, Status: "success", ResponseTime: time.Since(began).Milliseconds(), Response: string(text[:min(len(text), 200)])}
}
