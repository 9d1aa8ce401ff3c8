// Package chaptertest runs chapters with a scripted model, for their tests. Every question that is
// asked is looked at on the way: its fields have descriptions, it shows no document twice, and no
// UUID.
package chaptertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/demo"
	"planexe/internal/llm/schema"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/rundir"
	"planexe/internal/step"
)

// Case is one execution of chapters.
type Case struct {
	Chapters []step.Chapter
	// Given are the artifacts made by steps outside the chapters. The redline verdict is ALLOW
	// and the plan of medium size when nothing else is given or made.
	Given map[plan.Artifact]string
	// Answer is the model: what it returns is sent as JSON, a string as it is, an error as the
	// request's error. Round counts the requests of the step from 1.
	Answer func(r llm.Request, round int) any
	// Model answers when Answer is nil.
	Model llm.Provider
	Env   step.Env // of which the client is set by Run
}

// Run is what came of a case.
type Run struct {
	Result pipeline.Result
	Asked  map[string][]llm.Request // by step, in the order of asking
	Notes  []event.Quality          // of steps and calls

	dir *rundir.Dir
}

// Context is the error of a model that finds the prompt too long: a call that fails without waits.
func Context() error {
	return &llm.Error{Class: llm.ClassContext, Message: "the prompt is too long"}
}

// Run executes all steps of the chapters in a new directory. Failed steps stand in the result;
// questions that break a rule of the house fail the test.
func (c Case) Run(t *testing.T) *Run {
	t.Helper()
	steps, err := step.Build("test", c.Chapters...)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := rundir.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	g, err := pipeline.NewGraph(steps, c.give(t, dir, steps)...)
	if err != nil {
		t.Fatal(err)
	}
	r := &Run{Asked: map[string][]llm.Request{}, dir: dir}
	dir.Watch(func(e event.Event) {
		if q, ok := e.Data.(event.Quality); ok {
			r.Notes = append(r.Notes, q)
		}
	})
	m := &model{run: r, answer: c.Answer, inner: c.Model, faults: map[string]bool{}}
	env := c.Env
	env.Client = llm.NewHub().NewClient(llm.Options{
		Entries:     []*llm.Entry{{ID: "scripted", Class: "Scripted", Model: "scripted-1", Local: true, Timeout: time.Minute, MaxTokens: 4096, Slots: 4, Provider: m}},
		Concurrency: 4, Log: dir.Append,
	})
	if env.Seed == "" {
		env.Seed = "seed"
	}
	if r.Result, err = g.Run(t.Context(), dir, &pipeline.Records{}, pipeline.Options{Sizes: pipeline.Typical, Env: &env}); err != nil {
		t.Fatal(err)
	}
	for _, fault := range slices.Sorted(maps.Keys(m.faults)) {
		t.Error(fault)
	}
	return r
}

