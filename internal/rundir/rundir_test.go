package rundir_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/rundir"
)

func create(t *testing.T) *rundir.Dir {
	t.Helper()
	d, err := rundir.Create(filepath.Join(t.TempDir(), "PlanExe_1", "deep"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Skipf("this system makes no links: %v", err)
	}
}

func TestArtifacts(t *testing.T) {
	t.Parallel()
	d := create(t)
	if _, err := d.Read("a.md"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing artifact: %v", err)
	}
	if err := d.Remove("a.md"); err != nil {
		t.Errorf("removing a missing artifact: %v", err)
	}
	for _, text := range []string{"one", "", "Größe ü\n"} { // the second and third replace
		if err := d.Write("a.md", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Read("a.md"); err != nil || string(got) != text {
			t.Errorf("read %q, %v; want %q", got, err, text)
		}
	}
	if err := d.SetAside("a.md"); err != nil {
		t.Fatal(err)
	}
	if err := d.SetAside("a.md"); err != nil {
		t.Errorf("setting aside a second time: %v", err)
	}
	if err := d.SetAside("ghost.md"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("setting aside what is not there: %v", err)
	}
	if err := d.Remove("a.md"); err != nil {
		t.Fatal(err)
	}
	aside, err := filepath.Glob(filepath.Join(d.Path(), ".planexe", "replaced", "*-a.md"))
	if err != nil || len(aside) != 2 {
		t.Fatalf("set aside: %v %v", aside, err)
	}
	if got, err := os.ReadFile(aside[0]); err != nil || string(got) != "Größe ü\n" {
		t.Errorf("set aside %q %v", got, err)
	}
	if names, err := d.Names(); err != nil || len(names) != 0 {
		t.Errorf("names %v %v", names, err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	d := create(t)
	for _, name := range []string{"002-2-b.md", "002-10-a.md", "log.txt", "track_activity.jsonl"} {
		if err := d.Write(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(d.Path(), ".DS_Store"), "")
	put(t, filepath.Join(d.Path(), "folder", "x.md"), "")
	link(t, "002-2-b.md", filepath.Join(d.Path(), "link.md"))
	want := []string{"002-10-a.md", "002-2-b.md", "log.txt", "track_activity.jsonl"}
	if got, err := d.Names(); err != nil || !slices.Equal(got, want) {
		t.Errorf("names %v %v, want %v", got, err, want)
	}
}

// What a crash leaves of a write is no artifact and is gone after the next start.
func TestCrashLeavesNoPartialArtifact(t *testing.T) {
	t.Parallel()
	d := create(t)
	if err := d.Write("a.md", []byte("whole")); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(d.Path(), ".planexe", "tmp", "a.md.17")
	put(t, left, "who")
	if names, _ := d.Names(); !slices.Equal(names, []string{"a.md"}) {
		t.Errorf("names %v", names)
	}
	var z bytes.Buffer
	if err := d.Zip(&z); err != nil || bytes.Contains(z.Bytes(), []byte("a.md.17")) {
		t.Errorf("the archive has it: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = reopen(t, d.Path())
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the leftover is still there: %v", err)
	}
	if got, err := d.Read("a.md"); err != nil || string(got) != "whole" {
		t.Errorf("read %q %v", got, err)
	}
}

// A write that cannot be finished leaves the artifact as it was, and nothing else.
func TestFailedWrite(t *testing.T) {
	t.Parallel()
	d := create(t)
	put(t, filepath.Join(d.Path(), "taken", "x"), "") // a folder stands where the file should go
	if err := d.Write("taken", []byte("x")); err == nil {
		t.Fatal("a folder was replaced")
	}
	if left, _ := filepath.Glob(filepath.Join(d.Path(), ".planexe", "tmp", "*")); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

func reopen(t *testing.T, path string) *rundir.Dir {
	t.Helper()
	d, err := rundir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	d := create(t)
	texts := []string{strings.Repeat("a", 5000), strings.Repeat("b", 9000)}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				if err := d.Write("shared.md", []byte(texts[i%2])); err != nil {
					t.Error(err)
				}
				if got, err := d.Read("shared.md"); err != nil || !slices.Contains(texts, string(got)) {
					t.Errorf("read %d bytes, %v: neither of what was written", len(got), err)
				}
				if err := d.Append(event.StepKept{Step: "a"}, event.StepKept{Step: "b"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	n := int64(0)
	if err := d.Replay(func(e event.Event) {
		if n++; e.Seq != n {
			t.Errorf("event %d has number %d", n, e.Seq)
		}
		if want := []string{"b", "a"}[n%2]; e.Data.(event.StepKept).Step != want {
			t.Errorf("event %d is of step %s: events of one append were torn apart", n, e.Data.(event.StepKept).Step)
		}
	}); err != nil || n != 160 {
		t.Errorf("%d events, %v", n, err)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	put(t, filepath.Join(base, "holiday", "photo.jpg"), "")
	put(t, filepath.Join(base, "file"), "")
	if err := os.Mkdir(filepath.Join(base, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := rundir.Create(filepath.Join(base, "holiday"))
	var foreign *rundir.ForeignError
	if !errors.As(err, &foreign) || foreign.Found != "photo.jpg" || !strings.Contains(err.Error(), "photo.jpg") {
		t.Errorf("a directory of somebody else: %v", err)
	}
	if _, err := os.Stat(filepath.Join(base, "holiday", ".planexe")); err == nil {
		t.Error("it was written to all the same")
	}
	if _, err := rundir.Create(filepath.Join(base, "file")); err == nil {
		t.Error("a file was taken as directory")
	}
	if _, err := rundir.Open(filepath.Join(base, "ghost")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening what is not there: %v", err)
	}
	for _, name := range []string{"empty", "new/with/parents"} {
		d, err := rundir.Create(filepath.Join(base, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if info, err := os.Stat(filepath.Join(d.Path(), rundir.Hidden)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
			t.Errorf("%s: others can read the log: %v, %v", name, info.Mode(), err)
		}
		if !filepath.IsAbs(d.Path()) || !rundir.IsRun(d.Path()) {
			t.Errorf("%s: path %s is no run", name, d.Path())
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if _, err := rundir.Create(filepath.Join(base, name)); !errors.As(err, &foreign) {
			t.Errorf("%s, a second time: %v", name, err)
		}
	}
	put(t, filepath.Join(base, "reference", "001-2-plan.txt"), "Plan:")
	for name, want := range map[string]bool{"holiday": false, "file": false, "ghost": false, "reference": true} {
		if got := rundir.IsRun(filepath.Join(base, name)); got != want {
			t.Errorf("IsRun(%s) = %v", name, got)
		}
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	d := create(t)
	_, err := rundir.Open(d.Path())
	var locked *rundir.LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("a second Open: %v", err)
	}
	host, _ := os.Hostname()
	if locked.Owner.PID != os.Getpid() || locked.Owner.Host != host || locked.Owner.Since.IsZero() || locked.Path != d.Path() {
		t.Errorf("owner %+v of %s", locked.Owner, locked.Path)
	}
	for _, part := range []string{d.Path(), "in use by process", locked.Owner.Command} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	// The failed Open took nothing away from the owner.
	if err := d.Write("a.md", nil); err != nil {
		t.Error(err)
	}
	if _, err := rundir.Open(d.Path()); !errors.As(err, &locked) || locked.Owner.PID == 0 {
		t.Errorf("a third Open: %v", err)
	}
	// An owner's note that cannot be read is no reason to take the directory.
	put(t, filepath.Join(d.Path(), ".planexe", "lock.owner"), "{")
	if _, err := rundir.Open(d.Path()); !errors.As(err, &locked) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("with a damaged note: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	reopen(t, d.Path())
}

func TestOpenRead(t *testing.T) {
	t.Parallel()
	d := create(t)
	if err := d.Append(event.StepKept{Step: "a"}); err != nil {
		t.Fatal(err)
	}
	r, err := rundir.OpenRead(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	// What is written afterwards is seen too.
	if err := errors.Join(d.Write("a.md", []byte("x")), d.Append(event.StepKept{Step: "b"})); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Read("a.md"); err != nil || string(got) != "x" {
		t.Errorf("read %q %v", got, err)
	}
	n := 0
	if err := r.Replay(func(event.Event) { n++ }); err != nil || n != 2 {
		t.Errorf("%d events, %v", n, err)
	}
	if err := r.Append(event.StepKept{}); err == nil || !strings.Contains(err.Error(), "reading only") {
		t.Errorf("append to a reader: %v", err)
	}
	// It changes nothing, also in a directory that has no log.
	plain := t.TempDir()
	put(t, filepath.Join(plain, "001-2-plan.txt"), "Plan:")
	p, err := rundir.OpenRead(plain)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Replay(func(event.Event) { t.Error("an event") }); err != nil {
		t.Error(err)
	}
	if err := p.Write("a.md", nil); err == nil {
		t.Error("a reader wrote")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(plain); len(entries) != 1 {
		t.Errorf("reading left %v", entries)
	}
}

func TestZip(t *testing.T) {
	t.Parallel()
	archive := func(names ...string) []byte {
		d := create(t)
		for _, name := range names {
			if err := d.Write(name, []byte("content of "+name)); err != nil {
				t.Fatal(err)
			}
		}
		put(t, filepath.Join(d.Path(), "log.txt"), "noise "+d.Path())
		put(t, filepath.Join(d.Path(), ".secret"), "hidden")
		put(t, filepath.Join(d.Path(), "folder", "x.md"), "inner")
		link(t, "/etc/passwd", filepath.Join(d.Path(), "link.txt"))
		if err := d.Append(event.StepKept{Step: d.Path()}); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := d.Zip(&out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	one, two := archive("b.md", "a.md", "030-report.html"), archive("030-report.html", "a.md", "b.md")
	if !bytes.Equal(one, two) {
		t.Error("equal runs make different archives")
	}
	z, err := zip.NewReader(bytes.NewReader(one), int64(len(one)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		if time.Since(f.Modified) < 24*time.Hour {
			t.Errorf("%s bears the time %s: the archive depends on the clock", f.Name, f.Modified)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != "content of "+f.Name {
			t.Errorf("%s holds %q %v", f.Name, got, err)
		}
	}
	if want := []string{"030-report.html", "a.md", "b.md"}; !slices.Equal(names, want) {
		t.Errorf("the archive holds %v, want %v", names, want)
	}
}
