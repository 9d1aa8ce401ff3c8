// Package event defines the one stream of typed events that a run is told by. Progress, cost,
// live pages, resume and "why did it fail" are folds over it; see run.State for the main one.
package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Event is one numbered entry of a run's log.
type Event struct {
	Seq  int64     // from 1, without gaps; also the Last-Event-ID of live streams
	Time time.Time // UTC
	Data Data
}

// Data is the payload of an event. Its type name is part of the log's format.
type Data interface{ Type() string }

// Durable marks payloads that must survive a power cut before the run goes on: what they say has
// been paid for.
type Durable interface{ Durable() }

type wire struct {
	Seq  int64           `json:"seq"`
	Time time.Time       `json:"time"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// MarshalJSON writes {"seq","time","type","data"}.
func (e Event) MarshalJSON() ([]byte, error) {
	if u, ok := e.Data.(Unknown); ok {
		return json.Marshal(wire{e.Seq, e.Time, u.Name, u.Raw})
	}
	data, err := json.Marshal(e.Data)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.Data.Type(), err)
	}
	return json.Marshal(wire{e.Seq, e.Time, e.Data.Type(), data})
}

// UnmarshalJSON reads an event; a type it does not know becomes Unknown, so that an older binary
// can read a newer log.
func (e *Event) UnmarshalJSON(b []byte) error {
	if w, ok := asWritten(b); ok && e.read(w) == nil {
		return nil
	}
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	return e.read(w)
}

// asLogged are the rules of encoding/json that a log needs. The decoder of its second version takes a third of the time.
var asLogged = jsonv2.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

func (e *Event) read(w wire) error {
	e.Seq, e.Time = w.Seq, w.Time
	t, ok := types[w.Type]
	if !ok {
		if !json.Valid(w.Data) {
			return fmt.Errorf("decode event %d (%s): its data is no JSON", w.Seq, w.Type)
		}
		e.Data = Unknown{Name: w.Type, Raw: bytes.Clone(w.Data)}
		return nil
	}
	p := reflect.New(t)
	if err := jsonv2.Unmarshal(w.Data, p.Interface(), asLogged); err != nil {
		return fmt.Errorf("decode event %d (%s): %w", w.Seq, w.Type, err)
	}
	e.Data = p.Elem().Interface().(Data)
	return nil
}

// Outline reads an event without what only models and resumed runs need, and what makes up most of a log: the answers,
// also those that were refused. Damage within these is not noticed.
func (e *Event) Outline(line []byte) error {
	if w, ok := asWritten(line); ok {
		if tail, long := tails[w.Type]; long {
			// A quotation mark within a string stands behind a backslash, so this is the member itself; it is the last one.
			if head, _, found := bytes.Cut(w.Data, []byte(tail)); found && bytes.HasSuffix(w.Data, []byte("}")) {
				w.Data = append(head[:len(head):len(head)], '}')
			}
		}
		if e.read(w) == nil {
			return nil
		}
	}
	return e.UnmarshalJSON(line)
}

// tails are where the long members of payloads begin. Each is the last of its payload.
var tails = map[string]string{
	CallAnswered{}.Type(): `,"answer":`,
	CallAttempt{}.Type():  `,"rejected":`,
}

// asWritten takes a line apart that looks as MarshalJSON writes it; false leaves it to the slow way. Logs are read often, and
// a general decoder goes over every payload twice more.
func asWritten(b []byte) (w wire, ok bool) {
	rest, ok := bytes.CutPrefix(b, []byte(`{"seq":`))
	seq, rest, ok1 := bytes.Cut(rest, []byte(`,"time":"`))
	at, rest, ok2 := bytes.Cut(rest, []byte(`","type":"`))
	name, rest, ok3 := bytes.Cut(rest, []byte(`","data":`))
	data, ok4 := bytes.CutSuffix(rest, []byte("}"))
	if !ok || !ok1 || !ok2 || !ok3 || !ok4 || bytes.ContainsAny(name, `"\\`) {
		return w, false
	}
	var err error
	if w.Seq, err = strconv.ParseInt(string(seq), 10, 64); err != nil {
		return w, false
	}
	if w.Time, err = time.Parse(time.RFC3339Nano, string(at)); err != nil {
		return w, false
	}
	w.Type, w.Data = string(name), data
	return w, true
}

// Unknown is a payload of a type this build does not know.
type Unknown struct {
	Name string
	Raw  json.RawMessage
}

// Type returns the name found in the log.
func (u Unknown) Type() string { return u.Name }

// Outcome is how a run ended; DESIGN's outcome table, one word per row.
type Outcome string

// The outcomes of a run.
const (
	Complete    Outcome = "complete"    // every step done
	Partial     Outcome = "partial"     // steps failed; the report says what is missing
	Failed      Outcome = "failed"      // no useful report
	Refused     Outcome = "refused"     // the gate said no
	Budget      Outcome = "budget"      // a cost or call limit was reached
	Stopped     Outcome = "stopped"     // a user stopped it
	Interrupted Outcome = "interrupted" // the process ended
)

// Reason says why something ended as it did, in words for a person and a class for a program.
type Reason struct {
	Class    string `json:"class,omitempty"` // an error class of the llm package, or a word of the engine
	Step     string `json:"step,omitempty"`
	Message  string `json:"message,omitempty"`
	CanRetry bool   `json:"can_retry,omitempty"` // trying again unchanged can help
	Advice   string `json:"advice,omitempty"`    // the way out
}
