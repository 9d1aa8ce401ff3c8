package replay

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/event"
	"planexe/internal/llm"
)

var day = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// fold makes a log of payloads, one second apart.
func fold(r *Recorder, data ...event.Data) {
	for i, d := range data {
		r.Apply(event.Event{Seq: int64(i + 1), Time: day.Add(time.Duration(i) * time.Second), Data: d})
	}
}

func answered(key, step, label, text string) event.CallAnswered {
	raw, _ := json.Marshal(text)
	return event.CallAnswered{Key: key, Step: step, Label: label, Entry: "a", Model: "m", Class: "OpenAI", Answer: raw}
}

func failed(key, step string, class llm.Class) event.CallFailed {
	return event.CallFailed{Key: key, Step: step, Reason: event.Reason{Class: string(class), Message: "it did not go"}}
}

// Ensure that a recording holds what of a log is true at its end, and survives its file.
func TestRecord(t *testing.T) {
	t.Parallel()
	var r Recorder
	fold(&r,
		event.RunStarted{Version: "v1", Speed: "fast", Models: []string{"a", "b"}},
		event.StepStarted{Step: "risks"},
		event.CallStarted{Key: "k1", Step: "risks"},
		event.CallAttempt{Key: "k1", Step: "risks", Class: "invalid", Usage: event.Usage{Prompt: 5, Completion: 1}, Duration: time.Second},
		event.CallAttempt{Key: "k1", Step: "risks", Class: "ok", Usage: event.Usage{Prompt: 7, Completion: 2}, Duration: 2 * time.Second},
		answered("k1", "risks", "", "old"),
		event.StepStarted{Step: "team"},
		answered("k2", "team", "1", "kept"),
		failed("k3", "swot", llm.ClassNetwork),
		failed("k4", "pitch", llm.ClassContext),
		event.RunStarted{Version: "v2", Speed: "fast", Models: []string{"b"}, Sample: true, AllowRefuse: true},
		event.StepStarted{Step: "risks"},
		answered("k5", "risks", "", "new"),
		event.StepStarted{Step: "team"},
		event.CallReused{Key: "k2", Step: "team", Label: "1"},
		answered("k6", "team", "2", "added"),
	)
	rec, err := r.Recording([]byte("Plan:\nan inn"), []byte("{}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "r.jsonl.gz")
	if err := rec.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rec, got); diff != "" {
		t.Errorf("the file changes the recording: %s", diff)
	}
	want := Header{
		Format: 1, Prompt: "Plan:\nan inn", Start: "{}", Recorded: day.Add(10 * time.Second), Version: "v2", Speed: "fast", Models: []string{"b"},
		Sample: true, AllowRefuse: true,
	}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Error(diff)
	}
	var calls []string
	for _, c := range got.Calls {
		calls = append(calls, c.Step+c.Label+string(c.Answer)+string(c.Failure))
	}
	if diff := cmp.Diff([]string{`team1"kept"`, `pitchcontext`, `risks"new"`, `team2"added"`}, calls); diff != "" {
		t.Error(diff)
	}
}

