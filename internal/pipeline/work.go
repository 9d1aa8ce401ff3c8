package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"planexe/internal/event"
)

// Work is one execution of one step: what it may read and write, and its place in the graph.
// What it writes is stored when the step has succeeded, all or nothing. Safe for concurrent use.
type Work struct {
	node    *node
	store   Store
	env     any
	gen     int
	stages  []int
	after   int // calls on the longest chain behind this step
	inputs  map[string][]byte
	reads   map[string]string
	mu      sync.Mutex
	outputs map[string][]byte
	ending  *Ending
}

// ErrUndeclared is a step that touches what it did not declare: a bug of the step.
var ErrUndeclared = errors.New("undeclared artifact")

// load takes a snapshot of all declared inputs, so that a step sees one state of the directory
// and its record says which.
func (w *Work) load() error {
	w.inputs, w.reads = map[string][]byte{}, map[string]string{}
	for _, name := range slices.Concat(w.node.Needs, w.node.Uses) {
		data, err := w.store.Read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if slices.Contains(w.node.Needs, name) {
				return fmt.Errorf("%s, which step %s needs, is missing: %w", name, w.node.Name, err)
			}
			w.reads[name] = ""
		case err != nil:
			return &StoreError{"read " + name, err}
		default:
			w.inputs[name], w.reads[name] = data, Digest(data)
		}
	}
	return nil
}

// Step returns the step's name.
func (w *Work) Step() string { return w.node.Name }

// Env returns what Options.Env gave to the steps.
func (w *Work) Env() any { return w.env }

// Generation counts how often a rerun of the step was asked for.
func (w *Work) Generation() int { return w.gen }

// Tail returns how many calls, one after the other, the plan still needs when the given stage of
// this step, from 0, has not been asked yet: the urgency of its calls.
func (w *Work) Tail(stage int) int {
	return chain(w.stages[min(stage, len(w.stages)):]) + w.after
}

// Read returns a declared input; fs.ErrNotExist when one that may be missing is.
func (w *Work) Read(name string) ([]byte, error) {
	if data, ok := w.inputs[name]; ok {
		return data, nil
	}
	if _, declared := w.reads[name]; declared {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return nil, fmt.Errorf("step %s reads %s: %w", w.node.Name, name, ErrUndeclared)
}

// Write sets the content of a declared output or extra.
func (w *Work) Write(name string, data []byte) error {
	declared := slices.Contains(w.node.Outputs, name) ||
		slices.ContainsFunc(w.node.Extras, func(pattern string) bool { return matches(pattern, name) })
	if !declared {
		return fmt.Errorf("step %s writes %s: %w", w.node.Name, name, ErrUndeclared)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outputs[name] = data
	return nil
}

// Emit adds an event to the run's log.
func (w *Work) Emit(data ...event.Data) error {
	if err := w.store.Append(data...); err != nil {
		return &StoreError{"write the event log", err}
	}
	return nil
}

// EndRun ends the whole run once the step's outputs are stored: the step has found that nothing
// further should be made.
func (w *Work) EndRun(e *Ending) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ending = e
}

// matches tells whether name fits a pattern in which {n} stands for a number.
func matches(pattern, name string) bool {
	before, behind, numbered := strings.Cut(pattern, "{n}")
	if !numbered {
		return pattern == name
	}
	n, ok := strings.CutPrefix(name, before)
	if !ok {
		return false
	}
	n, ok = strings.CutSuffix(n, behind)
	return ok && n != "" && strings.Trim(n, "0123456789") == ""
}

// commit stores what the step wrote and removes numbered files of an earlier, longer result.
// It returns the digests for the step's record. Files changed by hand are left alone unless a
// rerun was asked for; then a copy is set aside.
func (w *Work) commit(r *Records) (map[string]string, error) {
	for _, out := range w.node.Outputs {
		if _, ok := w.outputs[out]; !ok {
			return nil, fmt.Errorf("step %s ended without writing %s", w.node.Name, out)
		}
	}
	names, err := w.store.Names()
	if err != nil {
		return nil, &StoreError{"list the artifacts", err}
	}
	digests := map[string]string{}
	for name, data := range w.outputs {
		digests[name] = Digest(data)
	}
	if err := w.Emit(event.StepStoring{Step: w.node.Name, Outputs: maps.Clone(digests)}); err != nil {
		return nil, err
	}
	for _, name := range w.order() {
		data := w.outputs[name]
		now, err := w.store.Read(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, &StoreError{"read " + name, err}
		}
		if err == nil && bytes.Equal(now, data) {
			continue
		}
		if err == nil && r.edited(name, Digest(now)) {
			if !r.asked[w.node.Name] {
				digests[name] = r.wrote[name][0] // still edited
				continue
			}
			if err := w.store.SetAside(name); err != nil {
				return nil, &StoreError{"set aside " + name, err}
			}
		}
		if err := w.store.Write(name, data); err != nil {
			return nil, &StoreError{"write " + name, err}
		}
		if err := w.Emit(event.ArtifactWritten{Step: w.node.Name, Name: name, Bytes: len(data), Digest: digests[name]}); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		_, kept := w.outputs[name]
		if !kept && slices.ContainsFunc(w.node.Extras, func(p string) bool { return matches(p, name) }) {
			if err := w.remove(name, r); err != nil {
				return nil, err
			}
		}
	}
	return digests, nil
}

func (w *Work) remove(name string, r *Records) error {
	now, err := w.store.Read(name)
	if err != nil {
		return &StoreError{"read " + name, err}
	}
	if r.edited(name, Digest(now)) {
		if err := w.store.SetAside(name); err != nil {
			return &StoreError{"set aside " + name, err}
		}
	}
	if err := w.store.Remove(name); err != nil {
		return &StoreError{"remove " + name, err}
	}
	return w.Emit(event.ArtifactRemoved{Step: w.node.Name, Name: name})
}

// order returns the written names: extras first, then outputs as declared, so that the file that
// marks completion comes last.
func (w *Work) order() []string {
	var extras []string
	for name := range w.outputs {
		if !slices.Contains(w.node.Outputs, name) {
			extras = append(extras, name)
		}
	}
	slices.Sort(extras)
	return append(extras, w.node.Outputs...)
}
