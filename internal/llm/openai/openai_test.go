package openai

import (
	"encoding/json"
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
		"second choice": {line(`{"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}`),
			llm.Response{Text: "x", Finish: llm.FinishStop}, ""},
		"refusal":  {line(`{"choices":[{"delta":{"refusal":"I will not"},"finish_reason":"stop"}]}`), llm.Response{Refusal: "I will not", Finish: llm.FinishStop}, ""},
		"filtered": {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"content_filter"}]}`), llm.Response{Text: "x", Finish: llm.FinishFilter}, ""},
		"cut":      {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"length"}]}`), llm.Response{Text: "x", Finish: llm.FinishLength}, ""},
		"cost": {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}`, `{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":4,"cost":0.25,`+
			`"prompt_tokens_details":{"cached_tokens":6},"completion_tokens_details":{"reasoning_tokens":2}}}`),
			llm.Response{Text: "x", Finish: llm.FinishStop, Cost: cost(0.25)}, ""},
		"cost with a key of one's own": {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}],` +
			`"usage":{"prompt_tokens":10,"completion_tokens":4,"cost":0.25,"is_byok":true,"cost_details":{"upstream_inference_cost":5}}}`),
			llm.Response{Text: "x", Finish: llm.FinishStop, Cost: cost(5.25)}, ""},
		"counts in other forms": {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}`, `{"choices":[],"usage":{"prompt_tokens":10.0,`+
			`"completion_tokens":"4","cost":"0.01","prompt_tokens_details":[],"completion_tokens_details":null,"is_byok":"no"}}`),
			llm.Response{Text: "x", Finish: llm.FinishStop, Cost: cost(0.01)}, ""},
		"usage is a text": {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}],"usage":"none"}`), llm.Response{Text: "x", Finish: llm.FinishStop}, ""},
		"negative": {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":4,"cost":-5,` +
			`"prompt_tokens_details":{"cached_tokens":-6},"is_byok":true,"cost_details":{"upstream_inference_cost":-1}}}`),
			llm.Response{Text: "x", Finish: llm.FinishStop}, ""},
		"negative fee of another's": {line(`{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":4,"cost":0.5,` +
			`"is_byok":true,"cost_details":{"upstream_inference_cost":-1}}}`),
			llm.Response{Text: "x", Finish: llm.FinishStop, Cost: cost(0.5)}, ""},
		"empty error":  {`{"error":"","choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}`, llm.Response{Text: "x", Finish: llm.FinishStop}, ""},
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
			if usage.Prompt < 0 || usage.Completion < 0 || usage.Cached < 0 {
				t.Errorf("usage %+v", usage)
			}
			if name == "cost" && (usage.Cached != 6 || usage.Reasoning != 2) {
				t.Errorf("usage %+v", usage)
			}
		})
	}
}