// Ensure that tokens and time of a call are those of all its requests.
func TestRecordTime(t *testing.T) {
	t.Parallel()
	var r Recorder
	fold(&r,
		event.RunStarted{Models: []string{"a"}},
		event.CallStarted{Key: "k", Step: "risks"},
		event.CallAttempt{Key: "k", Usage: event.Usage{Prompt: 5, Completion: 1}, Duration: time.Second},
		event.RunStarted{Models: []string{"a"}},
		event.CallStarted{Key: "k", Step: "risks"},
		event.CallAttempt{Key: "k", Usage: event.Usage{Prompt: 7, Completion: 2}, Duration: 2 * time.Second},
		answered("k", "risks", "", "x"),
	)
	rec, err := r.Recording(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := rec.Calls[0]
	if c.Took != 3*time.Second || c.Began != time.Second || c.Ended != 6*time.Second || c.Usage.Prompt != 12 || c.Usage.Completion != 3 {
		t.Errorf("%+v", c)
	}
}

func pack(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Ensure that a file that is no whole recording is refused with the line and the reason.
func TestReadRefuses(t *testing.T) {
	t.Parallel()
	const head = `{"planexe_recording":1,"prompt":"p","start":"{}","models":["a"]}` + "\n"
	const call = `{"step":"risks","key":"k","answer":"x"}` + "\n"
	whole := pack(t, head+call)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-6] ^= 1 // of the checksum
	tests := map[string]struct {
		file []byte
		want string
	}{
		"empty":           {nil, "not packed by gzip"},
		"text":            {[]byte("Hello, this is a long text.\n"), "not packed by gzip"},
		"packed nothing":  {pack(t, ""), "line 1: the file ends too early"},
		"packed text":     {pack(t, "Hello\n"), "line 1: this is no recording"},
		"another JSON":    {pack(t, `{"seq":1}`+"\n"), "line 1: this is no recording"},
		"newer":           {pack(t, `{"planexe_recording":2}`+"\n"), "line 1: the recording was made by a newer version"},
		"no prompt":       {pack(t, strings.Replace(head, `"p"`, `" "`, 1)), "line 1: there must be a prompt"},
		"no start":        {pack(t, strings.Replace(head, `"{}"`, `"now"`, 1)), "line 1: there is no start time"},
		"no models":       {pack(t, strings.Replace(head, `["a"]`, `[]`, 1)), "line 1: there must be"},
		"cut":             {whole[:len(whole)-20], "the file ends too early"},
		"half a line":     {pack(t, head+call[:20]), "line 2: the file ends too early"},
		"damaged":         {flipped, "line 3: the file is damaged"},
		"garbled call":    {pack(t, head+call+"{]\n"), "line 3: this is no call"},
		"no step":         {pack(t, head+`{"key":"k","answer":1}`+"\n"), "line 2: the call has no step"},
		"twice":           {pack(t, head+call+call), "line 3: the call of risks stands here twice"},
		"neither":         {pack(t, head+`{"step":"risks","label":"2","key":"k"}`+"\n"), "line 2: the call of risks (2) needs either"},
		"wrong failure":   {pack(t, head+`{"step":"risks","key":"k","failure":"auth"}`+"\n"), `line 2: the call of risks: a failure of class "auth"`},
		"terminal codes":  {pack(t, head+`{"step":"risks","key":"k","failure":"context","message":"\u001b[2J"}`+"\n"), "line 2: the call of risks has a message"},
		"codes in a name": {pack(t, strings.Replace(head, `["a"]`, `["\u001b[2J"]`, 1)), "line 1: there must be 1 to 100 models"},
		"negative time":   {pack(t, head+`{"step":"risks","key":"k","answer":1,"took_ns":-1}`+"\n"), "line 2: the call of risks took less than nothing"},
		"endless time":    {pack(t, head+`{"step":"risks","key":"k","answer":1,"took_ns":9223372036854775807}`+"\n"), "more than 24h"},
		"bomb":            {slices.Concat(pack(t, head), bytes.Repeat(pack(t, strings.Repeat(" ", 1<<20)), maxSize>>20)), "line 2: the file unpacks to more than 32 MiB"},
		"too many calls":  {pack(t, head+manyCalls()), "line 2002: more than 2000 calls"},
		"no such options": {pack(t, strings.Replace(head, `"models"`, `"schedule":"[]","models"`, 1)), "line 1: the options of the schedule"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := Read(bytes.NewReader(tt.file))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v, want %q", r, err, tt.want)
			}
		})
	}
	if _, err := Read(bytes.NewReader(whole)); err != nil {
		t.Errorf("the whole file: %v", err)
	}
}

func manyCalls() string {
	var b strings.Builder
	for i := range maxCalls + 1 {
		line, _ := json.Marshal(Call{Step: "s", Key: string(rune('0' + i)), Answer: json.RawMessage("1")})
		b.Write(append(line, '\n'))
	}
	return b.String()
}

// Ensure that the error of a file names it.
func TestOpenNamesFile(t *testing.T) {
	t.Parallel()
	if _, err := Open(filepath.Join(t.TempDir(), "none.gz")); err == nil || !strings.Contains(err.Error(), "none.gz") {
		t.Error(err)
	}
	if _, err := Open("recording_test.go"); err == nil || !strings.Contains(err.Error(), "recording_test.go: this is no recording") {
		t.Error(err)
	}
}
