package runs

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"planexe/internal/event"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

// State is how a run stands, for people and clients.
type State string

// The states. Waiting, Running and Stopping are live.
const (
	Waiting     State = "waiting" // for its turn
	Running     State = "running"
	Stopping    State = "stopping"
	Completed   State = "completed"
	Partial     State = "partial"
	Refused     State = "refused"
	Budget      State = "budget"
	Stopped     State = "stopped"
	Failed      State = "failed"
	Interrupted State = "interrupted" // its process ended, or it is another program's and unfinished
)

// Live tells whether the run is not over.
func (s State) Live() bool { return s == Waiting || s == Running || s == Stopping }

// stateOf maps the outcomes of package run.
var stateOf = map[event.Outcome]State{
	event.Complete: Completed, event.Partial: Partial, event.Refused: Refused, event.Budget: Budget,
	event.Stopped: Stopped, event.Failed: Failed, event.Interrupted: Interrupted,
}

// Summary is a run in a list.
type Summary struct {
	ID        string
	Title     string // the first words of the prompt
	State     State
	Reason    event.Reason // why it did not complete
	StartedAt time.Time    // of the run, not of its last execution
	EndedAt   time.Time    // zero while it is live
	Seconds   float64      // of the last execution
	Progress  float64      // 0 to 1
	Files     int          // of the declared files
	Usage     event.Usage
	Cost      float64 // USD over all executions
	Model     string  // as asked for; else the entries that were used
	Speed     string
	HasReport bool
	SizeBytes int64
}

// entry is what the library keeps of a run.
type entry struct {
	Summary
	words string         // the prompt in lower case, for searches
	rough bool           // made of the ends of a log that was not read yet: no usage, no cost
	mark  mark           // of the state on disk that the summary was made of
	live  func() Summary // set while a manager of this process executes the run
}

// mark tells two states of a run directory apart without reading it.
type mark struct {
	dir, log time.Time
	size     int64 // of the event log
}

// eventLog is where a run directory has its event log.
const eventLog = rundir.Hidden + "/events.jsonl"

func markOf(path string) (m mark) {
	if info, err := os.Stat(path); err == nil {
		m.dir = info.ModTime()
	}
	if info, err := os.Stat(filepath.Join(path, eventLog)); err == nil {
		m.log, m.size = info.ModTime(), info.Size()
	}
	return m
}

// read makes the entry of a run on disk; false when the directory is none. A rough one looks only at
// the two ends of a log of which no summary is kept.
func read(id, path string, rough bool) (entry, bool) {
	if !rundir.IsRun(path) {
		return entry{}, false
	}
	d, err := rundir.OpenRead(path)
	if err != nil {
		return entry{}, false
	}
	defer d.Close()
	if e, ok := kept(id, path); ok {
		return e, true
	}
	f := fold{}
	if rough {
		if err := d.Ends(f.apply); err != nil {
			f = fold{}
		}
		e := f.entry(id, d)
		if f.events > 0 {
			e.rough = true
			if e.Progress = float64(e.Files) / float64(len(plan.Expected())); e.State == Completed {
				e.Progress = 1
			}
		}
		return e, true
	}
	size := markOf(path).size
	if err := d.Outline(f.apply); err != nil {
		f = fold{} // damaged: what the files say is all there is
		f.state.Reason = event.Reason{Class: "internal", Message: "the event log is damaged: " + err.Error(), Advice: "start a new run with the same text"}
	}
	e := f.entry(id, d)
	if !f.open && f.events > 0 {
		keep(path, size, e)
	}
	return e, true
}

// keptFile holds the summary of a run that has ended, so that a service with a thousand of them
// need not read their logs when it starts.
const keptFile = rundir.Hidden + "/summary.json"

type keptSummary struct {
	LogSize int64   `json:"log_size"` // of the log it was made of; another size makes it worthless
	Words   string  `json:"words"`
	Summary Summary `json:"summary"`
}

func kept(id, path string) (entry, bool) {
	data, err := os.ReadFile(filepath.Join(path, keptFile))
	var k keptSummary
	if err != nil || json.Unmarshal(data, &k) != nil || k.LogSize != markOf(path).size || k.Summary.ID != id {
		return entry{}, false
	}
	return entry{Summary: k.Summary, words: k.Words}, true
}

// keep writes the summary if it can: it only saves time.
func keep(path string, size int64, e entry) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return
	}
	defer root.Close()
	data, err := json.Marshal(keptSummary{size, e.words, e.Summary})
	if err != nil {
		return
	}
	temp := keptFile + ".new"
	if err := root.WriteFile(temp, data, 0o666); err == nil {
		_ = root.Rename(temp, keptFile)
	}
}

