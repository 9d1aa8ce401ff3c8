package queue_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/event"
	"planexe/internal/queue"
	"planexe/internal/rundir"
)

func (b *bench) open(l queue.Lease, base string) *queue.Store {
	b.t.Helper()
	s, err := b.q.OpenStore(b.t.Context(), l, queue.StoreOptions{Base: base})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { s.Close() })
	return s
}

// next has the task's lease run out and another worker claim it.
func (b *bench) next(l queue.Lease) queue.Lease {
	b.t.Helper()
	b.lapse(l.ID)
	b.exec("update task_item set crashes = 0 where id = $1", l.ID)
	if n, err := b.q.Reap(b.t.Context(), b.b); err != nil || n != 1 {
		b.t.Fatal(n, err)
	}
	return b.claim(b.b, 1)[0].Lease
}

func answer(key string) event.CallAnswered {
	return event.CallAnswered{Key: key, Step: "s", Answer: []byte(`{"text": "` + strings.Repeat("long ", 100) + `"}`)}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// content is all of a store: files and events.
func content(t *testing.T, s *queue.Store) (files map[string]string, keys []string) {
	t.Helper()
	files = map[string]string{}
	names, err := s.Names()
	must(t, err)
	for _, n := range names {
		data, err := s.Read(n)
		must(t, err)
		files[n] = string(data)
	}
	must(t, s.Replay(func(e event.Event) {
		if a, ok := e.Data.(event.CallAnswered); ok {
			keys = append(keys, a.Key)
		}
	}))
	return files, keys
}

// Ensure that another worker with an empty disk has every file and every answer that the first one
// was told is stored, and that the first can add nothing.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	x := b.claimed()
	first := b.open(x.Lease, t.TempDir())
	must(t, first.Write("001-2-plan.txt", []byte("Plan:\nx")))
	must(t, first.Append(answer("one"), event.StepStarted{Step: "a"}))
	must(t, first.Write("big.md", bytes.Repeat([]byte("text "), 10_000)))
	must(t, first.Write("gone.md", []byte("x")))
	must(t, first.Remove("gone.md"))
	must(t, first.Write("empty.txt", nil))
	must(t, first.Append(answer("two")))
	wantFiles, wantKeys := content(t, first)

	second := b.open(b.next(x.Lease), t.TempDir())
	files, keys := content(t, second)
	if !cmp.Equal(files, wantFiles) || !slices.Equal(keys, wantKeys) {
		t.Errorf("elsewhere there are %v, want %v; files:\n%s", keys, wantKeys, cmp.Diff(wantFiles, files))
	}
	must(t, second.Append(answer("three")))
	if err := first.Append(answer("late")); !errors.Is(err, queue.ErrLost) {
		t.Errorf("a late answer: %v", err)
	}
	var log []string
	last := int64(0)
	must(t, b.q.Log(t.Context(), x.ID, 1, func(e event.Event) {
		if e.Seq != last+1 && last != 0 {
			t.Errorf("event %d follows %d", e.Seq, last)
		}
		last = e.Seq
		if a, ok := e.Data.(event.CallAnswered); ok {
			log = append(log, a.Key)
		}
	}))
	if !slices.Equal(log, []string{"two", "three"}) { // behind event 1
		t.Errorf("the log behind event 1 holds %v", log)
	}
}

// Ensure that the same machine sends what the database did not get, and that a directory that has
// been overtaken is not used.
func TestSameDisk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	base := t.TempDir()
	x := b.claimed()
	s := b.open(x.Lease, base)
	must(t, s.Write("a.md", []byte("1")))
	must(t, s.Append(answer("one")))
	s.Abandon(errors.New("the database is gone"))
	must(t, s.Dir.Write("a.md", []byte("2"))) // what a process does whose database is gone
	must(t, s.Dir.Write("b.md", []byte("new")))
	must(t, s.Dir.Append(answer("two")))
	must(t, s.Close())

	l := b.next(x.Lease)
	s = b.open(l, base)
	if data, err := b.q.Artifact(t.Context(), x.ID, "a.md"); err != nil || string(data) != "2" {
		t.Errorf("a.md is %q, %v", data, err)
	}
	if _, err := b.q.Artifact(t.Context(), x.ID, "b.md"); err != nil {
		t.Error(err)
	}
	want, wantKeys := content(t, s)
	must(t, s.Close())

	elsewhere := b.open(b.next(l), t.TempDir())
	if files, keys := content(t, elsewhere); !cmp.Equal(files, want) || !slices.Equal(keys, wantKeys) {
		t.Errorf("%v, %v", files, keys)
	}
	must(t, elsewhere.Write("a.md", []byte("3")))
	must(t, elsewhere.Close())

	var row struct{ attempt int32 }
	b.one("select attempt from task_item", &row.attempt)
	back := b.open(b.next(queue.Lease{ID: x.ID, Attempt: row.attempt}), base) // overtaken in the meantime
	if data, err := back.Read("a.md"); err != nil || string(data) != "3" {
		t.Errorf("the old directory is used: %q, %v", data, err)
	}
	aside, _ := filepath.Glob(filepath.Join(base, "*.aside-*"))
	if len(aside) != 1 {
		t.Errorf("moved aside are %v", aside)
	}
}

