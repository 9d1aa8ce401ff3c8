package config

import (
	"slices"
	"time"
)

// The provider classes of llm_config.json. Names are compared exactly.
const (
	Anthropic   = "Anthropic"
	Demo        = "Demo"
	Groq        = "Groq"
	LMStudio    = "LMStudio"
	MistralAI   = "MistralAI"
	Ollama      = "Ollama"
	OpenAI      = "OpenAI"
	OpenAILike  = "OpenAILike"
	OpenRouter  = "OpenRouter"
	TogetherLLM = "TogetherLLM"
)

// class holds what a provider class brings along when the entry does not say.
type class struct {
	name      string
	base      string        // base URL
	baseVar   string        // variable that replaces base
	keyVar    string        // variable that holds the key
	keyNeeded bool          // without a key the entry cannot be used
	timeout   time.Duration // until the first byte: a local model may read a long prompt for minutes
	forms     []string      // structured_output values it has; nil is all
}

var classes = []class{
	{name: OpenRouter, base: "https://openrouter.ai/api/v1", baseVar: "OPENROUTER_API_BASE", keyVar: "OPENROUTER_API_KEY", keyNeeded: true, timeout: time.Minute},
	{name: OpenAI, base: "https://api.openai.com/v1", baseVar: "OPENAI_API_BASE", keyVar: "OPENAI_API_KEY", keyNeeded: true, timeout: time.Minute},
	{name: OpenAILike, base: "https://api.openai.com/v1", baseVar: "OPENAI_API_BASE", keyVar: "OPENAI_API_KEY", timeout: time.Minute},
	{name: Anthropic, base: "https://api.anthropic.com/v1", keyVar: "ANTHROPIC_API_KEY", keyNeeded: true, timeout: time.Minute, forms: []string{"tools", "text"}},
	{name: Groq, base: "https://api.groq.com/openai/v1", keyVar: "GROQ_API_KEY", keyNeeded: true, timeout: time.Minute},
	{name: MistralAI, base: "https://api.mistral.ai/v1", keyVar: "MISTRAL_API_KEY", keyNeeded: true, timeout: time.Minute},
	{name: TogetherLLM, base: "https://api.together.xyz/v1", keyVar: "TOGETHER_API_KEY", keyNeeded: true, timeout: time.Minute},
	{name: Ollama, base: "http://localhost:11434", baseVar: "OLLAMA_HOST", keyVar: "OLLAMA_API_KEY", timeout: 5 * time.Minute, forms: []string{"json_schema", "json_object", "text"}},
	{name: LMStudio, base: "http://localhost:1234/v1", timeout: 5 * time.Minute},
	{name: Demo, timeout: time.Minute},
}

func classNamed(name string) (class, bool) {
	i := slices.IndexFunc(classes, func(c class) bool { return c.name == name })
	if i < 0 {
		return class{}, false
	}
	return classes[i], true
}

func classNames() []string {
	var names []string
	for _, c := range classes {
		names = append(names, c.name)
	}
	slices.Sort(names)
	return names
}

// KeyVariables returns the variables that hold the keys of providers, each once, sorted.
func KeyVariables() []string {
	var names []string
	for _, c := range classes {
		if c.keyVar != "" {
			names = append(names, c.keyVar)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
