// Package ollama asks models of an Ollama server by its native API. The OpenAI-compatible one has
// no way to set the context length and cuts longer prompts without a word.
package ollama

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/wire"
)

// The values of format, simplest last.
const (
	formSchema = "json_schema"
	formJSON   = "json_object"
	formText   = "text"
)

// contextStep is what context lengths are rounded up to: each new length makes the server load the
// model again, which takes longer than many an answer.
const contextStep = 2048

// Options of one entry.
type Options struct {
	Wire        wire.Options
	Form        string // the only form to be used: json_schema, json_object or text; "" tries all in order
	Temperature float64
	KeepAlive   any            // keep_alive; nil leaves it to the server
	Think       any            // think; nil leaves it to the model
	Options     map[string]any // further members of options; they replace ours, except for num_predict
	Body        map[string]any // further members of the request; they replace ours
	Window      int            // largest context length in tokens; 0 asks the server
}

// Provider implements llm.Provider.
type Provider struct {
	o     Options
	wire  *wire.Client
	forms []string
	fixed int // num_ctx of the user, 0 for none

	mu      sync.Mutex
	form    int
	proven  bool // an answer came in the present form
	noThink bool // the model refuses the parameter think
	window  int
	asked   bool // the server was asked for the window
	loaded  int  // largest context length so far
}

var _ llm.Provider = (*Provider)(nil)

// New returns the provider of one entry.
func New(o Options) *Provider {
	p := &Provider{o: o, wire: wire.New(o.Wire), forms: []string{formSchema, formJSON, formText}, window: o.Window}
	switch o.Form {
	case "":
	case formSchema, formJSON:
		p.forms = []string{o.Form}
	default:
		p.forms = []string{formText}
	}
	if n, err := strconv.Atoi(fmt.Sprint(o.Options["num_ctx"])); err == nil && n > 0 {
		p.fixed, p.window = n, n
	}
	return p
}

// Window returns the largest context length in tokens, 0 when it is not known.
func (p *Provider) Window() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.window
}

// StepDown makes later requests use the next simpler form; false when there is none. While no
// answer in the present form has come, complaints are about an earlier form and change nothing.
func (p *Provider) StepDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.form+1 >= len(p.forms) {
		return false
	}
	if p.form == 0 || p.proven {
		p.form++
		p.proven = false
	}
	return true
}

// Send asks once.
func (p *Provider) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	window := p.askWindow(ctx)
	size := wire.Bytes(r.Messages)
	if window > 0 && size/4 >= window {
		return llm.Response{}, p.tooLong(size/4, window)
	}
	messages := wire.WithSchema(r.Messages, r.Schema)
	p.mu.Lock()
	at, noThink := p.form, p.noThink
	numCtx := p.contextFor(wire.Bytes(messages)/3+r.MaxTokens, window)
	p.mu.Unlock()
	form := ""
	if r.Schema != nil {
		form = p.forms[at]
	}
	body := p.body(r, messages, form, numCtx)
	if noThink {
		delete(body, "think")
	}

	var a answer
	err := p.wire.Stream(ctx, wire.Request{
		URL: p.o.Wire.BaseURL + "/api/chat", Body: body, FirstByte: r.FirstByte,
		Each:  func(raw json.RawMessage) (wire.State, error) { return a.add(p.wire, raw) },
		Adapt: func(f wire.Failure) *llm.Error { return p.adapt(f, at, form, body["think"] != nil) },
	})
	if llm.ClassOf(err) == llm.ClassModelUnknown {
		err = p.missing()
	}
	resp := a.response(messages, form)
	if err != nil {
		return resp, err
	}
	if n := a.last.PromptTokens.Count(); n >= numCtx-1 {
		return resp, p.tooLong(n, numCtx)
	}
	p.mu.Lock()
	p.proven = p.proven || p.form == at
	p.mu.Unlock()
	return resp, nil
}

// body builds the request.
func (p *Provider) body(r llm.Request, messages []llm.Message, form string, numCtx int) map[string]any {
	options := map[string]any{"temperature": p.o.Temperature, "num_ctx": numCtx}
	maps.Copy(options, p.o.Options)
	options["num_predict"] = r.MaxTokens // it has to rise when an answer is cut off
	// Newer servers can be told to refuse what older ones cut.
	body := map[string]any{
		"model": p.o.Wire.Model, "messages": messages, "stream": true, "options": options, "truncate": false, "shift": false,
	}
	switch form {
	case formSchema:
		body["format"] = r.Schema
	case formJSON:
		body["format"] = "json"
	}
	if p.o.KeepAlive != nil {
		body["keep_alive"] = p.o.KeepAlive
	}
	if think := p.think(r.LowEffort); think != nil {
		body["think"] = think
	}
	maps.Copy(body, p.o.Body)
	return body
}

// contextFor returns the context length to ask for. It grows and never shrinks, because every
// change makes the server load the model again. The caller holds the lock.
func (p *Provider) contextFor(need, window int) int {
	if p.fixed > 0 {
		return p.fixed
	}
	n := max(p.loaded, (need+contextStep-1)/contextStep*contextStep)
	if window > 0 {
		n = min(n, window)
	}
	p.loaded = n
	return n
}

// think returns the value of the parameter. gpt-oss knows levels only, the others on and off.
func (p *Provider) think(less bool) any {
	switch {
	case !less:
		return p.o.Think
	case strings.Contains(p.o.Wire.Model, "gpt-oss"):
		return "low"
	}
	return false
}

