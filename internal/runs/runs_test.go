package runs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/demo"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
	"planexe/internal/runs"
)

// bench is a manager over a small graph whose one step waits until it is let go.
type bench struct {
	t       *testing.T
	lib     *runs.Library
	m       *runs.Manager
	g       *pipeline.Graph
	o       runs.Options
	entered chan string // the speed of each execution as its step begins
	let     chan error  // what the step returns; nil lets it succeed
}

func newBench(t *testing.T, change func(*runs.Options)) *bench {
	t.Helper()
	b := &bench{t: t, entered: make(chan string, 100), let: make(chan error, 100)}
	var err error
	if b.lib, err = runs.Open(t.TempDir(), ""); err != nil {
		t.Fatal(err)
	}
	b.g, err = pipeline.NewGraph([]pipeline.Step{
		{Name: "think", Needs: []string{plan.Prompt.Name}, Outputs: []string{plan.PurposePage.Name}, Run: b.think},
		{Name: "list", Needs: []string{plan.PurposePage.Name}, Outputs: []string{plan.Assumptions.Name}, Run: func(_ context.Context, w *pipeline.Work) error {
			return w.Write(plan.Assumptions.Name, []byte(`[{"question":"q","assumptions":"a"}]`))
		}},
		{Name: "project_plan", Needs: []string{plan.Assumptions.Name}, Outputs: []string{plan.Complete.Name}, Run: func(_ context.Context, w *pipeline.Work) error {
			return w.Write(plan.Complete.Name, []byte("done\n"))
		}},
	}, plan.StartTime.Name, plan.Prompt.Name)
	if err != nil {
		t.Fatal(err)
	}
	b.o = runs.Options{Library: b.lib, Plan: func(_ context.Context, asked event.RunQueued, _ string) (run.Spec, error) {
		if asked.Model == "broken" {
			return run.Spec{}, errors.New("there is no model broken")
		}
		return run.Spec{Graph: b.g, Hub: llm.NewHub(), Models: []*llm.Entry{{ID: "demo", Provider: demo.New(0, 1)}}, Speed: asked.Speed, Version: "test"}, nil
	}}
	if change != nil {
		change(&b.o)
	}
	b.start()
	return b
}

func (b *bench) start() {
	b.m = runs.NewManager(b.o)
	m := b.m
	b.t.Cleanup(func() {
		if err := m.Close(b.t.Context()); err != nil && b.t.Context().Err() == nil {
			b.t.Error(err)
		}
	})
}

func (b *bench) think(ctx context.Context, w *pipeline.Work) error {
	b.entered <- w.Step()
	select {
	case err := <-b.let:
		if err != nil {
			return err
		}
		return w.Write(plan.PurposePage.Name, []byte("a purpose"))
	case <-ctx.Done():
		return ctx.Err()
	}
}

var asked = event.RunQueued{Model: "auto", Speed: run.AllDetails}

