package single

import (
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"planexe/internal/api"
)

// fake is a worker that answers with what it is given, and remembers what it was asked.
type fake struct {
	mu       sync.Mutex
	down     bool // does not answer
	old      bool // knows the reference's routes only
	run      api.RunStatus
	steps    []api.Step
	list     api.RunList
	info     api.LLMInfo
	estimate api.Estimate
	files    []api.File
	content  map[string]string
	report   string
	log      string
	pings    []api.PingEvent
	purged   api.PurgeRunsResponse
	ready    api.Ready
	refuse   error // of what changes something

	started []api.StartRunRequest
	keys    []string // idempotency keys
	reruns  []api.RerunRequest
	puts    map[string]string
	stops   int
	deleted int
	queries []api.ListQuery
	purges  []api.PurgeRunsRequest
	changed chan struct{} // tells open streams of an event
}

var _ Worker = (*fake)(nil)

// answer returns the error that the state of the fake calls for.
func (f *fake) answer(ours bool) error {
	switch {
	case f.down:
		return api.ErrUnreachable
	case ours && f.old:
		return &api.Error{Status: http.StatusNotFound, Detail: "Not Found"}
	}
	return nil
}

// change changes the fake while pages look at it.
func (f *fake) change(do func(f *fake)) {
	f.mu.Lock()
	do(f)
	f.mu.Unlock()
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

func (f *fake) StartRun(_ context.Context, r api.StartRunRequest, key string) (api.StartRunResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.answer(false); err != nil {
		return api.StartRunResponse{}, err
	}
	f.started, f.keys = append(f.started, r), append(f.keys, key)
	return api.StartRunResponse{RunID: f.run.RunID, Status: "running"}, f.refuse
}

func (f *fake) Runs(_ context.Context, q api.ListQuery) (api.RunList, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queries = append(f.queries, q)
	return f.list, f.answer(true)
}

func (f *fake) Run(_ context.Context, id string) (api.RunStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.answer(false); err != nil {
		return api.RunStatus{}, err
	}
	if id != f.run.RunID {
		return api.RunStatus{RunSummary: api.RunSummary{RunID: id, State: api.NotFound}}, nil
	}
	return f.run, nil
}

func (f *fake) Steps(context.Context, string) ([]api.Step, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.steps, f.answer(true)
}

func (f *fake) Events(ctx context.Context, _ string, after int64) iter.Seq2[api.Event, error] {
	return func(yield func(api.Event, error) bool) {
		for n := after + 1; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-f.changed:
				if !yield(api.Event{Seq: n}, nil) {
					return
				}
			}
		}
	}
}

func (f *fake) Stop(_ context.Context, id string) (api.StopRunResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stops++
	return api.StopRunResponse{RunID: id, Stopped: true}, f.answer(false)
}

func (f *fake) Rerun(_ context.Context, id string, r api.RerunRequest, _ string) (api.StartRunResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reruns = append(f.reruns, r)
	return api.StartRunResponse{RunID: id}, f.refuse
}

func (f *fake) Estimate(context.Context, api.EstimateQuery) (api.Estimate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.estimate, f.answer(true)
}

func (f *fake) Delete(context.Context, string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse == nil {
		f.deleted++
	}
	return f.refuse
}

func (f *fake) Files(_ context.Context, id string) (api.RunFiles, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := api.RunFiles{RunID: id}
	for _, x := range f.files {
		out.Files = append(out.Files, x.Name)
	}
	if !f.old {
		out.Items = f.files
	}
	return out, f.answer(false)
}

func (f *fake) File(_ context.Context, _, name string) ([]byte, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, ok := f.content[name]
	if !ok {
		return nil, "", &api.Error{Status: http.StatusNotFound, Detail: "no such file"}
	}
	return []byte(text), `"1"`, f.answer(true)
}

func (f *fake) PutFile(_ context.Context, _, name string, data []byte, _ string) (api.EditResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return api.EditResponse{}, f.refuse
	}
	if f.puts == nil {
		f.puts = map[string]string{}
	}
	f.puts[name] = string(data)
	return api.EditResponse{Dirty: []string{"one", "two"}}, nil
}

func (f *fake) RevertFile(context.Context, string, string) (api.EditResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return api.EditResponse{}, f.refuse
}

func (f *fake) Log(context.Context, string, int) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log, f.answer(true)
}

// serve answers as the worker's own server would.
func (f *fake) serve(header http.Header, text string) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.answer(false); err != nil {
		return nil, err
	}
	if text == "" {
		return nil, &api.Error{Status: http.StatusNotFound, Detail: "no report"}
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header = header
	http.ServeContent(w, r, "x.html", time.Unix(1, 0), strings.NewReader(text))
	return w.Result(), nil
}

func (f *fake) Report(_ context.Context, _ string, header http.Header) (*http.Response, error) {
	return f.serve(header, f.report)
}

func (f *fake) Zip(_ context.Context, _ string, header http.Header) (*http.Response, error) {
	return f.serve(header, "PK")
}

func (f *fake) Purge(_ context.Context, r api.PurgeRunsRequest) (api.PurgeRunsResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.purges = append(f.purges, r)
	return f.purged, f.refuse
}

func (f *fake) LLMInfo(context.Context) (api.LLMInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.info, f.answer(false)
}

func (f *fake) Ping(context.Context, ...string) iter.Seq2[api.PingEvent, error] {
	return func(yield func(api.PingEvent, error) bool) {
		for _, e := range f.pings {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (f *fake) Ready(context.Context) (api.Ready, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ready, f.answer(true)
}

// fakeOpener is a desktop.
type fakeOpener struct {
	err    error
	opened []string
}

func (o *fakeOpener) Available(context.Context) bool { return true }

func (o *fakeOpener) Open(_ context.Context, path string) error {
	o.opened = append(o.opened, path)
	return o.err
}

// newUI returns an interface over a fake worker.
func newUI(t *testing.T, f *fake, set func(*Options)) http.Handler {
	t.Helper()
	o := Options{Worker: f, Examples: examples(), Version: "1.2.3", CookieKey: []byte("key of a test")}
	if set != nil {
		set(&o)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
