package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// one parses a file of one entry, "m".
func one(t *testing.T, class, arguments string, env map[string]string) Model {
	t.Helper()
	return entry(t, fmt.Sprintf(`{"class": %q, "arguments": %s}`, class, arguments), env)
}

func entry(t *testing.T, text string, env map[string]string) Model {
	t.Helper()
	llm, err := ParseLLM([]byte(`{"m": `+text+`}`), "f.json", NewEnv(env))
	if err != nil {
		t.Fatal(err)
	}
	m, _ := llm.Model("m")
	return m
}

func TestShippedEntries(t *testing.T) {
	t.Parallel()
	llm, err := LoadLLM(NewEnv(map[string]string{"OPENROUTER_API_KEY": "sk-or-12345"}, t.TempDir()))
	if err != nil || !llm.Shipped || len(llm.Warnings) > 0 {
		t.Fatal(err, llm.Shipped, llm.Warnings)
	}
	var got []string
	for _, m := range llm.Models {
		if m.Problem != nil || len(m.Warnings) > 0 {
			t.Errorf("%s: %v %v", m.ID, m.Problem, m.Warnings)
		}
		priority := "-"
		if m.Priority != nil {
			priority = fmt.Sprint(*m.Priority)
		}
		a := m.Arguments
		got = append(got, fmt.Sprint(m.ID, " ", m.Class, " ", a.Model, " ", priority, " ", a.BaseURL, " ", a.Temperature, " ", a.Timeout, " ", a.MaxTokens, " ", a.Retries))
	}
	want := []string{
		"openrouter-paid-openai-gpt-oss-20b OpenRouter openai/gpt-oss-20b - https://openrouter.ai/api/v1 0.1 1m0s 8192 5",
		"openrouter-paid-gemini-2.0-flash-001 OpenRouter google/gemini-2.0-flash-001 1 https://openrouter.ai/api/v1 0.1 1m0s 8192 5",
		"openrouter-paid-openai-gpt-4o-mini OpenRouter openai/gpt-4o-mini 2 https://openrouter.ai/api/v1 0.1 1m0s 8192 5",
		"openrouter-paid-qwen3-30b-a3b OpenRouter qwen/qwen3-30b-a3b 3 https://openrouter.ai/api/v1 0.1 1m0s 8192 5",
		"ollama-llama3.1 Ollama llama3.1:latest - http://localhost:11434 0.5 2m0s 8192 2",
		"docker-ollama-llama3.1 Ollama llama3.1:latest - http://host.docker.internal:11434 0.5 2m0s 8192 2",
		"ollama-qwen2.5-coder Ollama qwen2.5-coder:latest - http://localhost:11434 0.5 2m0s 8192 2",
		"lmstudio-qwen2.5-7b-instruct-1m LMStudio qwen2.5-7b-instruct-1m - http://localhost:1234/v1 0.2 2m0s 8192 2",
		"docker-lmstudio-qwen2.5-7b-instruct-1m LMStudio qwen2.5-7b-instruct-1m - http://host.docker.internal:1234/v1 0.2 2m0s 8192 2",
		"demo Demo demo -  0.1 1m0s 8192 2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadLLMPrefersTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := write(t, dir, LLMFile, `{"b": {"class": "Demo"}, "a": {"class": "Demo"}}`)
	llm, err := LoadLLM(NewEnv(nil, t.TempDir(), dir))
	if err != nil || llm.File != path || llm.Shipped || len(llm.Models) != 3 || llm.Models[0].ID != "b" || llm.Models[1].ID != "a" {
		t.Errorf("got %+v, %v", llm, err)
	}
}

func TestParseLLMErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"comma missing", "{\n  \"a\": {\"class\": \"Demo\"}\n  \"b\": {}\n}", "f.json, line 3, column 3"},
		{"column counts characters", "{\"äöü\": x}", "line 1, column 9"},
		{"cut", "{\n\"a\": {", "line 2, column 6"},
		{"empty", "", "line 1, column 1"},
		{"text after it", "{}\n}", "line 2, column 1"},
		{"list", `["a"]`, "f.json: it must be one JSON object"},
		{"null", `null`, "f.json: it must be one JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseLLM([]byte(tt.text), "f.json", NewEnv(nil))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestParseLLMIds(t *testing.T) {
	t.Parallel()
	llm, err := ParseLLM([]byte("\ufeff"+`{
	"a": {"class": "Demo"},
	"auto": {"class": "Demo"},
	"demo": {"class": "OpenRouter"},
	"b": 7,
	"a": {"class": "Demo", "priority": 4}
}`), "f.json", NewEnv(nil))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range llm.Models {
		ids = append(ids, fmt.Sprint(m.ID, " ", m.Class, " ", m.Problem == nil))
	}
	if diff := cmp.Diff([]string{"a Demo true", "auto Demo false", "b  false", "demo Demo true"}, ids); diff != "" {
		t.Error(diff)
	}
	if llm.Models[0].Priority == nil {
		t.Error("the last a does not count")
	}
	if want := []string{`f.json:4: the id "demo" belongs`, `f.json:6: model "a" is there twice`}; len(llm.Warnings) != 2 ||
		!strings.HasPrefix(llm.Warnings[0], want[0]) || !strings.HasPrefix(llm.Warnings[1], want[1]) {
		t.Errorf("warnings %q", llm.Warnings)
	}
	if p := llm.Problems(); p == nil || !strings.Contains(p.Error(), `f.json:3: model "auto"`) || !strings.Contains(p.Error(), `f.json:5: model "b": the entry is 7`) {
		t.Errorf("problems %v", p)
	}
}

