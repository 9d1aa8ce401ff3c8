package run

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"planexe/internal/event"
	"planexe/internal/pipeline"
)

// Place is a run that can be looked at: its artifacts and its log.
type Place interface {
	pipeline.Store
	Outline(func(event.Event)) error
}

// Standing is how one step of a run stands: what its files say against what its log says.
type Standing struct {
	Step   pipeline.Step
	State  string // done, dirty, failed, skipped, running or waiting
	Why    string // why it is not done; of a done one, what changed and was not followed
	Edited []string
	Run    StepState // of the last execution; zero when there was none
	Models []string
}

// Inspection is a run looked at from outside.
type Inspection struct {
	State State
	Steps []Standing
}

// Inspect looks at a run that nobody executes at the moment.
func Inspect(g *pipeline.Graph, place Place) (*Inspection, error) {
	var state State
	var records pipeline.Records
	if err := place.Outline(func(e event.Event) { records.Apply(e); state.Apply(e) }); err != nil {
		return nil, err
	}
	return InspectFiles(g, place, state, &records)
}

// InspectFiles is Inspect for a run whose log was folded already.
func InspectFiles(g *pipeline.Graph, files pipeline.Store, state State, records *pipeline.Records) (*Inspection, error) {
	in := &Inspection{State: state}
	store := &digests{files, map[string]string{}}
	for _, s := range g.Steps() {
		check, err := g.Check(s.Name, store, records, in.State.Run.Speed, false)
		if err != nil {
			return nil, err
		}
		st := Standing{Step: s, Edited: check.Edited, Models: in.State.ModelsOf(s.Name)}
		if i := slices.IndexFunc(in.State.Steps, func(x *StepState) bool { return x.Name == s.Name }); i >= 0 {
			st.Run = *in.State.Steps[i]
		}
		switch {
		case check.Clean:
			st.State, st.Why = "done", check.Why
		case st.Run.Status == Failed:
			st.State, st.Why = "failed", st.Run.Reason.Message
		case st.Run.Status == Skipped:
			st.State, st.Why = "skipped", "needs "+st.Run.Because
		case st.Run.Status == Running && in.State.Outcome == "":
			st.State = "running"
		case check.Why == "never done":
			st.State = "waiting"
		default:
			st.State, st.Why = "dirty", check.Why
		}
		in.Steps = append(in.Steps, st)
	}
	return in, nil
}

// Live is Inspect for a run that is executed: its log alone tells how it stands.
func Live(g *pipeline.Graph, state State) *Inspection {
	in := &Inspection{State: state}
	for _, s := range g.Steps() {
		st := Standing{Step: s, State: "waiting", Models: state.ModelsOf(s.Name)}
		if i := slices.IndexFunc(state.Steps, func(x *StepState) bool { return x.Name == s.Name }); i >= 0 {
			st.Run = *state.Steps[i]
		}
		switch st.Run.Status {
		case Done, Kept:
			st.State, st.Edited = "done", st.Run.Edited
		case Failed:
			st.State, st.Why = "failed", st.Run.Reason.Message
		case Skipped:
			st.State, st.Why = "skipped", "needs "+st.Run.Because
		case Running:
			st.State, st.Why = "running", st.Run.Why
		}
		in.Steps = append(in.Steps, st)
	}
	return in
}

// digests reads every artifact once: most are read by many steps.
type digests struct {
	pipeline.Store
	known map[string]string
}

// Digest returns the digest of an artifact, "" when it is missing.
func (d *digests) Digest(name string) (string, error) {
	if known, ok := d.known[name]; ok {
		return known, nil
	}
	data, err := d.Store.Read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.known[name] = ""
	case err != nil:
		return "", fmt.Errorf("read %s: %w", name, err)
	default:
		d.known[name] = pipeline.Digest(data)
	}
	return d.known[name], nil
}

// Readers returns the steps that read an artifact, directly or not, in order: what a change of it
// makes anew.
func Readers(g *pipeline.Graph, artifact string) []string {
	dependent := map[string]bool{}
	for _, s := range g.Steps() {
		if slices.Contains(s.Needs, artifact) || slices.Contains(s.Uses, artifact) {
			for _, name := range g.Downstream(s.Name) {
				dependent[name] = true
			}
		}
	}
	var names []string
	for _, s := range g.Steps() {
		if dependent[s.Name] {
			names = append(names, s.Name)
		}
	}
	return names
}
