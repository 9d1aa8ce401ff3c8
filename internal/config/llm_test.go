package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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
	llm, err := ParseLLM([]byte(`{"m": `+text+`}`), NewEnv(env))
	if err != nil {
		t.Fatal(err)
	}
	return *llm.Model("m")
}

func TestShippedEntries(t *testing.T) {
	t.Parallel()
	llm, err := LoadLLM(NewEnv(map[string]string{"OPENROUTER_API_KEY": "sk-or-12345"}, t.TempDir()))
	if err != nil || llm.Path != "" {
		t.Fatal(err, llm.Path)
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
	if err != nil || llm.Path != path || len(llm.Models) != 2 || llm.Models[0].ID != "b" || llm.Models[1].ID != "a" {
		t.Errorf("got %+v, %v", llm, err)
	}
}

// Ensure that the text of a variable, or of the file it names, takes the place of a missing file only.
func TestLoadLLMFromVariable(t *testing.T) {
	t.Parallel()
	with, without := t.TempDir(), t.TempDir()
	write(t, with, LLMFile, `{"of the file": {"class": "Demo"}}`)
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, LLMFile), 0o777); err != nil {
		t.Fatal(err)
	}
	text := `{"of the text": {"class": "OpenAI", "arguments": {"model": "m", "api_key": "YOUR_API_KEY"}}}`
	path := write(t, without, "text.json", text)
	for _, tt := range []struct {
		name  string
		env   Env
		first string // id of the first entry
		err   string
	}{
		{"text", NewEnv(map[string]string{LLMVar: text}, without), "of the text", ""},
		{"text in a file", NewEnv(map[string]string{LLMVar + "_FILE": path}, without), "of the text", ""},
		{"the file wins", NewEnv(map[string]string{LLMVar: text}, without, with), "of the file", ""},
		{"neither", NewEnv(nil, without), "openrouter-paid-openai-gpt-oss-20b", ""},
		{"a directory in its place", NewEnv(nil, directory, with), "", "is a directory: remove it (rmdir " + directory},
		{"no JSON", NewEnv(map[string]string{LLMVar: "{\n\"secret"}, without), "", "PLANEXE_LLM_CONFIG_JSON: line 2"},
		{"no such file", NewEnv(map[string]string{LLMVar + "_FILE": path + ".no"}, without), "", "PLANEXE_LLM_CONFIG_JSON_FILE"},
	} {
		l, err := LoadLLM(tt.env)
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", tt.name, err)
			}
		case err != nil || len(l.Models) == 0 || l.Models[0].ID != tt.first:
			t.Errorf("%s: %+v, %v", tt.name, l.Models, err)
		}
	}
	var p Pipeline
	if err := Load(&p, NewEnv(map[string]string{LLMVar: text})); err != nil || strings.Contains(fmt.Sprintf("%+v", p), "of the text") {
		t.Errorf("it is shown: %+v, %v", p, err)
	}
}

func TestParseLLMErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"comma missing", "{\n  \"a\": {\"class\": \"Demo\"}\n  \"b\": {}\n}", "line 3, column 3"},
		{"column counts characters", "{\"äöü\": x}", "line 1, column 9"},
		{"cut", "{\n\"a\": {", "line 2, column 6"},
		{"empty", "", "line 1, column 1"},
		{"text after it", "{}\n}", "line 2, column 1"},
		{"list", `["a"]`, "must be one JSON object"},
		{"null", `null`, "must be one JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseLLM([]byte(tt.text), NewEnv(nil))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestLoadLLMErrorNamesFileAndPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := write(t, dir, LLMFile, "{\n  x}")
	if _, err := LoadLLM(NewEnv(nil, dir)); err == nil || !strings.Contains(err.Error(), path+": line 2, column 3") {
		t.Errorf("got %v", err)
	}
}