// give writes the given artifacts and returns their names.
func (c Case) give(t *testing.T, dir *rundir.Dir, steps []pipeline.Step) []string {
	t.Helper()
	given := map[string]string{}
	for name, usual := range map[string]string{
		plan.RedlineVerdict.Name:  `{"verdict":"ALLOW","rationale_short":"fine"}`,
		plan.KeyFacts.Name:        `{"language":"en","scale":"medium"}`,
		plan.ScheduleOptions.Name: `{}`,
	} {
		if !slices.ContainsFunc(steps, func(s pipeline.Step) bool { return slices.Contains(s.Outputs, name) }) {
			given[name] = usual
		}
	}
	for a, text := range c.Given {
		given[a.Artifact().Name] = text
	}
	for name, text := range given {
		if err := dir.Write(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return slices.Collect(maps.Keys(given))
}

// MustDo fails the test when a step has failed or was not reached.
func (r *Run) MustDo(t *testing.T) {
	t.Helper()
	for _, f := range r.Result.Failed {
		t.Errorf("step %s failed: %s", f.Step, f.Reason.Message)
	}
	for _, s := range r.Result.Skipped {
		t.Errorf("step %s was skipped", s)
	}
	if r.Result.Ending != nil {
		t.Errorf("the run ended early: %v", r.Result.Ending)
	}
	if t.Failed() {
		t.FailNow()
	}
}

// Read returns an artifact.
func (r *Run) Read(t *testing.T, a plan.Artifact) []byte {
	t.Helper()
	data, err := r.dir.Read(a.Artifact().Name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Has tells whether an artifact was written.
func (r *Run) Has(a plan.Artifact) bool {
	_, err := r.dir.Read(a.Artifact().Name)
	return err == nil
}

// MustAskAll fails the test when a prompt file of the chapter was used by none of the runs: a file
// that no test reaches is not checked.
func MustAskAll(t *testing.T, ch step.Chapter, runs ...*Run) {
	t.Helper()
	files, err := fs.Glob(ch.Prompts, "prompts/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(ch.Prompts, file)
		if err != nil {
			t.Fatal(err)
		}
		_, system, _ := strings.Cut(string(text), "=== system\n")
		first, _, _ := strings.Cut(strings.TrimSpace(system), "\n")
		first, _, _ = strings.Cut(first, "{{")
		if !slices.ContainsFunc(runs, func(r *Run) bool { return r.said(first) }) {
			t.Errorf("%s was not used: no system message holds %q", path.Base(file), first)
		}
	}
}

func (r *Run) said(text string) bool {
	for _, requests := range r.Asked {
		for _, q := range requests {
			if strings.Contains(q.Messages[0].Content, text) {
				return true
			}
		}
	}
	return false
}

// model is the provider of a case.
type model struct {
	run    *Run
	answer func(llm.Request, int) any
	inner  llm.Provider

	mu     sync.Mutex
	faults map[string]bool
}

func (m *model) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	m.mu.Lock()
	m.run.Asked[r.Name] = append(m.run.Asked[r.Name], r)
	round := len(m.run.Asked[r.Name])
	for _, fault := range faults(r) {
		m.faults[r.Name+": "+fault] = true
	}
	m.mu.Unlock()
	if m.answer == nil {
		return m.inner.Send(ctx, r)
	}
	switch a := m.answer(r, round).(type) {
	case error:
		return llm.Response{}, a
	case string:
		return llm.Response{Text: a, Finish: llm.FinishStop}, nil
	default:
		text, err := json.Marshal(a)
		return llm.Response{Text: string(text), Finish: llm.FinishStop}, err
	}
}

func (m *model) Check(context.Context) error { return nil }
func (m *model) StepDown() bool              { return false }
func (m *model) Window() int                 { return 0 }

var (
	documentMark = regexp.MustCompile(`<document name="[^"]*">`)
	uuidShape    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-`)
)

// faults says what is wrong with a question.
func faults(r llm.Request) []string {
	var out []string
	if r.Schema != nil {
		for _, field := range undescribed(r.Schema, "") {
			out = append(out, "the prompt's section fields does not say what "+field+" means")
		}
	}
	for i, m := range r.Messages {
		seen := map[string]bool{}
		for _, mark := range documentMark.FindAllString(m.Content, -1) {
			if seen[mark] {
				out = append(out, fmt.Sprintf("message %d shows %s twice", i+1, mark))
			}
			seen[mark] = true
		}
		if id := uuidShape.FindString(m.Content); id != "" {
			out = append(out, fmt.Sprintf("message %d shows a UUID", i+1))
		}
	}
	return out
}

func undescribed(s *schema.Schema, at string) []string {
	if s.Kind == schema.List {
		return undescribed(s.Items, at)
	}
	var out []string
	for _, f := range s.Fields {
		p := strings.TrimPrefix(at+"."+f.Name, ".")
		if strings.TrimSpace(f.Schema.Description) == "" {
			out = append(out, p)
		}
		out = append(out, undescribed(f.Schema, p)...)
	}
	return out
}

// Keys lists the members of a JSON object in order, separated by spaces. Path leads to the object;
// of a list it looks at the first item.
func Keys(t *testing.T, data []byte, path ...string) string {
	t.Helper()
	for {
		if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '[' {
			var items []json.RawMessage
			if err := json.Unmarshal(data, &items); err != nil || len(items) == 0 {
				t.Fatalf("%v: no items: %v", path, err)
			}
			data = items[0]
			continue
		}
		if len(path) == 0 {
			break
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(data, &object); err != nil {
			t.Fatal(err)
		}
		data, path = object[path[0]], path[1:]
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(key))
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Join(out, " ")
}

// Chain returns how many calls of a chapter wait for each other at most, with calls without number at once.
func Chain(t *testing.T, ch step.Chapter) int {
	t.Helper()
	steps, err := step.Build("test", ch)
	if err != nil {
		t.Fatal(err)
	}
	var written, outside []string
	for _, s := range steps {
		written = append(written, s.Outputs...)
	}
	for _, s := range steps {
		for _, name := range slices.Concat(s.Needs, s.Uses) {
			if !slices.Contains(written, name) {
				outside = append(outside, name)
			}
		}
	}
	g, err := pipeline.NewGraph(steps, outside...)
	if err != nil {
		t.Fatal(err)
	}
	return g.Bound(pipeline.Typical, 0)
}

// DemoIsClean makes a chapter with the demo model, many times, and fails when its own rules find a fault.
func DemoIsClean(t *testing.T, ch step.Chapter, given map[plan.Artifact]string) {
	t.Helper()
	for seed := range int64(20) {
		run := Case{Chapters: []step.Chapter{ch}, Given: given, Model: demo.New(0, seed)}.Run(t)
		run.MustDo(t)
		if len(run.Notes) > 0 {
			t.Fatalf("seed %d: %+v", seed, run.Notes)
		}
	}
}
