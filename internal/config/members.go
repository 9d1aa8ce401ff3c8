package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// members is a JSON object that is read member by member: what was read is gone, what remains was
// not understood. Problems are noted under the path. Null counts as absent.
type members struct {
	*reader
	path   string
	values map[string]any
	secret bool // variables in here go into headers and bodies as they are: their values may be credentials
}

// pick removes the members of these names and returns the value of the first one that is there,
// variables put in, with its name.
func (m members) pick(names ...string) (value any, name string) {
	value, name = m.raw(names...)
	return m.resolve(value, name, m.secret), name
}

// raw is pick with the variables left as they stand.
func (m members) raw(names ...string) (value any, name string) {
	for _, n := range names {
		if v := m.values[n]; v != nil && value == nil {
			value, name = v, n
		}
		delete(m.values, n)
	}
	return value, m.path + name
}

func (m members) take(name string) any {
	value, _ := m.pick(name)
	return value
}

// rest returns the names of the members that nobody read.
func (m members) rest() []string { return slices.Sorted(maps.Keys(m.values)) }

func (m members) text(names ...string) (string, bool) {
	value, name := m.pick(names...)
	s, ok := value.(string)
	if value != nil && !ok {
		m.problem("%s is %s, it must be a text", name, kind(value))
	}
	return s, ok
}

// object returns an object as it stands: its members are resolved when they are read.
func (m members) object(name string) map[string]any {
	value, name := m.raw(name)
	o, ok := value.(map[string]any)
	if value != nil && !ok {
		m.problem("%s is %s, it must be an object", name, kind(value))
	}
	return o
}

func (m members) flag(name string) (on, ok bool) {
	value, name := m.pick(name)
	switch v := value.(type) {
	case nil:
		return false, false
	case bool:
		return v, true
	case string:
		if on, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(v))); err == nil {
			return on, true
		}
	}
	m.problem("%s is %s, it must be true or false", name, kind(value))
	return false, false
}

// number reads a finite number; one in quotes is taken as well, because variables are texts.
func (m members) number(names ...string) (float64, bool) {
	return m.numberIf("a number", func(float64) bool { return true }, names)
}

// amount reads a number that is not negative.
func (m members) amount(names ...string) (float64, bool) {
	return m.numberIf("a number of 0 or more", func(f float64) bool { return f >= 0 }, names)
}

// whole reads a whole number of at least least.
func (m members) whole(least int, names ...string) (int, bool) {
	want := "a whole number"
	if least >= 0 {
		want = fmt.Sprintf("a whole number of %d or more", least)
	}
	f, ok := m.numberIf(want, func(f float64) bool {
		return f == math.Trunc(f) && f >= float64(least) && math.Abs(f) <= 1<<53
	}, names)
	return int(f), ok
}

func (m members) numberIf(want string, valid func(float64) bool, names []string) (float64, bool) {
	value, name := m.pick(names...)
	var f float64
	err := strconv.ErrSyntax
	switch v := value.(type) {
	case nil:
		return 0, false
	case json.Number:
		f, err = v.Float64()
	case string:
		f, err = strconv.ParseFloat(strings.TrimSpace(v), 64)
	}
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || !valid(f) {
		m.problem("%s is %s, it must be %s", name, kind(value), want)
		return 0, false
	}
	return f, true
}

// variableOf returns NAME of the text ${NAME}. Only a text that is nothing else is replaced.
func variableOf(s string) (name string, ok bool) {
	if s, ok = strings.CutPrefix(s, "${"); ok {
		return strings.CutSuffix(s, "}")
	}
	return "", false
}

// resolve puts variables into a value of any depth. A variable that is not set is a problem and
// its value absent. With secret the values that were put in are noted as secrets.
func (r *reader) resolve(value any, path string, secret bool) any {
	switch v := value.(type) {
	case string:
		name, ok := variableOf(v)
		if !ok {
			return v
		}
		text, ok, err := r.env.Secret(name)
		switch {
		case err != nil:
			r.problem("%s: %v", path, err)
			return nil
		case !ok:
			r.problem("%s: %s is not set: set it in the environment or in .env", path, name)
			return nil
		}
		if secret {
			r.secrets = append(r.secrets, text)
		}
		return text
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			v[k] = r.resolve(v[k], path+"."+k, secret)
		}
	case []any:
		for i := range v {
			v[i] = r.resolve(v[i], path, secret)
		}
	}
	return value
}

// kind describes a JSON value without showing texts, which may be secret.
func kind(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return clip(v.String(), 40)
	case string:
		return "a text"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
