package models

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"planexe/internal/config"
	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
)

var answerSchema = schema.For[struct {
	City string `json:"city"`
}]()

const key = "sk-very-secret-key-0123456789"

func load(t *testing.T, text string) config.LLM {
	t.Helper()
	cfg, err := config.ParseLLM([]byte(text), config.NewEnv(map[string]string{"THE_KEY": key}))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestBuild(t *testing.T) {
	t.Parallel()
	entries := Build(load(t, `{
		"router": {"class": "OpenRouter", "price": {"input": 1, "output": 2, "cached_input": 0.5},
			"arguments": {"model": "a/b", "api_key": "${THE_KEY}", "max_tokens": 4000, "timeout": 20, "max_retries": 5}},
		"router2": {"class": "OpenRouter", "arguments": {"model": "a/c", "api_key": "${THE_KEY}"}},
		"other key": {"class": "OpenRouter", "arguments": {"model": "a/c", "api_key": "another-key"}},
		"own server": {"class": "OpenAILike", "arguments": {"model": "m", "base_url": "http://localhost:8000/v1"}},
		"two at once": {"class": "Ollama", "max_concurrency": 2, "arguments": {"model": "m", "additional_kwargs": {"num_predict": 99}}},
		"studio": {"class": "LMStudio", "arguments": {"model_name": "m"}},
		"no key": {"class": "Groq", "arguments": {"model": "m", "api_key": "${NOT_SET}"}},
		"claude": {"class": "Anthropic", "arguments": {"model": "m", "api_key": "${THE_KEY}"}}
	}`))
	var ids []string
	by := map[string]*llm.Entry{}
	for _, e := range entries {
		ids = append(ids, e.ID)
		by[e.ID] = e
		if e.Provider == nil {
			t.Errorf("%s has no provider", e.ID)
		}
		if strings.Contains(fmt.Sprint(e.Account, e.KeyName, e.Host, e.Problem), key) {
			t.Errorf("%s shows its key", e.ID)
		}
	}
	if want := []string{"router", "router2", "other key", "own server", "two at once", "studio", "no key", "claude", "demo"}; !slices.Equal(ids, want) {
		t.Errorf("got %q", ids)
	}
	r := by["router"]
	if r.Host != "openrouter.ai" || r.KeyName != "THE_KEY" || r.Timeout != 20*time.Second || r.MaxTokens != 4000 || r.Retries != 5 || r.Model != "a/b" ||
		r.Class != "OpenRouter" || *r.Price != (llm.Price{Input: 1, Output: 2, Cached: 0.5}) || r.Local || r.Problem != nil {
		t.Errorf("got %+v", r)
	}
	if r.Account != by["router2"].Account || r.Account == by["other key"].Account {
		t.Errorf("accounts %q, %q, %q", r.Account, by["router2"].Account, by["other key"].Account)
	}
	if by["other key"].KeyName != "api_key of entry other key" {
		t.Errorf("key name %q", by["other key"].KeyName)
	}
	for id, want := range map[string]int{"router": 16, "own server": 1, "two at once": 2, "studio": 1, "demo": 64} {
		if by[id].Slots != want {
			t.Errorf("%s has %d slots, want %d", id, by[id].Slots, want)
		}
	}
	if by["own server"].Local || !by["studio"].Local || !by["two at once"].Local || by["two at once"].MaxTokens != 99 {
		t.Error("local, or the cap of Ollama")
	}
	if llm.ClassOf(by["no key"].Problem) != llm.ClassConfig || !strings.Contains(by["no key"].Problem.Error(), "NOT_SET") {
		t.Errorf("got %v", by["no key"].Problem)
	}
	if d := by["demo"]; !d.Demo || d.Account != "demo" || d.Provider.Check(t.Context()) != nil || d.MaxTokens == 0 || d.Problem != nil {
		t.Errorf("got %+v", d)
	}
}

// TestArgumentsReachTheWire: what the configuration says is what the server sees.
func TestArgumentsReachTheWire(t *testing.T) {
	t.Parallel()
	var seen string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/api/show" {
			seen = fmt.Sprint(r.URL.Path, " ", r.Header, " ", string(body))
		}
		w.WriteHeader(400)
		io.WriteString(w, `{"error":"no, `+key+`"}`)
	}))
	defer server.Close()
	for class, c := range map[string]struct{ arguments, want string }{
		"OpenAILike": {`"additional_kwargs": {"top_p": 0.3, "extra_headers": {"X-One": "1"}, "extra_body": {"route": "r"}}, "default_headers": {"X-Two": "2"},
			"temperature": 0.9, "reasoning_effort": "medium", "is_function_calling_model": true, "strict": false`,
			`/chat/completions | "top_p":0.3 | X-One:[1] | X-Two:[2] | "route":"r" | "temperature":0.9 | "reasoning_effort":"medium" | "tools":[ | Bearer ` + key},
		"OpenRouter": {`"reasoning_effort": "medium", "should_use_structured_outputs": true, "max_completion_tokens": 77`,
			`"reasoning":{"effort":"medium"} | "type":"json_schema" | "strict":true | "max_tokens":77`},
		"Ollama": {`"additional_kwargs": {"top_k": 5, "extra_body": {"route": "r"}}, "keep_alive": "1h", "thinking": "low", "context_window": 4096`,
			`/api/chat | "top_k":5} | "route":"r","shift" | "keep_alive":"1h" | "think":"low"`},
		"LMStudio":  {`"temperature": 0.2`, `/v1/chat/completions | "temperature":0.2 | "max_tokens":8192`},
		"OpenAI":    {``, `"max_tokens":8192 | "response_format"`},
		"Groq":      {``, `/chat/completions`},
		"Anthropic": {``, `/messages | "tools":[ | X-Api-Key:[` + key + `] | Anthropic-Version:[2023-06-01]`},
	} {
		entries := Build(load(t, fmt.Sprintf(`{"e": {"class": %q, "arguments": {"model": "m", "api_key": "${THE_KEY}", "base_url": %q%s}}}`,
			class, server.URL, strings.TrimSuffix(", "+c.arguments, ", "))))
		e := entries[0]
		if e.Problem != nil {
			t.Fatal(e.Problem)
		}
		_, err := e.Provider.Send(t.Context(), llm.Request{
			Messages: []llm.Message{{Role: llm.User, Content: "hello"}}, Schema: answerSchema, Name: "n", MaxTokens: e.MaxTokens, FirstByte: e.Timeout,
		})
		for part := range strings.SplitSeq(c.want, " | ") {
			if !strings.Contains(seen, part) {
				t.Errorf("%s: %q is not in %s", class, part, seen)
			}
		}
		if llm.ClassOf(err) != llm.ClassBadRequest || strings.Contains(fmt.Sprintf("%v %#v", err, err), key) {
			t.Errorf("%s: %v", class, err)
		}
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/tags":
			io.WriteString(w, `{"models":[{"name":"here:latest"}]}`)
		case "/v1/models":
			io.WriteString(w, `{"data":[{"id":"here"}]}`)
		}
	}))
	defer server.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	cfg := load(t, strings.NewReplacer("UP", server.URL, "DOWN", closed.URL).Replace(`{
		"ollama": {"class": "Ollama", "arguments": {"model": "here", "base_url": "UP"}},
		"ollama, other": {"class": "Ollama", "arguments": {"model": "gone", "base_url": "UP"}},
		"ollama, down": {"class": "Ollama", "arguments": {"model": "here", "base_url": "DOWN"}},
		"studio": {"class": "LMStudio", "arguments": {"model_name": "here", "base_url": "UP"}},
		"studio, other": {"class": "LMStudio", "arguments": {"model_name": "gone", "base_url": "UP"}},
		"wrong": {"class": "LMStudio", "arguments": {"base_url": "UP"}},
		"demo": {"class": "Demo"}}`))
	if got := Probe(t.Context(), cfg.Models); !slices.Equal(got, []string{"ollama", "studio"}) {
		t.Errorf("got %q", got)
	}
	var probe config.Probe = Probe
	models, why, err := config.Choose(t.Context(), cfg, "", probe)
	if err != nil || len(models) == 0 || models[0] != "ollama" || why == "" {
		t.Errorf("got %q, %q, %v", models, why, err)
	}
}