// fold is what a summary needs of a log.
type fold struct {
	state  run.State
	asked  event.RunQueued
	queued bool // asked for, and not started since
	open   bool // started or queued, and not ended since
	events int
}

func (f *fold) apply(e event.Event) {
	f.events++
	f.state.Apply(e)
	switch d := e.Data.(type) {
	case event.RunQueued:
		f.asked, f.queued, f.open = d, true, true
	case event.RunStarted:
		f.queued, f.open = false, true
	case event.RunEnded:
		f.queued, f.open = false, false
	}
}

// entry makes the summary of a run that this process does not execute.
func (f *fold) entry(id string, d *rundir.Dir) entry {
	e := entry{Summary: Summary{
		ID: id, Usage: f.state.Usage, Cost: f.state.Cost, Reason: f.state.Reason, Progress: f.state.Progress(),
		Model: f.asked.Model, Speed: cmp.Or(f.state.Run.Speed, f.asked.Speed),
	}}
	if e.Model == "" {
		e.Model = strings.Join(f.state.Run.Models, ", ")
	}
	prompt, started := source(d)
	e.words, e.Title = strings.ToLower(prompt), title(prompt)
	e.StartedAt = started
	names, _ := d.Names() // an unreadable directory has none
	have := map[string]bool{}
	for _, n := range names {
		have[n] = true
		if info, err := os.Stat(filepath.Join(d.Path(), n)); err == nil {
			e.SizeBytes += info.Size()
			if f.events == 0 && info.ModTime().After(e.EndedAt) {
				e.EndedAt = info.ModTime()
			}
		}
	}
	if info, err := os.Stat(filepath.Join(d.Path(), eventLog)); err == nil {
		e.SizeBytes += info.Size()
	}
	expected := plan.Expected()
	for _, n := range expected {
		if have[n] {
			e.Files++
		}
	}
	e.HasReport = have[plan.Report.Name]
	complete := have[plan.Complete.Name]
	switch {
	case f.events == 0:
		e.Progress = float64(e.Files) / float64(len(expected))
		e.State = Interrupted
		if complete {
			e.State, e.Progress = Completed, 1
		}
		return e
	case f.open:
		e.State = Interrupted
	default:
		e.State = stateOf[f.state.Outcome]
	}
	if e.State == "" {
		e.State = Interrupted
	}
	if e.State == Interrupted && f.asked.OwnKey {
		e.Reason = event.Reason{
			Class: "interrupted", Message: "the service ended, and the run came with a key of its own, which is not kept", CanRetry: true,
			Advice: "resume the run with the key",
		}
	}
	e.EndedAt = f.state.Ended
	if !f.state.Began.IsZero() && !f.state.Ended.IsZero() {
		e.Seconds = f.state.Ended.Sub(f.state.Began).Seconds()
	}
	if e.StartedAt.IsZero() {
		e.StartedAt = f.state.Began
	}
	return e
}

// source reads the two files a run begins with; what is missing is zero.
func source(d *rundir.Dir) (prompt string, started time.Time) {
	if data, err := d.Read(plan.Prompt.Name); err == nil {
		prompt = PromptOf(string(data))
	}
	var start plan.Start
	if data, err := d.Read(plan.StartTime.Name); err == nil && json.Unmarshal(data, &start) == nil {
		started, _ = time.Parse(time.RFC3339, start.UTC)
	}
	return prompt, started
}

// PromptOf takes the person's own words out of the plan file.
func PromptOf(file string) string {
	text := strings.TrimPrefix(file, "Plan:\n")
	if i := strings.LastIndex(text, "\n\nToday's date:\n"); i >= 0 {
		text = text[:i]
	}
	return text
}

// title is the first words of a prompt, on one line.
func title(prompt string) string {
	const most = 90
	words := strings.Fields(prompt)
	line := strings.Join(words[:min(len(words), 30)], " ")
	if r := []rune(line); len(r) > most {
		cut := strings.LastIndexByte(string(r[:most]), ' ')
		if cut < most/2 {
			cut = len(string(r[:most]))
		}
		return line[:cut] + "…"
	}
	return line
}

// LastUpdate returns when something in a run directory last changed; zero when nothing is there.
func LastUpdate(path string) (last time.Time) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return last
	}
	note := func(info fs.FileInfo, err error) {
		if err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	for _, e := range entries {
		if e.Name() != rundir.Hidden {
			note(e.Info())
		}
	}
	note(os.Stat(filepath.Join(path, eventLog)))
	return last
}
