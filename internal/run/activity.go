package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"planexe/internal/event"
	"planexe/internal/rundir"
)

// activity is one line of track_activity.jsonl, in the fields that its checking tool reads.
type activity struct {
	Timestamp time.Time    `json:"timestamp"`
	Type      string       `json:"event_type"`
	Data      activityData `json:"event_data"`
	Backtrace []string     `json:"backtrace"`
}

type activityData struct {
	Tags struct {
		UUID string `json:"llm_executor_uuid"`
	} `json:"tags"`
	Model    string       `json:"model_id"`
	Task     string       `json:"task"`
	Attempt  int          `json:"attempt"`
	Outcome  string       `json:"outcome,omitempty"`
	Error    string       `json:"error,omitempty"`
	Usage    *event.Usage `json:"usage,omitempty"`
	Duration int64        `json:"duration_ms,omitempty"`
}

// WriteActivity writes track_activity.jsonl as a projection of the event log: two lines per
// request, without prompts or answers.
func WriteActivity(d *rundir.Dir) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	err := d.Replay(func(e event.Event) {
		a, ok := e.Data.(event.CallAttempt)
		if !ok {
			return
		}
		line := activity{Timestamp: a.Started, Type: "LLMChatStartEvent", Backtrace: []string{}}
		line.Data.Tags.UUID = fmt.Sprintf("%s-%d", a.Key, e.Seq)
		line.Data.Model, line.Data.Task, line.Data.Attempt = a.Entry, a.Step, a.Number
		_ = enc.Encode(line) // strings and numbers only
		line.Timestamp, line.Type = a.Started.Add(a.Duration), "LLMChatEndEvent"
		if a.Class != "ok" && a.Class != "content" {
			line.Type, line.Data.Error = "LLMChatErrorEvent", a.Message
		}
		line.Data.Outcome, line.Data.Usage, line.Data.Duration = a.Class, &a.Usage, a.Duration.Milliseconds()
		_ = enc.Encode(line)
	})
	if err != nil {
		return err
	}
	return d.Write(rundir.ActivityName, out.Bytes())
}
