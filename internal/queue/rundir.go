package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"planexe/internal/rundir"
)

// record says in a run directory whose it is.
type record struct {
	Task       uuid.UUID `json:"task"`
	Generation int32     `json:"generation"`
	Attempt    int32     `json:"attempt"`
	Finished   bool      `json:"finished"` // everything in it is in the database
}

const (
	recordName = rundir.Hidden + "/task.json"
	logName    = rundir.Hidden + "/events.jsonl"
	asideMark  = ".aside-" // in names of directories that were moved aside
)

func readRecord(path string) (record, bool) {
	data, err := os.ReadFile(filepath.Join(path, recordName))
	var r record
	return r, err == nil && json.Unmarshal(data, &r) == nil
}

func writeRecord(path string, r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	name := filepath.Join(path, recordName)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(name+".new", data, 0o666); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// held is what the database holds of a run.
type held struct {
	files map[string][]byte // name → SHA-256
	seq   int64             // last event
}

func (h held) nothing() bool { return len(h.files) == 0 && h.seq == 0 }

func (q *Queue) held(ctx context.Context, id uuid.UUID) (held, error) {
	h := held{files: map[string][]byte{}}
	rows, err := q.q.ListArtifacts(ctx, id)
	if err != nil {
		return h, fmt.Errorf("list the files of task %s: %w", id, err)
	}
	for _, r := range rows {
		h.files[r.Name] = r.Sha256
	}
	if h.seq, err = q.q.LastLogSeq(ctx, id); err != nil {
		return h, fmt.Errorf("read the log of task %s: %w", id, err)
	}
	return h, nil
}

// place opens the run directory of a claimed task below base. What is there is kept when it stems from the
// attempt directly before this one, for then it is ahead of the database if anything, or from a
// program that keeps no record. Everything else is moved aside, and the directory made from the
// database. mine tells whether the directory may hold what the database does not.
func (q *Queue) place(ctx context.Context, l Lease, base string) (d *rundir.Dir, h held, mine bool, err error) {
	if h, err = q.held(ctx, l.ID); err != nil {
		return nil, h, false, err
	}
	path := filepath.Join(base, l.ID.String())
	if mine, err = keeps(path, l, h); err != nil {
		return nil, h, false, fmt.Errorf("look at the run directory: %w", err)
	}
	if mine {
		d, err = rundir.Open(path)
		if err == nil && !ahead(d, h) {
			err = errors.Join(errors.New("its log is shorter than the database's"), d.Close())
			d = nil
		}
		mine = err == nil
	}
	if !mine {
		err = setAside(path, l)
		if _, locked := errors.AsType[*rundir.LockedError](err); locked {
			// An attempt that has lost the task, and does not know it yet, shares this disk.
			path = fmt.Sprintf("%s.%d", path, l.Attempt)
			err = setAside(path, l)
		}
	}
	if err == nil && d == nil {
		if err = q.fetch(ctx, l, h, path); err == nil {
			d, err = rundir.Open(path)
		}
	}
	if err == nil {
		err = writeRecord(path, record{l.ID, l.Generation, l.Attempt, false})
	}
	if err != nil {
		if d != nil {
			d.Close()
		}
		return nil, h, false, fmt.Errorf("prepare the run directory: %w", err)
	}
	return d, h, mine, nil
}

// keeps tells whether a directory is one to go on in.
func keeps(path string, l Lease, h held) (bool, error) {
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return false, err
	}
	if r, ok := readRecord(path); ok {
		return r.Task == l.ID && r.Generation == l.Generation && r.Attempt == l.Attempt-1, nil
	}
	return h.nothing() && l.Generation == 0 && rundir.IsRun(path), nil
}

// ahead tells whether the log of a directory goes at least as far as the one in the database.
func ahead(d *rundir.Dir, h held) bool {
	last, err := lastSeq(d)
	return err == nil && last >= h.seq
}

// setAside moves a directory out of the way, if there is one that nobody uses.
func setAside(path string, l Lease) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Stat(filepath.Join(path, rundir.Hidden)); err == nil {
		d, err := rundir.Open(path)
		if _, locked := errors.AsType[*rundir.LockedError](err); locked {
			return err
		}
		if err == nil { // any other error is why it is moved
			d.Close()
		}
	}
	aside := fmt.Sprintf("%s%s%d", path, asideMark, l.Attempt)
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	return os.Rename(path, aside)
}

// fetch makes a run directory from what the database holds: whole, or not at all.
func (q *Queue) fetch(ctx context.Context, l Lease, h held, path string) error {
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.RemoveAll(temp); err != nil {
		return err
	}
	defer os.RemoveAll(temp) // gone when all went well
	if err := os.MkdirAll(filepath.Join(temp, rundir.Hidden), 0o777); err != nil {
		return err
	}
	root, err := os.OpenRoot(temp)
	if err != nil {
		return err
	}
	defer root.Close()
	for name := range h.files {
		if name != filepath.Base(name) || strings.HasPrefix(name, ".") {
			return fmt.Errorf("the database holds a file named %q, which is no file of a run", name)
		}
		data, err := q.Artifact(ctx, l.ID, name)
		if err != nil {
			return err
		}
		if err := root.WriteFile(name, data, 0o666); err != nil {
			return err
		}
	}
	var log bytes.Buffer
	if err := q.lines(ctx, l.ID, 0, func(line []byte) error {
		_, err := log.Write(line)
		return err
	}); err != nil {
		return err
	}
	if err := root.WriteFile(logName, log.Bytes(), 0o666); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// MarkFinished notes that all of a directory is in the database, so that it may be removed.
func (s *Store) MarkFinished() error {
	return writeRecord(s.Path(), record{s.lease.ID, s.lease.Generation, s.lease.Attempt, true})
}
