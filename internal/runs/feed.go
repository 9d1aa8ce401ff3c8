package runs

import (
	"encoding/json"
	"sync"

	"planexe/internal/event"
)

// Line is one event as it is told to watchers: without answers and prompts, which are large and
// stand in the files.
type Line struct {
	Seq  int64
	Type string
	Data json.RawMessage
}

// told returns what watchers get of an event.
func told(e event.Event) Line {
	data := e.Data
	switch d := data.(type) {
	case event.CallAnswered:
		d.Answer = nil
		data = d
	case event.CallAttempt:
		d.Rejected = ""
		data = d
	case event.CallPrompt:
		d.Messages = nil
		data = d
	case event.StepFailed:
		d.Stack = ""
		data = d
	}
	line := Line{Seq: e.Seq, Type: e.Data.Type()}
	raw, err := json.Marshal(struct {
		Seq  int64      `json:"seq"`
		Time string     `json:"time"`
		Data event.Data `json:"data"`
	}{e.Seq, e.Time.UTC().Format("2006-01-02T15:04:05.000Z"), data})
	if err != nil { // an event that was read from a log can be written
		raw = json.RawMessage(`{}`)
	}
	line.Data = raw
	return line
}

// Feed holds what was told of a live run so far. The number of an event is its place.
type Feed struct {
	mu    sync.Mutex
	lines []Line
	more  chan struct{} // closed when a line is added or the run is over
	over  bool
}

func newFeed() *Feed { return &Feed{more: make(chan struct{})} }

func (f *Feed) add(e event.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, told(e))
	f.wake()
}

func (f *Feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	f.wake()
}

func (f *Feed) wake() {
	close(f.more)
	f.more = make(chan struct{})
}

// Since returns the lines after an event number, whether there will be no more, and a channel that
// is closed when there are.
func (f *Feed) Since(seq int64) (lines []Line, over bool, more <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from := len(f.lines)
	for from > 0 && f.lines[from-1].Seq > seq {
		from--
	}
	return f.lines[from:len(f.lines):len(f.lines)], f.over, f.more
}
