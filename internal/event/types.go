package event

import (
	"encoding/json"
	"reflect"
	"time"
)

// types maps the names in a log to payload types.
var types = func() map[string]reflect.Type {
	m := map[string]reflect.Type{}
	for _, d := range []Data{
		RunQueued{}, RunStarted{}, RunEnding{}, RunEnded{}, RerunAsked{}, StepStarted{}, StepStoring{}, StepDone{}, StepKept{}, StepFailed{}, StepSkipped{},
		ArtifactWritten{}, ArtifactRemoved{}, CallStarted{}, CallAttempt{}, CallAnswered{}, CallReused{}, CallFailed{}, CallPrompt{},
		Quality{}, Notice{},
	} {
		m[d.Type()] = reflect.TypeOf(d)
	}
	return m
}()

// RunQueued says what a service was asked for, before the run gets its turn. A log in which no
// RunEnded follows is one that has to go on.
type RunQueued struct {
	Model   string   `json:"model"` // id of an entry, or auto
	Speed   string   `json:"speed"`
	MaxCost float64  `json:"max_cost,omitempty"` // USD; 0 is no limit
	From    string   `json:"from,omitempty"`
	Only    []string `json:"only,omitempty"`
	OwnKey  bool     `json:"own_key,omitempty"` // it came with a key that is not kept: it cannot go on by itself
}

// RunStarted opens every execution of a run, the first one and each resume.
type RunStarted struct {
	Run         string        `json:"run"`
	Version     string        `json:"version"`
	Models      []string      `json:"models"`        // entry ids, first tried first
	Why         string        `json:"why,omitempty"` // how the models were chosen
	Demo        bool          `json:"demo,omitempty"`
	Sample      bool          `json:"sample,omitempty"` // a recorded plan is shown as an example
	Speed       string        `json:"speed"`
	Concurrency int           `json:"concurrency"`
	MaxCost     float64       `json:"max_cost,omitempty"`     // USD; 0 is no limit
	AllowRefuse bool          `json:"allow_refuse,omitempty"` // goes on when the gate refuses
	Steps       []PlannedStep `json:"steps"`
}

// PlannedStep is what a run expects of one step before it starts.
type PlannedStep struct {
	Name  string   `json:"name"`
	Calls int      `json:"calls,omitempty"` // expected model calls
	Tail  int      `json:"tail,omitempty"`  // expected calls on the longest chain from here to the end
	Needs []string `json:"needs,omitempty"` // names of the steps it waits for
}

// RunEnded closes an execution. A log that does not end with it was interrupted.
type RunEnded struct {
	Outcome Outcome `json:"outcome"`
	Reason  Reason  `json:"reason"`
}

// RunEnding says that the run is being ended early; what is still under way is aborted.
type RunEnding struct {
	Outcome Outcome `json:"outcome"`
	Reason  Reason  `json:"reason"`
}

// RerunAsked raises the generation of steps: their questions are asked anew even when answers
// to the same questions stand in the log.
type RerunAsked struct {
	Steps []string `json:"steps"`
}

// StepStarted says that a step's inputs are there and its work has begun.
type StepStarted struct {
	Step       string `json:"step"`
	Generation int    `json:"generation,omitempty"`
	Why        string `json:"why,omitempty"` // why it had to run: "new", "risks changed", …
}

// StepStoring says what a step is about to store, by content. Only it tells, after a crash in the
// middle of that, which files are the step's and which are a person's.
type StepStoring struct {
	Step    string            `json:"step"`
	Outputs map[string]string `json:"outputs"` // artifact → digest
}

// StepDone is a step's record: what it read and wrote, by content. A step whose record still
// matches the directory is clean.
type StepDone struct {
	Step    string            `json:"step"`
	Reads   map[string]string `json:"reads"`            // artifact → digest, "" when it was missing
	Outputs map[string]string `json:"outputs"`          // artifact → digest
	Speed   string            `json:"speed,omitempty"`  // set by steps whose result depends on it
	Recipe  string            `json:"recipe,omitempty"` // digest of prompts and schemas; looked at by --refresh only
	Adopted bool              `json:"adopted,omitempty"`
}

// StepKept says that a step did not have to run.
type StepKept struct {
	Step   string   `json:"step"`
	Edited []string `json:"edited,omitempty"` // outputs that a person changed
}

// StepFailed ends a step without outputs.
type StepFailed struct {
	Step   string `json:"step"`
	Reason Reason `json:"reason"`
	Stack  string `json:"stack,omitempty"` // of a panic
}

// StepSkipped says that a step cannot run because another one, which it needs, has no result.
type StepSkipped struct {
	Step    string `json:"step"`
	Because string `json:"because"` // name of the step that failed or was skipped
}

// ArtifactWritten says that a file is whole on disk.
type ArtifactWritten struct {
	Step   string `json:"step"`
	Name   string `json:"name"`
	Bytes  int    `json:"bytes"`
	Digest string `json:"digest"`
}

// ArtifactRemoved says that a numbered file of an earlier run of the step is gone.
type ArtifactRemoved struct {
	Step string `json:"step"`
	Name string `json:"name"`
}

