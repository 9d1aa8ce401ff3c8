package event

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// An outline says what the event says, but for the answers.
func TestOutline(t *testing.T) {
	t.Parallel()
	odd := `,"answer":1,"rejected":"}`
	for _, c := range []struct{ full, want Data }{
		{CallAnswered{Key: "k", Step: odd, Label: odd, Answer: json.RawMessage(`{"answer":"` + "x" + `","more":[{"answer":2}]}`)}, CallAnswered{Key: "k", Step: odd, Label: odd}},
		{CallAttempt{Key: "k", Step: odd, Number: 2, Message: odd, Rejected: odd}, CallAttempt{Key: "k", Step: odd, Number: 2, Message: odd}},
		{CallAttempt{Key: "k", Number: 1}, CallAttempt{Key: "k", Number: 1}},
		{Notice{Level: "info", Message: odd}, Notice{Level: "info", Message: odd}},
	} {
		line, err := json.Marshal(Event{Seq: 3, Time: time.Unix(7, 0).UTC(), Data: c.full})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(line), string(line) + "\r"} {
			var e Event
			if err := e.Outline([]byte(text)); err != nil || e.Seq != 3 {
				t.Errorf("%s: %+v, %v", text, e, err)
			}
			if d, ok := e.Data.(CallAnswered); ok && text != string(line) {
				d.Answer = nil // the slow way reads it
				e.Data = d
			}
			if d, ok := e.Data.(CallAttempt); ok && text != string(line) {
				d.Rejected = ""
				e.Data = d
			}
			if !reflect.DeepEqual(e.Data, c.want) {
				t.Errorf("%s: %+v, want %+v", text, e.Data, c.want)
			}
		}
	}
}

// A line reads the same however it is written, and a damaged one is refused.
func TestUnmarshal(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 10, 0, 0, 123, time.UTC)
	notice := Event{Seq: 7, Time: at, Data: Notice{Level: "info", Message: `says "data":{} and }`}}
	written, err := json.Marshal(notice)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		string(written),
		string(written) + "\r",
		`{ "seq": 7, "time": "2026-05-01T10:00:00.000000123Z", "type": "notice", "data": {"level": "info", "message": "says \"data\":{} and }"} }`,
		`{"data":{"message":"says \"data\":{} and }","level":"info"},"type":"notice","time":"2026-05-01T12:00:00.000000123+02:00","seq":7}`,
		`{"seq":7,"time":"2026-05-01T10:00:00.000000123Z","type":"notice","data":{"level":"info","message":"says \"data\":{} and }"},"new":1}`,
	} {
		var e Event
		if err := e.UnmarshalJSON([]byte(line)); err != nil || e.Seq != 7 || !e.Time.Equal(at) || !reflect.DeepEqual(e.Data, notice.Data) {
			t.Errorf("%s: %+v, %v", line, e, err)
		}
	}
	var e Event
	line := `{"seq":8,"time":"2026-05-01T10:00:00Z","type":"later.kind","data":{"a":[1]}}`
	if err := e.UnmarshalJSON([]byte(line)); err != nil || !reflect.DeepEqual(e.Data, Unknown{"later.kind", json.RawMessage(`{"a":[1]}`)}) {
		t.Errorf("an unknown type: %+v, %v", e, err)
	}
	if again, err := json.Marshal(e); err != nil || string(again) != line {
		t.Errorf("written again: %s, %v", again, err)
	}
	for _, line := range []string{
		"", "{}x", `{"seq":8,"time":"2026-05-01T10:00:00Z","type":"later.kind","data":{"a":[1]}`, `{"seq":8,"time":"yesterday","type":"notice","data":{}}`,
		`{"seq":8.5,"time":"2026-05-01T10:00:00Z","type":"notice","data":{}}`, `{"seq":8,"time":"2026-05-01T10:00:00Z","type":"notice","data":{"level":7}}`,
		`{"seq":8,"time":"2026-05-01T10:00:00Z","type":"later.kind","data":{"a"}}`, `{"seq":8,"time":"2026-05-01T10:00:00Z","type":"notice","data":{"level":"info"}}}`,
	} {
		if err := e.UnmarshalJSON([]byte(line)); err == nil {
			t.Errorf("%q was taken: %+v", line, e)
		}
	}
}
