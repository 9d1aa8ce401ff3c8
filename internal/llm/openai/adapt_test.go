package openai

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"planexe/internal/llm"
	"planexe/internal/llm/wire"
)

func TestAdapts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dialect Dialect
		change  func(*Options)
		refusal reply
		want    map[string]string // of the next request
		cap     int
	}{
		"temperature": {Like, nil, reply{400, `{"error":{"message":"Unsupported value: 'temperature' does not support 0.1 with this model.","param":"temperature"}}`},
			map[string]string{"temperature": ""}, 0},
		"stream options": {Like, nil, reply{400, `{"detail":"stream_options is not allowed"}`}, map[string]string{"stream_options": ""}, 0},
		"effort": {Like, func(o *Options) { o.Effort = "high" }, reply{422, `{"detail":[{"type":"extra_forbidden","loc":["body","reasoning_effort"],"msg":"Extra inputs are not permitted"}]}`},
			map[string]string{"reasoning_effort": ""}, 0},
		"parameter of the user": {Like, func(o *Options) { o.Extra = map[string]any{"top_k": 4} }, reply{400, `{"error":{"message":"Unrecognized request argument supplied: top_k"}}`},
			map[string]string{"top_k": ""}, 0},
		"cap has another name": {OpenAI, nil, reply{400, `{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens"}}`},
			map[string]string{"max_tokens": "", "max_completion_tokens": "8192"}, 0},
		"cap has the old name": {OpenAI, func(o *Options) { o.Wire.Model = "o3" }, reply{400, `{"error":{"message":"Unknown field max_completion_tokens"}}`},
			map[string]string{"max_tokens": "8192", "max_completion_tokens": ""}, 0},
		"cap too large, OpenAI": {OpenAI, nil, reply{400, `{"error":{"message":"max_tokens is too large: 8192. This model supports at most 4096 completion tokens, whereas you provided 8192.","code":400}}`},
			map[string]string{"max_tokens": "8192"}, 4096},
		"cap too large, Anthropic": {Like, nil, reply{400, `{"error":{"message":"max_tokens: 8192 > 4000, which is the maximum allowed number of output tokens for acme/model-4096-tools"}}`}, nil, 4000},
		"cap too large, Groq":      {Like, nil, reply{400, "{\"error\":{\"message\":\"`max_tokens` must be less than or equal to `2048`\"}}"}, nil, 2048},
		"cap too large, Groq in full": {Like, nil, reply{400, "{\"error\":{\"message\":\"`max_tokens` must be less than or equal to `2048`, the maximum value for `max_tokens` is less than the `context_window` for this model\",\"type\":\"invalid_request_error\",\"param\":\"max_tokens\"}}"},
			map[string]string{"max_tokens": "8192"}, 2048},
		"cap too large, the model's name is a part of the parameter": {Like, func(o *Options) { o.Wire.Model = "max" }, reply{400, `{"error":{"message":"max_tokens: at most 2048"}}`}, nil, 2048},
		"prompt and cap, vLLM": {Like, nil, reply{400, `{"error":{"message":"'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 6000 tokens and your request has 108 input tokens (8192 > 6000 - 108)."}}`},
			map[string]string{"max_tokens": "5"}, 0},
		"prompt and cap, Anthropic": {Like, nil, reply{400, `{"error":{"message":"input length and ` + "`max_tokens`" + ` exceed context limit: 108 + 8192 > 6000, decrease input length or ` + "`max_tokens`" + ` and try again"}}`},
			map[string]string{"max_tokens": "5"}, 0},
		"cap too large, range": {Like, nil, reply{400, `{"error":{"message":"Invalid max_tokens value, the valid range of max_tokens is [1, 4,000]"}}`}, nil, 4000},
		"prompt and cap":       {Like, nil, reply{400, `{"error":{"message":"This model's maximum context length is 6000 tokens. However, you requested 8300 tokens (108 in the messages, 8192 in the completion)."}}`}, map[string]string{"max_tokens": "5"}, 0},
		"strict": {Like, nil, reply{400, `{"error":{"message":"strict is not supported"}}`},
			map[string]string{"response_format.type": "json_schema", "response_format.json_schema.strict": ""}, 0},
		"form": {Like, func(o *Options) { o.Strict = false }, reply{400, `{"error":{"message":"response_format type json_schema is not supported"}}`},
			map[string]string{"response_format.type": "json_object"}, 0},
		"form, 404 of OpenRouter": {OpenRouter, func(o *Options) { o.Strict = false }, reply{404, `{"error":{"message":"No endpoints found that support structured output","code":404}}`},
			map[string]string{"response_format.type": "json_object"}, 0},
		"form inside a 200": {Like, func(o *Options) { o.Strict = false }, reply{200, `{"error":{"code":400,"message":"response_format unknown"}}`},
			map[string]string{"response_format.type": "json_object"}, 0},
		"tools": {OpenAI, func(o *Options) { o.FirstForm = Tools; o.Strict = false }, reply{501, `{"error":{"message":"tool_choice is not implemented"}}`},
			map[string]string{"tools": "", "response_format.type": "json_schema"}, 0},
		"no system message": {Like, nil, reply{500, `{"error":{"message":"System role not supported"}}`},
			map[string]string{"messages.0.role": "user", "messages.1.role": ""}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, c.refusal)
			p := f.provider(c.dialect, c.change)
			_, err := p.Send(t.Context(), question())
			e, _ := errors.AsType[*llm.Error](err)
			if e == nil || e.Class != llm.ClassAdapted || e.MaxTokens != c.cap || e.Message == "" {
				t.Fatalf("got %#v", err)
			}
			if _, err := p.Send(t.Context(), question()); err != nil {
				t.Fatal(err)
			}
			for path, want := range c.want {
				got := at(f.asked[1], path)
				if strings.HasPrefix(name, "prompt and cap") {
					got = got[:1] // about 5,900
				}
				if got != want {
					t.Errorf("%s is %q, want %q", path, got, want)
				}
			}
		})
	}
}

