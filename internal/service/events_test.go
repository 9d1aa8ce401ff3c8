package service_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/api"
	"planexe/internal/service"
)

// A stream that breaks goes on after the last event that was seen; none is lost, none comes twice,
// and what a live run told is what its log on disk tells.
func TestEventsResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	let := w.script.hold()
	id := w.submit("Open a bakery")
	w.in()
	watch := func(after int64) (seen []api.Event) {
		for e, err := range w.c.Events(t.Context(), id, after) {
			if err != nil {
				t.Error(err)
				return seen
			}
			seen = append(seen, e)
			if len(seen)%7 == 0 && e.Type != "run.ended" && len(seen) < 100 { // the connection breaks
				return append(seen, watchFrom(t, w, id, e.Seq)...)
			}
		}
		return seen
	}
	watchers := make([][]api.Event, 30)
	var wg sync.WaitGroup
	for i := range watchers {
		wg.Go(func() { watchers[i] = watch(0) })
	}
	let()
	wg.Wait()
	st := w.status(id)
	for i, seen := range watchers {
		for n, e := range seen {
			if e.Seq != int64(n+1) || e.Type == "" || e.Time.IsZero() {
				t.Fatalf("watcher %d: event %d is number %d, %q", i, n+1, e.Seq, e.Type)
			}
		}
		if last := seen[len(seen)-1]; last.Type != "run.ended" || last.Seq != st.LastEvent {
			t.Fatalf("watcher %d ends with %d %s of %d", i, last.Seq, last.Type, st.LastEvent)
		}
	}
	for i, e := range watchFrom(t, w, id, 0) {
		if live := watchers[0][i]; live.Type != e.Type || string(live.Data) != string(e.Data) {
			t.Fatalf("event %d: live %s %s, on disk %s %s", i+1, live.Type, live.Data, e.Type, e.Data)
		}
		if strings.Contains(string(e.Data), `"answer":`) && !strings.Contains(string(e.Data), `"answer":null`) {
			t.Fatalf("event %d tells an answer: %s", i+1, e.Data)
		}
	}
	if rest := watchFrom(t, w, id, st.LastEvent-2); len(rest) != 2 {
		t.Errorf("%d events after the last but two", len(rest))
	}
	if rest := watchFrom(t, w, id, st.LastEvent); len(rest) != 0 {
		t.Errorf("%d events after the last", len(rest))
	}
	r := w.do("GET", "/runs/"+id+"/events?after=3", "", "Last-Event-ID", "5")
	if !strings.HasPrefix(r.body, "id: 6\nevent: ") || r.header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
		t.Errorf("%.100s", r.body)
	}
	w.want(w.do("GET", "/runs/"+id+"/events?after=x", ""), 400, "")
	w.want(w.do("GET", "/runs/"+id+"/events", "", "Last-Event-ID", "-1"), 400, "")
	w.want(w.do("GET", "/runs/none/events", ""), 404, "")
}

func watchFrom(t *testing.T, w *world, id string, after int64) (seen []api.Event) {
	for e, err := range w.c.Events(t.Context(), id, after) {
		if err != nil {
			t.Error(err)
			return seen
		}
		seen = append(seen, e)
	}
	return seen
}

// The page of a live run finds everything in the status that it shows beside the steps.
func TestLiveStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	let := w.script.hold()
	id := w.submit("Open a bakery in Lyon")
	step := w.in()
	st := w.status(id)
	if st.State != api.Running || st.Title != "Open a bakery in Lyon" || st.Prompt != st.Title || st.LastEvent == 0 || st.StepsTotal == 0 || st.CallsExpected < 50 ||
		!slices.Contains(st.ActiveCalls, api.ActiveCall{Step: step}) && len(st.ActiveCalls) == 0 || st.Seconds <= 0 {
		t.Errorf("%+v", st)
	}
	steps, err := w.c.Steps(t.Context(), id)
	if err != nil || len(steps) != st.StepsTotal {
		t.Fatalf("%d steps, %v", len(steps), err)
	}
	names := map[string]bool{}
	for _, s := range steps {
		for _, need := range s.Needs {
			if !names[need] {
				t.Errorf("%s needs %s, which does not stand before it", s.Step, need)
			}
		}
		names[s.Step] = true
		if s.Label == "" || s.Chapter == "" || s.State != api.StepWaiting && s.State != api.StepRunning && s.State != api.StepDone {
			t.Errorf("%+v", s)
		}
	}
	let()
	if st = w.over(id); len(st.ActiveCalls) != 0 || !st.Demo || !slices.Equal(st.Models, []string{"demo"}) || st.StepsDone != st.StepsTotal || st.Usage.Prompt == 0 {
		t.Errorf("%+v", st)
	}
}

// Silent streams are kept alive by comments; a ping gives a model up after its time.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newQuietWorld(t, demoOnly, nil)
		let := w.script.hold()
		id := w.submitDirectly(t)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		streams := map[string]*httptest.ResponseRecorder{}
		var wg sync.WaitGroup
		for _, path := range []string{"/runs/" + id + "/events", "/llm-ping"} {
			rec := httptest.NewRecorder()
			streams[path] = rec
			wg.Go(func() {
				w.s.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(ctx, "GET", "http://localhost"+path, nil))
			})
		}
		time.Sleep(61 * time.Second)
		cancel()
		let()
		wg.Wait()
		if n := strings.Count(streams["/runs/"+id+"/events"].Body.String(), "\n: still there\n\n"); n < 2 {
			t.Errorf("%d comments in a silent stream of events", n)
		}
		ping := streams["/llm-ping"].Body.String()
		if !strings.Contains(ping, ": still waiting\n\n") || !strings.Contains(ping, `"status":"error"`) || !strings.Contains(ping, `"name":"server"`) {
			t.Errorf("%s", ping)
		}
	})
}

// What a service was executing when it was shut down goes on at its next start; what was stopped
// does not; streams end at once.
func TestShutdown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, func(o *service.Options) { o.Settings.MaxRuns = 2 })
	w.script.hold()
	stopped := w.submit("stopped")
	if _, err := w.c.Stop(t.Context(), stopped); err != nil {
		t.Fatal(err)
	}
	w.over(stopped)
	running, waiting := w.submit("running"), ""
	for range 3 {
		waiting = w.submit("waiting")
	}
	heard, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		for e, err := range w.c.Events(t.Context(), running, 0) {
			if err != nil {
				t.Error(err)
			}
			if e.Seq == 1 {
				close(heard)
			}
		}
	}()
	<-heard
	w.in()
	w.stop(t)
	<-ended
	w.script.hold()() // the gate of before is gone
	w.start(t)
	for _, id := range []string{running, waiting} {
		if st := w.over(id); st.State != api.Completed {
			t.Errorf("%s: %+v", st.State, st.Error)
		}
	}
	if st := w.status(stopped); st.State != api.Stopped || st.Running {
		t.Errorf("the stopped run is %s", st.State)
	}
}
