package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kelseyhightower/envconfig"
)

// Variable describes one environment variable of a settings struct, for help and sample files.
type Variable struct {
	Name        string
	Default     string
	Description string
	Required    bool
	Secret      bool // also read from the file that NAME_FILE names
}

// Variables lists the variables that a settings struct (or a pointer to one) declares by the tags
// envconfig, default, demanded and desc, in the order of its fields; embedded structs included.
func Variables(spec any) []Variable {
	t := reflect.TypeOf(spec)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var vars []Variable
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("envconfig"); name != "" {
			vars = append(vars, Variable{
				Name: name, Default: f.Tag.Get("default"), Description: f.Tag.Get("desc"),
				Required: f.Tag.Get("demanded") == "true", Secret: f.Type == reflect.TypeFor[Secret](),
			})
		}
	}
	return vars
}

// Usage lists variables, one a line, for people. No default of a secret is shown.
func Usage(vars []Variable) string {
	var b strings.Builder
	b.WriteString("Variables:\n")
	for _, v := range vars {
		value := v.Default
		if v.Secret && value != "" {
			value = "…"
		}
		fmt.Fprintf(&b, "\n  %s (default %q): %s", v.Name, value, v.Description)
	}
	return b.String()
}

// environment guards the process environment while Load has its values in it.
var environment sync.Mutex

// Load fills spec, a pointer to a struct with envconfig tags, from env and then calls its
// Validate method if it has one. The error names all wrong variables, a line each, with the value
// (unless it is a secret) and what is allowed.
//
// The library under it reads the process environment only, so Load puts the declared variables
// there and restores them before it returns: call it at start, before other goroutines read the
// environment.
func Load(spec any, env Env) error {
	environment.Lock()
	defer environment.Unlock()
	vars := Variables(spec)
	values, missing := lookUp(vars, env)
	restore, err := export(values)
	defer restore()
	if err != nil {
		return err
	}
	// What is wrong has its default afterwards, so Validate complains about the others only.
	errs := []error{missing, process(spec, vars)}
	if v, ok := spec.(interface{ Validate() error }); ok {
		errs = append(errs, v.Validate())
	}
	return errors.Join(errs...)
}

// lookUp returns the values of the variables; one that is not set is "".
func lookUp(vars []Variable, env Env) (map[string]string, error) {
	values := map[string]string{}
	var errs []error
	for _, v := range vars {
		value, _ := env.Lookup(v.Name)
		var err error
		if v.Secret {
			value, _, err = env.Secret(v.Name)
		}
		if err == nil && v.Required && strings.TrimSpace(value) == "" {
			err = fmt.Errorf("%s is not set: set it in the environment or in .env (%s)", v.Name, v.Description)
		}
		if err != nil {
			errs = append(errs, err)
		}
		values[v.Name] = value
	}
	return values, errors.Join(errs...)
}

// export puts values into the process environment and unsets the empty ones. The function that it
// returns brings back what was there, after an error too.
func export(values map[string]string) (restore func(), err error) {
	var undo []func()
	restore = func() {
		for _, f := range undo {
			f()
		}
	}
	for name, value := range values {
		if old, was := os.LookupEnv(name); was {
			undo = append(undo, func() { os.Setenv(name, old) })
		} else {
			undo = append(undo, func() { os.Unsetenv(name) })
		}
		if value == "" {
			err = os.Unsetenv(name)
		} else {
			err = os.Setenv(name, value)
		}
		if err != nil {
			return restore, fmt.Errorf("set %s: %w", name, err)
		}
	}
	return restore, nil
}

// process fills spec from the process environment. The library stops at the first wrong value:
// that one is taken out, and on it goes, to report all at once.
func process(spec any, vars []Variable) error {
	var errs []error
	for range vars {
		err := envconfig.Process("", spec)
		if err == nil {
			break
		}
		errs = append(errs, explain(err, vars))
		parse, ok := errors.AsType[*envconfig.ParseError](err)
		if !ok || os.Unsetenv(parse.KeyName) != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// explain turns the library's error, which speaks of Go types, into one about the variable.
func explain(err error, vars []Variable) error {
	parse, ok := errors.AsType[*envconfig.ParseError](err)
	if !ok {
		return fmt.Errorf("read settings: %w", err)
	}
	for _, v := range vars {
		if v.Name == parse.KeyName && v.Secret {
			return fmt.Errorf("%s: the value cannot be used", v.Name)
		}
	}
	want := parse.Err.Error()
	if kind, ok := map[string]string{
		"int": "a whole number", "int64": "a whole number", "float64": "a number", "bool": "true or false",
	}[parse.TypeName]; ok {
		want = "allowed is " + kind
	}
	return wrong(parse.KeyName, parse.Value, want)
}

// wrong is the form of all complaints about a variable.
func wrong(name, value, want string) error {
	return fmt.Errorf("%s is %q: %s", name, clip(value, 80), want)
}

// Secret is a value that may come from a file (NAME_FILE) and that formatting never shows.
type Secret string

// String hides the value; convert to string to get it.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[REDACTED]"
}

// GoString hides the value.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Seconds is a duration written as seconds ("30", "2.5") or with a unit ("30s", "5m").
type Seconds time.Duration

// Decode reads the value of a variable. Negative durations are refused.
func (s *Seconds) Decode(value string) error {
	d, err := time.ParseDuration(value)
	if f, ferr := strconv.ParseFloat(strings.TrimSpace(value), 64); ferr == nil {
		d, err = seconds(f)
	}
	if err != nil || d < 0 {
		return errors.New("allowed are seconds such as 30, or a duration such as 30s or 5m")
	}
	*s = Seconds(d)
	return nil
}

// Duration returns the value as Go's own type.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// seconds converts and refuses what no timeout can sensibly be: negative, not finite, over a year.
func seconds(f float64) (time.Duration, error) {
	const year = 365 * 24 * 3600
	if !(f >= 0 && f <= year) {
		return 0, errors.New("not between 0 s and a year")
	}
	return time.Duration(f * float64(time.Second)), nil
}