// TestPriceOfCachedInput: without one it is that of input, and 0 is free.
func TestPriceOfCachedInput(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"choices":[{"message":{"content":"{\"city\": \"Lyon\"}"},"finish_reason":"stop"}],`+
			`"usage":{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":800}}}`)
	}))
	defer server.Close()
	for price, want := range map[string]float64{
		`{"input": 1000, "output": 5000}`:                      1.5,
		`{"input": 1000, "output": 5000, "cached_input": 500}`: 1.1,
		`{"input": 1000, "output": 5000, "cached_input": 0}`:   0.7,
	} {
		entries := Build(load(t, `{"e": {"class": "OpenAILike", "price": `+price+`, "arguments": {"model": "m", "base_url": "`+server.URL+`"}}}`))
		var cost float64
		client := llm.NewHub().NewClient(llm.Options{Entries: entries[:1], Concurrency: 1, Log: func(all ...event.Data) error {
			for _, e := range all {
				if a, ok := e.(event.CallAttempt); ok && a.Cost != nil {
					cost += *a.Cost
				}
			}
			return nil
		}})
		if _, err := llm.Generate(t.Context(), client, llm.Question[struct {
			City string `json:"city"`
		}]{Step: "pick", Messages: []llm.Message{{Role: llm.User, Content: "Where?"}}}); err != nil {
			t.Fatal(err)
		}
		if diff := cost - want; diff < -1e-9 || diff > 1e-9 {
			t.Errorf("%s: %v USD, want %v", price, cost, want)
		}
	}
}

// TestGenerate: a whole question through the client, with a refusal and a cut answer on the way.
func TestGenerate(t *testing.T) {
	t.Parallel()
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		switch len(bodies) {
		case 1:
			w.WriteHeader(400)
			io.WriteString(w, `{"error":{"message":"response_format: strict is not supported"}}`)
		case 2:
			io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"{\\\"city\\\": \\\"Ly\"},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n")
		default:
			io.WriteString(w, `{"choices":[{"message":{"content":"{\"city\": \"Lyon\"}"},"finish_reason":"stop"}]}`)
		}
	}))
	defer server.Close()
	entries := Build(load(t, `{"e": {"class": "OpenAILike", "arguments": {"model": "m", "base_url": "`+server.URL+`", "max_tokens": 1000}}}`))
	client := llm.NewHub().NewClient(llm.Options{Entries: entries[:1], Concurrency: 1})
	got, err := llm.Generate(t.Context(), client, llm.Question[struct {
		City string `json:"city"`
	}]{Step: "pick", Messages: []llm.Message{{Role: llm.User, Content: "Where?"}}})
	if err != nil || got.Value.City != "Lyon" || len(bodies) != 3 {
		t.Fatalf("got %+v, %v after %d requests", got, err, len(bodies))
	}
	for i, want := range []string{`"strict":true`, `"max_tokens":1000`, `"max_tokens":2000`} {
		if !strings.Contains(bodies[i], want) {
			t.Errorf("request %d has no %s: %s", i, want, bodies[i])
		}
	}
}
