package rundir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"planexe/internal/event"
)

func kept(n int) event.StepKept { return event.StepKept{Step: fmt.Sprint(n)} }

// logged is a closed directory whose log holds n events.
func logged(t *testing.T, n int) (path, events string) {
	t.Helper()
	d, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := d.Append(kept(i + 1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return d.Path(), filepath.Join(d.Path(), eventsPath)
}

func numbers(t *testing.T, d *Dir) []int64 {
	t.Helper()
	var seen []int64
	if err := d.Replay(func(e event.Event) { seen = append(seen, e.Seq) }); err != nil {
		t.Fatal(err)
	}
	return seen
}

// A crash can cut the last append anywhere: what is whole stays, the rest goes, and the log goes
// on without a gap.
func TestTornEnd(t *testing.T) {
	t.Parallel()
	path, events := logged(t, 3)
	whole, err := os.ReadFile(events)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	start := len(lines[0]) + len(lines[1])
	tails := []string{"\x00\x00\x00\x00", "{", "{}\n", "null\n", "\n", "not json\n", `{"seq":7}` + "\n", lines[2], `{"seq":4,"time":"never"}` + "\n"}
	for cut := start; cut < len(whole); cut++ {
		tails = append(tails, "cut:"+string(whole[start:cut]))
	}
	for _, tail := range tails {
		text, want := string(whole)+tail, 3
		if rest, ok := strings.CutPrefix(tail, "cut:"); ok {
			text, want = string(whole[:start])+rest, 2
		}
		if err := os.WriteFile(events, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		// A reader sees what is whole and mends nothing.
		r, err := OpenRead(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := numbers(t, r); len(got) != want {
			t.Errorf("tail %q: a reader sees %v", tail, got)
		}
		r.Close()
		if now, _ := os.ReadFile(events); string(now) != text {
			t.Fatalf("tail %q: reading changed the log", tail)
		}
		d, err := Open(path)
		if err != nil {
			t.Fatalf("tail %q: %v", tail, err)
		}
		if err := d.Append(kept(9)); err != nil {
			t.Fatal(err)
		}
		got := numbers(t, d)
		d.Close()
		if len(got) != want+1 || got[want] != int64(want+1) {
			t.Errorf("tail %q: numbers %v, want 1 to %d", tail, got, want+1)
		}
	}
}

// Damage before the last line is not what a crash leaves: it is told with its line, and nothing
// is thrown away.
func TestDamagedMiddle(t *testing.T) {
	t.Parallel()
	path, events := logged(t, 4)
	whole, err := os.ReadFile(events)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(whole), "\n"), "\n")
	for name, damaged := range map[string][]string{
		"junk":          {lines[0], "junk\n", lines[2], lines[3] + "\n"},
		"empty line":    {lines[0], "\n", lines[1], lines[2]},
		"null":          {lines[0], "null\n", lines[2], lines[3] + "\n"},
		"lost line":     {lines[0], lines[2], lines[3] + "\n"},
		"doubled line":  {lines[0], lines[0], lines[1]},
		"wrong payload": {lines[0], strings.Replace(lines[1], `{"step":"2"}`, `{"step":2}`, 1), lines[2]},
	} {
		text := strings.Join(damaged, "")
		if err := os.WriteFile(events, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		d, err := Open(path)
		if err == nil {
			d.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		if !strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), events) {
			t.Errorf("%s: %q does not name line 2 of %s", name, err, events)
		}
		if now, _ := os.ReadFile(events); string(now) != text {
			t.Errorf("%s: the log was changed", name)
		}
		// The failed Open holds no lock: the next one says the same, not that it is in use.
		if _, again := Open(path); again == nil || again.Error() != err.Error() {
			t.Errorf("%s: a second Open says %v", name, again)
		}
	}
}

// An append that fails half way leaves a log that can be read and appended to.
func TestFailedAppend(t *testing.T) {
	t.Parallel()
	d, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Append(kept(1)); err != nil {
		t.Fatal(err)
	}
	var seen []int64
	d.Watch(func(e event.Event) { seen = append(seen, e.Seq) })

	good := d.log
	broken, err := d.root.Open(eventsPath) // for reading only: cannot be written, nor cut
	if err != nil {
		t.Fatal(err)
	}
	d.log = broken
	if err := d.Append(kept(2), kept(3)); err == nil {
		t.Fatal("writing to a broken log went through")
	}
	// What such a failure can leave behind: more than the next append is long.
	if _, err := good.WriteAt([]byte(strings.Repeat(`{"seq":2,"half":`, 50)+"\n{}\n"), d.size); err != nil {
		t.Fatal(err)
	}
	if err := d.Append(kept(2)); err == nil {
		t.Fatal("appending behind half a line went through")
	}
	d.log = good
	broken.Close()
	if err := d.Append(kept(2)); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, d); !slices.Equal(got, []int64{1, 2}) || !slices.Equal(seen, []int64{2}) {
		t.Errorf("log %v, watched %v", got, seen)
	}
	if text, _ := d.root.ReadFile(eventsPath); strings.Contains(string(text), "half") {
		t.Error("the half line is still there")
	}
}

type unwritable struct{ event.StepKept }

func (unwritable) MarshalJSON() ([]byte, error) { return nil, errors.New("no") }

// An event that cannot be encoded is told, and none of its company is written.
func TestAppendAllOrNothing(t *testing.T) {
	t.Parallel()
	d, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Append(kept(1), unwritable{}); err == nil {
		t.Error("no error")
	}
	if err := d.Append(); err != nil {
		t.Errorf("appending nothing: %v", err)
	}
	if got := numbers(t, d); len(got) != 0 {
		t.Errorf("numbers %v", got)
	}
}

// Watchers see every event once, in order, before Append returns; a reopened log goes on counting.
func TestWatch(t *testing.T) {
	t.Parallel()
	path, _ := logged(t, 2)
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var first, second []int64
	d.Watch(func(e event.Event) { first = append(first, e.Seq) })
	if err := d.Append(kept(3), kept(4)); err != nil {
		t.Fatal(err)
	}
	d.Watch(func(e event.Event) {
		second = append(second, e.Seq)
		if e.Time.IsZero() || e.Data.Type() != "step.kept" {
			t.Errorf("event %+v", e)
		}
	})
	if err := d.Append(kept(5)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(first, []int64{3, 4, 5}) || !slices.Equal(second, []int64{5}) {
		t.Errorf("watched %v and %v", first, second)
	}
}
