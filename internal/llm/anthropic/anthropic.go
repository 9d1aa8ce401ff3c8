// Package anthropic asks Claude models by Anthropic's own API, the Messages API: a tool that the
// model must call carries the schema, and its thinking and its token counts come separately.
package anthropic

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"planexe/internal/llm"
	"planexe/internal/llm/wire"
)

// Version is the version of the API that every request names.
const Version = "2023-06-01"

// The ways to ask for an answer of a certain shape.
const (
	Tools = "tools"
	Text  = "text"
)

// usualWindow is the context length in tokens of all models so far, at the least.
const usualWindow = 200_000

// Options of one entry.
type Options struct {
	Wire        wire.Options // BaseURL is what /messages is appended to
	Form        string       // the only form to be used; "" tries tools, then text
	Temperature float64
	Extra       map[string]any // further members of the request; they replace ours
	Window      int            // context length in tokens; 0 is usualWindow
}

// Provider implements llm.Provider.
type Provider struct {
	o     Options
	wire  *wire.Client
	mu    sync.Mutex
	text  bool // ask for JSON in words
	plain bool // the model refuses a temperature
}

var _ llm.Provider = (*Provider)(nil)

// New returns the provider of one entry.
func New(o Options) *Provider {
	w := o.Wire
	w.KeyHeader = "x-api-key"
	headers := map[string]string{"anthropic-version": Version}
	for k, v := range w.Headers {
		headers[strings.ToLower(k)] = v
	}
	w.Headers = headers
	o.Window = cmp.Or(o.Window, usualWindow)
	return &Provider{o: o, wire: wire.New(w), text: o.Form == Text}
}

// Window returns the context length in tokens.
func (p *Provider) Window() int { return p.o.Window }

// StepDown makes later requests ask for JSON in words; false when they do already.
func (p *Provider) StepDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.text || p.o.Form == Tools {
		return false
	}
	p.text = true
	return true
}

// Check asks whether the key may use the model.
func (p *Provider) Check(ctx context.Context) error {
	var model struct{ ID string }
	err := p.wire.Ask(ctx, p.o.Wire.BaseURL+"/models/"+url.PathEscape(p.o.Wire.Model), nil, &model)
	if e, ok := err.(*llm.Error); ok && e.Status == http.StatusNotFound {
		unknown := p.wire.Fail(llm.ClassModelUnknown, "entry %q: %s has no model %q", p.o.Wire.Entry, wire.Host(p.o.Wire.BaseURL), p.o.Wire.Model)
		unknown.Advice = "correct model of the entry"
		return unknown
	}
	return wire.Certain(err)
}

// Send asks once.
func (p *Provider) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	p.mu.Lock()
	form, plain := Tools, p.plain
	if p.text {
		form = Text
	}
	p.mu.Unlock()
	if r.Schema == nil {
		form = ""
	}
	a := answer{wire: p.wire}
	err := p.wire.Stream(ctx, wire.Request{
		URL: p.o.Wire.BaseURL + "/messages", Body: p.body(r, form, plain), FirstByte: r.FirstByte, Each: a.add,
		Adapt: func(f wire.Failure) *llm.Error { return p.adapt(f, r) },
	})
	return a.response(r, form), err
}

type message struct {
	Role    llm.Role `json:"role"`
	Content string   `json:"content"`
}

// body builds the request. The API wants the system message apart, and turns that alternate.
func (p *Provider) body(r llm.Request, form string, plain bool) map[string]any {
	messages := r.Messages
	if form == Text {
		messages = wire.WithSchema(messages, r.Schema)
	}
	var system []string
	var turns []message
	for _, m := range messages {
		switch last := len(turns) - 1; {
		case m.Role == llm.System:
			system = append(system, m.Content)
		case last >= 0 && turns[last].Role == m.Role:
			turns[last].Content += "\n\n" + m.Content
		default:
			turns = append(turns, message(m))
		}
	}
	body := map[string]any{"model": p.o.Wire.Model, "messages": turns, "max_tokens": r.MaxTokens, "stream": true}
	if len(system) > 0 {
		body["system"] = strings.Join(system, "\n\n")
	}
	if form == Tools {
		name := cmp.Or(r.Name, "answer")
		name = name[:min(len(name), 64)]
		body["tools"] = []any{map[string]any{"name": name, "description": "Takes the complete answer.", "input_schema": r.Schema}}
		body["tool_choice"] = map[string]any{"type": "tool", "name": name}
	}
	if !plain {
		body["temperature"] = p.o.Temperature
	}
	for k, v := range p.o.Extra {
		body[k] = v
	}
	return body
}

// tooMany finds the largest cap the model takes in its refusal of a larger one.
var tooMany = regexp.MustCompile(`max_tokens: \d+ > (\d+)`)

// adapt finds out whether a refusal teaches how to ask better. It returns nil when it does not.
func (p *Provider) adapt(f wire.Failure, r llm.Request) *llm.Error {
	if f.Status != http.StatusBadRequest {
		return nil
	}
	if m := tooMany.FindStringSubmatch(f.Text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 && n < r.MaxTokens {
			return &llm.Error{Class: llm.ClassAdapted, MaxTokens: n, Message: fmt.Sprintf("the model writes at most %d tokens", n)}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.plain && strings.Contains(f.Text, "temperature"):
		p.plain = true
		return &llm.Error{Class: llm.ClassAdapted, Message: "the model refuses temperature: it is left out from now on"}
	case r.Schema != nil && !p.text && p.o.Form != Tools && (strings.Contains(f.Text, "tool_choice") || strings.Contains(f.Text, "input_schema") || strings.Contains(f.Text, "tools.")):
		p.text = true
		return &llm.Error{Class: llm.ClassAdapted, Message: "the model refuses the tool: it is asked for JSON in words from now on"}
	}
	return nil
}
