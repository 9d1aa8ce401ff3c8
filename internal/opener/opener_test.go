package opener

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const run = "PlanExe_20260314_091527"

// fake remembers what it was told to show.
type fake struct {
	shown []string
	err   error
}

func (f *fake) launch(_ context.Context, path string) error {
	f.shown = append(f.shown, path)
	return f.err
}

// folder makes a base directory with a run, a file, links and a directory that is no run, and its
// opener. A second base stands beside it whose name begins with that of the first.
func folder(t *testing.T) (*Folder, *fake) {
	t.Helper()
	root := t.TempDir()
	base := filepath.Join(root, "run")
	for _, dir := range []string{run, run + "_2", "PlanExe_7c1f0b52-6a3e-4d0f-9b64-2f8f5c1d9e07", "7c1f0b52-6a3e-4d0f-9b64-2f8f5c1d9e07", "other", "other/" + run, "../run2/" + run} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(base, "PlanExe_1_1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"PlanExe_2_2": root, "PlanExe_3_3": filepath.Join(base, run), "PlanExe_4_4": "/nowhere", "../link": base} {
		if err := os.Symlink(to, filepath.Join(base, name)); err != nil {
			t.Fatal(err)
		}
	}
	f := &fake{}
	o, err := New(base, f.launch)
	if err != nil {
		t.Fatal(err)
	}
	return o, f
}

// Ensure that only directories of runs right in the base directory are shown.
func TestOpen(t *testing.T) {
	t.Parallel()
	o, f := folder(t)
	base := o.Base()
	for _, tt := range []struct {
		name, path string
		status     int // 0 is success
	}{
		{"timestamp", base + "/" + run, 0},
		{"second of the same second", base + "/" + run + "_2", 0},
		{"UUID", base + "/PlanExe_7c1f0b52-6a3e-4d0f-9b64-2f8f5c1d9e07", 0},
		{"queued task", base + "/7c1f0b52-6a3e-4d0f-9b64-2f8f5c1d9e07", 0},
		{"separator at the end", base + "/" + run + "/", 0},
		{"up and down again", base + "/../run/" + run, 0},
		{"missing", base + "/PlanExe_20260314_091528", 404},
		{"a file", base + "/PlanExe_1_1", 404},
		{"link out of the base", base + "/PlanExe_2_2", 403},
		{"link inside of the base", base + "/PlanExe_3_3", 403},
		{"link to nowhere", base + "/PlanExe_4_4", 403},
		{"deeper", base + "/other/" + run, 403},
		{"base whose name begins the same", base + "2/" + run, 403},
		{"outside, existing or not", "/nowhere/" + run, 403},
		{"network share", `\\evil.example\share/` + run, 403},
		{"network share with slashes", "//evil.example/share/" + run, 403},
		{"relative", run, 403},
		{"relative below the base's name", "run/" + run, 403},
		{"another user's home", "~root/run/" + run, 403},
		{"NUL in the middle", base + "\x00/" + run, 403},
		{"NUL at the end", base + "/" + run + "\x00", 400},
		{"URL", "file://" + base + "/" + run, 403},
		{"base itself", base, 400},
		{"no run", base + "/other", 400},
		{"empty", "", 400},
		{"root", "/", 400},
		{"dots behind the name", base + "/" + run + "/..", 400},
		{"below a run", base + "/" + run + "/.planexe", 400},
		{"line feed behind the name", base + "/" + run + "\n", 400},
		{"prefix only", base + "/PlanExe_", 400},
		{"letters", base + "/PlanExe_2026_x", 400},
		{"digits of another script", base + "/PlanExe_٢٠٢٦_١", 400},
		{"lower-case prefix", base + "/planexe_1_1", 400},
		{"upper-case UUID", base + "/7C1F0B52-6A3E-4D0F-9B64-2F8F5C1D9E07", 400},
		{"UUID of version 1", base + "/7c1f0b52-6a3e-1d0f-9b64-2f8f5c1d9e07", 400},
		{"option", "--help", 400},
		{"command", base + "/" + run + "; rm -rf x", 400},
		{"long", base + "/" + strings.Repeat("x", 100_000), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.shown = nil
			got, err := o.Open(t.Context(), tt.path)
			if tt.status == 0 {
				want := filepath.Clean(tt.path)
				if err != nil || got != want || !slices.Equal(f.shown, []string{want}) {
					t.Errorf("got %q, %v, shown %q", got, err, f.shown)
				}
				return
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Status != tt.status || len(f.shown) > 0 {
				t.Errorf("got %q, %v, shown %q; want status %d", got, err, f.shown, tt.status)
			}
		})
	}
}

