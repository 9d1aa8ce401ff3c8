package run

import (
	"maps"
	"slices"
	"time"

	"planexe/internal/event"
)

// Status is how far a step is.
type Status string

// The states of a step in one execution.
const (
	Waiting Status = "waiting"
	Running Status = "running"
	Done    Status = "done"
	Kept    Status = "kept" // was up to date
	Failed  Status = "failed"
	Skipped Status = "skipped" // needs a step that has no result
)

// StepState is one step as the log tells it.
type StepState struct {
	event.PlannedStep
	Status  Status
	Why     string // why it ran
	Edited  []string
	Started time.Time
	Ended   time.Time
	Asked   int // calls answered or reused in this execution
	Usage   event.Usage
	Cost    float64
	Reason  event.Reason // of a failure
	Because string       // of a skip
}

// State is the main fold of a run's log: everything a progress bar, a page or a status command
// shows. It starts anew with every execution, except for money and quality notes.
type State struct {
	Run     event.RunStarted
	Began   time.Time
	Ended   time.Time
	Outcome event.Outcome // "" while running, or when the process died
	Reason  event.Reason
	Steps   []*StepState // in the graph's order

	Active   map[string]event.CallStarted // calls under way, by key
	Calls    int                          // answered by models in this execution
	Reused   int                          // answered from the log
	Requests int
	Retries  int // requests beyond the first of each call
	Usage    event.Usage
	Cost     float64 // USD over all executions
	Unpriced int     // requests of unknown cost
	Quality  map[string][]event.Quality
	Notice   event.Notice
	answers  map[string]author   // call → who answered it, over all executions
	authors  map[string][]author // step → who wrote its present outputs
	callTime time.Duration       // of all requests
	ending   *event.RunEnding
}

// author is the model entry behind an answer.
type author struct {
	entry string
	demo  bool
}

// Apply folds one event in.
func (s *State) Apply(e event.Event) {
	switch d := e.Data.(type) {
	case event.RunStarted:
		keep := State{Cost: s.Cost, Unpriced: s.Unpriced, Usage: s.Usage, Quality: s.Quality, answers: s.answers, authors: s.authors}
		*s = keep
		s.Run, s.Began, s.Active = d, e.Time, map[string]event.CallStarted{}
		for _, p := range d.Steps {
			s.Steps = append(s.Steps, &StepState{PlannedStep: p, Status: Waiting})
		}
	case event.RunEnding:
		s.ending = &d
	case event.RunEnded:
		s.Outcome, s.Reason, s.Ended = d.Outcome, d.Reason, e.Time
	case event.StepStarted:
		st := s.step(d.Step)
		st.Status, st.Started, st.Why = Running, e.Time, d.Why
		delete(s.quality(), d.Step)
		delete(s.authors, d.Step)
	case event.StepDone:
		st := s.step(d.Step)
		st.Status, st.Ended = Done, e.Time
	case event.StepKept:
		st := s.step(d.Step)
		st.Status, st.Ended, st.Edited = Kept, e.Time, d.Edited
	case event.StepFailed:
		st := s.step(d.Step)
		st.Status, st.Ended, st.Reason = Failed, e.Time, d.Reason
	case event.StepSkipped:
		st := s.step(d.Step)
		st.Status, st.Ended, st.Because = Skipped, e.Time, d.Because
	case event.CallStarted:
		if s.Active != nil {
			s.Active[d.Key] = d
		}
	case event.CallAttempt:
		s.attempt(d)
	case event.CallAnswered:
		delete(s.Active, d.Key)
		s.Calls++
		s.step(d.Step).Asked++
		if s.answers == nil {
			s.answers, s.authors = map[string]author{}, map[string][]author{}
		}
		s.answers[d.Key] = author{d.Entry, d.Demo}
		s.credit(d.Step, d.Key)
	case event.CallReused:
		s.Reused++
		s.credit(d.Step, d.Key)
		s.step(d.Step).Asked++
	case event.CallFailed:
		delete(s.Active, d.Key)
	case event.Quality:
		s.quality()[d.Step] = append(s.quality()[d.Step], d)
	case event.Notice:
		s.Notice = d
	}
}

