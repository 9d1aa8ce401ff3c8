// Package run is the life of a run: it begins, goes on, is stopped or interrupted, and ends with
// one of seven outcomes. Every door, command, API or queue, comes through Execute.
package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/rundir"
	"planexe/internal/step"
)

// MaxPrompt is the longest accepted prompt in bytes. Longer ones would not fit beside the other
// documents into the models people use.
const MaxPrompt = 100_000

// ErrStop is the cause that a context is cancelled with when a person stops a run. Any other
// cancellation is an interruption, and the run goes on at the next start.
var ErrStop = errors.New("stopped by the user")

// Spec says what to run and how. The zero value of a field is its default.
type Spec struct {
	Graph       *pipeline.Graph
	Hub         *llm.Hub
	Models      []*llm.Entry
	Why         string // how the models were chosen, for people
	Speed       string // all_details_but_slow or fast_but_skip_details
	Concurrency int    // calls in flight, default 8
	MaxCost     float64
	From        string   // ask this step and all that follow from it anew
	Only        []string // run just these steps, asking them anew
	Refresh     bool     // steps whose prompt changed run again
	AllowRefuse bool     // go on when the gate refuses
	KeepPrompts bool     // log rendered prompts
	Sample      bool     // a recorded plan is shown as an example
	Serial      bool     // review and audit ask one question after the other, each seeing the answers before
	Waterfall   *bool    // the schedule lays everything end to end; nil: as the run has it
	WorkingDays *bool    // the schedule works from Monday to Friday; nil: as the run has it
	Version     string
}

// serialMode is added to the speed mode of runs with a serial review.
const serialMode = "+serial_review"

// Mode takes apart the speed that a run's log tells.
func Mode(speed string) (mode string, serial bool) { return strings.CutSuffix(speed, serialMode) }

// The speed modes.
const (
	AllDetails = "all_details_but_slow"
	Fast       = "fast_but_skip_details"
)

// Store is what a run needs of its place: the engine's store, the log so far, and live events.
type Store interface {
	pipeline.Store
	Replay(func(event.Event)) error
	Watch(func(event.Event))
}

// PromptError says why a prompt cannot be planned.
type PromptError struct{ Message string }

func (e *PromptError) Error() string { return e.Message }

// CheckPrompt returns the prompt without surrounding white space, or a *PromptError.
func CheckPrompt(prompt string) (string, error) {
	prompt = strings.TrimSpace(strings.TrimPrefix(prompt, "\ufeff"))
	switch {
	case prompt == "":
		return "", &PromptError{"the prompt is empty: say in a few sentences what you want to plan"}
	case len(prompt) > MaxPrompt:
		return "", &PromptError{fmt.Sprintf("the prompt is longer than %d bytes: shorten it to what decides the plan", MaxPrompt)}
	case !utf8.ValidString(prompt):
		return "", &PromptError{"the prompt is not valid UTF-8 text"}
	case strings.ContainsRune(prompt, 0):
		return "", &PromptError{"the prompt holds a NUL character: it looks like a binary file"}
	}
	return prompt, nil
}

// Begin writes the two source files of a new run.
func Begin(store pipeline.Store, prompt string, now time.Time) error {
	zone, _ := now.Zone()
	start, err := json.MarshalIndent(plan.Start{
		UTC: now.UTC().Format("2006-01-02T15:04:05Z"), Local: now.Format("2006-01-02T15:04:05-07:00"), Timezone: zone,
	}, "", "  ")
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Plan:\n%s\n\nToday's date:\n%s\n\nProject start ASAP", prompt, now.Format("2006-Jan-02"))
	if err := store.Write(plan.StartTime.Name, start); err != nil {
		return &pipeline.StoreError{Doing: "write " + plan.StartTime.Name, Err: err}
	}
	if err := store.Write(plan.Prompt.Name, []byte(text)); err != nil {
		return &pipeline.StoreError{Doing: "write " + plan.Prompt.Name, Err: err}
	}
	return nil
}

// End is how an execution ended.
type End struct {
	Outcome event.Outcome
	Reason  event.Reason
	Result  pipeline.Result
}