func (p *Provider) tooLong(n, window int) *llm.Error {
	return p.wire.Fail(llm.ClassContext, "the prompt has about %d tokens, model %s of entry %q takes %d", n, p.o.Wire.Model, p.o.Wire.Entry, window)
}

func (p *Provider) missing() *llm.Error {
	e := p.wire.Fail(llm.ClassModelUnknown, "entry %q: Ollama at %s has no model %q", p.o.Wire.Entry, wire.Host(p.o.Wire.BaseURL), p.o.Wire.Model)
	e.Advice = "run: ollama pull " + p.o.Wire.Model
	return e
}

// adapt finds out whether a refusal teaches how to ask better.
func (p *Provider) adapt(f wire.Failure, at int, form string, thinking bool) *llm.Error {
	if f.Status < 400 || f.IsContext() || f.IsModel() && !strings.Contains(f.Text, "think") {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case thinking && strings.Contains(f.Text, "think"):
		p.noThink = true
		return &llm.Error{Class: llm.ClassAdapted, Message: "the model has no thinking to switch: think is left out from now on"}
	case form != "" && at+1 < len(p.forms) && (strings.Contains(f.Text, "format") || strings.Contains(f.Text, "grammar") || strings.Contains(f.Text, "schema")):
		if p.form == at {
			p.form++
			p.proven = false
		}
		return &llm.Error{Class: llm.ClassAdapted, Message: fmt.Sprintf("the server refuses %s: using %s from now on", form, p.forms[at+1])}
	}
	return nil
}

// chunk is one line of an answer.
type chunk struct {
	Message struct {
		Content  string `json:"content"`
		Thinking string `json:"thinking"`
	} `json:"message"`
	Done         bool        `json:"done"`
	Reason       string      `json:"done_reason"`
	PromptTokens wire.Amount `json:"prompt_eval_count"`
	Tokens       wire.Amount `json:"eval_count"`
}

type answer struct {
	text     strings.Builder
	thinking int // bytes
	last     chunk
}

func (a *answer) add(c *wire.Client, raw json.RawMessage) (wire.State, error) {
	var piece chunk
	if err := json.Unmarshal(raw, &piece); err != nil {
		return wire.Going, c.Fail(llm.ClassServer, "the server answered with JSON of a form that is not known")
	}
	a.text.WriteString(piece.Message.Content)
	a.thinking += len(piece.Message.Thinking)
	if !piece.Done {
		return wire.Going, nil
	}
	a.last = piece
	return wire.Ended, nil
}

func (a *answer) response(messages []llm.Message, form string) llm.Response {
	resp := llm.Response{Text: a.text.String(), Form: form}
	if a.last.Done {
		resp.Finish = llm.FinishStop
	}
	if a.last.Reason == "length" {
		resp.Finish = llm.FinishLength
	}
	if len(resp.Text)+a.thinking > 0 {
		resp.Usage = wire.Estimate(messages, len(resp.Text), a.thinking)
	}
	if prompt, tokens := a.last.PromptTokens.Count(), a.last.Tokens.Count(); prompt > 0 || tokens > 0 {
		resp.Usage = event.Usage{Prompt: prompt, Completion: tokens}
		if a.thinking > 0 { // the server counts both together
			resp.Usage.Reasoning = tokens * a.thinking / (len(resp.Text) + a.thinking)
		}
	}
	resp.ReasoningOnly = strings.TrimSpace(resp.Text) == "" && a.thinking > 0
	return resp
}

// Offers tells whether the server has the model. Names from Hugging Face are taken as they are:
// the server lists them in a spelling of its own.
func (p *Provider) Offers(ctx context.Context) (bool, error) {
	var tags struct {
		Models []struct {
			Name string `json:"name"`
		} `json:"models"`
	}
	if err := p.wire.Ask(ctx, p.o.Wire.BaseURL+"/api/tags", nil, &tags); err != nil {
		return false, err
	}
	if strings.HasPrefix(p.o.Wire.Model, "hf.co/") {
		return true, nil
	}
	for _, m := range tags.Models {
		if tagged(m.Name) == tagged(p.o.Wire.Model) {
			return true, nil
		}
	}
	return false, nil
}

// tagged adds the tag that a name without one stands for.
func tagged(name string) string {
	if !strings.Contains(name[strings.LastIndex(name, "/")+1:], ":") {
		return name + ":latest"
	}
	return name
}

// Check is the preflight: does the server answer, and does it have the model.
func (p *Provider) Check(ctx context.Context) error {
	ok, err := p.Offers(ctx)
	if err != nil {
		return wire.Certain(err)
	}
	if !ok {
		return p.missing()
	}
	p.askWindow(ctx)
	return nil
}

// askWindow returns the largest context length, which it asks the server for once.
func (p *Provider) askWindow(ctx context.Context) int {
	p.mu.Lock()
	window, known := p.window, p.window > 0 || p.asked
	p.mu.Unlock()
	if known {
		return window
	}
	var show struct {
		Info map[string]any `json:"model_info"`
	}
	if err := p.wire.Ask(ctx, p.o.Wire.BaseURL+"/api/show", map[string]any{"model": p.o.Wire.Model}, &show); err != nil {
		return 0 // the question itself will show what is wrong
	}
	for _, name := range slices.Sorted(maps.Keys(show.Info)) {
		if n, ok := show.Info[name].(float64); ok && strings.Contains(name, "context_length") && window == 0 {
			window = int(n)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.window = true, window
	return window
}
