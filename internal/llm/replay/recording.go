// Package replay keeps the answers of a run in one file, and is the model that gives them again.
package replay

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"planexe/internal/event"
	"planexe/internal/llm"
)

// Bounds of a file; a plan has some 200 calls and half a megabyte of answers.
const (
	maxSize   = 32 << 20 // bytes, unpacked
	maxCalls  = 2000
	maxModel  = 100
	maxPrompt = 128 << 10
	longest   = 24 * time.Hour // of a call
)

// format is what this version writes and reads.
const format = 1

// Header is the first line of a recording: what decides, besides the answers, what the plan
// becomes.
type Header struct {
	Format      int       `json:"planexe_recording"`
	Prompt      string    `json:"prompt"`             // the run's prompt file as it stands, with the date of the plan
	Start       string    `json:"start"`              // likewise its start time file
	Schedule    string    `json:"schedule,omitempty"` // likewise its options of the schedule, if it has any
	Recorded    time.Time `json:"recorded"`
	Version     string    `json:"version"` // of the program
	Speed       string    `json:"speed"`   // as in event.RunStarted
	AllowRefuse bool      `json:"allow_refuse,omitempty"`
	Models      []string  `json:"models"` // entry ids, first tried first
	Demo        bool      `json:"demo,omitempty"`
	Sample      bool      `json:"sample,omitempty"`
}

// Call is one question with what came of it: an answer, or a failure that belongs to the question.
type Call struct {
	Step    string          `json:"step"`
	Label   string          `json:"label,omitempty"`
	Key     string          `json:"key"`
	Entry   string          `json:"entry,omitempty"`
	Model   string          `json:"model,omitempty"`
	Class   string          `json:"class,omitempty"`
	Demo    bool            `json:"demo,omitempty"`
	Usage   event.Usage     `json:"usage"`            // of all its requests
	Took    time.Duration   `json:"took_ns"`          // likewise
	Began   time.Duration   `json:"began_ns"`         // when it was first asked, since the start of the run
	Ended   time.Duration   `json:"ended_ns"`         // likewise when it was answered
	Answer  json.RawMessage `json:"answer,omitempty"` // as in event.CallAnswered
	Failure llm.Class       `json:"failure,omitempty"`
	Message string          `json:"message,omitempty"` // of a failure
}

// Recording is a run that can be replayed. Calls stand in the order of their ends.
type Recording struct {
	Header
	Calls []Call
}

// Write writes the file at path, whole or not at all.
func (r *Recording) Write(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".recording-*")
	if err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err == nil {
			err = os.Rename(f.Name(), path)
		}
		if err != nil {
			_ = os.Remove(f.Name())
			err = fmt.Errorf("write the recording: %w", err)
		}
	}()
	packed := gzip.NewWriter(f)
	lines := json.NewEncoder(packed)
	lines.SetEscapeHTML(false)
	r.Format = format
	if err := lines.Encode(r.Header); err != nil {
		return err
	}
	for _, c := range r.Calls {
		if err := lines.Encode(c); err != nil {
			return err
		}
	}
	if err := packed.Close(); err != nil {
		return err
	}
	return f.Chmod(0o644)
}

// Open reads the recording at path.
func Open(path string) (*Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the recording: %w", err)
	}
	defer f.Close()
	r, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("read the recording %s: %w", path, err)
	}
	return r, nil
}

// Read reads a recording and trusts nothing in it. Errors name the line.
func Read(file io.Reader) (*Recording, error) {
	packed, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("this is no recording of a run: it is not packed by gzip (%w)", err)
	}
	limited := &io.LimitedReader{R: packed, N: maxSize + 1}
	in := bufio.NewReader(limited)
	r := &Recording{}
	keys := map[string]bool{}
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		switch {
		case limited.N <= 0:
			return nil, fmt.Errorf("line %d: the file unpacks to more than %d MiB, no recording does", n, maxSize>>20)
		case err == io.EOF && len(line) == 0 && n > 1:
			return r, nil
		case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fmt.Errorf("line %d: the file ends too early: it was cut off", n)
		case err != nil:
			return nil, fmt.Errorf("line %d: the file is damaged: %w", n, err)
		case n == 1:
			err = r.readHeader(line)
		case n-1 > maxCalls:
			err = fmt.Errorf("more than %d calls, no plan has as many", maxCalls)
		default:
			err = r.readCall(line, keys)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
}

func (r *Recording) readHeader(line []byte) error {
	h := &r.Header
	var start struct{}
	switch err := json.Unmarshal(line, h); {
	case h.Format > format:
		return errors.New("the recording was made by a newer version of the program")
	case err != nil || h.Format != format:
		return errors.New("this is no recording of a run: its first line is not a recording's header")
	case strings.TrimSpace(h.Prompt) == "" || len(h.Prompt) > maxPrompt:
		return fmt.Errorf("there must be a prompt of at most %d KiB", maxPrompt>>10)
	case json.Unmarshal([]byte(h.Start), &start) != nil:
		return errors.New("there is no start time")
	case h.Schedule != "" && json.Unmarshal([]byte(h.Schedule), &start) != nil:
		return errors.New("the options of the schedule are no JSON object")
	case len(h.Models) == 0 || len(h.Models) > maxModel || slices.ContainsFunc(h.Models, func(id string) bool { return id == "" || unprintable(id) }):
		return fmt.Errorf("there must be 1 to %d models, each with a name", maxModel)
	}
	return nil
}

