package config

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// LLMFile is the name of the file that describes the models.
const LLMFile = "llm_config.json"

//go:embed llm_config.json
var shipped []byte

// LLM is the content of llm_config.json.
type LLM struct {
	Path    string  // the file that was read, "" when there was none
	From    string  // that file, or the variable that stood for it, or BuiltIn
	Models  []Model // in file order
	secrets []string
}

// Model is one checked entry of llm_config.json.
type Model struct {
	ID             string
	Class          string
	Priority       *float64 // nil: not used by auto; lower is tried first
	Structured     string   // how answers are asked for: auto, json_schema, tools, json_object or text
	MaxConcurrency int      // calls in flight; 0 leaves it to the class
	Price          *Price   // nil when not configured
	Arguments      Arguments
	Problem        error    // everything that keeps the entry from being used; nil when it can be
	Warnings       []string // what was ignored
}

// Price is USD per million tokens.
type Price struct{ Input, Output, Cached float64 }

// Model returns the entry of that id, nil when there is none.
func (l LLM) Model(id string) *Model {
	for i := range l.Models {
		if l.Models[i].ID == id {
			return &l.Models[i]
		}
	}
	return nil
}

// Secrets returns the keys, passwords in URLs, credentials in headers and variables in request
// bodies of the entries, longest first, for redaction.
func (l LLM) Secrets() []string { return slices.Clone(l.secrets) }

// BuiltIn is where models come from when nothing says which.
const BuiltIn = "the built-in entries"

// LLMVar holds the text of llm_config.json where no file can be put, or LLMVar_FILE names one.
const LLMVar = "PLANEXE_LLM_CONFIG_JSON"

// LoadLLM reads the first llm_config.json in the directories of env; else the text in LLMVar; else the
// built-in entries. Bad entries carry their Problem; the error is for a text that is no JSON object.
func LoadLLM(env Env) (LLM, error) {
	path, data, err := env.readFile(LLMFile)
	if err != nil {
		return LLM{}, err
	}
	from := path
	if path == "" {
		if from, data, err = textLLM(env); err != nil {
			return LLM{}, err
		}
	}
	l, err := ParseLLM(data, env)
	if err != nil {
		return LLM{}, fmt.Errorf("read %s: %w", from, err)
	}
	l.Path, l.From = path, from
	return l, nil
}

// textLLM returns what stands for a missing file, and where it comes from. Unlike in a key, a placeholder in it
// means no more than that one entry cannot be used.
func textLLM(env Env) (from string, data []byte, err error) {
	if text, ok := env.Lookup(LLMVar); ok {
		return LLMVar, []byte(text), nil
	}
	text, ok, err := env.fileOf(LLMVar)
	if ok || err != nil {
		return LLMVar + "_FILE", []byte(text), err
	}
	return BuiltIn, shipped, nil
}

// ParseLLM reads the text of an llm_config.json. Its error names line and column.
func ParseLLM(data []byte, env Env) (LLM, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	entries, err := objectInOrder(data)
	if err != nil {
		return LLM{}, err
	}
	var l LLM
	secrets := map[string]bool{}
	for _, e := range entries {
		m := newReader(env, secrets).model(e.key, e.value)
		if i := slices.IndexFunc(l.Models, func(o Model) bool { return o.ID == m.ID }); i >= 0 {
			m.Warnings = append(m.Warnings, "the id stands twice in the file; the last entry counts")
			l.Models[i] = m
			continue
		}
		l.Models = append(l.Models, m)
	}
	for s := range secrets {
		l.secrets = append(l.secrets, s)
	}
	// Longest first, so that a secret which contains another one is replaced as a whole.
	slices.SortFunc(l.secrets, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return l, nil
}

type member struct {
	key   string
	value any // numbers are json.Number
}

// objectInOrder decodes one JSON object and keeps the order of its members.
func objectInOrder(data []byte) ([]member, error) {
	var whole json.RawMessage // the check of the whole text is the one that knows the exact place
	if err := json.Unmarshal(data, &whole); err != nil {
		return nil, place(data, err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("the file must be one JSON object: {\"model id\": {\"class\": …}, …}")
	}
	var members []member
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("read the id of a model: %w", err)
		}
		m := member{key: key.(string)} // the decoder lets nothing else stand there
		if err := dec.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("read model %q: %w", clip(m.key, 40), err)
		}
		members = append(members, m)
	}
	return members, nil
}

// place adds line and column, in characters from 1, to an error of syntax.
func place(data []byte, err error) error {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return err
	}
	before := data[:max(syntax.Offset-1, 0)] // Offset counts the offending byte
	line := bytes.Count(before, []byte("\n")) + 1
	column := len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:]))) + 1
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}
