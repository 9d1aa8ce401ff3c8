package config

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const choices = `{
	"second": {"class": "OpenRouter", "priority": 2, "arguments": {"model": "m", "api_key": "${OR}"}},
	"first": {"class": "OpenRouter", "priority": 1, "arguments": {"model": "m", "api_key": "${OR}"}},
	"also-second": {"class": "Groq", "priority": 2, "arguments": {"model": "m", "api_key": "${GROQ}"}},
	"plain": {"class": "OpenAILike", "arguments": {"model": "m", "api_key": "${PLAIN}"}},
	"plain-too": {"class": "OpenAILike", "arguments": {"model": "m", "api_key": "${PLAIN}"}},
	"keyless": {"class": "OpenAILike", "arguments": {"model": "m"}},
	"ollama": {"class": "Ollama", "arguments": {"model": "m"}},
	"studio": {"class": "LMStudio", "arguments": {"model": "m"}},
	"broken-ollama": {"class": "Ollama"}
}`

func TestChoose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, requested string
		env             map[string]string
		up              string // ids of local entries that answer
		want            []string
		why             string // part of the sentence
		err             string
	}{
		{"by priority, ties in file order", "", map[string]string{"OR": "k", "GROQ": "k", "PLAIN": "k"}, "ollama", []string{"first", "second", "also-second"}, "first, then second, then also-second", ""},
		{"auto by name", "auto", map[string]string{"GROQ": "k"}, "", []string{"also-second"}, "by priority", ""},
		{"keys", "auto", map[string]string{"PLAIN": "k"}, "ollama", []string{"plain", "plain-too"}, "whose key is set: plain, then plain-too", ""},
		{"a key of the local class does not count", "", map[string]string{"OLLAMA_API_KEY": "k"}, "", []string{"demo"}, "made-up text", ""},
		{"the first local server", "", nil, "studio ollama broken-ollama", []string{"ollama"}, "ollama answers on http://localhost:11434", ""},
		{"another local server", "", nil, "studio", []string{"studio"}, "studio answers", ""},
		{"demo", "", nil, "", []string{"demo"}, "made-up text", ""},
		{"chosen", "plain", map[string]string{"OR": "k", "PLAIN": "k"}, "", []string{"plain"}, "no other model takes its place", ""},
		{"chosen demo", "demo", map[string]string{"OR": "k"}, "", []string{"demo"}, "made-up text", ""},
		{"chosen local is not probed", "ollama", nil, "", []string{"ollama"}, "was asked for", ""},
		{"chosen without a key", "plain", map[string]string{"OR": "k"}, "", nil, "", "model plain cannot be used: PLAIN is not set"},
		{"unknown", "frist", map[string]string{"OR": "k"}, "", nil, "", `no model "frist"; known are auto, second, first, `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			llm, err := ParseLLM([]byte(choices), NewEnv(tt.env))
			if err != nil {
				t.Fatal(err)
			}
			probe := func(_ context.Context, candidates []Model) []string {
				var found []string
				for _, m := range candidates {
					if m.Class != Ollama && m.Class != LMStudio || m.Problem != nil {
						t.Errorf("%s is probed", m.ID)
					}
					if slices.Contains(strings.Fields(tt.up), m.ID) {
						found = append(found, m.ID)
					}
				}
				return found
			}
			got, why, err := Choose(t.Context(), llm, tt.requested, probe)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || got != nil {
					t.Fatalf("got %v, %v; want %q", got, err, tt.err)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			if !strings.Contains(why, tt.why) {
				t.Errorf("said %q, want %q in it", why, tt.why)
			}
		})
	}
}

func TestChooseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	llm, err := ParseLLM([]byte(choices), NewEnv(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := Choose(ctx, llm, "", func(context.Context, []Model) []string { return nil }); err == nil {
		t.Errorf("got %v", got)
	}
}
