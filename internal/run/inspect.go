package run

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

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
	return InspectFiles(g, Digest(g, place), state, &records)
}

// InspectFiles is Inspect for a run whose log was folded and whose files were read already.
func InspectFiles(g *pipeline.Graph, files *Digests, state State, records *pipeline.Records) (*Inspection, error) {
	in := &Inspection{State: state}
	for _, s := range g.Steps() {
		check, err := g.Check(s.Name, files, records, in.State.Run.Speed, false)
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

// Digests are the artifacts of a directory with their digests: most are read by many steps, so each is read once.
type Digests struct {
	pipeline.Store
	of map[string]digest
}

type digest struct {
	text string // "" when the artifact is missing
	err  error
}

// Digest reads the artifacts of a graph, several at once.
func Digest(g *pipeline.Graph, files pipeline.Store) *Digests {
	d := &Digests{files, map[string]digest{}}
	var names []string
	for _, s := range g.Steps() {
		names = append(names, s.Outputs...)
	}
	found := make([]digest, len(names))
	var next atomic.Int64
	var reading sync.WaitGroup
	for range min(4, runtime.GOMAXPROCS(0)) {
		reading.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(names); i = int(next.Add(1)) - 1 {
				found[i] = d.read(names[i])
			}
		})
	}
	reading.Wait()
	for i, name := range names {
		d.of[name] = found[i]
	}
	return d
}

// Digest returns the digest of an artifact, "" when it is missing.
func (d *Digests) Digest(name string) (string, error) {
	known, ok := d.of[name]
	if !ok {
		known = d.read(name)
		d.of[name] = known
	}
	return known.text, known.err
}

func (d *Digests) read(name string) digest {
	data, err := d.Store.Read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return digest{}
	case err != nil:
		return digest{err: fmt.Errorf("read %s: %w", name, err)}
	}
	return digest{text: pipeline.Digest(data)}
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
