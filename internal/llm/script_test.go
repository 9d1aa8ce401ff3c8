package llm_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
)

// study is the answer that the scripted questions ask for.
type study struct {
	Title string `json:"title"`
	Level string `json:"level" enum:"low,medium,high"`
	Risks []risk `json:"risks" count:"2-3,hard"`
	Tips  []tip  `json:"tips" count:"2-3"`
}

type risk struct {
	Name string `json:"name"`
}

type tip struct {
	Text string `json:"text"`
}

const good = `{"title": "Bakery", "level": "high", "risks": [{"name": "flour"}, {"name": "rent"}], "tips": [{"text": "bake"}, {"text": "sell"}]}`

// script is a provider that gives its replies in order: text, a response, an error, or a function
// that makes one of them. After the last one it answers well.
type script struct {
	window    int
	check     func(context.Context) error
	forms     int // simpler ways to ask that are left
	latency   time.Duration
	exhausted any // what comes after the last reply, instead of a good answer

	mu       sync.Mutex
	replies  []any
	requests []llm.Request
	at       []time.Time
	inFlight int
	most     int
	checks   int
}

func (s *script) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	s.mu.Lock()
	s.requests, s.at = append(s.requests, r), append(s.at, time.Now())
	s.inFlight++
	s.most = max(s.most, s.inFlight)
	reply := s.exhausted
	if reply == nil {
		reply = good
	}
	if len(s.replies) > 0 {
		reply, s.replies = s.replies[0], s.replies[1:]
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.inFlight--
		s.mu.Unlock()
	}()
	select {
	case <-time.After(s.latency):
	case <-ctx.Done():
		return llm.Response{}, ctx.Err()
	}
	if f, ok := reply.(func(context.Context, llm.Request) any); ok {
		reply = f(ctx, r)
	}
	switch reply := reply.(type) {
	case string:
		return llm.Response{Text: reply, Finish: llm.FinishStop, Form: "json_schema", Usage: event.Usage{Prompt: 100, Completion: 50}}, nil
	case llm.Response:
		return reply, nil
	case error:
		return llm.Response{}, reply
	}
	panic(reply)
}

func (s *script) Check(ctx context.Context) error {
	s.mu.Lock()
	s.checks++
	s.mu.Unlock()
	if s.check == nil {
		return nil
	}
	return s.check(ctx)
}

func (s *script) StepDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms--
	return s.forms >= 0
}

func (s *script) Window() int { return s.window }

func (s *script) sent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// bench is a client with its log.
type bench struct {
	*llm.Client
	mu  sync.Mutex
	log []event.Event
}

func (b *bench) append(data ...event.Data) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range data {
		b.log = append(b.log, event.Event{Seq: int64(len(b.log) + 1), Data: d})
	}
	return nil
}

// entry returns an entry with an account of its own.
func entry(id string, p llm.Provider) *llm.Entry {
	return &llm.Entry{
		ID: id, Class: "Scripted", Model: id + "-1", Host: id + ".example", Account: id, Timeout: time.Minute, MaxTokens: 1000, Retries: 2, Slots: 4,
		Price: &llm.Price{Input: 1, Output: 10, Cached: 1}, Provider: p,
	}
}

func newBench(hub *llm.Hub, o llm.Options) *bench {
	b := &bench{}
	if hub == nil {
		hub = llm.NewHub()
	}
	if o.Concurrency == 0 {
		o.Concurrency = 8
	}
	o.Log = b.append
	b.Client = hub.NewClient(o)
	return b
}

// ask asks the question with the label.
func (b *bench) ask(ctx context.Context, label string, rules ...schema.Rule) (llm.Answer[study], error) {
	return llm.Generate(ctx, b.Client, question(label, rules...))
}

func question(label string, rules ...schema.Rule) llm.Question[study] {
	return llm.Question[study]{Step: "study", Label: label, Rules: rules, Messages: []llm.Message{
		{Role: llm.System, Content: "You are a baker."}, {Role: llm.User, Content: "Study this " + label},
	}}
}

// of returns the events of one type.
func of[T event.Data](b *bench) []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []T
	for _, e := range b.log {
		if d, ok := e.Data.(T); ok {
			out = append(out, d)
		}
	}
	return out
}

func (b *bench) classes() []string {
	var out []string
	for _, a := range of[event.CallAttempt](b) {
		out = append(out, a.Class)
	}
	return out
}

func fail(c llm.Class) *llm.Error { return &llm.Error{Class: c, Message: fmt.Sprintf("it is %s", c)} }

func limited(after time.Duration) *llm.Error {
	return &llm.Error{Class: llm.ClassRate, Status: 429, RetryAfter: after, Message: "too many requests"}
}

func cut(text string) llm.Response {
	return llm.Response{Text: text, Finish: llm.FinishLength, Usage: event.Usage{Prompt: 100, Completion: 1000}}
}

// virtual runs a test in virtual time.
func virtual(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}
