package config

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// headerName is what RFC 9110 allows as the name of a header.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// reader turns one decoded entry of llm_config.json into a Model and collects all that is wrong.
type reader struct {
	env      Env
	problems []string
	warnings []string
	secrets  []string
}

func (r *reader) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

func (r *reader) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

func (r *reader) model(id string, value any) Model {
	m := Model{ID: id}
	if id == "" || id == AutoID {
		r.problem("%q is no name for a model: rename the entry", id)
	}
	object, ok := value.(map[string]any)
	if !ok {
		r.problem("the entry is %s, it must be an object with class and arguments", kind(value))
		return m
	}
	entry := members{reader: r, values: object}
	if s, ok := entry.text("class"); ok {
		m.Class = Class(s)
	}
	preset, known := presets[m.Class]
	if !known {
		r.problem("class is %q, allowed are %s", clip(string(m.Class), 40), strings.Join(classNames(), ", "))
	}
	if f, ok := entry.number("priority"); ok {
		m.Priority = &f
	}
	m.Slots, _ = entry.whole(1, "max_concurrency")
	// luigi_workers says how many steps may run at once; only "one at a time" has a meaning here.
	if n, ok := entry.whole(1, "luigi_workers"); ok && n == 1 && m.Slots == 0 {
		m.Slots = 1
	}
	m.Form = r.form(entry)
	m.Price = r.price(entry)

	arguments := entry.object("arguments")
	if known {
		m.Arguments = r.arguments(m.Class, preset, members{reader: r, path: "arguments.", values: arguments})
	}
	return m
}

func classNames() []string {
	var names []string
	for c := range presets {
		names = append(names, string(c))
	}
	slices.Sort(names)
	return names
}

func (r *reader) form(entry members) string {
	form, ok := entry.text("structured_output")
	switch allowed := []string{"auto", "json_schema", "tools", "json_object", "text"}; {
	case !ok || form == "auto":
		return ""
	case !slices.Contains(allowed, form):
		r.problem("structured_output is %q, allowed are %s", clip(form, 40), strings.Join(allowed, ", "))
	}
	return form
}

func (r *reader) price(entry members) *Price {
	values := entry.object("price")
	if values == nil {
		return nil
	}
	price := members{reader: r, path: "price.", values: values}
	input, ok1 := price.amount("input")
	output, ok2 := price.amount("output")
	cached, ok3 := price.amount("cached_input")
	if !ok1 || !ok2 {
		r.problem("price needs input and output, in USD per million tokens")
		return nil
	}
	if !ok3 {
		cached = input
	}
	return &Price{Input: input, Output: output, Cached: cached}
}

func (r *reader) arguments(class Class, p preset, in members) Arguments {
	a := Arguments{Temperature: 0.1, MaxTokens: 8192, Timeout: p.timeout, Retries: 2, Strict: true}
	if class == Demo {
		a.Model = DemoID
		if ms, ok := in.whole(0, "latency_ms"); ok {
			a.Latency = time.Duration(min(ms, 3_600_000)) * time.Millisecond
		}
		if n, ok := in.whole(math.MinInt, "seed"); ok {
			a.Seed = int64(n)
		}
	} else {
		a.Model, _ = in.text("model", "model_name")
		if a.Model = strings.TrimSpace(a.Model); a.Model == "" {
			r.problem("arguments.model is missing: name the model as the provider spells it")
		}
		a.Key, a.KeyName = r.key(p, in)
		a.BaseURL = r.baseURL(class, p, in)
	}
	if f, ok := in.amount("temperature"); ok {
		a.Temperature = f
	}
	if n, ok := in.whole(1, "max_tokens", "max_completion_tokens"); ok {
		a.MaxTokens = n
	}
	if f, ok := in.amount("timeout", "request_timeout"); ok {
		d, err := seconds(f)
		if err != nil || d == 0 {
			r.problem("arguments.timeout is %v, it must be more than 0 s and at most a year", f)
		}
		a.Timeout = d
	}
	if n, ok := in.whole(0, "max_retries"); ok {
		a.Retries = n
	}
	a.ContextWindow, _ = in.whole(1, "context_window")
	if chat, ok := in.flag("is_chat_model"); ok && !chat {
		r.warn("arguments.is_chat_model is false: the chat API is used all the same")
	}
	// False forbids nothing: it is what every shipped entry says.
	if on, _ := in.flag("should_use_structured_outputs"); on {
		a.FirstForm = "json_schema"
	}
	if on, _ := in.flag("is_function_calling_model"); on {
		a.FirstForm = "tools"
	}
	if strict, ok := in.flag("strict"); ok {
		a.Strict = strict
	}
	a.ReasoningEffort, _ = in.text("reasoning_effort")
	r.extras(class, &a, in)
	if class == Ollama {
		a.KeepAlive = in.take("keep_alive")
		a.Thinking = in.take("thinking")
	}
	for _, name := range in.rest() {
		r.warn("arguments.%s has no effect on class %s", clip(name, 40), class)
	}
	return a
}

