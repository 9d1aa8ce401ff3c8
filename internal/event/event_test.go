package event

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

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