// Execute brings a run up to date. It returns an error only when the run could not begin: then
// nothing was changed. Cancelling ctx with ErrStop stops the run; any other way interrupts it.
func Execute(ctx context.Context, id string, store Store, s Spec) (End, error) {
	if s.Concurrency <= 0 {
		s.Concurrency = 8
	}
	if s.Speed == "" {
		s.Speed = AllDetails
	}
	var records pipeline.Records
	journal := &llm.Journal{}
	story := &story{}
	err := store.Replay(func(e event.Event) {
		records.Apply(e)
		journal.Apply(e)
		story.apply(e)
	})
	if err != nil {
		return End{}, err
	}
	prompt, err := store.Read(plan.Prompt.Name)
	if err != nil {
		return End{}, fmt.Errorf("this is no run that can go on: %w", err)
	}
	if err := checkNames(s); err != nil {
		return End{}, err
	}
	client := s.Hub.NewClient(llm.Options{
		Entries: s.Models, Concurrency: s.Concurrency, MaxCost: s.MaxCost, Journal: journal, Log: store.Append, KeepPrompts: s.KeepPrompts,
	})
	if err := client.Preflight(ctx); err != nil {
		return End{}, err
	}
	if err := s.Graph.Adopt(store, &records); err != nil {
		return End{}, err
	}
	if err := ask(store, &records, s); err != nil {
		return End{}, err
	}
	if err := retime(store, &records, s); err != nil {
		return End{}, err
	}
	if err := prepare(store); err != nil {
		return End{}, err
	}
	if err := unmark(store, &records, s); err != nil {
		return End{}, err
	}
	sizes := pipeline.Typical
	sizes.Fast = s.Speed == Fast
	if s.Serial {
		s.Speed += serialMode // a result of one way is never taken for the other's
	}
	started := s.started(id, sizes)
	store.Watch(story.apply)
	if err := store.Append(started); err != nil {
		return End{}, &pipeline.StoreError{Doing: "write the event log", Err: err}
	}
	env := &step.Env{
		Client: client, Seed: pipeline.Digest(prompt), Demo: started.Demo, Sample: s.Sample, Fast: sizes.Fast, AllowRefused: s.AllowRefuse, SerialReview: s.Serial,
		Report: func(read func(string) ([]byte, error)) ([]byte, error) { return story.report(s.Graph, read) },
	}
	result, runErr := s.Graph.Run(ctx, store, &records, pipeline.Options{
		Speed: s.Speed, Sizes: sizes, Refresh: s.Refresh, Only: s.Only, Env: env,
	})
	end := conclude(ctx, result)
	if runErr != nil && end.Outcome == event.Complete {
		end.Outcome, end.Reason = event.Failed, event.Reason{Class: "internal", Message: runErr.Error()}
	}
	if end.Outcome == event.Stopped {
		_ = store.Write(rundir.StopName, nil)
	}
	// The end is told even when the store is failing; then there is nobody left to tell but the caller.
	_ = store.Append(event.RunEnded{Outcome: end.Outcome, Reason: end.Reason})
	return end, nil
}

// story is the state that the report step looks at while the run goes on.
type story struct {
	mu    sync.Mutex
	state State
}

func (s *story) apply(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Apply(e)
}

// report tells the outcome as it stands: the report is the last step but the marker.
func (s *story) report(g *pipeline.Graph, read func(string) ([]byte, error)) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	outcome, reason := event.Complete, event.Reason{}
	for _, st := range s.state.Steps {
		if st.Status == Failed {
			outcome, reason = event.Partial, st.Reason
			break
		}
	}
	if s.state.ending != nil {
		outcome, reason = s.state.ending.Outcome, s.state.ending.Reason
	}
	return RenderReport(g, &s.state, outcome, reason, read)
}

// checkNames refuses step names that do not exist before anything is written.
func checkNames(s Spec) error {
	for _, name := range append(slices.Clone(s.Only), s.From) {
		if _, ok := s.Graph.Step(name); name != "" && !ok {
			return &UnknownStepError{Name: name}
		}
	}
	return nil
}

// UnknownStepError names a step that does not exist.
type UnknownStepError struct{ Name string }

func (e *UnknownStepError) Error() string {
	return fmt.Sprintf("there is no step %q; `planexe steps` lists them", e.Name)
}

