package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/llm/wire"
)

const key = "sk-very-secret-key-0123456789"

type shapeOf struct {
	City string `json:"city"`
}

// fake is a server that remembers what it was asked and answers from a list; the last answer
// stays.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	answers []reply
	asked   []map[string]any
	header  http.Header
	byPath  map[string]reply // for GET
}

type reply struct {
	status int
	body   string
}

const good = `data: {"choices":[{"index":0,"delta":{"content":"{\"city\":"},"finish_reason":null}]}

data: {"choices":[{"index":0,"delta":{"content":"\"Lyon\"}"},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":4}}

data: [DONE]

`

func serve(t *testing.T, answers ...reply) *fake {
	f := &fake{answers: append(answers, reply{200, good}), byPath: map[string]reply{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.header = r.Header
	if r.Method == http.MethodGet {
		a, ok := f.byPath[r.URL.Path]
		if !ok {
			a = reply{404, "404 page not found"}
		}
		w.WriteHeader(a.status)
		io.WriteString(w, a.body)
		return
	}
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/v1/chat/completions" {
		w.WriteHeader(418)
		return
	}
	f.asked = append(f.asked, body)
	a := f.answers[0]
	if len(f.answers) > 1 {
		f.answers = f.answers[1:]
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.body)
}

func (f *fake) provider(d Dialect, change func(*Options)) *Provider {
	o := Options{
		Wire:    wire.Options{Entry: "e", Model: "acme/model-4096-tools", BaseURL: f.URL + "/v1", Key: key, KeyName: "MY_KEY"},
		Dialect: d, Strict: true, Temperature: 0.1,
	}
	if change != nil {
		change(&o)
	}
	return New(o)
}

func question() llm.Request {
	return llm.Request{
		Messages: []llm.Message{{Role: llm.System, Content: "Be brief."}, {Role: llm.User, Content: "Which city?"}},
		Schema:   schema.For[shapeOf](), Name: "pick_city", MaxTokens: 8192, FirstByte: 10 * time.Second,
	}
}

// at reads a path such as "response_format.json_schema.name" out of a request.
func at(v any, path string) string {
	for _, name := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			i := 0
			fmt.Sscan(name, &i)
			if i >= len(x) {
				return ""
			}
			v = x[i]
		default:
			return ""
		}
	}
	if v == nil {
		return ""
	}
	if s, ok := v.(string); ok {
		return s
	}
	b, _ := json.Marshal(v)
	return string(b)
}