func (b *bench) submit(prompt string) string {
	b.t.Helper()
	id, err := b.m.Submit(b.t.Context(), prompt, true, asked, "")
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// in waits until a run has begun its first step.
func (b *bench) in() {
	b.t.Helper()
	select {
	case <-b.entered:
	case <-time.After(30 * time.Second):
		list, _, err := b.lib.List(runs.Filter{})
		b.t.Fatalf("no run begins: %+v, %v", list, err)
	}
}

// over waits until a run is not live any more, by its feed.
func (b *bench) over(id string) runs.Summary {
	b.t.Helper()
	if f := b.m.Feed(id); f != nil {
		for {
			_, over, more := f.Since(0)
			if over {
				break
			}
			select {
			case <-more:
			case <-b.t.Context().Done():
				b.t.Fatal("the run did not end")
			}
		}
	}
	s, err := b.lib.Summary(id)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// A run goes from submitted to completed; its feed tells every event once, its summary follows.
func TestRunToItsEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.submit("Open a bakery in Lyon")
	b.in()
	if l := b.m.Live(id); !l.Active || l.Code != nil || l.Waiting != 0 {
		t.Errorf("live %+v", l)
	}
	s, err := b.lib.Summary(id)
	if err != nil || s.State != runs.Running || s.Title != "Open a bakery in Lyon" || s.Model != "auto" || s.Files != 2 {
		t.Errorf("summary %+v, %v", s, err)
	}
	feed := b.m.Feed(id)
	b.let <- nil
	s = b.over(id)
	if s.State != runs.Completed || s.Progress != 1 || s.EndedAt.IsZero() || s.SizeBytes == 0 {
		t.Errorf("summary %+v", s)
	}
	if l := b.m.Live(id); l.Active || l.Code == nil || *l.Code != 0 {
		t.Errorf("live %+v", l)
	}
	lines, over, _ := feed.Since(0)
	for i, line := range lines {
		if line.Seq != int64(i+1) {
			t.Fatalf("line %d is event %d", i, line.Seq)
		}
	}
	if !over || lines[0].Type != "run.queued" || lines[len(lines)-1].Type != "run.ended" {
		t.Errorf("over %v, %d lines", over, len(lines))
	}
	if rest, _, _ := feed.Since(int64(len(lines) - 2)); len(rest) != 2 {
		t.Errorf("%d lines after the last but two", len(rest))
	}
}

// More runs than places wait in the order of asking; more than may wait are refused.
func TestPlaces(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *runs.Options) { o.MaxRuns, o.MaxWaiting = 1, 2 })
	first := b.submit("first")
	b.in()
	second, third := b.submit("second"), b.submit("third")
	if _, err := b.m.Submit(t.Context(), "fourth", true, asked, ""); !errors.Is(err, runs.ErrBusy) {
		t.Errorf("fourth: %v", err)
	}
	if l := b.m.Live(third); l.Waiting != 2 {
		t.Errorf("third waits behind %d", l.Waiting)
	}
	if s, _ := b.lib.Summary(second); s.State != runs.Waiting {
		t.Errorf("second is %s", s.State)
	}
	if stopped, err := b.m.Stop(second); !stopped || err != nil {
		t.Errorf("stop of a waiting run: %v, %v", stopped, err)
	}
	b.let <- nil
	if s := b.over(first); s.State != runs.Completed {
		t.Errorf("first is %s", s.State)
	}
	b.in()
	b.let <- nil
	if s := b.over(third); s.State != runs.Completed {
		t.Errorf("third is %s", s.State)
	}
	if s := b.over(second); s.State != runs.Stopped {
		t.Errorf("second is %s", s.State)
	}
}

// A stop ends a run for good and says so as a signal would; a resume goes on.
func TestStopAndResume(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.submit("x")
	b.in()
	if stopped, err := b.m.Stop(id); !stopped || err != nil {
		t.Fatalf("%v, %v", stopped, err)
	}
	if s := b.over(id); s.State != runs.Stopped {
		t.Errorf("state %s", s.State)
	}
	if l := b.m.Live(id); !l.Stop || l.Code == nil || *l.Code != -15 {
		t.Errorf("live %+v", l)
	}
	if stopped, err := b.m.Stop(id); stopped || err != nil {
		t.Errorf("second stop: %v, %v", stopped, err)
	}
	if _, err := b.m.Stop("PlanExe_nobody"); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("stop of nothing: %v", err)
	}
	if err := b.m.Resume(id, asked, ""); err != nil {
		t.Fatal(err)
	}
	if err := b.m.Resume(id, asked, ""); !errors.Is(err, runs.ErrActive) {
		t.Errorf("resume of a live run: %v", err)
	}
	b.in()
	if l := b.m.Live(id); l.Stop {
		t.Error("the stop of an earlier execution is still told")
	}
	b.let <- nil
	if s := b.over(id); s.State != runs.Completed {
		t.Errorf("state %s", s.State)
	}
}

