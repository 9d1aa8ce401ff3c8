package config

import (
	"maps"
	"math"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// credential matches names of headers whose values must not be shown.
var credential = regexp.MustCompile("(?i)auth|key|token|secret|cookie")

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// Arguments are the settings of an entry, one meaning for all classes, defaults filled in.
type Arguments struct {
	Model           string
	Key             string `json:"-"` // "" sends no key
	KeyName         string // where the key comes from or would come from, for messages: a variable, or api_key
	BaseURL         string // without trailing slash; class rules about /v1 applied
	Temperature     float64
	MaxTokens       int           // first output cap
	Timeout         time.Duration // until the first byte of the answer
	Retries         int           // transport tries after the first
	ContextWindow   int           // tokens; 0 is unknown
	PreferTools     bool          // try tools first
	PreferSchema    bool          // try json_schema first
	Strict          bool
	ReasoningEffort string
	Extra           map[string]any    // further members of the body; Ollama: of options
	Body            map[string]any    // Ollama: further members of the body
	Headers         map[string]string // further headers
	KeepAlive       any               // Ollama: a string or a number
	Think           any               // Ollama: a boolean or a string
	Latency         time.Duration     // Demo
	Seed            int64             // Demo
}

// String names the model and leaves out keys, headers and the password of a URL, so that a
// printed entry shows no secret.
func (a Arguments) String() string { return "model " + a.Model }

// untouchable are the members of a request that additional_kwargs may not replace.
var untouchable = []string{"model", "messages", "stream", "response_format", "tools", "format"}

// model checks one entry.
func (r *reader) model(id string, value any) Model {
	m := Model{ID: id, Structured: "auto"}
	entry, ok := value.(map[string]any)
	if !ok {
		r.problem("the entry must be an object with class and arguments")
		m.Problem = r.err()
		return m
	}
	rawKey := ""
	if args, ok := entry["arguments"].(map[string]any); ok {
		rawKey, _ = args["api_key"].(string)
	}
	r.enter(r.substitute(entry, 0).(map[string]any), "")
	if strings.TrimSpace(id) == "" || id == "auto" {
		r.problem("%q cannot be the id of an entry", id)
	}
	if p := r.object["priority"]; p != nil {
		if _, text := p.(string); text {
			r.problem("priority must be a number")
		} else {
			m.Priority = r.number(-1e9, 1e9, "priority")
		}
	}
	m.Class = r.text("class")
	c, known := classNamed(m.Class)
	if !known {
		r.problem("class %q is not known; known are %s", clip(m.Class, 40), strings.Join(classNames(), ", "))
	}
	forms := []string{"json_schema", "tools", "json_object", "text"}
	if c.forms != nil {
		forms = c.forms
	}
	m.Structured = r.choice("auto", append([]string{"auto"}, forms...), "structured_output")
	m.MaxConcurrency = r.integer(1, 1024, 0, "max_concurrency")
	if workers := r.integer(1, math.MaxInt32, 0, "luigi_workers"); workers == 1 && m.MaxConcurrency == 0 {
		m.MaxConcurrency = 1
	}
	arguments, price := r.child("arguments"), r.child("price")
	if price != nil {
		m.Price = r.enter(price, "price.").price()
	}
	if known {
		m.Arguments = r.enter(arguments, "arguments.").arguments(c, rawKey)
	}
	m.Problem, m.Warnings = r.err(), r.warnings
	return m
}

func (r *reader) price() *Price {
	in, out := r.number(0, 1e6, "input"), r.number(0, 1e6, "output")
	cached := r.number(0, 1e6, "cached_input")
	r.rest()
	if in == nil || out == nil {
		r.problem("price needs input and output, in USD per million tokens")
		return nil
	}
	p := &Price{Input: *in, Output: *out, Cached: *in}
	if cached != nil {
		p.Cached = *cached
	}
	return p
}

func (r *reader) arguments(c class, rawKey string) Arguments {
	if c.name == Demo {
		a := Arguments{Model: "demo", MaxTokens: 8192, Timeout: c.timeout}
		a.Latency = time.Duration(r.integer(0, 600_000, 0, "latency_ms")) * time.Millisecond
		a.Seed = int64(r.integer(math.MinInt32, math.MaxInt32, 0, "seed"))
		r.rest()
		return a
	}
	a := Arguments{
		Model:           r.text("model", "model_name"),
		Temperature:     0.1,
		MaxTokens:       r.integer(1, 10_000_000, 8192, "max_tokens", "max_completion_tokens"),
		Timeout:         c.timeout,
		Retries:         r.integer(0, 100, 2, "max_retries"),
		ContextWindow:   r.integer(1, 100_000_000, 0, "context_window"),
		PreferTools:     r.boolean(false, "is_function_calling_model"),
		PreferSchema:    r.boolean(false, "should_use_structured_outputs"),
		Strict:          r.boolean(true, "strict"),
		ReasoningEffort: r.text("reasoning_effort"),
		Headers:         map[string]string{},
	}
	if a.Model == "" {
		r.problem("arguments.model is missing")
	}
	if t := r.number(0, 100, "temperature"); t != nil {
		a.Temperature = *t
	}
	if t := r.number(0.001, 86_400, "timeout", "request_timeout"); t != nil {
		a.Timeout = time.Duration(*t * float64(time.Second))
	}
	if !r.boolean(true, "is_chat_model") {
		r.warn("arguments.is_chat_model is false, but the chat route is used always")
	}
	r.key(&a, c, rawKey)
	r.base(&a, c)
	r.extras(&a, c)
	r.ollamaOnly(&a, c)
	for _, name := range []string{"json_mode", "api_version", "reuse_client", "logprobs", "tokenizer", "num_output", "prompt_key"} {
		if key, v := r.get(name); v != nil {
			r.warn("%s is accepted but has no effect", key)
		}
	}
	r.rest()
	return a
}

func (r *reader) ollamaOnly(a *Arguments, c class) {
	keepAlive, k := r.get("keep_alive")
	think, t := r.get("thinking")
	if c.name != Ollama {
		for _, key := range []string{keepAlive, think} {
			if key != "" {
				r.warn("%s acts for class Ollama only", key)
			}
		}
		return
	}
	switch k.(type) {
	case map[string]any, []any, bool:
		r.problem("%s must be a duration such as \"5m\" or a number of seconds", keepAlive)
	default:
		a.KeepAlive = k
	}
	switch t.(type) {
	case nil, bool, string:
		a.Think = t
	default:
		r.problem("%s must be true, false or a level such as \"low\"", think)
	}
	if a.ReasoningEffort != "" {
		r.warn("arguments.reasoning_effort has no effect for class Ollama: use thinking")
	}
}

// key finds the key and, for messages, where it came from.
func (r *reader) key(a *Arguments, c class, raw string) {
	a.Key, a.KeyName = r.text("api_key"), "api_key"
	if strings.Contains(a.Key, placeholder) {
		a.Key = ""
	}
	if name, ok := strings.CutPrefix(raw, "${"); ok && strings.HasSuffix(name, "}") {
		a.KeyName = strings.TrimSuffix(name, "}") // when it is unset, substitute has said so
	} else if a.Key == "" && c.keyVar != "" {
		value, _, err := r.env.Secret(c.keyVar)
		if err != nil {
			r.problems = append(r.problems, err)
		}
		a.Key, a.KeyName = strings.TrimSpace(value), c.keyVar
		if value == "" && c.keyNeeded && err == nil {
			r.problem("%s is not set: put it into .env or the environment", c.keyVar)
		}
	}
	if strings.ContainsFunc(a.Key, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		r.problem("the key from %s holds characters that no key has, such as a space or a line end", a.KeyName)
	}
	r.secret(a.Key)
}

// base finds the base URL and applies the rules of the class about its path.
func (r *reader) base(a *Arguments, c class) {
	raw := r.text("api_base", "base_url")
	source := "arguments.api_base"
	if c.name == Ollama || c.name == LMStudio {
		source = "arguments.base_url"
	}
	if v, ok := r.env.Lookup(c.baseVar); raw == "" && ok {
		raw, source = v, c.baseVar
		if c.name == Ollama {
			raw = ollamaHost(v)
		}
	}
	if raw == "" {
		raw = c.base
	}
	if c.name == Ollama && !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		r.problem("%s must be an http or https address without a query, such as %s", source, c.base)
		return
	}
	if password, ok := u.User.Password(); ok {
		r.secret(password)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	switch {
	case c.name == LMStudio && u.Path == "":
		u.Path = "/v1"
	case c.name == Ollama:
		u.Path = strings.TrimRight(strings.TrimSuffix(u.Path, "/v1"), "/")
	}
	a.BaseURL = u.String()
}

// ollamaHost turns what the Ollama server accepts as its listening address into one to call.
func ollamaHost(v string) string {
	if !strings.Contains(v, "://") {
		v = "http://" + v
	}
	u, err := url.Parse(v)
	if err != nil {
		return v
	}
	host, port := u.Hostname(), u.Port()
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	if port == "" && u.Scheme == "http" {
		port = "11434"
	}
	if port != "" {
		u.Host = net.JoinHostPort(host, port)
	}
	return u.String()
}

// extras reads default_headers and additional_kwargs with its two special members.
func (r *reader) extras(a *Arguments, c class) {
	r.headers(a.Headers, "default_headers")
	kwargs := r.child("additional_kwargs")
	if kwargs == nil {
		return
	}
	inner := *r
	inner.enter(kwargs, "arguments.additional_kwargs.")
	inner.headers(a.Headers, "extra_headers")
	body := inner.child("extra_body")
	r.problems = inner.problems

	a.Extra = maps.Clone(kwargs)
	delete(a.Extra, "extra_headers")
	delete(a.Extra, "extra_body")
	if c.name == Ollama {
		a.Body = maps.Clone(body)
		r.strip(a, a.Body, append(slices.Clone(untouchable), "options")) // it holds the context length
	} else {
		for k, v := range body {
			if _, ok := a.Extra[k]; !ok {
				a.Extra[k] = v
			}
		}
	}
	r.strip(a, a.Extra, untouchable)
}

// strip takes out of members of the request what may not be replaced, and makes an output cap in
// them the entry's first one, so that it can be raised like any other.
func (r *reader) strip(a *Arguments, members map[string]any, forbidden []string) {
	for _, k := range forbidden {
		if _, ok := members[k]; ok {
			r.warn("arguments.additional_kwargs may not replace %s", k)
			delete(members, k)
		}
	}
	for _, k := range []string{"max_completion_tokens", "max_tokens", "num_predict"} {
		if f, ok := asNumber(members[k]); ok && f >= 1 && f <= 10_000_000 {
			a.MaxTokens = int(f)
		}
		delete(members, k)
	}
}