// Ensure that a directory which a stalled process still holds does not keep the next attempt on the same disk from working.
func TestHeldDirectory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	base := t.TempDir()
	x := b.claimed()
	stalled := b.open(x.Lease, base)
	must(t, stalled.Append(answer("one")))
	must(t, stalled.Write("a.md", []byte("1")))
	s := b.open(b.next(x.Lease), base)
	if _, keys := content(t, s); len(keys) != 1 || s.Path() == stalled.Path() {
		t.Errorf("%v in %s", keys, s.Path())
	}
	must(t, s.Write("a.md", []byte("2")))
	if err := stalled.Write("a.md", []byte("late")); !errors.Is(err, queue.ErrLost) {
		t.Error(err)
	}
}

// Ensure that a retry from nothing starts from nothing, on the same disk too.
func TestAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	base := t.TempDir()
	x := b.claimed()
	s := b.open(x.Lease, base)
	must(t, s.Write("a.md", []byte("1")))
	must(t, s.Append(answer("one")))
	must(t, s.Close())
	must(t, b.q.Finish(t.Context(), b.a, x, queue.Ending{State: queue.Failed}))
	must(t, b.q.Retry(t.Context(), x.ID, root, true))
	s = b.open(b.claim(b.a, 1)[0].Lease, base)
	if files, keys := content(t, s); len(files)+len(keys) > 0 {
		t.Errorf("%v, %v", files, keys)
	}
}

// Ensure that a directory of the reference is gone on in.
func TestAdoptDirectory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	base := t.TempDir()
	x := b.claimed()
	path := filepath.Join(base, x.ID.String())
	must(t, os.MkdirAll(path, 0o777))
	must(t, os.WriteFile(filepath.Join(path, "001-2-plan.txt"), []byte("Plan:\nx"), 0o666))
	s := b.open(x.Lease, base)
	if data, err := b.q.Artifact(t.Context(), x.ID, "001-2-plan.txt"); err != nil || string(data) != "Plan:\nx" || s.Path() != path {
		t.Errorf("%q, %v", data, err)
	}
}

// F19: Ensure that a file above the limit stays here, is told, and leaves no older version in the database.
func TestF19TooBig(t *testing.T) {
	t.Parallel()
	b := setup(t)
	x := b.claimed()
	var told []string
	s, err := b.q.OpenStore(t.Context(), x.Lease, queue.StoreOptions{Base: t.TempDir(), MaxArtifact: 100, TooBig: func(name string, _ int) { told = append(told, name) }})
	must(t, err)
	defer s.Close()
	must(t, s.Write("a", []byte("small")))
	must(t, s.Write("a", bytes.Repeat([]byte("x"), 101)))
	if _, err := b.q.Artifact(t.Context(), x.ID, "a"); !errors.Is(err, queue.ErrNotFound) || !slices.Equal(told, []string{"a"}) {
		t.Errorf("%v, %v", told, err)
	}
	if data, err := s.Read("a"); err != nil || len(data) != 101 {
		t.Error(err)
	}
}

// Ensure that no call starts during a pause, that answers are kept, and that the end of the pause and of the store free who waits.
func TestPause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	x := b.claimed()
	s := b.open(x.Lease, t.TempDir())
	s.Pause()
	must(t, s.Append(answer("one"))) // what is under way ends
	started := make(chan error, 2)
	start := func() { started <- s.Append(event.CallStarted{Key: "two"}) }
	go start()
	select {
	case err := <-started:
		t.Fatalf("a call starts: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	s.Resume()
	must(t, <-started)
	s.Pause()
	go start()
	s.Abandon(queue.ErrLost)
	if err := <-started; !errors.Is(err, queue.ErrLost) {
		t.Error(err)
	}
}

// Ensure that only directories go that nothing needs: ended ones with everything stored, and
// overtaken ones, and none that is in use.
func TestSweep(t *testing.T) {
	t.Parallel()
	b := setup(t)
	base := t.TempDir()
	done, running, unsent := b.open(b.claimed().Lease, base), b.open(b.claimed().Lease, base), b.open(b.claimed().Lease, base)
	must(t, done.MarkFinished())
	must(t, running.MarkFinished()) // and yet it is held
	must(t, done.Close())
	must(t, unsent.Close())
	foreign := filepath.Join(base, "PlanExe_20260101_000000")
	d, err := rundir.Create(foreign)
	must(t, err)
	d.Close()
	if n, err := queue.Sweep(base, time.Hour); err != nil || n != 0 {
		t.Errorf("young ones: %d, %v", n, err)
	}
	if n, err := queue.Sweep(base, 0); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	for path, want := range map[string]bool{done.Path(): false, running.Path(): true, unsent.Path(): true, foreign: true} {
		if _, err := os.Stat(path); (err == nil) != want || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Ensure that rows of the database cannot name files outside the directory.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"../x", "/etc/x", ".planexe", "a/b"} {
		x := b.claimed()
		b.exec("insert into task_artifact (task_id, name, size, sha256, encoding, body) values ($1, $2, 1, '\\x2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881', 'identity', 'x')", x.ID, name)
		if s, err := b.q.OpenStore(t.Context(), x.Lease, queue.StoreOptions{Base: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "no file of a run") {
			t.Errorf("%s: %v", name, err)
			if s != nil {
				s.Close()
			}
		}
	}
}
