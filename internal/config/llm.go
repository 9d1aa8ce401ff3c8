package config

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// LLMFile is the name of the file that lists the models.
const LLMFile = "llm_config.json"

// The ids that no entry may take for another purpose.
const (
	AutoID = "auto" // not a model: the request to choose by priority
	DemoID = "demo" // the model that needs no network; always there
)

//go:embed llm_config.json
var shipped []byte

// LLM is the content of llm_config.json with secrets put in, checked.
type LLM struct {
	// Models holds the entries in file order, those that cannot be used included. One with id
	// demo and class Demo is always among them: the built-in one stands last.
	Models   []Model
	File     string   // where they came from, for messages
	Shipped  bool     // no file was found, the built-in entries are used
	Warnings []string // about the file as a whole
	secrets  []string
}

// Model is one entry of llm_config.json.
type Model struct {
	ID        string
	Class     Class
	Priority  *float64 // nil: not part of auto; lower is tried first
	Form      string   // json_schema, tools, json_object or text; "" leaves it to the provider
	Slots     int      // calls in flight, 0 for the provider's default
	Price     *Price   // nil when the file does not say
	Arguments Arguments
	Problem   error // why the entry cannot be used: file, line, id and all faults; nil when it can
	Warnings  []string
}

// Price is what a model costs in USD per million tokens. Cached is that of Input when the file
// does not say.
type Price struct{ Input, Output, Cached float64 }

// Arguments are the settings of an entry, defaults filled in.
type Arguments struct {
	Model         string
	Key           Secret        // "" sends none
	KeyName       string        // variable that the key comes from or is missing in; "" when it stands in the file itself or the class has none
	BaseURL       string        // http or https, no slash at the end; LMStudio's ends in a path, Ollama's in no /v1; "" for Demo
	Temperature   float64       // 0.1 by default
	MaxTokens     int           // first output cap, 8192 by default
	Timeout       time.Duration // until the first byte: 60 s by default, 300 s for Ollama and LMStudio
	Retries       int           // transport tries after the first, 2 by default
	ContextWindow int           // tokens, 0 when it has to be asked of the provider
	FirstForm     string        // the form to begin with: tools, json_schema, or "" for the class's own order
	Strict        bool          // strict of json_schema, true by default

	ReasoningEffort string            // "" sends none
	Headers         map[string]string // extra HTTP headers: default_headers and extra_headers
	Body            map[string]any    // extra members of the request: additional_kwargs (not for Ollama) and extra_body
	Options         map[string]any    // Ollama: extra members of options, from additional_kwargs
	KeepAlive       any               // Ollama: keep_alive, text or number; nil sends none
	Thinking        any               // Ollama: think, bool or text; nil sends none

	Latency time.Duration // Demo: how long an answer takes
	Seed    int64         // Demo
}

// Class is the kind of a provider, as llm_config.json spells it.
type Class string

// The classes. MistralAI, TogetherLLM and Groq are OpenAILike with another base URL and key.
const (
	OpenRouter  Class = "OpenRouter"
	OpenAI      Class = "OpenAI"
	OpenAILike  Class = "OpenAILike"
	MistralAI   Class = "MistralAI"
	TogetherLLM Class = "TogetherLLM"
	Groq        Class = "Groq"
	Anthropic   Class = "Anthropic"
	Ollama      Class = "Ollama"
	LMStudio    Class = "LMStudio"
	Demo        Class = "Demo"
)

// Local tells whether the class is a server that people run themselves, without a key.
func (c Class) Local() bool { return c == Ollama || c == LMStudio }

// preset is what an entry of a class gets when it does not say.
type preset struct {
	base    string
	baseVar string // variable that replaces base
	keyVar  string // variable that holds the key
	needKey bool
	timeout time.Duration
}

var presets = map[Class]preset{
	OpenRouter:  {"https://openrouter.ai/api/v1", "OPENROUTER_API_BASE", "OPENROUTER_API_KEY", true, time.Minute},
	OpenAI:      {"https://api.openai.com/v1", "OPENAI_API_BASE", "OPENAI_API_KEY", true, time.Minute},
	OpenAILike:  {"https://api.openai.com/v1", "OPENAI_API_BASE", "OPENAI_API_KEY", false, time.Minute},
	MistralAI:   {"https://api.mistral.ai/v1", "", "MISTRAL_API_KEY", true, time.Minute},
	TogetherLLM: {"https://api.together.xyz/v1", "", "TOGETHER_API_KEY", true, time.Minute},
	Groq:        {"https://api.groq.com/openai/v1", "", "GROQ_API_KEY", true, time.Minute},
	Anthropic:   {"https://api.anthropic.com", "", "ANTHROPIC_API_KEY", true, time.Minute},
	Ollama:      {"http://localhost:11434", "", "OLLAMA_API_KEY", false, 5 * time.Minute},
	LMStudio:    {"http://localhost:1234/v1", "", "", false, 5 * time.Minute},
	Demo:        {timeout: time.Minute},
}

