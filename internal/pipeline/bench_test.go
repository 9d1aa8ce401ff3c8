package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/pipeline"
	"planexe/internal/rundir"
	"planexe/internal/slots"
)

// stub is a model of fixed latency behind the real limits.
type stub struct {
	run     *slots.Run
	latency time.Duration
}

// asking is a step of the reference's size: it reads everything, makes its calls stage by stage,
// tells two events per call and writes some kilobytes.
func asking(g **pipeline.Graph) func(context.Context, *pipeline.Work) error {
	page := bytes.Repeat([]byte("a line of a plan, as long as such lines are\n"), 150)
	return func(ctx context.Context, w *pipeline.Work) error {
		s, _ := (*g).Step(w.Step())
		for _, in := range s.Needs {
			if _, err := w.Read(in); err != nil {
				return err
			}
		}
		m := w.Env().(*stub)
		if s.Stages != nil {
			for stage, calls := range s.Stages(pipeline.Typical) {
				var wg sync.WaitGroup
				errs := make([]error, calls)
				for i := range calls {
					wg.Go(func() { errs[i] = m.ask(ctx, w, fmt.Sprint(stage, "/", i), stage) })
				}
				wg.Wait()
				for _, err := range errs {
					if err != nil {
						return err
					}
				}
			}
		}
		return w.Write(s.Outputs[0], append([]byte(w.Step()), page...))
	}
}

func (m *stub) ask(ctx context.Context, w *pipeline.Work, label string, stage int) error {
	release, err := m.run.Acquire(ctx, "stub", 1000, w.Tail(stage))
	if err != nil {
		return err
	}
	defer release()
	if err := w.Emit(event.CallStarted{Key: label, Step: w.Step()}); err != nil {
		return err
	}
	if m.latency > 0 {
		time.Sleep(m.latency)
	}
	return w.Emit(event.CallAnswered{Key: label, Step: w.Step(), Answer: []byte(`"an answer"`)})
}

func stubGraph(b testing.TB, v string) *pipeline.Graph {
	var g *pipeline.Graph
	g = variant(b, v, asking(&g))
	return g
}

func execute(b testing.TB, g *pipeline.Graph, store pipeline.Store, m *stub) {
	x, err := g.Run(b.Context(), store, &pipeline.Records{}, pipeline.Options{Sizes: pipeline.Typical, Env: m})
	if err != nil || len(x.Done) != len(g.Steps()) {
		b.Fatalf("%d steps done: %+v %v", len(x.Done), x, err)
	}
}

// BenchmarkLatency runs the reference's graph against a model that takes 100 ms per call. units is
// the wall time in calls; bound is what it cannot beat. The bar is 1.05 times the bound.
func BenchmarkLatency(b *testing.B) {
	const latency = 100 * time.Millisecond
	for _, v := range []string{"C", "F"} {
		for _, limit := range []int{4, 8, 16} {
			b.Run(fmt.Sprintf("%s/%d", v, limit), func(b *testing.B) {
				g := stubGraph(b, v)
				for b.Loop() {
					execute(b, g, newMemory(map[string]string{}), &stub{slots.New().Run(limit), latency})
				}
				bound := g.Bound(pipeline.Typical, limit)
				units := float64(b.Elapsed()) / float64(b.N) / float64(latency)
				b.ReportMetric(float64(bound), "bound")
				b.ReportMetric(units, "units")
				b.ReportMetric(units/float64(bound), "units/bound")
			})
		}
	}
}

// BenchmarkOverhead is a whole run in a directory with a model that answers at once.
func BenchmarkOverhead(b *testing.B) {
	g := stubGraph(b, "C")
	for b.Loop() {
		dir, err := rundir.Create(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		execute(b, g, dir, &stub{run: slots.New().Run(16)})
		if err := dir.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/run")
}

// BenchmarkManyRuns holds 100 runs in the air at once, all waiting for one provider.
func BenchmarkManyRuns(b *testing.B) {
	const runs = 100
	g := stubGraph(b, "C")
	var most uint64
	for b.Loop() {
		pool := slots.New()
		runtime.GC()
		base := inUse()
		stop := make(chan struct{})
		var wg, sampler sync.WaitGroup
		sampler.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
					most = max(most, max(inUse(), base)-base)
				}
			}
		})
		for range runs {
			wg.Go(func() { execute(b, g, newMemory(map[string]string{}), &stub{pool.Run(8), 5 * time.Millisecond}) })
		}
		wg.Wait()
		close(stop)
		sampler.Wait()
	}
	b.ReportMetric(float64(most)/runs/(1<<20), "MiB/run")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/100runs")
}

// inUse is what the heap and the stacks take, garbage included.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
