package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"planexe/internal/event"
)

// Records is the fold of a log that the engine needs: what each step read and wrote when it was
// last done, and how often it was asked for anew. The zero value is an empty log.
type Records struct {
	done        map[string]event.StepDone
	wrote       map[string][]string // artifact → digests of which one stands there by a step's hand
	open        map[string]bool     // steps that began and were not done since
	cut         map[string]bool     // steps that began to store their outputs and were not done since
	asked       map[string]bool     // steps asked for anew and not done since: even files changed by hand are made anew
	generations map[string]int
	events      int64
}

// Apply folds one event in.
func (r *Records) Apply(e event.Event) {
	if r.done == nil {
		*r = Records{
			done: map[string]event.StepDone{}, wrote: map[string][]string{}, generations: map[string]int{},
			open: map[string]bool{}, cut: map[string]bool{}, asked: map[string]bool{},
		}
	}
	r.events++
	switch d := e.Data.(type) {
	case event.StepStarted:
		r.open[d.Step] = true
	case event.StepStoring:
		r.cut[d.Step] = true
		for name, digest := range d.Outputs {
			r.wrote[name] = append(r.wrote[name], digest)
		}
	case event.StepDone:
		r.done[d.Step] = d
		for name, digest := range d.Outputs {
			r.wrote[name] = []string{digest}
		}
		delete(r.open, d.Step)
		delete(r.cut, d.Step)
		delete(r.asked, d.Step)
	case event.ArtifactWritten:
		r.wrote[d.Name] = []string{d.Digest}
	case event.ArtifactRemoved:
		delete(r.wrote, d.Name)
	case event.RunEnding:
		// A step that was done and ended the run, as a gate does, has to say so at every resume.
		if !r.open[d.Reason.Step] {
			delete(r.done, d.Reason.Step)
		}
	case event.RerunAsked:
		for _, s := range d.Steps {
			r.generations[s]++
			r.asked[s] = true
		}
	}
}

// Generation returns how often a rerun of the step was asked for.
func (r *Records) Generation(step string) int { return r.generations[step] }

// edited tells whether an artifact of that digest was changed by a person since a step wrote it.
func (r *Records) edited(name, digest string) bool {
	return len(r.wrote[name]) > 0 && !slices.Contains(r.wrote[name], digest)
}

// State says whether a step is up to date.
type State struct {
	Clean  bool
	Why    string   // why not; of a clean step with Edited: what changed and was not followed
	Edited []string // outputs changed by hand since the step wrote them
}

// Check compares a step's record with the store.
//
// A step is clean when its outputs exist and what it read then is what stands there now. Outputs
// changed by hand are a person's decision: the step counts as clean, whatever else changed, until
// a rerun is asked for. A step that was cut short while it stored its outputs left a mixture of
// old and new ones; that is no decision, and it runs again.
func (g *Graph) Check(name string, store Store, r *Records, speed string, refresh bool) (State, error) {
	s := g.byName[name].Step
	switch {
	case r.asked[name]:
		return State{Why: "asked for"}, nil
	case r.cut[name]:
		return State{Why: "it was cut short"}, nil
	}
	rec, ok := r.done[name]
	if !ok {
		return State{Why: "never done"}, nil
	}
	var st State
	for _, out := range s.Outputs {
		d, err := digestOf(store, out)
		if err != nil {
			return State{}, err
		}
		if d == "" {
			return State{Why: out + " is missing"}, nil
		}
		if r.edited(out, d) {
			st.Edited = append(st.Edited, out)
		}
	}
	for _, in := range slices.Sorted(maps.Keys(rec.Reads)) {
		d, err := digestOf(store, in)
		if err != nil {
			return State{}, err
		}
		if d != rec.Reads[in] {
			st.Why = in + " changed"
			break
		}
	}
	if st.Why == "" && !rec.Adopted {
		for _, in := range slices.Concat(s.Needs, s.Uses) {
			if _, ok := rec.Reads[in]; !ok {
				st.Why = in + " is read now"
				break
			}
		}
	}
	switch {
	case st.Why != "":
	case s.BySpeed && rec.Speed != "" && rec.Speed != speed:
		st.Why = fmt.Sprintf("made in speed mode %s", rec.Speed)
	case refresh && rec.Recipe != s.Recipe:
		st.Why = "its prompt or answer type changed"
	}
	st.Clean = st.Why == "" || len(st.Edited) > 0
	return st, nil
}

// Digester is a store that knows the digest of an artifact, "" of a missing one, without reading it again.
type Digester interface {
	Digest(name string) (string, error)
}

// digestOf returns the digest of an artifact, "" when it is missing.
func digestOf(store Store, name string) (string, error) {
	if d, ok := store.(Digester); ok {
		return d.Digest(name)
	}
	data, err := store.Read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", &StoreError{"read " + name, err}
	}
	return Digest(data), nil
}

// Adopt gives records to the steps of a directory that has artifacts but no log, as one made by
// another program: what is there counts as clean.
func (g *Graph) Adopt(store Store, r *Records) error {
	if r.events > 0 {
		return nil
	}
	var adopted []event.Data
	for _, n := range g.steps {
		rec := event.StepDone{Step: n.Name, Adopted: true, Reads: map[string]string{}, Outputs: map[string]string{}}
		whole := true
		for _, out := range n.Outputs {
			d, err := digestOf(store, out)
			if err != nil {
				return err
			}
			whole = whole && d != ""
			rec.Outputs[out] = d
		}
		if !whole {
			continue
		}
		for _, in := range slices.Concat(n.Needs, n.Uses) {
			d, err := digestOf(store, in)
			if err != nil {
				return err
			}
			if d != "" {
				rec.Reads[in] = d
			}
		}
		adopted = append(adopted, rec)
	}
	// In one go: a directory is adopted whole or not at all.
	if err := store.Append(adopted...); err != nil {
		return &StoreError{"write the event log", err}
	}
	for _, rec := range adopted {
		r.Apply(event.Event{Data: rec})
	}
	return nil
}
