package service_test

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

// BenchmarkList asks for the first page and for one run's status with a thousand runs on disk.
func BenchmarkList(b *testing.B) {
	w := newQuietWorld(b, demoOnly, nil)
	var last string
	for i := range 1000 {
		last = fmt.Sprintf("PlanExe_20260101_%06d", i)
		d, err := rundir.Create(filepath.Join(w.base, last))
		if err != nil {
			b.Fatal(err)
		}
		if err := run.Begin(d, "Open a bakery", time.Now()); err != nil {
			b.Fatal(err)
		}
		for _, name := range plan.Expected()[2:] {
			if err := d.Append(event.ArtifactWritten{Name: name}); err != nil {
				b.Fatal(err)
			}
		}
		if err := d.Append(event.RunEnded{Outcome: event.Complete}); err != nil {
			b.Fatal(err)
		}
		d.Close()
	}
	w.stop(b)
	w.startQuietly(b)
	for _, path := range []string{"/runs", "/runs?q=bakery&state=completed", "/runs/" + last} {
		b.Run(path[:5]+fmt.Sprint(len(path)), func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				rec := httptest.NewRecorder()
				began := time.Now()
				w.s.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "http://localhost"+path, nil))
				took = append(took, time.Since(began))
				if rec.Code != 200 {
					b.Fatal(rec.Code, rec.Body)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
		})
	}
}