func TestParseLLMIds(t *testing.T) {
	t.Parallel()
	llm, err := ParseLLM([]byte("\ufeff"+`{"a": {"class": "Demo"}, "auto": {"class": "Demo"}, "b": 7, "a": {"class": "Demo", "priority": 4}}`), NewEnv(nil))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range llm.Models {
		got = append(got, fmt.Sprint(m.ID, " ", m.Class, " ", m.Problem == nil))
	}
	if diff := cmp.Diff([]string{"a Demo true", "auto Demo false", "b  false"}, got); diff != "" {
		t.Error(diff)
	}
	if a := llm.Models[0]; a.Priority == nil || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], "twice") {
		t.Errorf("the last a does not count, or nothing is said: %+v", a)
	}
	if llm.Model("c") != nil {
		t.Error("an unknown id is found")
	}
}

func TestDemoEntry(t *testing.T) {
	t.Parallel()
	m := one(t, "Demo", `{"latency_ms": 20, "seed": -7}`, nil)
	if m.Problem != nil || m.Arguments.Latency != 20*time.Millisecond || m.Arguments.Seed != -7 || m.Arguments.Model == "" {
		t.Errorf("got %+v, %v", m.Arguments, m.Problem)
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	defaults := Arguments{Model: "m", Temperature: 0.1, MaxTokens: 8192, Timeout: time.Minute, Retries: 2, Strict: true,
		BaseURL: "https://api.openai.com/v1", KeyName: "OPENAI_API_KEY", Headers: map[string]string{}}
	local := func(change func(*Arguments)) Arguments {
		a := defaults
		a.Timeout, a.KeyName, a.BaseURL = 5*time.Minute, "OLLAMA_API_KEY", "http://localhost:11434"
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
			with(func(a *Arguments) { a.PreferSchema, a.ReasoningEffort = true, "low" })},
		{"extras", "OpenAILike", `{"model": "m", "default_headers": {"X-A": "1", "X-B": "1"}, "additional_kwargs": {"top_p": 0.25, "extra_headers": {"X-B": "2"}, "extra_body": {"provider": {"order": ["${T}"]}}}}`,
			with(func(a *Arguments) {
				a.Headers = map[string]string{"X-A": "1", "X-B": "2"}
				a.Extra = map[string]any{"top_p": json.Number("0.25"), "provider": map[string]any{"order": []any{"0.7"}}}
			})},
		{"ollama", "Ollama", `{"model": "m", "base_url": "box:11434/v1/", "keep_alive": "10m", "thinking": false, "additional_kwargs": {"top_k": 5}}`,
			local(func(a *Arguments) {
				a.BaseURL, a.KeepAlive, a.Think = "http://box:11434", "10m", false
				a.Extra = map[string]any{"top_k": json.Number("5")}
			})},
		{"ollama, members of the body", "Ollama", `{"model": "m", "additional_kwargs": {"num_predict": 99, "top_k": 5, "extra_body": {"route": "r", "max_tokens": 7}}}`,
			local(func(a *Arguments) {
				a.MaxTokens = 99
				a.Extra, a.Body = map[string]any{"top_k": json.Number("5")}, map[string]any{"route": "r"}
			})},
		{"lm studio without a path", "LMStudio", `{"model_name": "m", "base_url": "http://localhost:1234/"}`,
			local(func(a *Arguments) { a.BaseURL, a.KeyName = "http://localhost:1234/v1", "api_key" })},
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
		"Anthropic":   "k6 ANTHROPIC_API_KEY https://api.anthropic.com/v1",
		"Ollama":      "k7 OLLAMA_API_KEY http://localhost:11434",
		"LMStudio":    " api_key http://localhost:1234/v1",
	} {
		m := one(t, class, `{"model": "m"}`, env)
		if got := fmt.Sprint(m.Arguments.Key, " ", m.Arguments.KeyName, " ", m.Arguments.BaseURL); got != want || m.Problem != nil {
			t.Errorf("%s: %q, want %q; %v", class, got, want, m.Problem)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	file, sample := write(t, t.TempDir(), "key", "from-file\n"), write(t, t.TempDir(), "sample", "YOUR_API_KEY_HERE\n")
	for _, tt := range []struct {
		name, class, key string
		env              map[string]string
		want, keyName    string
		problem          string
	}{
		{"variable of the file", "OpenRouter", `"${MINE}"`, map[string]string{"MINE": "v", "OPENROUTER_API_KEY": "w"}, "v", "MINE", ""},
		{"variable in a secret file", "OpenRouter", `"${MINE}"`, map[string]string{"MINE_FILE": file}, "from-file", "MINE", ""},
		{"not set", "OpenRouter", `"${MINE}"`, map[string]string{"OPENROUTER_API_KEY": "w"}, "", "MINE", "MINE is not set"},
		{"not set, of a class that needs none", "OpenAILike", `"${MINE}"`, nil, "", "MINE", "MINE is not set"},
		{"placeholder of the sample file", "OpenRouter", `"${MINE}"`, map[string]string{"MINE": "YOUR_API_KEY_HERE"}, "", "MINE", "MINE is not set"},
		{"placeholder in a secret file", "Groq", `null`, map[string]string{"GROQ_API_KEY_FILE": sample}, "", "GROQ_API_KEY", "GROQ_API_KEY is not set"},
		{"in the file", "OpenRouter", `"plain"`, nil, "plain", "api_key", ""},
		{"only a whole text is replaced", "OpenRouter", `"x${MINE}"`, map[string]string{"MINE": "v"}, "x${MINE}", "api_key", ""},
		{"placeholder in the file", "OpenRouter", `"YOUR_API_KEY"`, nil, "", "OPENROUTER_API_KEY", "OPENROUTER_API_KEY is not set"},
		{"absent", "Groq", `null`, nil, "", "GROQ_API_KEY", "GROQ_API_KEY is not set"},
		{"absent where none is needed", "OpenAILike", `null`, nil, "", "OPENAI_API_KEY", ""},
		{"white space around it", "Groq", `null`, map[string]string{"GROQ_API_KEY": " v\n"}, "v", "GROQ_API_KEY", ""},
		{"line break inside", "Groq", `"geheim\nHost: x"`, nil, "-", "api_key", "characters that no key has"},
		{"no text", "Groq", `{"geheim": 1}`, nil, "", "GROQ_API_KEY", "arguments.api_key must be a string"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := one(t, tt.class, `{"model": "m", "api_key": `+tt.key+`}`, tt.env)
			if tt.want != "-" && m.Arguments.Key != tt.want || m.Arguments.KeyName != tt.keyName {
				t.Errorf("key %q of %q", m.Arguments.Key, m.Arguments.KeyName)
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
		{`{"class": "Foo"}`, []string{`class "Foo" is not known`, "Anthropic, Demo, Groq"}},
		{`{"class": "openrouter"}`, []string{`class "openrouter"`}},
		{`{}`, []string{`class ""`}},
		{`{"class": "Ollama"}`, []string{"arguments.model is missing"}},
		{`{"class": "Ollama", "arguments": {"model": " "}}`, []string{"arguments.model is missing"}},
		{`{"class": "Ollama", "arguments": ["model"]}`, []string{"arguments must be an object"}},
		{`{"class": "Demo", "priority": "first"}`, []string{"priority must be a number"}},
		{`{"class": "Demo", "priority": "1"}`, []string{"priority must be a number"}},
		{`{"class": "Demo", "priority": 1e999}`, []string{"priority must be a number"}},
		{`{"class": "Demo", "max_concurrency": 0}`, []string{"max_concurrency must be a whole number"}},
		{`{"class": "Demo", "luigi_workers": 1.5}`, []string{"luigi_workers must be a whole number"}},
		{`{"class": "Demo", "structured_output": "xml"}`, []string{`structured_output is "xml"`, "json_schema, tools"}},
		{`{"class": "Demo", "price": {"input": 1}}`, []string{"price needs input and output"}},
		{`{"class": "Demo", "price": {"input": -1, "output": 2}}`, []string{"price.input must be a number"}},
		{`{"class": "Ollama", "arguments": {"model": 3, "temperature": -1, "timeout": 0, "max_tokens": 0, "max_retries": -1, "strict": "maybe", "context_window": true, "keep_alive": true, "thinking": 1}}`,
			[]string{"arguments.model must be a string", "arguments.temperature must", "arguments.timeout must", "arguments.max_tokens must", "arguments.max_retries must",
				"arguments.strict must be true or false", "arguments.context_window must", "arguments.keep_alive must", "arguments.thinking must"}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "api_base": "localhost:1234"}}`, []string{"arguments.api_base must be an http or https address"}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "base_url": "ftp://x"}}`, []string{"must be an http or https address"}},
		{`{"class": "LMStudio", "arguments": {"model": "m", "base_url": "http://"}}`, []string{"arguments.base_url must be an http or https address"}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "base_url": "http://u:geheim@h/?a=b"}}`, []string{"must be an http or https address"}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "default_headers": {"A B": "geheim"}}}`, []string{`arguments.default_headers: "A B" is no header`}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "additional_kwargs": {"extra_headers": {"A": "geheim\r\nB: x"}}}}`, []string{`arguments.additional_kwargs.extra_headers: "A" is no header`}},
		{`{"class": "OpenAILike", "arguments": {"model": "m", "additional_kwargs": {"a": [{"b": "${NO}"}]}}}`, []string{"NO is not set"}},
	} {
		t.Run(tt.entry, func(t *testing.T) {
			t.Parallel()
			m := entry(t, tt.entry, nil)
			if m.Problem == nil {
				t.Fatal("no problem")
			}
			for _, want := range tt.want {
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
		"arguments.is_chat_model is false, but the chat route is used always",
		"arguments.additional_kwargs may not replace model",
		"arguments.additional_kwargs may not replace stream",
		"arguments.additional_kwargs may not replace tools",
		"arguments.keep_alive acts for class Ollama only",
		"arguments.json_mode is accepted but has no effect",
		"arguments.colour is not known and has no effect",
	}
	if diff := cmp.Diff(want, m.Warnings); diff != "" || m.Problem != nil || len(m.Arguments.Extra) > 0 {
		t.Error(diff, m.Problem, m.Arguments.Extra)
	}
}

func TestOptionsOfOllamaAreNotReplaced(t *testing.T) {
	t.Parallel()
	m := one(t, "Ollama", `{"model": "m", "additional_kwargs": {"format": "json", "extra_body": {"options": {"num_ctx": 1}, "messages": []}}}`, nil)
	want := []string{
		"arguments.additional_kwargs may not replace messages",
		"arguments.additional_kwargs may not replace options",
		"arguments.additional_kwargs may not replace format",
	}
	if diff := cmp.Diff(want, m.Warnings); diff != "" || m.Problem != nil || len(m.Arguments.Body) > 0 || len(m.Arguments.Extra) > 0 {
		t.Error(diff, m.Problem, m.Arguments.Body, m.Arguments.Extra)
	}
}

func TestCapInAdditionalKwargs(t *testing.T) {
	t.Parallel()
	m := one(t, "OpenAI", `{"model": "m", "api_key": "k", "max_tokens": 5, "additional_kwargs": {"max_completion_tokens": 10000}}`, nil)
	if m.Problem != nil || m.Arguments.MaxTokens != 10000 || len(m.Arguments.Extra) > 0 {
		t.Errorf("got %d, %v, %v", m.Arguments.MaxTokens, m.Arguments.Extra, m.Problem)
	}
}

func TestOllamaHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"": "http://localhost:11434", "box": "http://box:11434", "0.0.0.0": "http://127.0.0.1:11434", ":8000": "http://127.0.0.1:8000",
		"https://box": "https://box", "[::]:1": "http://127.0.0.1:1", "http://box:1/v1/": "http://box:1",
	} {
		if m := one(t, "Ollama", `{"model": "m"}`, map[string]string{"OLLAMA_HOST": host}); m.Arguments.BaseURL != want || m.Problem != nil {
			t.Errorf("%q gives %q, want %q; %v", host, m.Arguments.BaseURL, want, m.Problem)
		}
	}
}

func TestEntryFields(t *testing.T) {
	t.Parallel()
	m := entry(t, `{"class": "Demo", "priority": 0, "comment": "${NOT_SET}", "luigi_workers": 1, "structured_output": "tools",
		"price": {"input": 1, "output": 2.5}, "anything": []}`, nil)
	if m.Problem != nil || m.Priority == nil || *m.Priority != 0 || m.MaxConcurrency != 1 || m.Structured != "tools" || *m.Price != (Price{1, 2.5, 1}) {
		t.Errorf("got %+v", m)
	}
	m = entry(t, `{"class": "Demo", "priority": null, "luigi_workers": 1, "max_concurrency": 3, "structured_output": "auto",
		"price": {"input": 1, "output": 2, "cached_input": 0}}`, nil)
	if m.Problem != nil || m.Priority != nil || m.MaxConcurrency != 3 || m.Structured != "auto" || *m.Price != (Price{1, 2, 0}) {
		t.Errorf("got %+v", m)
	}
	if m := entry(t, `{"class": "Demo", "luigi_workers": 4}`, nil); m.MaxConcurrency != 0 {
		t.Errorf("luigi_workers 4 gives %d", m.MaxConcurrency)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	llm, err := ParseLLM([]byte(`{
		"a": {"class": "OpenRouter", "arguments": {"model": "m", "api_key": "${OR}", "default_headers": {"X-Title": "My harmless title", "X-Auth": "Bearer header-secret"}}},
		"b": {"class": "OpenAILike", "arguments": {"model": "m", "api_key": "none", "base_url": "http://u:url-secret@h", "additional_kwargs": {"x": "${BODY}"}}},
		"c": {"class": "Groq", "arguments": {"model": "m", "api_key": "broken secret"}},
		"d": {"class": "OpenRouter", "arguments": {"model": "m", "api_key": "${OR}"}}
	}`), NewEnv(map[string]string{"OR": "or-secret", "BODY": "body-secret"}))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Bearer header-secret", "broken secret", "header-secret", "body-secret", "url-secret", "or-secret"}
	if diff := cmp.Diff(want, llm.Secrets()); diff != "" {
		t.Error(diff)
	}
	shown := fmt.Sprintf("%v %+v", llm.Models, llm.Models[0])
	for _, m := range llm.Models {
		shown += fmt.Sprint(m.Problem, m.Warnings)
	}
	if slices.ContainsFunc(want, func(s string) bool { return strings.Contains(shown, s) }) {
		t.Errorf("%s shows a secret", shown)
	}
}

func FuzzParseLLM(f *testing.F) {
	f.Add(string(shipped))
	f.Add(`{"m": {"class": "OpenAILike", "arguments": {"model": "m", "additional_kwargs": {"extra_headers": {"a": 1}, "extra_body": []}}}}`)
	f.Add(`{"m": {"class": "Ollama", "price": {"input": "1", "output": "${X}"}, "arguments": {"model": "m", "base_url": "::", "timeout": 1e308}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		llm, err := ParseLLM([]byte(text), NewEnv(map[string]string{"X": "1"}))
		if err != nil {
			return
		}
		for _, m := range llm.Models {
			if a := m.Arguments; m.Problem == nil && (a.Model == "" || a.Timeout <= 0 || a.MaxTokens < 1 || a.Retries < 0) {
				t.Errorf("%+v has no problem", m)
			}
		}
	})
}
