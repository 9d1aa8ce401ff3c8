package trace

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	pb "google.golang.org/protobuf/encoding/protowire"

	"planexe/internal/config"
	"planexe/internal/event"
)

// kept returns a tracer and what shows the spans that have ended, as "parent > name", in the order of their ends.
func kept(t *testing.T) (*Tracer, func() (lines []string, spans tracetest.SpanStubs)) {
	t.Helper()
	mem := tracetest.NewInMemoryExporter()
	tr := start(mem, "test", "1", slog.New(slog.DiscardHandler))
	t.Cleanup(tr.Close)
	return tr, func() (lines []string, spans tracetest.SpanStubs) {
		if err := tr.provider.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
		names := map[trace.SpanID]string{}
		for _, s := range mem.GetSpans() {
			names[s.SpanContext.SpanID()] = s.Name
		}
		for _, s := range mem.GetSpans() {
			lines = append(lines, names[s.Parent.SpanID()]+" > "+s.Name)
		}
		return lines, mem.GetSpans()
	}
}

func about(s tracetest.SpanStub) map[string]string {
	m := map[string]string{}
	for _, kv := range s.Attributes {
		m[string(kv.Key)] = kv.Value.String()
	}
	return m
}

// Ensure the events of a run become spans of the run, its steps, calls and attempts, with their own times, and that no text of a person
// or a model is among them.
func TestRun(t *testing.T) {
	t.Parallel()
	tr, spans := kept(t)
	watch, over := tr.Run(t.Context(), "run-1")
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	cost := 0.25
	secret := event.Reason{Class: "auth", Message: "SECRET"}
	for i, d := range []event.Data{
		event.RunStarted{Run: "run-1", Speed: "fast_but_skip_details", Models: []string{"m1"}},
		event.StepStarted{Step: "a"},
		event.CallStarted{Key: "k1", Step: "a", Label: "lens/3"},
		event.CallAttempt{Key: "k1", Step: "a", Number: 1, Entry: "m1", Model: "gpt", Class: "rate", Message: "SECRET", Rejected: "SECRET", Started: at, Duration: time.Second},
		event.CallAttempt{Key: "k1", Step: "a", Number: 2, Entry: "m1", Model: "gpt", Class: "ok", Finish: "stop", Usage: event.Usage{Prompt: 10, Completion: 5}, Cost: &cost, Started: at, Duration: 2 * time.Second},
		event.CallAnswered{Key: "k1", Step: "a", Answer: []byte(`"SECRET"`)},
		event.StepDone{Step: "a"},
		event.StepStarted{Step: "b"},
		event.CallStarted{Key: "k2", Step: "b"},
		event.CallFailed{Key: "k2", Step: "b", Reason: secret},
		event.StepFailed{Step: "b", Reason: secret, Stack: "SECRET"},
		event.RunEnded{Outcome: event.Failed, Reason: secret},
	} {
		watch(event.Event{Seq: int64(i + 1), Time: at.Add(time.Duration(i) * time.Minute), Data: d})
	}
	over()
	lines, all := spans()
	want := []string{"call a > chat gpt", "call a > chat gpt", "step a > call a", "run > step a", "step b > call b", "run > step b", " > run"}
	if !slices.Equal(lines, want) {
		t.Fatalf("spans:\n%s\nwant:\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	for _, s := range all {
		for key, value := range about(s) {
			if strings.Contains(value, "SECRET") || strings.Contains(s.Status.Description, "SECRET") {
				t.Errorf("%s: %s is %q", s.Name, key, value)
			}
		}
	}
	if a := about(all[1]); a["gen_ai.request.model"] != "gpt" || a["gen_ai.usage.input_tokens"] != "10" || a["gen_ai.usage.output_tokens"] != "5" || a["planexe.cost_usd"] != "0.25" || a["planexe.attempt"] != "2" {
		t.Errorf("an attempt: %v", a)
	}
	if s := all[1]; s.EndTime.Sub(s.StartTime) != 2*time.Second || !s.StartTime.Equal(at) {
		t.Errorf("an attempt took %v from %v", s.EndTime.Sub(s.StartTime), s.StartTime)
	}
	if a := about(all[0]); a["error.type"] != "rate" {
		t.Errorf("a failed attempt: %v", a)
	}
	if a := about(all[6]); a["planexe.outcome"] != "failed" || a["error.type"] != "auth" || all[6].EndTime.Sub(all[6].StartTime) != 11*time.Minute {
		t.Errorf("the run: %v, %v", a, all[6].EndTime.Sub(all[6].StartTime))
	}
}

// Ensure a run that never hears its end leaves no span open, and that a second execution of the same log is a run of its own.
func TestRunCutOff(t *testing.T) {
	t.Parallel()
	tr, spans := kept(t)
	ctx, _ := tr.Begin(t.Context(), "task", time.Now())
	watch, over := tr.Run(tr.Carried(context.Background(), tr.Carry(ctx)), "r")
	for _, d := range []event.Data{event.CallAttempt{Step: "early", Model: "m", Class: "ok"}, event.RunStarted{}, event.StepStarted{Step: "a"}, event.CallStarted{Key: "k", Step: "a"}} {
		watch(event.Event{Time: time.Now(), Data: d})
	}
	over()
	over()
	lines, all := spans()
	if want := []string{" > chat m", "step a > call a", "run > step a", " > run"}; !slices.Equal(lines, want) { // the task itself is still open
		t.Fatalf("%q", lines)
	}
	for _, s := range all {
		if s.SpanContext.TraceID() != trace.SpanContextFromContext(ctx).TraceID() {
			t.Errorf("%s is of another trace", s.Name)
		}
	}
	if about(all[2])["error.type"] != "interrupted" {
		t.Errorf("the step: %v", about(all[2]))
	}
}

// Ensure requests are named by their route alone, carry what the caller says of its own trace, and still stream.
func TestHandler(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/": "/", "/runs": "/runs", "/runs/PlanExe_20260102_030405/files/003-x.md": "/runs/{}/files/{}", "/runs/1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed": "/runs/{}",
		"/password/secretsecret": "/password/{}", "/admin/taskitem/": "/admin/taskitem/", "/healthz": "", "/metrics": "", "/assets/app.js": "", "/" + strings.Repeat("a/", 50): "/a/a/a/a/a/a/a",
		"/llm-ping": "/llm-ping", "/thisisalongwordthatisnoneofourpages": "/{}",
	} {
		if got := route(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	tr, spans := kept(t)
	h := tr.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("a stream cannot be flushed: %v", err)
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	r := httptest.NewRequest("SPY", "/runs/7?q=secret", nil)
	r.Header.Set("traceparent", "00-"+id+"-00f067aa0ba902b7-01")
	h.ServeHTTP(httptest.NewRecorder(), r)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/healthz", nil))
	_, all := spans()
	if len(all) != 1 || all[0].Name != "_OTHER /runs/{}" || all[0].SpanContext.TraceID().String() != id || about(all[0])["http.response.status_code"] != "502" || all[0].SpanKind != trace.SpanKindServer {
		t.Errorf("%+v", all)
	}
}

// Ensure that without a collector nothing is put between anything, and everything can still be called.
func TestOff(t *testing.T) {
	tr := Start(config.Trace{}, "x", "1", slog.Default())
	if tr != nil {
		t.Fatal("a tracer without a collector")
	}
	h := http.NotFoundHandler()
	if got, ok := tr.Handler(h).(http.HandlerFunc); !ok || got == nil || tr.Transport() != nil {
		t.Error("something stands in the way of requests")
	}
	watch, over := tr.Run(t.Context(), "r")
	if over(); watch != nil {
		t.Error("events are watched")
	}
	ctx, s := tr.Begin(t.Context(), "x", time.Now())
	s.Set("a", 1)
	s.Fail("x")
	s.End(time.Now())
	tr.Close()
	if ctx != t.Context() || tr.Carry(ctx) != "" || tr.Carried(ctx, "00-x") != ctx {
		t.Error("a context was changed")
	}
	// This test runs alone, since allocations are counted.
	if n := testing.AllocsPerRun(100, func() { tr.Carry(ctx); tr.Carried(ctx, "x"); s.End(time.Time{}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Ensure a collector gets the spans as the protocol has them, with the headers it wants, after it was away for a moment.
func TestExport(t *testing.T) {
	t.Parallel()
	var asked int
	got := make(chan []byte, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path != "/base/v1/traces" || r.Header.Get("Authorization") != "Bearer a b" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		body, _ := io.ReadAll(r.Body)
		got <- body
	}))
	defer collector.Close()
	c := config.Trace{Endpoint: collector.URL + "/base/", Headers: "authorization=Bearer%20a%20b, x-y=z", Protocol: "http/protobuf"}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	header, _ := c.Header()
	x := newExporter(c.Endpoint, header, slog.New(slog.DiscardHandler))
	x.pause = 0
	tr := start(x, "svc", "1.2", slog.New(slog.DiscardHandler))
	at := time.Unix(1_700_000_000, 5)
	ctx, parent := tr.Begin(t.Context(), "outer", at)
	_, child := tr.Begin(ctx, "inner", at, "text", "é", "n", -7, "f", 1.5, "b", true, "list", []string{"x", "y"})
	child.Fail("rate")
	child.End(at.Add(time.Second))
	parent.End(at.Add(2 * time.Second))
	tr.Close()
	m := decode(t, <-got)
	inner, outer := m["1.2.2:0"], m["1.2.2:1"]
	if _, ok := m["1.2.2:2"]; ok || inner == nil || outer == nil {
		t.Fatalf("not two spans: %v", m)
	}
	in, out := decode(t, inner), decode(t, outer)
	for path, want := range map[string]string{"5": "inner", "15.2": "rate", "9:0.1": "text", "9:0.2.1": "é", "9:4.2.5.1:1.1": "y", "9:5.1": "error.type", "9:5.2.1": "rate"} {
		if string(in[path]) != want {
			t.Errorf("inner, field %s: %q, want %q", path, in[path], want)
		}
	}
	for path, want := range map[string]uint64{"6": 1, "7": 1_700_000_000_000_000_005, "8": 1_700_000_001_000_000_005, "15.3": 2, "9:1.2.3": 1<<64 - 7, "9:2.2.4": 0x3ff8000000000000, "9:3.2.2": 1} {
		if n := num(in[path]); n != want {
			t.Errorf("inner, field %s: %d, want %d", path, n, want)
		}
	}
	if hex.EncodeToString(in["4"]) != hex.EncodeToString(out["2"]) || hex.EncodeToString(in["1"]) != hex.EncodeToString(out["1"]) || len(out["1"]) != 16 || out["4"] != nil {
		t.Error("the spans are not parent and child")
	}
	res := decode(t, m["1.1"])
	found := map[string]string{}
	for i := range 2 {
		found[string(res["1:"+string(rune('0'+i))+".1"])] = string(res["1:"+string(rune('0'+i))+".2.1"])
	}
	if found["service.name"] != "svc" || found["service.version"] != "1.2" {
		t.Errorf("the service: %v", found)
	}
}

// Ensure a collector that refuses is told of once, that its headers go nowhere else, and that an end does not wait for it.
func TestExportRefused(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s was asked", r.URL) }))
	defer elsewhere.Close()
	collector := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer collector.Close()
	var log bytes.Buffer
	x := newExporter(collector.URL, map[string]string{"x-key": "SECRET"}, slog.New(slog.NewTextHandler(&log, nil)))
	for range 3 {
		if err := x.ExportSpans(t.Context(), tracetest.SpanStubs{{Name: "a"}}.Snapshots()); err != nil {
			t.Error(err)
		}
	}
	if strings.Count(log.String(), "traces cannot be sent") != 1 || strings.Contains(log.String(), "SECRET") || !strings.Contains(log.String(), "307") {
		t.Errorf("log: %s", &log)
	}
	over, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the end"))
	x.pause = time.Hour
	if err := x.ExportSpans(over, tracetest.SpanStubs{{Name: "a"}}.Snapshots()); err != nil {
		t.Error(err)
	}
}

// decode reads a message into its fields by path; of a field that is there several times the nth is also "field:n". Numbers are kept as
// their eight bytes.
func decode(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	fields(t, "", b, out)
	return out
}

func fields(t *testing.T, at string, b []byte, out map[string][]byte) bool {
	t.Helper()
	seen := map[pb.Number]int{}
	found := map[string][]byte{}
	for len(b) > 0 {
		n, kind, size := pb.ConsumeTag(b)
		if size < 0 {
			return false
		}
		b = b[size:]
		var value []byte
		switch kind {
		case pb.VarintType:
			v, size := pb.ConsumeVarint(b)
			if size < 0 {
				return false
			}
			value, b = pb.AppendFixed64(nil, v), b[size:]
		case pb.Fixed64Type:
			v, size := pb.ConsumeFixed64(b)
			if size < 0 {
				return false
			}
			value, b = pb.AppendFixed64(nil, v), b[size:]
		case pb.BytesType:
			v, size := pb.ConsumeBytes(b)
			if size < 0 {
				return false
			}
			value, b = v, b[size:]
		default:
			return false
		}
		name := at + strconv.Itoa(int(n))
		nth := name + ":" + strconv.Itoa(seen[n])
		seen[n]++
		found[nth] = value
		if seen[n] == 1 {
			found[name] = value
		}
		if kind == pb.BytesType { // a message perhaps
			inner := map[string][]byte{}
			if fields(t, "", value, inner) {
				for k, v := range inner {
					found[nth+"."+k] = v
					if seen[n] == 1 {
						found[name+"."+k] = v
					}
				}
			}
		}
	}
	for k, v := range found {
		out[k] = v
	}
	return true
}

func num(b []byte) uint64 {
	v, _ := pb.ConsumeFixed64(b)
	return v
}
