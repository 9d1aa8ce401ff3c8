package rundir

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Owner is the process that holds a run directory.
type Owner struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

// LockedError says who holds a run directory.
type LockedError struct {
	Path  string
	Owner Owner
}

func (e *LockedError) Error() string {
	who := "another process"
	if e.Owner.PID != 0 {
		who = fmt.Sprintf("process %d on %s (%s), since %s", e.Owner.PID, e.Owner.Host, e.Owner.Command, e.Owner.Since.Local().Format(time.DateTime))
	}
	return fmt.Sprintf("%s is in use by %s", e.Path, who)
}

// lock is held by the operating system: it goes with the process, however that ends. The owner's
// name stands in a file of its own, because some systems forbid reading a locked one.
type lock struct {
	flock *flock.Flock
	root  *os.Root
}

func acquire(root *os.Root) (*lock, error) {
	// Made through root, which follows no link out of the directory.
	f, err := root.OpenFile(lockPath, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("lock run directory: %w", err)
	}
	_ = f.Close()
	l := &lock{flock: flock.New(filepath.Join(root.Name(), lockPath)), root: root}
	ok, err := l.flock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock run directory: %w", err)
	}
	if !ok {
		e := &LockedError{Path: root.Name()}
		if data, err := root.ReadFile(ownerPath); err == nil {
			_ = json.Unmarshal(data, &e.Owner)
		}
		return nil, e
	}
	host, _ := os.Hostname()
	data, err := json.Marshal(Owner{PID: os.Getpid(), Host: host, Command: command(), Since: time.Now().UTC()})
	if err == nil {
		err = root.WriteFile(ownerPath, data, 0o666)
	}
	if err != nil {
		_ = l.flock.Unlock()
		return nil, fmt.Errorf("write lock owner: %w", err)
	}
	return l, nil
}

// command is the program's name and subcommand, without arguments: those may hold a prompt.
func command() string {
	words := []string{filepath.Base(os.Args[0])}
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") && len(os.Args[1]) < 20 {
		words = append(words, os.Args[1])
	}
	return strings.Join(words, " ")
}

func (l *lock) release() error {
	_ = l.root.Remove(ownerPath)
	return l.flock.Unlock()
}