// ask records which steps a person wants to be asked anew.
func ask(store Store, records *pipeline.Records, s Spec) error {
	steps := slices.Clone(s.Only)
	if s.From != "" {
		steps = s.Graph.Downstream(s.From)
	}
	if len(steps) == 0 {
		return nil
	}
	asked := event.RerunAsked{Steps: steps}
	if err := store.Append(asked); err != nil {
		return &pipeline.StoreError{Doing: "write the event log", Err: err}
	}
	records.Apply(event.Event{Data: asked})
	return nil
}

// prepare removes what an earlier end left and says what files the run will have.
func prepare(store Store) error {
	if err := store.Remove(rundir.StopName); err != nil {
		return &pipeline.StoreError{Doing: "remove " + rundir.StopName, Err: err}
	}
	expected, err := json.MarshalIndent(plan.Expected(), "", "  ")
	if err != nil {
		return err
	}
	if err := store.Write(rundir.ExpectedName, expected); err != nil {
		return &pipeline.StoreError{Doing: "write " + rundir.ExpectedName, Err: err}
	}
	return nil
}

// unmark takes the completion mark from a run that has something to do: whoever looks for it must
// not take a half remade plan for a complete one.
func unmark(store Store, records *pipeline.Records, s Spec) error {
	for _, st := range s.Graph.Steps() {
		state, err := s.Graph.Check(st.Name, store, records, s.Speed, s.Refresh)
		if err != nil {
			return err
		}
		if state.Clean {
			continue
		}
		if err := store.Remove(plan.Complete.Name); err != nil {
			return &pipeline.StoreError{Doing: "remove " + plan.Complete.Name, Err: err}
		}
		return nil
	}
	return nil
}

func (s Spec) started(id string, sizes pipeline.Sizes) event.RunStarted {
	e := event.RunStarted{
		Run: id, Version: s.Version, Why: s.Why, Speed: s.Speed, Concurrency: s.Concurrency, MaxCost: s.MaxCost, AllowRefuse: s.AllowRefuse, Sample: s.Sample,
		Demo: len(s.Models) > 0 && !slices.ContainsFunc(s.Models, func(m *llm.Entry) bool { return !m.Demo }),
	}
	for _, m := range s.Models {
		e.Models = append(e.Models, m.ID)
	}
	tails := s.Graph.Tails(sizes)
	for _, st := range s.Graph.Steps() {
		if len(s.Only) > 0 && !slices.Contains(s.Only, st.Name) {
			continue
		}
		e.Steps = append(e.Steps, event.PlannedStep{Name: st.Name, Calls: st.Calls(sizes), Tail: tails[st.Name], Needs: s.Graph.Waits(st.Name)})
	}
	return e
}

// conclude picks the outcome.
func conclude(ctx context.Context, r pipeline.Result) End {
	end := End{Outcome: event.Complete, Result: r}
	switch {
	case r.Ending != nil:
		end.Outcome, end.Reason = r.Ending.Outcome, r.Ending.Reason
	case len(r.Aborted) == 0 && len(r.Failed) == 0 && len(r.Skipped) == 0: // also when the stop came too late
	case len(r.Aborted) > 0 && errors.Is(context.Cause(ctx), ErrStop):
		end.Outcome, end.Reason = event.Stopped, event.Reason{Class: "stopped", Message: ErrStop.Error(), CanRetry: true, Advice: "resume the run to go on"}
	case len(r.Aborted) > 0:
		end.Outcome, end.Reason = event.Interrupted, event.Reason{Class: "interrupted", Message: "the program was told to end", CanRetry: true, Advice: "resume the run to go on"}
	default:
		end.Outcome = event.Partial
		if len(r.Failed) > 0 {
			end.Reason = r.Failed[0].Reason
		}
		// Without the project plan there is nothing worth reading.
		if slices.ContainsFunc(r.Failed, func(f pipeline.Failure) bool { return f.Step == "project_plan" }) || slices.Contains(r.Skipped, "project_plan") {
			end.Outcome = event.Failed
		}
		if end.Reason.Advice == "" {
			end.Reason.Advice = "resume the run: steps that are done are kept"
		}
	}
	return end
}

// ExitCode is what a command ends with.
func ExitCode(o event.Outcome) int {
	switch o {
	case event.Complete:
		return 0
	case event.Stopped:
		return 3
	case event.Partial:
		return 4
	case event.Refused:
		return 5
	case event.Budget:
		return 6
	case event.Interrupted:
		return 143
	}
	return 1
}