func TestRequestBody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dialect Dialect
		change  func(*Options)
		ask     func(*llm.Request)
		want    map[string]string
		shown   bool // the schema is in the system message
	}{
		"like": {Like, nil, nil, map[string]string{
			"model": "acme/model-4096-tools", "stream": "true", "stream_options.include_usage": "true", "temperature": "0.1", "max_tokens": "8192",
			"response_format.type": "json_schema", "response_format.json_schema.name": "pick_city", "response_format.json_schema.strict": "true",
			"response_format.json_schema.schema.properties.city.type": "string", "messages.1.content": "Which city?", "messages.1.role": "user",
			"usage": "", "reasoning_effort": "",
		}, true},
		"OpenAI": {OpenAI, nil, nil, map[string]string{"response_format.type": "json_schema", "max_tokens": "8192"}, false},
		"OpenAI, reasoning model": {OpenAI, func(o *Options) { o.Wire.Model = "o4-mini"; o.Effort = "high" }, nil,
			map[string]string{"temperature": "", "max_tokens": "", "max_completion_tokens": "8192", "reasoning_effort": "high"}, false},
		"OpenAI, other model": {OpenAI, func(o *Options) { o.Wire.Model = "gpt-5-chat-latest"; o.Effort = "high" }, nil,
			map[string]string{"temperature": "0.1", "max_tokens": "8192", "reasoning_effort": ""}, false},
		"OpenRouter": {OpenRouter, func(o *Options) { o.Effort = "high" }, nil,
			map[string]string{"usage.include": "true", "reasoning.effort": "high", "reasoning_effort": ""}, true},
		"less thinking": {OpenRouter, func(o *Options) { o.Effort = "high" }, func(r *llm.Request) { r.LowEffort = true },
			map[string]string{"reasoning.effort": "low"}, true},
		"less than minimal": {Like, func(o *Options) { o.Effort = "minimal" }, func(r *llm.Request) { r.LowEffort = true },
			map[string]string{"reasoning_effort": "minimal"}, true},
		"LM Studio":  {LMStudio, nil, nil, map[string]string{"response_format.type": "json_schema", "temperature": "0.1", "max_tokens": "8192", "options": ""}, true},
		"not strict": {Like, func(o *Options) { o.Strict = false }, nil, map[string]string{"response_format.json_schema.strict": ""}, true},
		"tools first": {Like, func(o *Options) { o.FirstForm = Tools }, nil, map[string]string{
			"response_format": "", "tools.0.type": "function", "tools.0.function.name": "pick_city", "tools.0.function.parameters.type": "object",
			"tool_choice.function.name": "pick_city"}, true},
		"JSON only": {Like, func(o *Options) { o.Form = JSONObject }, nil, map[string]string{"response_format": `{"type":"json_object"}`}, true},
		"text only": {OpenAI, func(o *Options) { o.Form = Text }, nil, map[string]string{"response_format": "", "tools": ""}, true},
		"free text": {Like, nil, func(r *llm.Request) { r.Schema = nil }, map[string]string{"response_format": ""}, false},
		"the user's own": {Like, func(o *Options) {
			o.Extra = map[string]any{"temperature": 0.7, "provider": map[string]any{"order": []string{"x"}}}
		}, nil,
			map[string]string{"temperature": "0.7", "provider.order.0": "x"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t)
			r := question()
			if c.ask != nil {
				c.ask(&r)
			}
			if _, err := f.provider(c.dialect, c.change).Send(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			for path, want := range c.want {
				if got := at(f.asked[0], path); got != want {
					t.Errorf("%s is %q, want %q", path, got, want)
				}
			}
			system := at(f.asked[0], "messages.0.content")
			if shown := strings.Contains(system, `"properties"`); shown != c.shown || !strings.HasPrefix(system, "Be brief.") {
				t.Errorf("system message: %q", system)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	f := serve(t)
	ask := func(p *Provider) http.Header {
		if _, err := p.Send(t.Context(), question()); err != nil {
			t.Error(err)
		}
		return f.header
	}
	if h := ask(f.provider(OpenRouter, nil)); h.Get("X-Title") != "PlanExe" || h.Get("Authorization") != "Bearer "+key {
		t.Errorf("got %v", h)
	}
	own := f.provider(OpenRouter, func(o *Options) { o.Wire.Headers = map[string]string{"x-title": "Mine", "HTTP-Referer": "https://r"} })
	if h := ask(own); strings.Join(h.Values("X-Title"), ",") != "Mine" || h.Get("HTTP-Referer") != "https://r" {
		t.Errorf("got %v", h)
	}
	if h := ask(f.provider(Like, func(o *Options) { o.Wire.Key = "" })); h.Get("X-Title") != "" || h.Get("Authorization") != "" {
		t.Errorf("got %v", h)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	cost := func(v float64) *float64 { return &v }
	line := func(s ...string) string { return "data: " + strings.Join(s, "\n\ndata: ") + "\n\ndata: [DONE]\n\n" }
	for name, c := range map[string]struct {
		body string
		want llm.Response
		err  llm.Class
	}{
		"stream": {good, llm.Response{Text: `{"city":"Lyon"}`, Finish: llm.FinishStop}, ""},
		"one body": {`{"choices":[{"message":{"content":"hello","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":4}}`,
			llm.Response{Text: "hello", Finish: llm.FinishStop}, ""},
		"thinking stays out": {line(`{"choices":[{"delta":{"reasoning_content":"hm","content":null}}]}`, `{"choices":[{"delta":{"reasoning":"hm","content":""}}]}`,
			`{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}`), llm.Response{Text: "x", Finish: llm.FinishStop}, ""},
		"only thinking": {line(`{"choices":[{"delta":{"reasoning":"hm"},"finish_reason":"length"}]}`),
			llm.Response{Finish: llm.FinishLength, ReasoningOnly: true}, ""},
		"parts": {line(`{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"x"}]},"finish_reason":"stop"}]}`),
			llm.Response{Text: "x", Finish: llm.FinishStop}, ""},
		"tool": {line(`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"n","arguments":"{\"a\""}}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}},{"index":1,"function":{"arguments":"no"}}]},"finish_reason":"tool_calls"}]}`),
			llm.Response{Text: `{"a":1}`, Finish: llm.FinishStop}, ""},
		"tool with an object": {`{"choices":[{"message":{"content":"","tool_calls":[{"function":{"arguments":{"a":1}}}]},"finish_reason":"stop"}]}`,
			llm.Response{Text: `{"a":1}`, Finish: llm.FinishStop}, ""},
		"refusal":  {line(`{"choices":[{"delta":{"refusal":"I will not"},"finish_reason":"stop"}]}`), llm.Response{Refusal: "I will not", Finish: llm.FinishStop}, ""},
		"filtered": {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"content_filter"}]}`), llm.Response{Text: "x", Finish: llm.FinishFilter}, ""},
		"cut":      {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"length"}]}`), llm.Response{Text: "x", Finish: llm.FinishLength}, ""},
		"cost": {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}`, `{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":4,"cost":0.25,`+
			`"prompt_tokens_details":{"cached_tokens":6},"completion_tokens_details":{"reasoning_tokens":2}}}`),
			llm.Response{Text: "x", Finish: llm.FinishStop, Cost: cost(0.25)}, ""},
		"cost with a key of one's own": {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}],` +
			`"usage":{"prompt_tokens":10,"completion_tokens":4,"cost":0.25,"is_byok":true,"cost_details":{"upstream_inference_cost":5}}}`),
			llm.Response{Text: "x", Finish: llm.FinishStop, Cost: cost(5.25)}, ""},
		"no choices":   {line(`{"choices":[]}`), llm.Response{}, llm.ClassServer},
		"none in body": {`{"choices":[],"object":"chat.completion"}`, llm.Response{}, llm.ClassServer},
		"broken off":   {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"error"}]}`), llm.Response{Text: "x"}, llm.ClassServer},
		"other JSON":   {line(`{"choices":"yes"}`), llm.Response{}, llm.ClassServer},
		"no end":       {"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n", llm.Response{Text: "x"}, llm.ClassNetwork},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := question()
			r.Schema = nil
			got, err := serve(t, reply{200, c.body}).provider(OpenRouter, nil).Send(t.Context(), r)
			want := llm.ClassOK
			if c.err != "" {
				want = c.err
			}
			if llm.ClassOf(err) != want {
				t.Fatalf("got %v", err)
			}
			usage, gotCost := got.Usage, got.Cost
			if (gotCost == nil) != (c.want.Cost == nil) || gotCost != nil && *gotCost != *c.want.Cost {
				t.Errorf("cost %v", gotCost)
			}
			got.Usage, got.Cost, c.want.Cost = c.want.Usage, nil, nil
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if reported := strings.Contains(c.body, "prompt_tokens"); reported == usage.Estimated && err == nil || reported && (usage.Prompt != 10 || usage.Completion != 4) {
				t.Errorf("usage %+v", usage)
			}
			if name == "cost" && (usage.Cached != 6 || usage.Reasoning != 2) {
				t.Errorf("usage %+v", usage)
			}
		})
	}
}

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
		"cap too large, Anthropic": {Anthropic, nil, reply{400, `{"error":{"message":"max_tokens: 8192 > 4000, which is the maximum allowed number of output tokens for acme/model-4096-tools"}}`}, nil, 4000},
		"cap too large, Groq":      {Like, nil, reply{400, "{\"error\":{\"message\":\"`max_tokens` must be less than or equal to `2048`\"}}"}, nil, 2048},
		"cap too large, range":     {Like, nil, reply{400, `{"error":{"message":"Invalid max_tokens value, the valid range of max_tokens is [1, 4,000]"}}`}, nil, 4000},
		"prompt and cap":           {Like, nil, reply{400, `{"error":{"message":"This model's maximum context length is 6000 tokens. However, you requested 8300 tokens (108 in the messages, 8192 in the completion)."}}`}, map[string]string{"max_tokens": "5"}, 0},
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
				if name == "prompt and cap" {
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