// TestAdaptsNoMore: what cannot be adapted to is classified, and no refusal is adapted to for ever.
func TestAdaptsNoMore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refusal reply
		change  func(*Options)
		most    int // adaptations
		want    llm.Class
	}{
		"other reason":       {reply{400, `{"error":{"message":"no"}}`}, nil, 0, llm.ClassBadRequest},
		"form until text":    {reply{400, `{"error":{"message":"response_format"}}`}, nil, 3, llm.ClassBadRequest},
		"fixed form":         {reply{400, `{"error":{"message":"response_format"}}`}, func(o *Options) { o.Form, o.Strict = JSONSchema, false }, 0, llm.ClassBadRequest},
		"name of the cap":    {reply{400, `{"error":{"message":"max_tokens max_completion_tokens"}}`}, nil, 1, llm.ClassBadRequest},
		"words in the model": {reply{404, `{"error":{"message":"The model acme/model-4096-tools does not exist"}}`}, nil, 0, llm.ClassModelUnknown},
		"context":            {reply{400, `{"error":{"message":"maximum context length is 5 tokens"}}`}, nil, 0, llm.ClassContext},
		"context, twice":     {reply{400, `{"error":{"message":"maximum context length is 5000 tokens"}}`}, nil, 1, llm.ClassContext},
		"everything":         {reply{400, `{"error":{"message":"'temperature' stream_options response_format system role not supported max_tokens"}}`}, nil, 8, llm.ClassBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t)
			f.answers = []reply{c.refusal}
			p := f.provider(Like, c.change)
			for n := 0; ; n++ {
				_, err := p.Send(t.Context(), question())
				if llm.ClassOf(err) == llm.ClassAdapted && n < c.most {
					continue
				}
				if llm.ClassOf(err) != c.want {
					t.Errorf("after %d adaptations: %s %v", n, llm.ClassOf(err), err)
				}
				return
			}
		})
	}
}

func TestCallsSideBySideLearnOnce(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 8)
	all := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), "json_schema") {
			io.WriteString(w, good)
			return
		}
		arrived <- struct{}{}
		<-all // every refusal is on its way before the first one is read
		w.WriteHeader(400)
		io.WriteString(w, `{"error":{"message":"response_format json_schema"}}`)
	}))
	defer server.Close()
	p := New(Options{Wire: wire.Options{Model: "m", BaseURL: server.URL}, Dialect: Like})
	var wg sync.WaitGroup
	for range cap(arrived) {
		wg.Go(func() {
			if _, err := p.Send(t.Context(), question()); llm.ClassOf(err) != llm.ClassAdapted {
				t.Errorf("got %v", err)
			}
		})
	}
	for range cap(arrived) {
		<-arrived
	}
	close(all)
	wg.Wait()
	if r, err := p.Send(t.Context(), question()); err != nil || r.Form != JSONObject {
		t.Errorf("form is %q, %v", r.Form, err)
	}
}

func TestStepDown(t *testing.T) {
	t.Parallel()
	p := serve(t).provider(Like, nil)
	form := func() string {
		r, err := p.Send(t.Context(), question())
		if err != nil {
			t.Fatal(err)
		}
		return r.Form
	}
	if f := form(); f != JSONSchema || !p.StepDown() || !p.StepDown() {
		t.Errorf("began with %s", f)
	}
	// The second complaint was about the first form.
	if f := form(); f != JSONObject || !p.StepDown() {
		t.Errorf("went on with %s", f)
	}
	if f := form(); f != Text || p.StepDown() {
		t.Errorf("ended with %s", f)
	}
}

func TestLaterLessonOfTheSamePlanIsLeftOut(t *testing.T) {
	t.Parallel()
	p := New(Options{Dialect: Like, Strict: true})
	from := p.current()
	p.learn(from, func(n *plan) { n.fold = true })
	p.learn(from, func(n *plan) { n.form++ })
	if now := p.current(); !now.fold || now.form != 0 {
		t.Errorf("got %+v", *now)
	}
}
