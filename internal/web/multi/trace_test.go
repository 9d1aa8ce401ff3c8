package multi

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"planexe/internal/config"
	"planexe/internal/trace"
)

// collector is a stand-in for a collector of traces: it keeps what it gets.
type collector struct {
	*httptest.Server
	mu  sync.Mutex
	got bytes.Buffer
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, _ = io.Copy(&c.got, r.Body)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got.String()
}

// Ensure one trace tells of a plan from the form to the last call of a model, across the two services, and of nothing that anybody wrote.
func TestTrace(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	tracer := trace.Start(config.Trace{Endpoint: c.URL, Protocol: "http/protobuf"}, "frontend_multi_user", "test", slog.New(slog.DiscardHandler))
	w := newWorld(t, func(o *Options) { o.Trace = tracer })
	end := w.workWith(func(s *config.DatabaseWorker) { s.Endpoint = c.URL }, 0)
	ada := w.as("ada")
	const prompt = "Open a zeppelinstation in Lyon"
	const parent = "4bf92f3577b34da6a3ce929d0e0e4736"
	got := ada.do(http.MethodPost, "/runs", "prompt="+strings.ReplaceAll(prompt, " ", "+")+"&model=auto&speed=fast_but_skip_details&csrf_token="+ada.token, "traceparent", "00-"+parent+"-00f067aa0ba902b7-01")
	ada.to(got, "/runs/.*")
	if n := w.count("select count(*) from task_item where parameters ->> 'traceparent' like $1", "00-"+parent+"-%"); n != 1 {
		t.Fatal("the task does not carry the trace")
	}
	w.until("the end of the plan", "select count(*) = 1 from task_item where state = 'completed'")
	end()
	tracer.Close()
	text := c.text()
	for _, want := range []string{"POST /runs", "frontend_multi_user", "worker_plan_database", "claim", "task", "run", "step identify_risks", "call identify_risks", "chat demo", "gen_ai.usage.output_tokens"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing is told of %q", want)
		}
	}
	if n := strings.Count(text, "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36"); n < 100 {
		t.Errorf("%d spans are of the trace of the form", n)
	}
	for _, secret := range []string{"zeppelin", "Lyon", phrase, ada.token} {
		if strings.Contains(text, secret) {
			t.Errorf("the traces say %q", secret)
		}
	}
}