// Ensure that the base directory may be spelt as it was configured, and that its links count once.
func TestNew(t *testing.T) {
	o, _ := folder(t)
	link := filepath.Join(filepath.Dir(o.Base()), "link")
	t.Chdir(filepath.Dir(o.Base()))
	t.Setenv("HOME", filepath.Dir(o.Base()))
	for _, base := range []string{link, "run", "./run/", "~/run", "~/link"} {
		f := &fake{}
		other, err := New(base, f.launch)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{base + "/" + run, o.Base() + "/" + run} {
			if got, err := other.Open(t.Context(), path); err != nil || got != filepath.Join(o.Base(), run) {
				t.Errorf("base %s, path %s: got %q, %v", base, path, got, err)
			}
		}
	}
	for _, base := range []string{"missing", "~/missing", "run/PlanExe_1_1"} {
		if _, err := New(base, nil); err == nil || !strings.Contains(err.Error(), filepath.Base(base)) {
			t.Errorf("base %s: got %v", base, err)
		}
	}
}

// Ensure that a launcher's failure is told, and that its own status is kept.
func TestLaunchFails(t *testing.T) {
	t.Parallel()
	o, f := folder(t)
	for _, tt := range []struct {
		err    error
		status int
	}{{errors.New("no desktop"), 500}, {&Error{400, "not supported on plan9"}, 400}} {
		f.err = tt.err
		_, err := o.Open(t.Context(), filepath.Join(o.Base(), run))
		if e, ok := errors.AsType[*Error](err); !ok || e.Status != tt.status || !strings.Contains(e.Detail, tt.err.Error()) {
			t.Errorf("got %v, want status %d", err, tt.status)
		}
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		goos, installed string
		want            []string // nil is an error
	}{
		{"darwin", "", []string{"open", "/p"}},
		{"windows", "", []string{"explorer", "/p"}},
		{"linux", "xdg-open gio", []string{"xdg-open", "/p"}},
		{"linux", "gio", []string{"gio", "open", "/p"}},
		{"freebsd", "xdg-open", []string{"xdg-open", "/p"}},
		{"linux", "", nil},
		{"plan9", "xdg-open", nil},
	} {
		name, args, err := command(tt.goos, "/p", func(name string) (string, error) {
			if slices.Contains(strings.Fields(tt.installed), name) {
				return "/usr/bin/" + name, nil
			}
			return "", fs.ErrNotExist
		})
		if tt.want == nil {
			if e, ok := errors.AsType[*Error](err); err == nil || ok != (tt.goos == "plan9") || ok && e.Status != 400 {
				t.Errorf("%+v: got %v", tt, err)
			}
		} else if err != nil || !slices.Equal(append([]string{name}, args...), tt.want) {
			t.Errorf("%+v: got %s %v, %v", tt, name, args, err)
		}
	}
}

// Ensure that a command's quick failure is seen, and that a slow one is not waited for.
func TestStart(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs sh")
	}
	ctx := t.Context()
	if err := start(ctx, detached("sh", "-c", "exit 0"), time.Minute, false); err != nil {
		t.Error(err)
	}
	if err := start(ctx, detached("sh", "-c", "exit 4"), time.Minute, false); err == nil || !strings.Contains(err.Error(), "exit status 4") {
		t.Errorf("got %v", err)
	}
	if err := start(ctx, detached("sh", "-c", "exit 1"), time.Minute, true); err != nil {
		t.Errorf("got %v where any status is success", err)
	}
	if err := start(ctx, detached("/nowhere/xdg-open"), time.Minute, false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	for _, how := range []string{"time is over", "caller is gone"} {
		cmd := detached("sh", "-c", "read x") // ends when its input does
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(ctx)
		wait := time.Nanosecond
		if how == "caller is gone" {
			cancel()
			wait = time.Hour
		}
		if err := start(ctx, cmd, wait, false); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		cancel()
		in.Close()
	}
}

// Ensure that arguments are passed as they are, without a shell.
func TestNoShell(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs printf")
	}
	path := `/run/a b;$(id)'"`
	out, err := detached("printf", "%s", path).Output()
	if _, ok := errors.AsType[*exec.Error](err); ok {
		t.Skip("printf is not installed")
	}
	if err != nil || string(out) != path {
		t.Errorf("got %q, %v", out, err)
	}
}
