package service_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"planexe/internal/api"
	"planexe/internal/config"
	"planexe/internal/service"
	"planexe/internal/trace"
)

// Ensure a run belongs to the trace of the page that began it, down to its calls, and that what was asked stays here.
func TestTrace(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.Copy(&got, r.Body)
	}))
	defer collector.Close()
	to := config.Trace{Endpoint: collector.URL, Protocol: "http/protobuf"}
	w := newWorld(t, demoOnly, func(o *service.Options) { o.Settings.Trace = to })
	page := trace.Start(to, "page", "test", slog.New(slog.DiscardHandler))
	ctx, span := page.Begin(t.Context(), "a page", time.Now())
	id, err := hex.DecodeString(strings.Split(page.Carry(ctx), "-")[1])
	if err != nil {
		t.Fatal(err)
	}
	client := api.NewClient(w.server.URL, api.Options{HTTP: page.Transport()})
	r, err := client.StartRun(ctx, api.StartRunRequest{SubmitOrRetry: api.Submit, PlanPrompt: "Open a zeppelinstation", LLMModel: "auto", SpeedVsDetail: api.Fast}, "")
	if err != nil {
		t.Fatal(err)
	}
	span.End(time.Now())
	w.over(r.RunID)
	w.stop(t)
	page.Close()
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"a page", "POST /runs", "worker_plan", "run", "step identify_risks", "call identify_risks", "chat "} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("nothing is told of %q", want)
		}
	}
	if n := bytes.Count(got.Bytes(), id); n < 100 {
		t.Errorf("%d spans are of the page's trace", n)
	}
	if strings.Contains(got.String(), "zeppelin") || strings.Contains(got.String(), "/healthz") {
		t.Error("the traces say too much")
	}
}
