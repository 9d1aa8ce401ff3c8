// Package openai asks models by the chat completions protocol, which OpenAI made and nearly every
// other service and local server understands, each in its own dialect.
package openai

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"planexe/internal/llm"
	"planexe/internal/llm/wire"
)

// Dialect is what a server makes of the protocol.
type Dialect int

// The dialects.
const (
	Like       Dialect = iota // any server
	OpenAI                    // the original
	OpenRouter                // tells costs, sorts out reasoning by itself
	LMStudio                  // local, no other forms than json_schema and text
)

// The ways to ask for an answer of a certain shape.
const (
	JSONSchema = "json_schema"
	Tools      = "tools"
	JSONObject = "json_object"
	Text       = "text"
)

var forms = map[Dialect][]string{
	Like:       {JSONSchema, JSONObject, Text},
	OpenAI:     {JSONSchema, Tools, Text},
	OpenRouter: {JSONSchema, JSONObject, Text},
	LMStudio:   {JSONSchema, Text},
}

// Options of one entry.
type Options struct {
	Wire        wire.Options // BaseURL is what /chat/completions is appended to
	Dialect     Dialect
	ListsModels bool           // the server lists all its models: one that is not there is unknown
	Form        string         // the only form to be used; "" tries those of the dialect in order
	FirstForm   string         // the form to begin with; "" begins with the dialect's first
	Strict      bool           // ask for strict adherence to the schema
	Temperature float64        // not sent to reasoning models of OpenAI, which refuse it
	Effort      string         // reasoning effort; "" does not ask for any
	Extra       map[string]any // further members of the request; they replace ours
	Window      int            // context length in tokens; 0 asks the server
}

// Provider implements llm.Provider.
type Provider struct {
	o         Options
	wire      *wire.Client
	forms     []string
	reasoning bool           // a reasoning model of OpenAI
	ownName   *regexp.Regexp // finds the model's name in lower-case messages

	mu     sync.Mutex
	now    *plan
	proven bool // an answer came in the present form
}

// plan is how to ask: what was learned so far. A plan never changes, a new one replaces it.
type plan struct {
	form    int // index into Provider.forms
	strict  bool
	capName string
	renamed bool            // capName was changed
	dropped map[string]bool // parameters the server refuses
	fold    bool            // the system message becomes part of the user's
	window  int             // context length in tokens, 0 unknown
	tight   bool            // the server counts prompt and cap together, and more tokens than we do
}

var _ llm.Provider = (*Provider)(nil)

// reasoningModel matches the models of OpenAI that think before they answer.
var reasoningModel = regexp.MustCompile(`^(ft:)?(o\d|gpt-[5-9]|codex)`)

// New returns the provider of one entry.
func New(o Options) *Provider {
	p := &Provider{o: o, forms: forms[o.Dialect]}
	p.ownName = regexp.MustCompile(`(^|[^a-z0-9_-])` + regexp.QuoteMeta(strings.ToLower(o.Wire.Model)) + `($|[^a-z0-9_-])`)
	p.reasoning = o.Dialect == OpenAI && reasoningModel.MatchString(o.Wire.Model) && !strings.Contains(o.Wire.Model, "-chat")
	switch {
	case o.Form != "":
		p.forms = []string{o.Form}
	case o.FirstForm != "":
		rest := slices.DeleteFunc(slices.Clone(p.forms), func(f string) bool { return f == o.FirstForm })
		p.forms = append([]string{o.FirstForm}, rest...)
	}
	p.now = &plan{strict: o.Strict, capName: "max_tokens", window: o.Window}
	if p.reasoning {
		p.now.capName = "max_completion_tokens"
	}
	if o.Dialect == OpenRouter {
		p.o.Wire.Headers = withTitle(o.Wire.Headers)
	}
	p.wire = wire.New(p.o.Wire)
	return p
}

// withTitle adds the header by which OpenRouter names its caller, unless the user has set it.
func withTitle(headers map[string]string) map[string]string {
	out := map[string]string{"X-Title": "PlanExe"}
	for k, v := range headers {
		if strings.EqualFold(k, "X-Title") {
			delete(out, "X-Title")
		}
		out[k] = v
	}
	return out
}

// Window returns the context length in tokens, 0 when it is not known.
func (p *Provider) Window() int { return p.current().window }

