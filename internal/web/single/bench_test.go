package single

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"planexe/internal/api"
	"planexe/internal/config"
	"planexe/internal/plan"
	"planexe/internal/service"
)

// BenchmarkPages asks for every kind of page through a real worker_plan with a thousand whole plans on disk. The
// time includes what the worker takes; each plan is looked at in turn, so that nothing is warm by luck.
func BenchmarkPages(b *testing.B) {
	base := filepath.Join(b.TempDir(), "run")
	start := func() (*service.Service, *api.Client, func()) {
		o := service.Options{
			Log: slog.New(slog.DiscardHandler), Output: io.Discard,
			Env: func() (config.Env, error) { return config.NewEnv(nil, b.TempDir()), nil },
		}
		if err := config.Load(&o.Settings, config.NewEnv(map[string]string{"PLANEXE_RUN_DIR": base, "LLM_MODEL": config.DemoID})); err != nil {
			b.Fatal(err)
		}
		s, err := service.New(o)
		if err != nil {
			b.Fatal(err)
		}
		s.Start()
		server := httptest.NewServer(s.Handler())
		return s, api.NewClient(server.URL, api.Options{}), func() {
			server.CloseClientConnections()
			server.Close()
			if err := s.Close(context.Background()); err != nil {
				b.Error(err)
			}
		}
	}
	_, client, stop := start()
	run, err := client.StartRun(b.Context(), api.StartRunRequest{SubmitOrRetry: api.Submit, PlanPrompt: "Open a small bakery in Lyon with a budget of 300,000 EUR", LLMModel: config.DemoID}, "")
	if err != nil {
		b.Fatal(err)
	}
	for _, err := range client.Events(b.Context(), run.RunID, 0) { // until it has ended
		if err != nil {
			b.Fatal(err)
		}
	}
	stop()
	const many = 1000
	for n := range many {
		if err := os.CopyFS(filepath.Join(base, fmt.Sprintf("PlanExe_20260101_%06d", n)), os.DirFS(filepath.Join(base, run.RunID))); err != nil {
			b.Fatal(err)
		}
	}
	_, client, stop = start()
	defer stop()
	if list, err := client.Runs(b.Context(), api.ListQuery{}); err != nil || list.NextCursor == "" {
		b.Fatalf("%d runs, %v", len(list.Runs), err)
	}
	for n := range many { // copied-in logs are read behind the first list: wait for that
		if _, err := client.Run(b.Context(), fmt.Sprintf("PlanExe_20260101_%06d", n)); err != nil {
			b.Fatal(err)
		}
	}
	h, err := New(Options{Worker: client, Examples: Examples(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	for _, page := range []struct{ name, path string }{
		{"new", "/"}, {"list", "/runs"}, {"search", "/runs?q=bakery"}, {"models", "/models"}, {"settings", "/settings"}, {"run", "/runs/ID"},
		{"files", "/runs/ID?tab=files"}, {"log", "/runs/ID?tab=log"}, {"file", "/runs/ID/files/" + plan.Pitch.Name},
	} {
		b.Run(page.name, func(b *testing.B) {
			var took []time.Duration
			for n := 0; b.Loop(); n++ {
				path := strings.Replace(page.path, "ID", fmt.Sprintf("PlanExe_20260101_%06d", n%many), 1)
				w := httptest.NewRecorder()
				began := time.Now()
				h.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+path, nil))
				took = append(took, time.Since(began))
				if w.Code != 200 {
					b.Fatalf("%s: %d", path, w.Code)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