// credit notes who wrote a step's outputs.
func (s *State) credit(step, call string) {
	if from, ok := s.answers[call]; ok && !slices.Contains(s.authors[step], from) {
		s.authors[step] = append(s.authors[step], from)
	}
}

// Models returns the entries whose answers the plan is made of, in the order of the steps. It may
// have been made in several executions with different models.
func (s *State) Models() []string {
	var ids []string
	for _, st := range s.Steps {
		for _, from := range s.authors[st.Name] {
			if !slices.Contains(ids, from.entry) {
				ids = append(ids, from.entry)
			}
		}
	}
	return ids
}

// ModelsOf returns the entries whose answers the present outputs of a step are made of.
func (s *State) ModelsOf(step string) []string {
	var ids []string
	for _, from := range s.authors[step] {
		ids = append(ids, from.entry)
	}
	return ids
}

// Demo tells whether any part of the plan was written by the demo model.
func (s *State) Demo() bool {
	for _, st := range s.Steps {
		if slices.ContainsFunc(s.authors[st.Name], func(f author) bool { return f.demo }) {
			return true
		}
	}
	return false
}

func (s *State) attempt(d event.CallAttempt) {
	s.Requests++
	if d.Number > 1 {
		s.Retries++
	}
	s.Usage.Add(d.Usage)
	s.step(d.Step).Usage.Add(d.Usage)
	s.callTime += d.Duration
	if d.Cost != nil {
		s.Cost += *d.Cost
		s.step(d.Step).Cost += *d.Cost
	} else {
		s.Unpriced++
	}
}

// Clone copies a state, so that it can be read while the original goes on.
func (s *State) Clone() State {
	c := *s
	c.Steps = make([]*StepState, len(s.Steps))
	for i, st := range s.Steps {
		step := *st
		c.Steps[i] = &step
	}
	c.Active, c.Quality = maps.Clone(s.Active), maps.Clone(s.Quality)
	c.answers, c.authors = maps.Clone(s.answers), maps.Clone(s.authors)
	return c
}

func (s *State) quality() map[string][]event.Quality {
	if s.Quality == nil {
		s.Quality = map[string][]event.Quality{}
	}
	return s.Quality
}

// step returns a step's state, also of one that was not planned.
func (s *State) step(name string) *StepState {
	if i := slices.IndexFunc(s.Steps, func(x *StepState) bool { return x.Name == name }); i >= 0 {
		return s.Steps[i]
	}
	st := &StepState{PlannedStep: event.PlannedStep{Name: name}, Status: Waiting}
	s.Steps = append(s.Steps, st)
	return st
}

// HasEnded tells whether a step will not change any more.
func (s *StepState) HasEnded() bool { return s.Status != Waiting && s.Status != Running }

// Progress returns how much of the expected work is done, from 0 to 1. Each call weighs as much
// as any other; a step without calls weighs a tenth of one.
func (s *State) Progress() float64 {
	var done, all float64
	for _, st := range s.Steps {
		weight := float64(st.Calls) + 0.1
		all += weight
		switch {
		case st.HasEnded():
			done += weight
		case st.Status == Running && st.Calls > 0:
			done += weight * min(0.9, float64(st.Asked)/float64(st.Calls))
		}
	}
	if all == 0 {
		return 0
	}
	return done / all
}

// Counts returns how many steps have ended, and all.
func (s *State) Counts() (ended, all int) {
	for _, st := range s.Steps {
		if st.HasEnded() {
			ended++
		}
	}
	return ended, len(s.Steps)
}

// Left estimates the time to the end from the longest chain of calls that is still to come and
// what a request has taken so far; 0 when nothing is known yet.
func (s *State) Left() time.Duration {
	if s.Requests == 0 {
		return 0
	}
	tail, calls := 0, 0
	for _, st := range s.Steps {
		if !st.HasEnded() {
			tail = max(tail, st.Tail)
			calls += max(0, st.Calls-st.Asked)
		}
	}
	if s.Run.Concurrency > 0 {
		tail = max(tail, (calls+s.Run.Concurrency-1)/s.Run.Concurrency)
	}
	perCall := s.callTime / time.Duration(max(1, s.Calls))
	return time.Duration(tail) * perCall
}