// Usage counts tokens of one request, as reported or estimated.
type Usage struct {
	Prompt     int  `json:"prompt"`
	Completion int  `json:"completion"`
	Cached     int  `json:"cached,omitempty"`
	Reasoning  int  `json:"reasoning,omitempty"`
	Estimated  bool `json:"estimated,omitempty"`
}

// Add adds another exchange.
func (u *Usage) Add(x Usage) {
	u.Prompt += x.Prompt
	u.Completion += x.Completion
	u.Cached += x.Cached
	u.Reasoning += x.Reasoning
	u.Estimated = u.Estimated || x.Estimated
}

// CallStarted says that a question waits for a slot or is being asked.
type CallStarted struct {
	Key   string `json:"key"`
	Step  string `json:"step"`
	Label string `json:"label,omitempty"` // which of the step's questions, such as lens/3
}

// CallAttempt is one request and what came of it.
type CallAttempt struct {
	Key      string        `json:"key"`
	Step     string        `json:"step"`
	Label    string        `json:"label,omitempty"`
	Number   int           `json:"number"` // from 1, over all entries
	Entry    string        `json:"entry"`  // id in llm_config.json
	Model    string        `json:"model"`
	Form     string        `json:"form,omitempty"` // how the schema was sent
	Class    string        `json:"class"`          // ok, or an error class
	Message  string        `json:"message,omitempty"`
	Finish   string        `json:"finish,omitempty"`
	Repairs  []string      `json:"repairs,omitempty"` // leniencies that were needed to read the answer
	Usage    Usage         `json:"usage"`
	Cost     *float64      `json:"cost,omitempty"` // USD; nil is unknown
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration_ns,format:nano"`
	Prompt   string        `json:"prompt,omitempty"` // digest of the messages
	Rejected string        `json:"rejected,omitempty"`
}

// CallAnswered holds an accepted answer in full. A resumed run takes it from here.
type CallAnswered struct {
	Key    string          `json:"key"`
	Step   string          `json:"step"`
	Label  string          `json:"label,omitempty"`
	Entry  string          `json:"entry"`
	Model  string          `json:"model"`
	Class  string          `json:"class"` // class name of the entry
	Demo   bool            `json:"demo,omitempty"`
	Answer json.RawMessage `json:"answer"` // a JSON string for free-text questions
}

// Durable: an answer is paid for.
func (CallAnswered) Durable() {}

// Durable: a step's record decides what a resume runs again.
func (StepDone) Durable() {}

// Durable: whoever asked has been told yes.
func (RunQueued) Durable() {}

// Durable: the end of a run is told to others.
func (RunEnded) Durable() {}

// CallReused says that a question was answered from the log.
type CallReused struct {
	Key   string `json:"key"`
	Step  string `json:"step"`
	Label string `json:"label,omitempty"`
}

// CallFailed says that no model gave a usable answer.
type CallFailed struct {
	Key    string `json:"key"`
	Step   string `json:"step"`
	Label  string `json:"label,omitempty"`
	Reason Reason `json:"reason"`
}

// Quality is one gap in an accepted result: a soft rule that still did not hold after the re-asks.
type Quality struct {
	Step  string `json:"step"`
	Label string `json:"label,omitempty"`
	Path  string `json:"path,omitempty"` // place in the answer
	Note  string `json:"note"`
}

// Notice is something a watching person should know now: a rate limit, a host that is silent.
type Notice struct {
	Step    string    `json:"step,omitempty"`
	Level   string    `json:"level"` // info or warning
	Message string    `json:"message"`
	Until   time.Time `json:"until,omitzero"`
}

func (RunQueued) Type() string       { return "run.queued" }
func (RunStarted) Type() string      { return "run.started" }
func (RunEnding) Type() string       { return "run.ending" }
func (RunEnded) Type() string        { return "run.ended" }
func (RerunAsked) Type() string      { return "run.rerun_asked" }
func (StepStarted) Type() string     { return "step.started" }
func (StepStoring) Type() string     { return "step.storing" }
func (StepDone) Type() string        { return "step.done" }
func (StepKept) Type() string        { return "step.kept" }
func (StepFailed) Type() string      { return "step.failed" }
func (StepSkipped) Type() string     { return "step.skipped" }
func (ArtifactWritten) Type() string { return "artifact.written" }
func (ArtifactRemoved) Type() string { return "artifact.removed" }
func (CallStarted) Type() string     { return "call.started" }
func (CallAttempt) Type() string     { return "call.attempt" }
func (CallAnswered) Type() string    { return "call.answered" }
func (CallReused) Type() string      { return "call.reused" }
func (CallFailed) Type() string      { return "call.failed" }
func (Quality) Type() string         { return "quality" }
func (Notice) Type() string          { return "notice" }

// CallPrompt holds the messages of a call; logged only when asked for.
type CallPrompt struct {
	Key      string          `json:"key"`
	Messages json.RawMessage `json:"messages"`
}

// Type names the event in a log.
func (CallPrompt) Type() string { return "call.prompt" }