// What a service was executing, or had promised to, when it was shut down goes on at the next
// start; what was stopped, or came with a key of its own, does not.
func TestRecover(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *runs.Options) { o.MaxRuns = 3 })
	running, stopped := b.submit("running"), b.submit("stopped")
	own, err := b.m.Submit(t.Context(), "own", true, asked, "sk-not-kept-anywhere")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		b.in()
	}
	waiting := b.submit("waiting")
	_, _ = b.m.Stop(stopped)
	b.over(stopped)
	b.in() // the waiting one has its place now
	promised := []string{}
	for range 2 {
		promised = append(promised, b.submit("promised"))
	}
	if err := b.m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.m.Submit(t.Context(), "late", true, asked, ""); !errors.Is(err, runs.ErrClosing) {
		t.Errorf("submit while closing: %v", err)
	}
	for _, id := range []string{running, waiting, own, promised[0]} {
		if s, err := b.lib.Summary(id); err != nil || s.State != runs.Interrupted {
			t.Errorf("%s is %s, %v", id, s.State, err)
		}
	}
	if s, _ := b.lib.Summary(own); !strings.Contains(s.Reason.Message, "key") || !s.Reason.CanRetry {
		t.Errorf("reason %+v", s.Reason)
	}
	b.o.MaxRuns = 8
	b.start()
	if n, err := b.m.Recover(); n != 4 || err != nil {
		t.Errorf("%d recovered, %v", n, err)
	}
	for range 4 {
		b.in()
		b.let <- nil
	}
	for _, id := range append(promised, running, waiting) {
		if s := b.over(id); s.State != runs.Completed {
			t.Errorf("%s is %s", id, s.State)
		}
	}
	if s, _ := b.lib.Summary(stopped); s.State != runs.Stopped {
		t.Errorf("the stopped one is %s", s.State)
	}
	if err := filepath.WalkDir(b.lib.Base(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte("sk-not-kept")) {
			t.Errorf("%s holds the key", path)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// A request that cannot be turned into a run fails that run, with the reason, and frees its place.
func TestCannotBegin(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *runs.Options) { o.MaxRuns = 1 })
	broken := asked
	broken.Model = "broken"
	id, err := b.m.Submit(t.Context(), "x", true, broken, "")
	if err != nil {
		t.Fatal(err)
	}
	if s := b.over(id); s.State != runs.Failed || !strings.Contains(s.Reason.Message, "no model broken") {
		t.Errorf("%s: %+v", s.State, s.Reason)
	}
	next := b.submit("y")
	b.in()
	b.let <- nil
	if s := b.over(next); s.State != runs.Completed {
		t.Errorf("the next one is %s", s.State)
	}
}

// Ids made from the time are seconds: the second run of a second waits for the next one.
func TestSameSecond(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	ids := map[string]bool{}
	for range 2 {
		id, err := b.m.Submit(t.Context(), "x", false, asked, "")
		if err != nil {
			t.Fatal(err)
		}
		ids[id] = true
		b.in()
		b.let <- nil
	}
	if len(ids) != 2 {
		t.Errorf("ids %v", ids)
	}
}

func TestBadIDs(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	if err := os.WriteFile(filepath.Join(b.lib.Base(), "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(b.lib.Base(), "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(b.lib.Base(), "link")); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]error{
		"": runs.ErrBadID, ".": runs.ErrBadID, "..": runs.ErrBadID, "../x": runs.ErrBadID, "/etc": runs.ErrBadID, "a/b": runs.ErrBadID, `a\b`: runs.ErrBadID,
		".hidden": runs.ErrBadID, "a b": runs.ErrBadID, "a\x00": runs.ErrBadID, strings.Repeat("a", 129): runs.ErrBadID, "é": runs.ErrBadID,
		"file": runs.ErrNotFound, "link": runs.ErrNotFound, "nobody": runs.ErrNotFound, "empty": runs.ErrNotFound,
	} {
		if _, err := b.lib.Summary(id); !errors.Is(err, want) {
			t.Errorf("summary of %q: %v", id, err)
		}
		if err := b.m.Resume(id, asked, ""); !errors.Is(err, want) {
			t.Errorf("resume of %q: %v", id, err)
		}
		if err := b.m.Edit(id, b.g, "x", nil, ""); !errors.Is(err, want) {
			t.Errorf("edit of %q: %v", id, err)
		}
	}
	if list, _, err := b.lib.List(runs.Filter{}); err != nil || len(list) != 0 {
		t.Errorf("listed %v, %v", list, err)
	}
}

