package queue

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"planexe/internal/rundir"
)

// Sweep removes run directories below base that nothing needs any more, once their last use is
// older than age: those whose task has ended with everything in the database, and those that were
// moved aside. It returns how many it removed; what it cannot look at stays.
func Sweep(base string, age time.Duration) (removed int, err error) {
	entries, err := os.ReadDir(base)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		path := filepath.Join(base, e.Name())
		r, ok := readRecord(path)
		info, err := os.Lstat(filepath.Join(path, recordName))
		if !ok || err != nil || time.Since(info.ModTime()) < age {
			continue
		}
		if superseded := strings.HasPrefix(e.Name(), r.Task.String()+"."); !r.Finished && !superseded {
			continue
		}
		d, err := rundir.Open(path)
		if err != nil {
			continue // somebody is in it
		}
		d.Close()
		if os.RemoveAll(path) == nil {
			removed++
		}
	}
	return removed, nil
}
