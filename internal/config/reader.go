package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// reader takes typed values out of one decoded entry. It collects every problem instead of
// stopping at the first, and knows which keys nobody asked for.
type reader struct {
	env      Env
	secrets  map[string]bool
	problems []error
	warnings []string
	object   map[string]any
	prefix   string // of keys in messages
	used     map[string]bool
}

func newReader(env Env, secrets map[string]bool) *reader {
	return &reader{env: env, secrets: secrets, used: map[string]bool{}}
}

// enter reads from another object with the same collections.
func (r *reader) enter(object map[string]any, prefix string) *reader {
	r.object, r.prefix, r.used = object, prefix, map[string]bool{}
	return r
}

func (r *reader) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

func (r *reader) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

// get returns the first present value of the synonyms and its full name for messages. JSON null
// is absent.
func (r *reader) get(names ...string) (key string, value any) {
	for _, n := range names {
		r.used[n] = true
		if v := r.object[n]; v != nil && value == nil {
			key, value = r.prefix+n, v
		}
	}
	return key, value
}

func (r *reader) text(names ...string) string {
	key, v := r.get(names...)
	s, ok := v.(string)
	if v != nil && !ok {
		r.problem("%s must be a string", key)
	}
	return strings.TrimSpace(s)
}

// number accepts a numeric string too, because substituted variables are strings.
func (r *reader) number(least, most float64, names ...string) *float64 {
	key, v := r.get(names...)
	if v == nil {
		return nil
	}
	if f, ok := asNumber(v); ok && f >= least && f <= most {
		return &f
	}
	r.problem("%s must be a number from %s to %s", key, plain(least), plain(most))
	return nil
}

func (r *reader) integer(least, most, fallback int, names ...string) int {
	key, v := r.get(names...)
	if v == nil {
		return fallback
	}
	if f, ok := asNumber(v); ok && f == math.Trunc(f) && f >= float64(least) && f <= float64(most) {
		return int(f)
	}
	r.problem("%s must be a whole number from %d to %d", key, least, most)
	return fallback
}

func (r *reader) boolean(fallback bool, names ...string) bool {
	key, v := r.get(names...)
	switch b := v.(type) {
	case nil:
	case bool:
		return b
	case string:
		if parsed, err := strconv.ParseBool(strings.ToLower(b)); err == nil {
			return parsed
		}
		r.problem("%s must be true or false", key)
	default:
		r.problem("%s must be true or false", key)
	}
	return fallback
}

func (r *reader) choice(fallback string, allowed []string, name string) string {
	s := r.text(name)
	if s == "" {
		return fallback
	}
	if !slices.Contains(allowed, s) {
		r.problem("%s%s is %q; allowed are %s", r.prefix, name, clip(s, 40), strings.Join(allowed, ", "))
		return fallback
	}
	return s
}

func (r *reader) child(names ...string) map[string]any {
	key, v := r.get(names...)
	m, ok := v.(map[string]any)
	if v != nil && !ok {
		r.problem("%s must be an object", key)
	}
	return m
}

// headers reads an object of strings; a header whose value cannot be sent is a problem.
func (r *reader) headers(dst map[string]string, names ...string) {
	for name, v := range r.child(names...) {
		s, ok := v.(string)
		if n, isNumber := v.(json.Number); isNumber {
			s, ok = n.String(), true
		}
		if !ok || !headerName.MatchString(name) || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			r.problem("%s%s: %q is no header with a text as value", r.prefix, names[0], clip(name, 40))
			continue
		}
		dst[name] = s
		if credential.MatchString(name) {
			r.secret(s)
		}
	}
}

// secret remembers a value that messages must not show. Very short ones cannot be told from
// ordinary text.
func (r *reader) secret(value string) {
	if len(value) >= 6 {
		r.secrets[value] = true
		if _, token, ok := strings.Cut(value, "Bearer "); ok {
			r.secret(token)
		}
	}
}

// rest warns of the keys that nobody asked for.
func (r *reader) rest() {
	for _, k := range slices.Sorted(maps.Keys(r.object)) {
		if !r.used[k] {
			r.warn("%s%s is not known and has no effect", r.prefix, clip(k, 60))
		}
	}
}

// substitute replaces every string that is as a whole ${NAME} by the variable, at any depth, in
// a copy. A variable that is unset, empty or still the placeholder is a problem. Depth is 0 for
// the entry itself; variables below its arguments go into headers and bodies as they are, so
// their values count as secret.
func (r *reader) substitute(v any, depth int) any {
	switch v := v.(type) {
	case string:
		name, ok := strings.CutPrefix(v, "${")
		if name, closed := strings.CutSuffix(name, "}"); ok && closed {
			value, set, err := r.env.Secret(name)
			switch {
			case err != nil:
				r.problems = append(r.problems, err)
			case !set:
				r.problem("%s is not set: put it into .env or the environment", clip(name, 60))
			default:
				if depth > 2 {
					r.secret(value)
				}
				return value
			}
			return nil
		}
	case map[string]any:
		c := make(map[string]any, len(v))
		for k, item := range v {
			if depth == 0 && k == "comment" { // for people: what stands there is never used
				continue
			}
			c[k] = r.substitute(item, depth+1)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, item := range v {
			c[i] = r.substitute(item, depth+1)
		}
		return c
	}
	return v
}

// err joins what was found, nil when nothing was. The same problem is told once.
func (r *reader) err() error {
	seen := map[string]bool{}
	var unique []error
	for _, p := range r.problems {
		if !seen[p.Error()] {
			seen[p.Error()] = true
			unique = append(unique, p)
		}
	}
	return errors.Join(unique...)
}

func asNumber(v any) (float64, bool) {
	var s string
	switch v := v.(type) {
	case json.Number:
		s = v.String()
	case string:
		s = strings.TrimSpace(v)
	default:
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
