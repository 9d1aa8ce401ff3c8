package config

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
		{"by priority, ties in file order", "", map[string]string{"OR": "k", "GROQ": "k", "PLAIN": "k"}, "ollama", []string{"first", "second", "also-second"}, "first, then second, then also-second: by priority.", ""},
		{"auto by name", " auto ", map[string]string{"GROQ": "k"}, "", []string{"also-second"}, "left out, because they cannot be used: second, first", ""},
		{"keys", "auto", map[string]string{"PLAIN": "k"}, "ollama", []string{"plain", "plain-too"}, "the keys of these are there", ""},
		{"a key for the local class does not count", "", map[string]string{"OLLAMA_API_KEY": "k"}, "", []string{"demo"}, "Using demo", ""},
		{"local servers", "", nil, "studio ollama broken-ollama", []string{"ollama", "studio"}, "local servers have these", ""},
		{"one local server", "", nil, "studio", []string{"studio"}, "a local server has this one", ""},
		{"demo", "", nil, "", []string{"demo"}, "set OR or GROQ or PLAIN or OPENAI_API_KEY for a real one.", ""},
		{"chosen", "plain", map[string]string{"OR": "k", "PLAIN": "k"}, "", []string{"plain"}, "as chosen", ""},
		{"chosen demo", "demo", map[string]string{"OR": "k"}, "", []string{"demo"}, "as chosen", ""},
		{"chosen local is not probed", "ollama", nil, "", []string{"ollama"}, "as chosen", ""},
		{"chosen without a key", "plain", map[string]string{"OR": "k"}, "", nil, "", "PLAIN is not set"},
		{"unknown", "frist", map[string]string{"OR": "k"}, "", nil, "", `model "frist" is not in f.json: known are auto, second, first, `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			llm, err := ParseLLM([]byte(choices), "f.json", NewEnv(tt.env))
			if err != nil {
				t.Fatal(err)
			}
			probe := func(_ context.Context, m Model) bool {
				if !m.Class.Local() || m.Problem != nil {
					t.Errorf("%s is probed", m.ID)
				}
				return strings.Contains(" "+tt.up+" ", " "+m.ID+" ")
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

func TestChooseProbesAtOnceAndNotForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		llm, err := ParseLLM([]byte(choices), "f.json", NewEnv(nil))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		got, _, err := Choose(t.Context(), llm, "", func(ctx context.Context, m Model) bool {
			<-ctx.Done()
			return m.ID == "studio"
		})
		if err != nil || len(got) != 1 || got[0] != "studio" || time.Since(start) != probeTime {
			t.Errorf("got %v, %v after %v", got, err, time.Since(start))
		}
	})
}

func TestChooseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	llm, err := ParseLLM([]byte(choices), "f.json", NewEnv(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := Choose(ctx, llm, "", nil); err == nil {
		t.Errorf("got %v", got)
	}
}
