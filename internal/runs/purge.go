package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"planexe/internal/rundir"
)

// Purged counts what a purge did, or would do, to the entries of the base directory.
type Purged struct {
	Deleted       int
	Bytes         int64 // of the deleted
	SkippedRecent int
	SkippedPrefix int
	SkippedActive int
	Errors        int
}

// Purge deletes runs and files of the base directory whose name begins with prefix and in which
// nothing is younger than age. A run that is live, or held by another process, stays. preview only
// counts. Unreadable entries are counted and left.
func (m *Manager) Purge(prefix string, age time.Duration, preview bool) (Purged, error) {
	var p Purged
	if prefix == "" || age < 0 {
		return p, fmt.Errorf("a purge needs a prefix and an age that is not negative")
	}
	entries, err := os.ReadDir(m.o.Library.base)
	if err != nil {
		return p, fmt.Errorf("list the runs: %w", cause(err))
	}
	before := time.Now().Add(-age)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) {
			p.SkippedPrefix++
			continue
		}
		m.purge(filepath.Join(m.o.Library.base, e.Name()), e, before, preview, &p)
	}
	return p, nil
}

func (m *Manager) purge(path string, e fs.DirEntry, before time.Time, preview bool, p *Purged) {
	newest, size, err := weigh(path)
	switch {
	case err != nil:
		p.Errors++
		return
	case newest.After(before):
		p.SkippedRecent++
		return
	case e.IsDir() && m.isLive(e.Name(), path):
		p.SkippedActive++
		return
	}
	if !preview {
		if err := os.RemoveAll(path); err != nil {
			p.Errors++
			return
		}
		m.o.Library.forget(e.Name())
	}
	p.Deleted++
	p.Bytes += size
}

// weigh returns the newest modification time at and below a path and the bytes of its files.
// Links are not followed.
func weigh(path string) (newest time.Time, size int64, err error) {
	hidden, log := filepath.Join(path, rundir.Hidden), filepath.Join(path, eventLog)
	err = filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone in the meantime
		}
		if err != nil {
			return err
		}
		if !d.IsDir() {
			size += info.Size()
		}
		// Locks are taken and summaries kept without the run having changed; its log tells.
		inside := at == hidden || strings.HasPrefix(at, hidden+string(filepath.Separator))
		if (!inside || at == log) && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
		return nil
	})
	return newest, size, err
}

// isLive tells whether somebody executes the run: this process, or another that holds its lock.
func (m *Manager) isLive(id, path string) bool {
	if m.Live(id).Active {
		return true
	}
	if _, err := os.Lstat(filepath.Join(path, rundir.Hidden)); err != nil {
		return false // another program's: nobody can tell
	}
	d, err := rundir.Open(path)
	if err == nil {
		d.Close()
		return false
	}
	var locked *rundir.LockedError
	return errors.As(err, &locked)
}

// Delete removes a run that is not live.
func (m *Manager) Delete(id string) error {
	path, err := m.o.Library.Find(id)
	if err != nil {
		return err
	}
	if m.isLive(id, path) {
		return ErrActive
	}
	defer m.o.Library.forget(id)
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("delete run %s: %w", id, cause(err))
	}
	return nil
}
