package runs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

// ErrChanged says that an artifact is not what the caller has seen.
var ErrChanged = errors.New("the file has changed since it was read")

// ErrNotEditable says that a file is none that a person can steer the plan with.
var ErrNotEditable = errors.New("this file cannot be edited: it follows from others")

// ShapeError says why the text of an artifact cannot take its place.
type ShapeError struct{ Message string }

func (e *ShapeError) Error() string { return e.Message }

// Editable tells whether an artifact may be changed by hand: the request, and what steps write
// except the report and the mark of completion.
func Editable(g *pipeline.Graph, name string) bool {
	return name == plan.Prompt.Name || g.Producer(name) != "" && name != plan.Report.Name && name != plan.Complete.Name
}

// Edit replaces an artifact of a run that is not live. seen is the digest of what the caller has
// read; "" does not look. What the step wrote is set aside, see Revert.
func (m *Manager) Edit(id string, g *pipeline.Graph, name string, data []byte, seen string) error {
	return m.change(id, func(d *rundir.Dir) error {
		if !Editable(g, name) {
			return ErrNotEditable
		}
		old, err := d.Read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return ErrNotFound
		case err != nil:
			return err
		case seen != "" && seen != pipeline.Digest(old):
			return ErrChanged
		}
		if err := sameShape(name, old, data); err != nil {
			return err
		}
		if bytes.Equal(old, data) {
			return nil
		}
		if err := d.KeepOriginal(name); err != nil {
			return err
		}
		return d.Write(name, data)
	})
}

// Revert brings back what stood there before the first edit.
func (m *Manager) Revert(id, name string) error {
	return m.change(id, func(d *rundir.Dir) error {
		err := d.RestoreOriginal(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
			return ErrNotFound
		}
		return err
	})
}

// change does something to the directory of a run that is not live.
func (m *Manager) change(id string, do func(*rundir.Dir) error) error {
	path, err := m.o.Library.Find(id)
	if err != nil {
		return err
	}
	if !rundir.IsRun(path) {
		return ErrNotFound
	}
	d, err := rundir.Open(path)
	var locked *rundir.LockedError
	if errors.As(err, &locked) {
		return ErrActive
	}
	if err != nil {
		return err
	}
	defer m.o.Library.forget(id)
	return errors.Join(do(d), d.Close())
}

// Inspect looks at a run, live or not.
func (m *Manager) Inspect(id string, g *pipeline.Graph) (*run.Inspection, error) {
	if st, ok := m.State(id); ok {
		return run.Live(g, st), nil
	}
	path, err := m.o.Library.Find(id)
	if err != nil {
		return nil, err
	}
	return m.inspections.get(m.o.Library, id, path, g)
}

// sameShape tells whether new can be read where old was: text for text, and JSON with the same
// members and kinds of values.
func sameShape(name string, old, new []byte) error {
	if !utf8.Valid(new) || bytes.IndexByte(new, 0) >= 0 {
		return &ShapeError{"the text is not valid UTF-8"}
	}
	if len(bytes.TrimSpace(new)) == 0 {
		return &ShapeError{"the text is empty"}
	}
	if name == plan.Prompt.Name {
		if _, err := run.CheckPrompt(PromptOf(string(new))); err != nil {
			return &ShapeError{err.Error()}
		}
	}
	if !strings.HasSuffix(name, ".json") || !json.Valid(old) {
		return nil
	}
	var was, is any
	if err := json.Unmarshal(new, &is); err != nil {
		return &ShapeError{"the text is not valid JSON" + position(new, err) + ": " + err.Error()}
	}
	if err := json.Unmarshal(old, &was); err != nil {
		return nil // it was no better
	}
	if problem := differs("", was, is); problem != "" {
		return &ShapeError{problem}
	}
	return nil
}

// position says in which line and column a JSON error lies.
func position(text []byte, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return ""
	}
	before := text[:min(int(syntax.Offset), len(text))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return fmt.Sprintf(" in line %d, column %d", line, max(1, column))
}

// differs names the first place where a value lacks the shape of the old one.
func differs(at string, was, is any) string {
	place := at
	if place == "" {
		place = "the whole"
	}
	switch was := was.(type) {
	case map[string]any:
		object, ok := is.(map[string]any)
		if !ok {
			return place + " has to be an object"
		}
		var names []string
		for name := range was {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			value, ok := object[name]
			if !ok {
				return fmt.Sprintf("%s lacks the member %q", place, name)
			}
			if problem := differs(strings.TrimPrefix(at+"."+name, "."), was[name], value); problem != "" {
				return problem
			}
		}
	case []any:
		list, ok := is.([]any)
		if !ok {
			return place + " has to be a list"
		}
		if len(was) == 0 {
			return ""
		}
		for i, value := range list {
			if problem := differs(fmt.Sprintf("%s[%d]", at, i), was[min(i, len(was)-1)], value); problem != "" {
				return problem
			}
		}
	case string:
		if _, ok := is.(string); !ok && is != nil {
			return place + " has to be text"
		}
	case float64:
		if _, ok := is.(float64); !ok && is != nil {
			return place + " has to be a number"
		}
	case bool:
		if _, ok := is.(bool); !ok {
			return place + " has to be true or false"
		}
	}
	return ""
}