// LoadLLM reads the first llm_config.json in the directories of env, the shipped entries when
// there is none. It fails when the file cannot be read or is no JSON object; what is wrong with
// single entries is in their Problem.
func LoadLLM(env Env) (LLM, error) {
	path, data, err := env.readFile(LLMFile)
	if err != nil {
		return LLM{}, err
	}
	if path == "" {
		llm, err := ParseLLM(shipped, "the built-in "+LLMFile, env)
		llm.Shipped = true
		return llm, err
	}
	return ParseLLM(data, path, env)
}

// ParseLLM reads the text of an llm_config.json; file names it in messages. Errors name line and
// column.
func ParseLLM(data []byte, file string, env Env) (LLM, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		return LLM{}, syntaxError(file, data, err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return LLM{}, fmt.Errorf("read %s: it must be one JSON object whose members are the models", file)
	}
	llm := LLM{File: file}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return LLM{}, syntaxError(file, data, err)
		}
		line, _ := position(data, d.InputOffset())
		var value any
		if err := d.Decode(&value); err != nil {
			return LLM{}, syntaxError(file, data, err)
		}
		llm.add(key.(string), line, value, env)
	}
	if !slices.ContainsFunc(llm.Models, func(m Model) bool { return m.ID == DemoID }) {
		r := reader{env: env}
		llm.Models = append(llm.Models, r.model(DemoID, map[string]any{"class": string(Demo)}))
	}
	return llm, nil
}

// add appends an entry. Of entries with the same id the last one wins, in the place of the first.
func (l *LLM) add(id string, line int, value any, env Env) {
	r := reader{env: env}
	m := r.model(id, value)
	if id == DemoID && m.Class != Demo {
		l.Warnings = append(l.Warnings, fmt.Sprintf("%s:%d: the id %q belongs to the built-in model of class Demo, the entry is ignored: rename it", l.File, line, id))
		return
	}
	if len(r.problems) > 0 {
		m.Problem = fmt.Errorf("%s:%d: model %q: %s", l.File, line, id, strings.Join(r.problems, "; "))
	}
	m.Warnings = r.warnings
	l.secrets = append(l.secrets, r.secrets...)
	if i := slices.IndexFunc(l.Models, func(o Model) bool { return o.ID == id }); i >= 0 {
		l.Warnings = append(l.Warnings, fmt.Sprintf("%s:%d: model %q is there twice, the last one counts", l.File, line, id))
		l.Models[i] = m
		return
	}
	l.Models = append(l.Models, m)
}

// Model returns the entry of that id.
func (l LLM) Model(id string) (Model, bool) {
	i := slices.IndexFunc(l.Models, func(m Model) bool { return m.ID == id })
	if i < 0 {
		return Model{}, false
	}
	return l.Models[i], true
}

// Secrets returns the values that must not be seen in logs and messages: keys, passwords in URLs,
// values of headers and requests that came from a variable or look like credentials. Values of less than
// 8 bytes are left out: they are the dummy keys of local servers, and hiding them would garble text.
func (l LLM) Secrets() []string {
	var out []string
	for _, s := range l.secrets {
		if len(s) >= 8 {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// syntaxError says where the JSON is wrong.
func syntaxError(file string, data []byte, err error) error {
	offset := int64(len(data))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && !errors.Is(err, io.ErrUnexpectedEOF) {
		offset = syntax.Offset - 1 // Offset counts the offending byte
	}
	line, column := position(data, offset)
	return fmt.Errorf("read %s, line %d, column %d: %w", file, line, column, err)
}

// position converts an offset in bytes to line and column in characters, both from 1.
func position(data []byte, offset int64) (line, column int) {
	before := data[:min(max(offset, 0), int64(len(data)))]
	line = bytes.Count(before, []byte("\n")) + 1
	return line, len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:]))) + 1
}