// The list is newest first, paged, and searched by words of the prompt and by state.
func TestList(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for i := range 5 {
		dir := filepath.Join(b.lib.Base(), fmt.Sprintf("PlanExe_2026010%d_101010", i+1))
		d, err := rundir.Create(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Begin(d, fmt.Sprintf("Plan Nummer %d: eine Bäckerei", i+1), time.Date(2026, 1, i+1, 10, 10, 10, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			_ = d.Write(plan.Complete.Name, []byte("x"))
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ids := func(f runs.Filter) string {
		list, more, err := b.lib.List(f)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, s := range list {
			out = append(out, strings.TrimSuffix(strings.TrimPrefix(s.ID, "PlanExe_2026010"), "_101010"))
		}
		return fmt.Sprint(out, more)
	}
	for want, f := range map[string]runs.Filter{
		"[5 4 3 2 1] false": {},
		"[5 4] true":        {Limit: 2},
		"[3 2] true":        {Limit: 2, After: "PlanExe_20260104_101010"},
		"[1] false":         {Limit: 2, After: "PlanExe_20260102_101010"},
		"[2] false":         {Text: "NUMMER 2"},
		"[3] false":         {States: []runs.State{runs.Completed}},
		"[] false":          {Text: "BÄCKEREI", States: []runs.State{runs.Running}},
	} {
		if got := ids(f); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
}

// Purge spares what is young, live, or of another name; a preview deletes nothing.
func TestPurge(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	live := b.submit("x")
	b.in()
	old := time.Now().Add(-90 * time.Minute)
	make := func(name string, at time.Time, dir bool) {
		path := filepath.Join(b.lib.Base(), name)
		if dir {
			if err := os.Mkdir(path, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(path, "001-2-plan.txt"), []byte("12345"), 0o666); err != nil {
				t.Fatal(err)
			}
			_ = os.Chtimes(filepath.Join(path, "001-2-plan.txt"), at, at)
		} else if err := os.WriteFile(path, []byte("12345"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	make("PlanExe_old", old, true)
	make("PlanExe_old.zip", old, false)
	make("PlanExe_young", time.Now(), true)
	make("PlanExe_grown", old, true)
	grown := filepath.Join(b.lib.Base(), "PlanExe_grown", "001-2-plan.txt")
	_ = os.Chtimes(grown, time.Now(), time.Now())
	make("notes", old, true)
	_ = filepath.WalkDir(filepath.Join(b.lib.Base(), live), func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, old, old))
	})
	want := runs.Purged{Deleted: 2, Bytes: 10, SkippedRecent: 2, SkippedPrefix: 1, SkippedActive: 1}
	for _, preview := range []bool{true, false} {
		got, err := b.m.Purge("PlanExe_", time.Hour, preview)
		if err != nil || got != want {
			t.Errorf("preview %v: %+v, %v", preview, got, err)
		}
	}
	for name, stays := range map[string]bool{"PlanExe_old": false, "PlanExe_old.zip": false, "PlanExe_young": true, "PlanExe_grown": true, "notes": true, live: true} {
		if _, err := os.Stat(filepath.Join(b.lib.Base(), name)); (err == nil) != stays {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.m.Delete(live); !errors.Is(err, runs.ErrActive) {
		t.Errorf("delete of a live run: %v", err)
	}
	if _, err := b.m.Purge("", time.Hour, false); err == nil {
		t.Error("an empty prefix purges everything")
	}
	b.let <- nil
	b.over(live)
	if err := b.m.Delete(live); err != nil {
		t.Error(err)
	}
	if _, err := b.lib.Summary(live); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("after delete: %v", err)
	}
}

// An edit is kept, makes the readers dirty, and can be taken back; what cannot take the place of
// the old text is refused.
func TestEdit(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.submit("x")
	b.in()
	if err := b.m.Edit(id, b.g, plan.PurposePage.Name, []byte("mine"), ""); !errors.Is(err, runs.ErrActive) {
		t.Errorf("edit of a live run: %v", err)
	}
	b.let <- nil
	b.over(id)
	states := func() string {
		in, err := b.m.Inspect(id, b.g)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, s := range in.Steps {
			out = append(out, s.State)
		}
		return strings.Join(out, " ")
	}
	name := plan.PurposePage.Name
	if err := b.m.Edit(id, b.g, name, []byte("mine"), pipeline.Digest([]byte("something else"))); !errors.Is(err, runs.ErrChanged) {
		t.Errorf("a lost race: %v", err)
	}
	if err := b.m.Edit(id, b.g, name, []byte("mine"), pipeline.Digest([]byte("a purpose"))); err != nil {
		t.Fatal(err)
	}
	if got := states(); got != "done dirty done" {
		t.Errorf("after the edit: %s", got)
	}
	if err := b.m.Edit(id, b.g, name, []byte("mine, again"), ""); err != nil {
		t.Fatal(err)
	}
	if err := b.m.Revert(id, name); err != nil {
		t.Fatal(err)
	}
	if got := states(); got != "done done done" {
		t.Errorf("after the revert: %s", got)
	}
	if err := b.m.Revert(id, name); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("second revert: %v", err)
	}
	// An editor of another program writes the file in place.
	file := filepath.Join(b.lib.Base(), id, name)
	if err := os.WriteFile(file, []byte("b purpose"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := states(); got != "done dirty done" {
		t.Errorf("after an edit in place: %s", got)
	}
	list := plan.Assumptions.Name
	for text, want := range map[string]string{
		`[{"question":"q","assumptions":"a"}`: "line 1, column",
		`{"question":"q"}`:                    "has to be a list",
		`[{"question":"q"}]`:                  `lacks the member "assumptions"`,
		`[{"question":"q","assumptions":7}]`:  "[0].assumptions has to be text",
		"":                                    "empty",
		"\xff":                                "UTF-8",
	} {
		err := b.m.Edit(id, b.g, list, []byte(text), "")
		var shape *runs.ShapeError
		if !errors.As(err, &shape) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := b.m.Edit(id, b.g, list, []byte(`[{"question":"q","assumptions":"b"},{"question":"r","assumptions":"c"}]`), ""); err != nil {
		t.Error(err)
	}
	for _, other := range []string{plan.Complete.Name, "log.txt", "../x", ".planexe/events.jsonl", "unknown.md"} {
		if err := b.m.Edit(id, b.g, other, []byte("x"), ""); !errors.Is(err, runs.ErrNotEditable) {
			t.Errorf("edit of %s: %v", other, err)
		}
	}
}

// A summary that was kept beside a log is taken only while the log is the same.
func TestKeptSummary(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.submit("x")
	b.in()
	b.let <- nil
	want := b.over(id)
	path := filepath.Join(b.lib.Base(), id, rundir.Hidden, "summary.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := runs.Open(b.lib.Base(), "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := other.Summary(id); err != nil || !equal(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if err := os.WriteFile(path, bytes.Replace(data, []byte(`"Title":"x"`), []byte(`"Title":"y"`), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	other, _ = runs.Open(b.lib.Base(), "")
	if got, _ := other.Summary(id); got.Title != "y" {
		t.Errorf("the kept summary was not used: %q", got.Title)
	}
	d, err := rundir.Open(filepath.Join(b.lib.Base(), id))
	if err != nil {
		t.Fatal(err)
	}
	_ = d.Append(event.RerunAsked{Steps: []string{"think"}})
	d.Close()
	other, _ = runs.Open(b.lib.Base(), "")
	if got, _ := other.Summary(id); got.Title != "x" {
		t.Errorf("a summary of another log was used: %q", got.Title)
	}
}

// Many runs that were never listed are all there at once, by the ends of their logs; what takes reading follows.
func TestManyUnread(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.submit("Open a bakery")
	b.in()
	b.let <- nil
	want := b.over(id)
	source := filepath.Join(b.lib.Base(), id)
	if err := os.Remove(filepath.Join(source, rundir.Hidden, "summary.json")); err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	const many = 40
	for n := range many {
		if err := os.CopyFS(filepath.Join(base, fmt.Sprintf("PlanExe_%02d", n)), os.DirFS(source)); err != nil {
			t.Fatal(err)
		}
	}
	// One that has not ended, with half a line at the end of its log.
	log := filepath.Join(base, "PlanExe_07", rundir.Hidden, "events.jsonl")
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	cut := bytes.LastIndexByte(data[:len(data)-1], '\n') + 10
	if err := os.WriteFile(log, data[:cut], 0o666); err != nil {
		t.Fatal(err)
	}
	lib, err := runs.Open(base, "")
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		list, _, err := lib.List(runs.Filter{})
		if err != nil || len(list) != many {
			t.Fatalf("%s: %d runs, %v", when, len(list), err)
		}
		for _, s := range list {
			state := runs.Completed
			if s.ID == "PlanExe_07" {
				state = runs.Interrupted
			}
			if s.State != state || s.Title != want.Title || s.Speed != want.Speed || !s.StartedAt.Equal(want.StartedAt) || s.Files != want.Files {
				t.Errorf("%s: %+v, want it like %+v", when, s, want)
			}
		}
	}
	check("at once")
	if done := lib.Behind(); done == nil {
		t.Error("nothing is read behind")
	} else {
		<-done
	}
	check("afterwards")
	kept, err := filepath.Glob(filepath.Join(base, "*", rundir.Hidden, "summary.json"))
	if err != nil || len(kept) != many-1 {
		t.Errorf("%d summaries are kept, %v", len(kept), err)
	}
}

func equal(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// A run that another process holds is live, whoever asks.
func TestHeldByAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	path := filepath.Join(b.lib.Base(), "PlanExe_held")
	d, err := rundir.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := run.Begin(d, "x", time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := b.m.Resume("PlanExe_held", asked, ""); !errors.Is(err, runs.ErrActive) {
		t.Errorf("resume: %v", err)
	}
	if err := b.m.Delete("PlanExe_held"); !errors.Is(err, runs.ErrActive) {
		t.Errorf("delete: %v", err)
	}
}

// A run that is stopped, or interrupted, before it has really begun is that, and did not fail.
func TestStopWhileItBegins(t *testing.T) {
	t.Parallel()
	begins := make(chan bool, 2)
	b := newBench(t, func(o *runs.Options) {
		plan, calls := o.Plan, 0
		o.Plan = func(ctx context.Context, asked event.RunQueued, key string) (run.Spec, error) {
			if calls++; calls <= 2 { // one after the other
				begins <- true
				<-ctx.Done()
				return run.Spec{}, ctx.Err()
			}
			return plan(ctx, asked, key)
		}
	})
	stopped := b.submit("stopped")
	<-begins
	if live, err := b.m.Stop(stopped); !live || err != nil {
		t.Fatal(live, err)
	}
	if s := b.over(stopped); s.State != runs.Stopped {
		t.Errorf("%s: %+v", s.State, s.Reason)
	}
	if l := b.m.Live(stopped); l.Code == nil || *l.Code != -15 {
		t.Errorf("%+v", l)
	}
	from := asked
	from.From = "think"
	id, err := b.m.Submit(t.Context(), "interrupted", true, from, "")
	if err != nil {
		t.Fatal(err)
	}
	<-begins
	if err := b.m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err := b.lib.Summary(id); err != nil || s.State != runs.Interrupted {
		t.Errorf("%s, %v", s.State, err)
	}
	b.start()
	if n, err := b.m.Recover(); n != 1 || err != nil {
		t.Errorf("%d recovered, %v", n, err)
	}
	b.in()
	if v, err := b.m.View(id); err != nil || v.Asked.From != "think" || v.Seq == 0 {
		t.Errorf("what was asked for is forgotten: %+v, %v", v.Asked, err)
	}
	b.let <- nil
	if s := b.over(id); s.State != runs.Completed {
		t.Errorf("%s: %+v", s.State, s.Reason)
	}
}

// A view is that of the log, whether the run is live, over, or has gone on since; it is the caller's.
func TestView(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.submit("x")
	b.in()
	live, err := b.m.View(id)
	if err != nil || len(live.State.Steps) != 3 || live.Seq == 0 || live.Asked.Model != "auto" {
		t.Errorf("%+v, %v", live, err)
	}
	b.let <- nil
	b.over(id)
	over, err := b.m.View(id)
	if err != nil || over.Seq <= live.Seq || over.State.Outcome != event.Complete {
		t.Errorf("%+v, %v", over, err)
	}
	over.State.Steps[0].Name = "mine"
	if again, _ := b.m.View(id); again.State.Steps[0].Name == "mine" || again.Seq != over.Seq {
		t.Errorf("%+v", again.State.Steps[0])
	}
	if err := b.m.Resume(id, asked, ""); err != nil {
		t.Fatal(err)
	}
	b.over(id)
	if on, err := b.m.View(id); err != nil || on.Seq <= over.Seq {
		t.Errorf("%d after %d, %v", on.Seq, over.Seq, err)
	}
	seen := 0
	if err := b.lib.Events(id, over.Seq, func(l runs.Line) bool { seen++; return l.Seq < over.Seq+2 }); err != nil || seen != 2 {
		t.Errorf("%d events, %v", seen, err)
	}
	if _, err := b.m.View("nobody"); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
