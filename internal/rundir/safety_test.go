package rundir_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"planexe/internal/rundir"
)

// Nothing but plain names of the directory itself can be read, written, removed or set aside.
func TestPathSafety(t *testing.T) {
	t.Parallel()
	d := create(t)
	outside := filepath.Join(filepath.Dir(d.Path()), "outside.md")
	put(t, outside, "secret")
	put(t, filepath.Join(d.Path(), "folder", "x.md"), "inner")
	for _, name := range []string{
		"", ".", "..", "../outside.md", "folder/x.md", "/etc/passwd", outside, `..\outside.md`, `a\b`, "C:x", "a:stream",
		".hidden", ".planexe", ".planexe/events.jsonl", "x/../a.md", "./a.md", "a/", "a\x00b",
	} {
		if _, err := d.Read(name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Read(%q): %v", name, err)
		}
		if f, err := d.Open(name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open(%q): %v %v", name, f, err)
		}
		if err := d.Write(name, []byte("x")); err == nil {
			t.Errorf("Write(%q) went through", name)
		}
		if err := d.Remove(name); err == nil {
			t.Errorf("Remove(%q) went through", name)
		}
		if err := d.SetAside(name); err == nil {
			t.Errorf("SetAside(%q) went through", name)
		}
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "secret" {
		t.Errorf("outside: %q %v", got, err)
	}
	if left, _ := filepath.Glob(filepath.Join(d.Path(), ".planexe", "tmp", "*")); len(left) > 0 {
		t.Errorf("refused writes left %v", left)
	}
}

// Links in a directory that came from elsewhere lead nowhere.
func TestLinksOut(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	secret := filepath.Join(home, "secret.md")
	put(t, secret, "secret")
	d := create(t)
	link(t, secret, filepath.Join(d.Path(), "a.md"))
	link(t, "../../secret.md", filepath.Join(d.Path(), "b.md"))
	link(t, secret, filepath.Join(d.Path(), "log.txt"))
	for _, name := range []string{"a.md", "b.md"} {
		if got, err := d.Read(name); err == nil {
			t.Errorf("Read(%q) followed the link: %q", name, got)
		}
		if err := d.SetAside(name); err == nil {
			t.Errorf("SetAside(%q) followed the link", name)
		}
	}
	if f, err := d.OpenLog(); err == nil {
		f.Close()
		t.Error("OpenLog followed the link")
	}
	// Writing replaces the link, not what it points to.
	if err := d.Write("a.md", []byte("ours")); err != nil {
		t.Errorf("Write over a link: %v", err)
	}
	if got, err := d.Read("a.md"); err != nil || string(got) != "ours" {
		t.Errorf("read %q %v", got, err)
	}
	if got, _ := os.ReadFile(secret); string(got) != "secret" {
		t.Errorf("the linked file holds %q now", got)
	}
}

// A hidden folder made by somebody else cannot lead Open out of the directory either.
func TestHiddenLinksOut(t *testing.T) {
	t.Parallel()
	for _, at := range []string{".planexe", ".planexe/tmp", ".planexe/lock", ".planexe/lock.owner", ".planexe/events.jsonl"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			path, target := t.TempDir(), t.TempDir()
			to := filepath.Join(target, "there")
			put(t, to, "secret")
			if at == ".planexe" || at == ".planexe/tmp" {
				to = target
			}
			put(t, filepath.Join(path, "001-2-plan.txt"), "Plan:")
			if at != ".planexe" {
				if err := os.Mkdir(filepath.Join(path, ".planexe"), 0o777); err != nil {
					t.Fatal(err)
				}
			}
			link(t, to, filepath.Join(path, at))
			d, err := rundir.Open(path)
			if err == nil {
				t.Error("Open followed the link")
				_ = d.Write("a.md", []byte("x"))
				d.Close()
			}
			entries, err := os.ReadDir(target)
			if err != nil || len(entries) != 1 {
				t.Errorf("outside there is now %v %v", entries, err)
			}
			if got, err := os.ReadFile(filepath.Join(target, "there")); err != nil || string(got) != "secret" {
				t.Errorf("outside: %q %v", got, err)
			}
		})
	}
}