// key returns the key and the variable that it comes from, or that would have to hold it.
func (r *reader) key(p preset, in members) (Secret, string) {
	name := p.keyVar
	raw, _ := in.values["api_key"].(string)
	before := len(r.problems)
	value, ok := in.text("api_key")
	if variable, is := variableOf(raw); is {
		name = variable
		if len(r.problems) > before { // it is not set, which has been said
			return "", name
		}
	} else if ok && value != "" && !strings.Contains(value, placeholder) {
		name = ""
	} else {
		value = ""
		if name != "" {
			var err error
			if value, _, err = r.env.Secret(name); err != nil {
				r.problem("%v", err)
				return "", name
			}
		}
	}
	value = strings.TrimSpace(value)
	if value == "" && p.needKey {
		r.problem("the key is missing: set %s in the environment or in .env", name)
	}
	if strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' }) {
		r.problem("the key (%s) has white space or characters that no key has: copy it again", cmp.Or(name, "arguments.api_key"))
		r.secrets = append(r.secrets, value)
		return "", name
	}
	if value != "" {
		r.secrets = append(r.secrets, value)
	}
	return Secret(value), name
}

func (r *reader) baseURL(class Class, p preset, in members) string {
	base, ok := in.text("api_base", "base_url")
	name := "arguments.base_url"
	if base = strings.TrimSpace(base); !ok || base == "" {
		base = p.base
		if v, ok := r.env.Lookup(p.baseVar); ok {
			base, name = v, p.baseVar
		}
	}
	if class == Ollama && !strings.Contains(base, "://") {
		base = "http://" + base
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		// The text itself stays out: it may hold a password.
		r.problem("%s must be an address such as %s", name, p.base)
		return ""
	}
	if password, ok := u.User.Password(); ok {
		r.secrets = append(r.secrets, password)
	}
	base = strings.TrimRight(base, "/")
	switch {
	case class == LMStudio && strings.Trim(u.Path, "/") == "":
		base += "/v1"
	case class == Ollama:
		base = strings.TrimRight(strings.TrimSuffix(base, "/v1"), "/")
	}
	return base
}

// extras reads what goes into headers and body as it is.
func (r *reader) extras(class Class, a *Arguments, in members) {
	kwargs := r.secretObject(in, "additional_kwargs")
	a.Headers = map[string]string{}
	for _, headers := range []members{r.secretObject(in, "default_headers"), r.secretObject(kwargs, "extra_headers")} {
		for _, name := range headers.rest() {
			text, ok := headers.text(name)
			if !ok {
				continue
			}
			if !headerName.MatchString(name) || strings.ContainsFunc(text, unicode.IsControl) {
				r.problem("%s%q is no valid header", headers.path, clip(name, 40))
				continue
			}
			a.Headers[name] = text
			if looksSecret(name) {
				r.secrets = append(r.secrets, text, strings.TrimPrefix(text, "Bearer "))
			}
		}
	}
	a.Body = map[string]any{}
	extra := a.Body
	if class == Ollama {
		a.Options = map[string]any{}
		extra = a.Options
	}
	body := r.secretObject(kwargs, "extra_body")
	for _, part := range []struct {
		m  members
		to map[string]any
	}{{kwargs, extra}, {body, a.Body}} {
		for _, name := range part.m.rest() {
			switch name {
			case "model", "messages", "stream", "response_format", "tools", "format":
				r.warn("%s%s is left out: it would break the request", part.m.path, name)
			default:
				part.to[name] = part.m.take(name)
			}
		}
	}
}

func (r *reader) secretObject(in members, name string) members {
	return members{reader: r, path: in.path + name + ".", values: in.object(name), secret: true}
}

func looksSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"auth", "key", "token", "secret", "cookie"}, func(s string) bool { return strings.Contains(name, s) })
}