func (r *Recording) readCall(line []byte, keys map[string]bool) error {
	var c Call
	if err := json.Unmarshal(line, &c); err != nil {
		return fmt.Errorf("this is no call: %w", err)
	}
	switch {
	case c.Step == "" || c.Key == "" || unprintable(c.Step+c.Label):
		return errors.New("the call has no step, or no key, or a name with control characters")
	case keys[c.Key]:
		return fmt.Errorf("the call of %s stands here twice", c.what())
	case (len(c.Answer) == 0) == (c.Failure == ""):
		return fmt.Errorf("the call of %s needs either an answer or a failure", c.what())
	case c.Failure != "" && !replayable(c.Failure):
		return fmt.Errorf("the call of %s: a failure of class %q is not recorded", c.what(), c.Failure)
	case unprintable(c.Message):
		return fmt.Errorf("the call of %s has a message with control characters", c.what())
	case c.Took < 0 || c.Took > longest || c.Usage.Prompt < 0 || c.Usage.Completion < 0:
		return fmt.Errorf("the call of %s took less than nothing, or more than %s", c.what(), longest)
	}
	keys[c.Key] = true
	r.Calls = append(r.Calls, c)
	return nil
}

// unprintable tells whether a text could do something to the terminal it is shown on.
func unprintable(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' })
}

func (c *Call) what() string {
	if c.Label == "" {
		return c.Step
	}
	return c.Step + " (" + c.Label + ")"
}

// replayable tells whether a failure says something of the question. All others are of the day and
// the host, and leave a call without an answer.
func replayable(c llm.Class) bool {
	return slices.Contains([]llm.Class{
		llm.ClassContext, llm.ClassEmpty, llm.ClassTruncated, llm.ClassInvalid, llm.ClassContent, llm.ClassModelRefused,
	}, c)
}

// Recorder is the fold of a run's log that makes a recording. Its zero value is ready.
type Recorder struct {
	header Header
	began  time.Time
	execs  map[string]int // of each step
	calls  map[string]*taken
}

// taken is a call and the execution of its step that has used it last.
type taken struct {
	Call
	exec int
	done bool
	seq  int64
}

// Apply folds one event in.
func (r *Recorder) Apply(e event.Event) {
	if r.calls == nil {
		r.calls, r.execs, r.began = map[string]*taken{}, map[string]int{}, e.Time
	}
	switch d := e.Data.(type) {
	case event.RunStarted:
		r.header = Header{
			Recorded: e.Time, Version: d.Version, Speed: d.Speed, AllowRefuse: d.AllowRefuse, Models: d.Models, Demo: d.Demo, Sample: d.Sample,
		}
	case event.StepStarted:
		r.execs[d.Step]++
	case event.CallStarted:
		r.call(d.Key, e)
	case event.CallAttempt:
		c := r.call(d.Key, e)
		c.Took += d.Duration
		c.Usage.Prompt += d.Usage.Prompt
		c.Usage.Completion += d.Usage.Completion
		c.Usage.Cached += d.Usage.Cached
		c.Usage.Reasoning += d.Usage.Reasoning
		c.Usage.Estimated = c.Usage.Estimated || d.Usage.Estimated
	case event.CallAnswered:
		c := r.end(d.Key, d.Step, d.Label, e)
		c.Entry, c.Model, c.Class, c.Demo, c.Answer = d.Entry, d.Model, d.Class, d.Demo, d.Answer
		c.Failure, c.Message = "", ""
	case event.CallFailed:
		if class := llm.Class(d.Reason.Class); replayable(class) {
			c := r.end(d.Key, d.Step, d.Label, e)
			c.Failure, c.Message, c.Answer = class, d.Reason.Message, nil
		}
	case event.CallReused:
		r.call(d.Key, e).exec = r.execs[d.Step]
	}
}

func (r *Recorder) call(key string, e event.Event) *taken {
	c := r.calls[key]
	if c == nil {
		c = &taken{Call: Call{Key: key, Began: e.Time.Sub(r.began)}}
		r.calls[key] = c
	}
	return c
}

func (r *Recorder) end(key, step, label string, e event.Event) *taken {
	c := r.call(key, e)
	c.Step, c.Label, c.Ended, c.exec, c.done, c.seq = step, label, e.Time.Sub(r.began), r.execs[step], true, e.Seq
	return c
}

// Recording returns what was folded so far. Of questions that were asked anew, only the last
// answer is kept. Prompt, start and schedule are the contents of the run's source files.
func (r *Recorder) Recording(prompt, start, schedule []byte) (*Recording, error) {
	if len(r.header.Models) == 0 {
		return nil, errors.New("the run has no event log: it was made by another program")
	}
	out := &Recording{Header: r.header}
	out.Prompt, out.Start, out.Schedule = string(prompt), string(start), string(schedule)
	type question struct{ step, label string }
	last := map[question]int{}
	for _, c := range r.calls {
		q := question{c.Step, c.Label}
		last[q] = max(last[q], c.exec)
	}
	var kept []*taken
	for _, c := range r.calls {
		if c.done && c.exec == last[question{c.Step, c.Label}] {
			kept = append(kept, c)
		}
	}
	slices.SortFunc(kept, func(a, b *taken) int { return cmp.Compare(a.seq, b.seq) })
	for _, c := range kept {
		out.Calls = append(out.Calls, c.Call)
	}
	return out, nil
}
