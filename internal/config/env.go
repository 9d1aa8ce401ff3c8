// Package config finds and reads what a person configures: the environment, .env and
// llm_config.json. Each variable is declared once, in the struct of the program that needs it.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// PathVar names the directory that is searched first for .env and llm_config.json. It is the one
// variable that .env cannot set.
const PathVar = "PLANEXE_CONFIG_PATH"

// placeholder marks the sample values of .env.example: a key that holds it was never filled in.
const placeholder = "YOUR_API_KEY"

// Env is the merged environment: the values of .env, overlaid by the process environment.
// An empty value counts as unset, in both.
type Env struct {
	values map[string]string
	dirs   []string // where configuration files are searched, in order
	file   string   // the .env that was read, "" when there is none
	left   error    // why a .env was left out
}

// LoadEnv reads the environment of this process and the first .env found in the directory
// PLANEXE_CONFIG_PATH, the working directory or the directory of the executable. The process
// environment is not changed. It fails when PLANEXE_CONFIG_PATH is no absolute existing
// directory, or when .env cannot be read or parsed; one that this user has no right to read is left out.
func LoadEnv() (Env, error) {
	var dirs []string
	if wd, err := os.Getwd(); err == nil {
		dirs = append(dirs, wd)
	}
	if exe, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Dir(exe))
	}
	return loadEnv(os.Environ(), dirs)
}

// NewEnv returns an environment of just these values; configuration files are searched in dirs.
func NewEnv(values map[string]string, dirs ...string) Env {
	e := Env{values: map[string]string{}, dirs: dirs}
	for k, v := range values {
		e.set(k, v)
	}
	return e
}

func loadEnv(environ, dirs []string) (Env, error) {
	process := NewEnv(nil)
	for _, line := range environ {
		if k, v, ok := strings.Cut(line, "="); ok {
			process.set(k, v)
		}
	}
	if dir, ok := process.Lookup(PathVar); ok {
		info, err := os.Stat(dir)
		if !filepath.IsAbs(dir) || err != nil || !info.IsDir() {
			return Env{}, fmt.Errorf("%s is %q, which is no absolute path of an existing directory: correct it or unset it", PathVar, dir)
		}
		dirs = slices.Insert(slices.Clone(dirs), 0, dir)
	}
	process.dirs = dirs

	path, data, err := process.readFile(".env")
	if errors.Is(err, fs.ErrPermission) { // in a container the file of another user; what it holds has come by the environment
		process.left = err
		return process, nil
	}
	if err != nil || path == "" {
		return process, err
	}
	values, err := parseDotEnv(string(data), process.Lookup)
	if err != nil {
		return Env{}, fmt.Errorf("read %s: %w", path, err)
	}
	merged := NewEnv(values, dirs...)
	delete(merged.values, PathVar)
	for k, v := range process.values {
		merged.set(k, v)
	}
	merged.file = path
	return merged, nil
}

func (e Env) set(name, value string) {
	if value != "" {
		e.values[name] = value
	}
}

// Lookup returns the value of a variable; ok is false when it is unset or empty.
func (e Env) Lookup(name string) (value string, ok bool) {
	value, ok = e.values[name]
	return value, ok
}

// Secret returns a variable that may also stand in a file: NAME itself, else the content of the
// file that NAME_FILE names, without surrounding white space. Placeholders of the sample file
// count as unset. The error names the variable and the file, never the value.
func (e Env) Secret(name string) (value string, ok bool, err error) {
	if v, ok := e.Lookup(name); ok && !strings.Contains(v, placeholder) {
		return v, true, nil
	}
	v, ok, err := e.fileOf(name)
	if err != nil || !ok || strings.Contains(v, placeholder) {
		return "", false, err
	}
	return v, true, nil
}

// fileOf returns the content of the file that NAME_FILE names, ok is false when there is none.
func (e Env) fileOf(name string) (value string, ok bool, err error) {
	path, ok := e.Lookup(name + "_FILE")
	if !ok {
		return "", false, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", false, fmt.Errorf("read the file of %s_FILE: %w", name, err)
	}
	v := strings.TrimSpace(string(data))
	return v, v != "", nil
}

// With returns a copy in which name has another value; an empty one unsets it.
func (e Env) With(name, value string) Env {
	c := NewEnv(e.values, e.dirs...)
	c.file, c.left = e.file, e.left
	delete(c.values, name)
	c.set(name, value)
	return c
}

// LeftOut says why a .env that is there was not read, nil when that is not so.
func (e Env) LeftOut() error { return e.left }

// Names lists the variables that are set, sorted.
func (e Env) Names() []string { return slices.Sorted(maps.Keys(e.values)) }

// File returns the path of the .env that was read, "" when there is none.
func (e Env) File() string { return e.file }

// readFile returns the first regular file of that name in the search directories; the path is ""
// when there is none. A directory in the place of llm_config.json is an error: engines make one when they mount a file that
// is not there, and taking other models without a word would be worse.
func (e Env) readFile(name string) (path string, data []byte, err error) {
	for _, dir := range e.dirs {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err == nil && info.IsDir() && name == LLMFile {
			return "", nil, fmt.Errorf("%s is a directory: remove it (rmdir %[1]s) and put the file in its place", path)
		}
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return "", nil, fmt.Errorf("look for %s: %w", name, err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return "", nil, fmt.Errorf("read %s: %w", name, err)
		}
		return path, data, nil
	}
	return "", nil, nil
}