func (p *Provider) current() *plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// learn replaces the plan that a request was made by, unless another request has done so already:
// then what that one learned is tried first.
func (p *Provider) learn(from *plan, change func(*plan)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != from {
		return
	}
	next := *from
	change(&next)
	if next.form != from.form {
		p.proven = false
	}
	p.now = &next
}

// StepDown makes later requests use the next simpler form; false when there is none. While no
// answer in the present form has come, complaints are about an earlier form and change nothing.
func (p *Provider) StepDown() bool {
	now := p.current()
	if now.form+1 >= len(p.forms) {
		return false
	}
	p.mu.Lock()
	proven := p.proven
	p.mu.Unlock()
	if now.form == 0 || proven {
		p.learn(now, func(n *plan) { n.form++ })
	}
	return true
}

// Send asks once.
func (p *Provider) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	by := p.current()
	form := ""
	if r.Schema != nil {
		form = p.forms[by.form]
	}
	if by.tight && by.window > 0 {
		r.MaxTokens = min(r.MaxTokens, max(256, by.window-wire.Bytes(r.Messages)/3))
	}
	a := answer{wire: p.wire}
	err := p.wire.Stream(ctx, wire.Request{
		URL: p.o.Wire.BaseURL + "/chat/completions", Body: p.body(r, by, form), FirstByte: r.FirstByte, Each: a.add,
		Adapt: func(f wire.Failure) *llm.Error { return p.adapt(f, r, by, form) },
	})
	if err == nil && !a.begun {
		err = p.wire.Fail(llm.ClassServer, "%s answered without choices", wire.Host(p.o.Wire.BaseURL))
	}
	if err == nil {
		p.mu.Lock()
		p.proven = p.proven || p.now.form == by.form
		p.mu.Unlock()
	}
	return a.response(r, form), err
}

// body builds the request.
func (p *Provider) body(r llm.Request, by *plan, form string) map[string]any {
	messages := r.Messages
	if form == Text || p.o.Dialect != OpenAI {
		messages = wire.WithSchema(messages, r.Schema)
	}
	if by.fold {
		messages = foldSystem(messages)
	}
	body := map[string]any{
		"model": p.o.Wire.Model, "messages": messages, "stream": true,
		"stream_options": map[string]any{"include_usage": true},
		by.capName:       r.MaxTokens,
	}
	if !p.reasoning {
		body["temperature"] = p.o.Temperature
	}
	effort := p.o.Effort
	if r.LowEffort && effort != "minimal" && effort != "none" {
		effort = "low"
	}
	switch {
	case p.o.Dialect == OpenRouter:
		body["usage"] = map[string]any{"include": true}
		if effort != "" {
			body["reasoning"] = map[string]any{"effort": effort}
		}
	case effort != "" && (p.reasoning || p.o.Dialect != OpenAI):
		body["reasoning_effort"] = effort
	}
	maps.Copy(body, p.o.Extra)
	shape(body, r, form, by.strict)
	for name := range by.dropped {
		delete(body, name)
	}
	return body
}

// shape adds what asks for the schema.
func shape(body map[string]any, r llm.Request, form string, strict bool) {
	name := cmp.Or(r.Name, "answer")
	name = name[:min(len(name), 64)]
	inner := map[string]any{"name": name}
	if strict {
		inner["strict"] = true
	}
	switch form {
	case JSONSchema:
		inner["schema"] = r.Schema
		body["response_format"] = map[string]any{"type": "json_schema", "json_schema": inner}
	case JSONObject:
		body["response_format"] = map[string]any{"type": "json_object"}
	case Tools:
		inner["description"], inner["parameters"] = "Takes the complete answer.", r.Schema
		body["tools"] = []any{map[string]any{"type": "function", "function": inner}}
		body["tool_choice"] = map[string]any{"type": "function", "function": map[string]any{"name": name}}
	}
}

// foldSystem puts the system message in front of the first message of the user.
func foldSystem(messages []llm.Message) []llm.Message {
	if len(messages) < 2 || messages[0].Role != llm.System || messages[1].Role != llm.User {
		return messages
	}
	out := slices.Clone(messages[1:])
	out[0].Content = messages[0].Content + "\n\n" + out[0].Content
	return out
}