func TestConfiguredDemoStaysInPlace(t *testing.T) {
	t.Parallel()
	llm, err := ParseLLM([]byte(`{"demo": {"class": "Demo", "arguments": {"latency_ms": 20, "seed": -7}}, "x": {"class": "Demo"}}`), "f.json", NewEnv(nil))
	if err != nil || len(llm.Models) != 2 || llm.Models[0].Arguments.Latency != 20*time.Millisecond || llm.Models[0].Arguments.Seed != -7 {
		t.Errorf("got %+v, %v", llm.Models, err)
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	defaults := Arguments{Model: "m", Temperature: 0.1, MaxTokens: 8192, Timeout: time.Minute, Retries: 2, Strict: true,
		BaseURL: "https://api.openai.com/v1", KeyName: "OPENAI_API_KEY", Headers: map[string]string{}, Body: map[string]any{}}
	local := func(change func(*Arguments)) Arguments {
		a := defaults
		a.Timeout, a.KeyName, a.BaseURL, a.Options = 5*time.Minute, "OLLAMA_API_KEY", "http://localhost:11434", map[string]any{}
		change(&a)
		return a
	}
	with := func(change func(*Arguments)) Arguments {
		a := defaults
		change(&a)
		return a
	}
	for _, tt := range []struct {
		name, class, arguments string
		want                   Arguments
	}{
		{"defaults", "OpenAILike", `{"model": "m"}`, defaults},
		{"null is absent", "OpenAILike", `{"model": "m", "temperature": null, "additional_kwargs": null}`, defaults},
		{"synonyms", "OpenAILike", `{"model_name": "m", "request_timeout": 7.5, "max_completion_tokens": 10000, "base_url": "http://h:1/v1//"}`,
			with(func(a *Arguments) {
				a.Timeout, a.MaxTokens, a.BaseURL = 7500*time.Millisecond, 10000, "http://h:1/v1"
			})},
		{"the first synonym wins", "OpenAILike", `{"model_name": "x", "model": "m", "request_timeout": 7, "timeout": 8, "max_completion_tokens": 1, "max_tokens": 2, "base_url": "http://x", "api_base": "http://h"}`,
			with(func(a *Arguments) { a.Timeout, a.MaxTokens, a.BaseURL = 8*time.Second, 2, "http://h" })},
		{"numbers and flags as texts", "OpenAILike", `{"model": "m", "temperature": "${T}", "max_retries": "0", "context_window": 4096.0, "strict": "False"}`,
			with(func(a *Arguments) { a.Temperature, a.Retries, a.ContextWindow, a.Strict = 0.7, 0, 4096, false })},
		{"first form", "OpenAILike", `{"model": "m", "should_use_structured_outputs": true, "is_function_calling_model": false, "reasoning_effort": "low"}`,
			with(func(a *Arguments) { a.FirstForm, a.ReasoningEffort = "json_schema", "low" })},
		{"extras", "OpenAILike", `{"model": "m", "default_headers": {"X-A": "1", "X-B": "1"}, "additional_kwargs": {"top_p": 0.25, "extra_headers": {"X-B": "2"}, "extra_body": {"provider": {"order": ["${T}"]}}}}`,
			with(func(a *Arguments) {
				a.Headers = map[string]string{"X-A": "1", "X-B": "2"}
				a.Body = map[string]any{"top_p": json.Number("0.25"), "provider": map[string]any{"order": []any{"0.7"}}}
			})},
		{"ollama", "Ollama", `{"model": "m", "base_url": "box:11434/v1/", "keep_alive": "10m", "thinking": false, "additional_kwargs": {"top_k": 5, "extra_body": {"x": 1}}}`,
			local(func(a *Arguments) {
				a.BaseURL, a.KeepAlive, a.Thinking = "http://box:11434", "10m", false
				a.Options, a.Body = map[string]any{"top_k": json.Number("5")}, map[string]any{"x": json.Number("1")}
			})},
		{"lm studio without a path", "LMStudio", `{"model_name": "m", "base_url": "http://localhost:1234/"}`,
			local(func(a *Arguments) { a.BaseURL, a.KeyName, a.Options = "http://localhost:1234/v1", "", nil })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := one(t, tt.class, tt.arguments, map[string]string{"T": "0.7"})
			if m.Problem != nil || len(m.Warnings) > 0 {
				t.Errorf("problem %v, warnings %q", m.Problem, m.Warnings)
			}
			if diff := cmp.Diff(tt.want, m.Arguments); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPresets(t *testing.T) {
	t.Parallel()
	env := map[string]string{"OPENROUTER_API_KEY": "k1", "OPENROUTER_API_BASE": "http://proxy/v1", "OPENAI_API_KEY": "k2", "OPENAI_API_BASE": "http://other/v1/",
		"MISTRAL_API_KEY": "k3", "TOGETHER_API_KEY": "k4", "GROQ_API_KEY": "k5", "ANTHROPIC_API_KEY": "k6", "OLLAMA_API_KEY": "k7"}
	for class, want := range map[string]string{
		"OpenRouter":  "k1 OPENROUTER_API_KEY http://proxy/v1",
		"OpenAI":      "k2 OPENAI_API_KEY http://other/v1",
		"OpenAILike":  "k2 OPENAI_API_KEY http://other/v1",
		"MistralAI":   "k3 MISTRAL_API_KEY https://api.mistral.ai/v1",
		"TogetherLLM": "k4 TOGETHER_API_KEY https://api.together.xyz/v1",
		"Groq":        "k5 GROQ_API_KEY https://api.groq.com/openai/v1",
		"Anthropic":   "k6 ANTHROPIC_API_KEY https://api.anthropic.com",
		"Ollama":      "k7 OLLAMA_API_KEY http://localhost:11434",
		"LMStudio":    "  http://localhost:1234/v1",
	} {
		m := one(t, class, `{"model": "m"}`, env)
		if got := fmt.Sprint(string(m.Arguments.Key), " ", m.Arguments.KeyName, " ", m.Arguments.BaseURL); got != want || m.Problem != nil {
			t.Errorf("%s: %q, want %q; %v", class, got, want, m.Problem)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	file := write(t, t.TempDir(), "key", "from-file\n")
	for _, tt := range []struct {
		name, class, key string
		env              map[string]string
		want, keyName    string
		problem          string
	}{
		{"variable of the file", "OpenRouter", `"${MINE}"`, map[string]string{"MINE": "v", "OPENROUTER_API_KEY": "w"}, "v", "MINE", ""},
		{"variable in a secret file", "OpenRouter", `"${MINE}"`, map[string]string{"MINE_FILE": file}, "from-file", "MINE", ""},
		{"not set", "OpenRouter", `"${MINE}"`, map[string]string{"OPENROUTER_API_KEY": "w"}, "", "MINE", "arguments.api_key: MINE is not set"},
		{"not set, of a class that needs none", "OpenAILike", `"${MINE}"`, nil, "", "MINE", "MINE is not set"},
		{"placeholder of the sample file", "OpenRouter", `"${MINE}"`, map[string]string{"MINE": "YOUR_API_KEY_HERE"}, "", "MINE", "MINE is not set"},
		{"in the file", "OpenRouter", `"plain"`, nil, "plain", "", ""},
		{"only a whole text is replaced", "OpenRouter", `"x${MINE}"`, map[string]string{"MINE": "v"}, "x${MINE}", "", ""},
		{"placeholder in the file", "OpenRouter", `"YOUR_API_KEY"`, nil, "", "OPENROUTER_API_KEY", "set OPENROUTER_API_KEY"},
		{"absent", "Groq", `null`, nil, "", "GROQ_API_KEY", "set GROQ_API_KEY"},
		{"absent where none is needed", "OpenAILike", `null`, nil, "", "OPENAI_API_KEY", ""},
		{"white space around it", "Groq", `null`, map[string]string{"GROQ_API_KEY": " v\n"}, "v", "GROQ_API_KEY", ""},
		{"line break inside", "Groq", `"geheim\nHost: x"`, nil, "", "", "white space"},
		{"no text", "Groq", `{"geheim": 1}`, nil, "", "GROQ_API_KEY", "arguments.api_key is an object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := one(t, tt.class, `{"model": "m", "api_key": `+tt.key+`}`, tt.env)
			if string(m.Arguments.Key) != tt.want || m.Arguments.KeyName != tt.keyName {
				t.Errorf("key %q of %q", string(m.Arguments.Key), m.Arguments.KeyName)
			}
			switch {
			case tt.problem == "" && m.Problem != nil:
				t.Errorf("problem %v", m.Problem)
			case tt.problem != "" && (m.Problem == nil || !strings.Contains(m.Problem.Error(), tt.problem)):
				t.Errorf("problem %v, want %q", m.Problem, tt.problem)
			case m.Problem != nil && strings.Contains(m.Problem.Error(), "geheim"):
				t.Errorf("%v shows the key", m.Problem)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		entry string
		want  []string
	}{
		{`{"class": "Foo"}`, []string{`class is "Foo"`, "Anthropic, Demo, Groq"}},
		{`{"class": "openrouter"}`, []string{`class is "openrouter"`}},
		{`{}`, []string{`class is ""`}},
		{`{"class": "Ollama"}`, []string{"arguments.model is missing"}},
		{`{"class": "Ollama", "arguments": {"model": " "}}`, []string{"arguments.model is missing"}},
		{`{"class": "Ollama", "arguments": ["model"]}`, []string{"arguments is a list, it must be an object"}},
		{`{"class": "Demo", "priority": "first"}`, []string{"priority is a text, it must be a number"}},
		{`{"class": "Demo", "priority": 1e999}`, []string{"priority is 1e999"}},
		{`{"class": "Demo", "max_concurrency": 0}`, []string{"max_concurrency is 0, it must be a whole number of 1 or more"}},
		{`{"class": "Demo", "luigi_workers": 1.5}`, []string{"luigi_workers is 1.5"}},
		{`{"class": "Demo", "structured_output": "xml"}`, []string{`structured_output is "xml"`, "json_schema, tools"}},
		{`{"class": "Demo", "price": {"input": 1}}`, []string{"price needs input and output"}},
		{`{"class": "Demo", "price": {"input": -1, "output": 2}}`, []string{"price.input is -1"}},
		{`{"class": "Ollama", "arguments": {"model": 3, "temperature": -1, "timeout": 0, "max_tokens": 0, "max_retries": -1, "strict": "maybe", "context_window": true}}`,
			[]string{"arguments.model is 3, it must be a text", "arguments.temperature is -1", "arguments.timeout is 0", "arguments.max_tokens is 0",
				"arguments.max_retries is -1", "arguments.strict is a text, it must be true or false", "arguments.context_window is true"}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "base_url": "localhost:1234"}}`, []string{"arguments.base_url must be an address"}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "base_url": "ftp://x"}}`, []string{"arguments.base_url must be an address"}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "base_url": "http://"}}`, []string{"arguments.base_url must be an address"}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "base_url": "http://u:geheim@h/?a=b"}}`, []string{"arguments.base_url must be an address"}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "default_headers": {"A B": "geheim"}}}`, []string{`arguments.default_headers."A B" is no valid header`}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "additional_kwargs": {"extra_headers": {"A": "geheim\r\nB: x"}}}}`, []string{`additional_kwargs.extra_headers."A" is no valid header`}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "additional_kwargs": {"a": [{"b": "${NO}"}]}}}`, []string{"NO is not set"}},
	} {
		t.Run(tt.entry, func(t *testing.T) {
			t.Parallel()
			m := entry(t, tt.entry, nil)
			if m.Problem == nil {
				t.Fatal("no problem")
			}
			for _, want := range append(tt.want, `f.json:1: model "m": `) {
				if !strings.Contains(m.Problem.Error(), want) {
					t.Errorf("%v\nlacks %q", m.Problem, want)
				}
			}
			if strings.Contains(m.Problem.Error(), "geheim") {
				t.Errorf("%v shows a secret", m.Problem)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	m := one(t, "OpenAILike", `{"model": "m", "is_chat_model": false, "keep_alive": 1, "json_mode": true, "colour": "red",
		"additional_kwargs": {"model": "other", "stream": false, "extra_body": {"tools": []}}}`, nil)
	want := []string{
		"arguments.is_chat_model is false: the chat API is used all the same",
		"arguments.additional_kwargs.model is left out: it would break the request",
		"arguments.additional_kwargs.stream is left out: it would break the request",
		"arguments.additional_kwargs.extra_body.tools is left out: it would break the request",
		"arguments.colour has no effect on class OpenAILike",
		"arguments.json_mode has no effect on class OpenAILike",
		"arguments.keep_alive has no effect on class OpenAILike",
	}
	if diff := cmp.Diff(want, m.Warnings); diff != "" || m.Problem != nil || len(m.Arguments.Body) > 0 {
		t.Error(diff, m.Problem, m.Arguments.Body)
	}
}

func TestEntryFields(t *testing.T) {
	t.Parallel()
	m := entry(t, `{"class": "Demo", "priority": 0, "comment": "${NOT_SET}", "luigi_workers": 1, "structured_output": "tools",
		"price": {"input": 1, "output": 2.5}, "anything": []}`, nil)
	if m.Problem != nil || m.Priority == nil || *m.Priority != 0 || m.Slots != 1 || m.Form != "tools" || *m.Price != (Price{1, 2.5, 1}) {
		t.Errorf("got %+v", m)
	}
	m = entry(t, `{"class": "Demo", "priority": null, "luigi_workers": 1, "max_concurrency": 3, "structured_output": "auto",
		"price": {"input": 1, "output": 2, "cached_input": 0}}`, nil)
	if m.Problem != nil || m.Priority != nil || m.Slots != 3 || m.Form != "" || *m.Price != (Price{1, 2, 0}) {
		t.Errorf("got %+v", m)
	}
	if m := entry(t, `{"class": "Demo", "luigi_workers": 4}`, nil); m.Slots != 0 {
		t.Errorf("luigi_workers 4 gives %d slots", m.Slots)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	llm, err := ParseLLM([]byte(`{
		"a": {"class": "OpenRouter", "arguments": {"model": "m", "api_key": "${OR}", "default_headers": {"X-Title": "My harmless title", "X-Auth": "Bearer header-secret"}}},
		"b": {"class": "OpenAILike", "arguments": {"model": "m", "api_key": "none", "base_url": "http://u:url-secret@h", "additional_kwargs": {"x": "${BODY}"}}},
		"c": {"class": "Groq", "arguments": {"model": "m", "api_key": "broken secret"}},
		"d": {"class": "OpenRouter", "arguments": {"model": "m", "api_key": "${OR}"}}
	}`), "f.json", NewEnv(map[string]string{"OR": "or-secret", "BODY": "body-secret"}))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Bearer header-secret", "body-secret", "broken secret", "header-secret", "or-secret", "url-secret"}
	if diff := cmp.Diff(want, llm.Secrets()); diff != "" {
		t.Error(diff)
	}
	if shown := fmt.Sprintf("%+v", llm.Models[0].Arguments.Key) + llm.Problems().Error(); slices.ContainsFunc(want, func(s string) bool { return strings.Contains(shown, s) }) {
		t.Errorf("%s shows a secret", shown)
	}
}

func FuzzParseLLM(f *testing.F) {
	f.Add(string(shipped))
	f.Add(`{"m": {"class": "OpenAILike", "arguments": {"model": "m", "additional_kwargs": {"extra_headers": {"a": 1}, "extra_body": []}}}}`)
	f.Add(`{"m": {"class": "Ollama", "price": {"input": "1", "output": "${X}"}, "arguments": {"model": "m", "base_url": "::", "timeout": 1e308}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		llm, err := ParseLLM([]byte(text), "f.json", NewEnv(map[string]string{"X": "1"}))
		if err != nil {
			return
		}
		for _, m := range llm.Models {
			if a := m.Arguments; m.Problem == nil && (a.Model == "" || a.Timeout <= 0 || a.MaxTokens < 1 || a.Retries < 0) {
				t.Errorf("%+v has no problem", m)
			}
		}
		if _, ok := llm.Model(DemoID); !ok {
			t.Error("no demo")
		}
	})
}
