// Package rundir keeps a run in a directory: artifacts under the names other tools know, and
// beside them the hidden folder .planexe with the event log and the lock.
//
// What a file holds is whole: it is written under a temporary name, synced and renamed. Nothing
// outside the directory can be reached through it, whatever its entries link to.
package rundir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"planexe/internal/event"
)

// Names inside a run directory that are not artifacts.
const (
	Hidden       = ".planexe"
	LogName      = "log.txt"
	ActivityName = "track_activity.jsonl"
	StopName     = "pipeline_stop_requested.txt"
	ExpectedName = "expected_filenames1.json"

	eventsPath = Hidden + "/events.jsonl"
	lockPath   = Hidden + "/lock"
	ownerPath  = lockPath + ".owner"
	tempDir    = Hidden + "/tmp"
	asideDir   = Hidden + "/replaced"
)

// Dir is one run directory. It is the pipeline.Store of runs on one machine.
type Dir struct {
	path string
	root *os.Root
	lock *lock // nil when opened for reading

	mu       sync.Mutex // the log
	log      *os.File
	size     int64 // of the log, up to the last whole line
	seq      int64
	torn     bool // a write failed and its half line could not be cut off
	watchers []func(event.Event)
}

// Create makes a new run directory, parents included, and opens it. An existing directory is
// taken when it is empty; anything else in it is somebody's and an error.
func Create(path string) (*Dir, error) {
	_, before := os.Lstat(path)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, fmt.Errorf("make run directory: %w", err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("read run directory: %w", err)
	}
	if len(entries) > 0 {
		return nil, &ForeignError{Path: path, Found: entries[0].Name()}
	}
	d, err := Open(path)
	var locked *LockedError
	if err != nil && errors.Is(before, fs.ErrNotExist) && !errors.As(err, &locked) {
		_ = os.RemoveAll(path) // half made on a full disk
	}
	return d, err
}

// ForeignError says that a directory holds something that is not a run.
type ForeignError struct{ Path, Found string }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s is not an empty directory and not a run: it holds %s", e.Path, e.Found)
}

// IsRun tells whether a directory looks like one of a run: ours or another program's.
func IsRun(path string) bool {
	for _, name := range []string{Hidden, "001-2-plan.txt"} {
		if _, err := os.Stat(filepath.Join(path, name)); err == nil {
			return true
		}
	}
	return false
}

// Open opens a run directory for writing and locks it; *LockedError when another process has it.
// A torn last line of the event log, which a crash leaves, is cut off.
func Open(path string) (*Dir, error) {
	d, err := openRoot(path)
	if err != nil {
		return nil, err
	}
	if err := d.prepare(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// OpenRead opens a run directory for reading, also while another process writes to it.
func OpenRead(path string) (*Dir, error) { return openRoot(path) }

func openRoot(path string) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("open run directory: %w", err)
	}
	return &Dir{path: abs, root: root}, nil
}

func (d *Dir) prepare() error {
	for _, dir := range []string{Hidden, tempDir} {
		err := d.root.Mkdir(dir, 0o777)
		if errors.Is(err, fs.ErrExist) {
			_, err = d.root.Stat(dir) // a link may lead out of the directory
		}
		if err != nil {
			return fmt.Errorf("the run directory cannot be written to: %w", err)
		}
	}
	_ = d.root.Chmod(Hidden, 0o700) // the log holds answers and, on request, prompts: the owner's only; not all file systems can
	var err error
	if d.lock, err = acquire(d.root); err != nil {
		return err
	}
	d.sweep()
	if d.log, err = d.root.OpenFile(eventsPath, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return fmt.Errorf("open event log: %w", err)
	}
	d.seq, d.size, err = scan(d.log, (*event.Event).UnmarshalJSON, func(event.Event) {})
	if err != nil {
		return fmt.Errorf("event log %s: %w", filepath.Join(d.path, eventsPath), err)
	}
	if err := d.log.Truncate(d.size); err != nil {
		return fmt.Errorf("cut the torn end of the event log: %w", err)
	}
	return nil
}

// sweep removes temporary files of writes that a crash cut short.
func (d *Dir) sweep() {
	entries, err := fs.ReadDir(d.root.FS(), tempDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		_ = d.root.Remove(tempDir + "/" + e.Name())
	}
}

// Close releases the lock and the files.
func (d *Dir) Close() error {
	var errs []error
	if d.log != nil {
		errs = append(errs, d.log.Close())
	}
	if d.lock != nil {
		errs = append(errs, d.lock.release())
	}
	return errors.Join(append(errs, d.root.Close())...)
}

// Path returns the absolute path.
func (d *Dir) Path() string { return d.path }

// check lets only plain file names of the directory itself through.
func check(name string) error {
	if name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\:`) {
		return fmt.Errorf("%q is not the name of an artifact: %w", name, fs.ErrInvalid)
	}
	return nil
}

// Read returns an artifact; fs.ErrNotExist when there is none.
func (d *Dir) Read(name string) ([]byte, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	return d.root.ReadFile(name)
}

// Open opens an artifact for reading in parts.
func (d *Dir) Open(name string) (*os.File, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	return d.root.Open(name)
}

// Write stores an artifact whole: temporary file, sync, rename.
func (d *Dir) Write(name string, data []byte) error {
	if err := check(name); err != nil {
		return err
	}
	temp := fmt.Sprintf("%s/%s.%d", tempDir, name, time.Now().UnixNano())
	if err := d.writeSynced(temp, data); err != nil {
		_ = d.root.Remove(temp)
		return err
	}
	if err := d.root.Rename(temp, name); err != nil {
		_ = d.root.Remove(temp)
		return err
	}
	return syncDir(d.path)
}

func (d *Dir) writeSynced(name string, data []byte) error {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Remove deletes an artifact; a missing one is no error.
func (d *Dir) Remove(name string) error {
	if err := check(name); err != nil {
		return err
	}
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// SetAside copies an artifact into .planexe/replaced, under its name and the time.
func (d *Dir) SetAside(name string) error {
	data, err := d.Read(name)
	if err != nil {
		return err
	}
	if err := d.root.Mkdir(asideDir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	stamp := time.Now().UTC().Format("20060102T150405.000000000")
	return d.writeSynced(asideDir+"/"+stamp+"-"+name, data)
}

// Names lists the regular files of the directory in plain string order, without the hidden folder.
func (d *Dir) Names() ([]string, error) {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// OpenLog opens log.txt for appending, for people.
func (d *Dir) OpenLog() (io.WriteCloser, error) {
	return d.root.OpenFile(LogName, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
}
