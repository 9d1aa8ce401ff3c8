// Package runs keeps the runs of one base directory: it lists, starts, stops, resumes, edits and
// purges them. Several execute at once in this process; each is a run of package run.
package runs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Prefix begins the id of every run that a service makes.
const Prefix = "PlanExe_"

// Errors that callers tell apart. Their texts hold no path.
var (
	ErrBadID    = errors.New("invalid run id")
	ErrNotFound = errors.New("there is no such run")
	ErrActive   = errors.New("the run is active")
	ErrExists   = errors.New("a run of this id exists already")
	ErrBusy     = errors.New("too many runs are waiting already")
	ErrClosing  = errors.New("the service is shutting down")
)

// idForm is what a run may be called: one plain name of a directory.
var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// NewID returns the id of a run that begins now: the local time to the second, or a random UUID.
func NewID(now time.Time, uuid bool) string {
	if !uuid {
		return Prefix + now.Format("20060102_150405")
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%s%x-%x-%x-%x-%x", Prefix, b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Library is the base directory with all runs in it, those of other processes included. It is safe
// for concurrent use.
type Library struct {
	base string
	host string // base as the host of a container sees it, "" when it is the same

	looking sync.Mutex // one look at the base directory at a time

	mu     sync.Mutex // never held while something is read
	known  map[string]entry
	looked time.Time     // when the last look began; zero: the next list has to look
	forgot int           // how often looked was made zero
	behind chan struct{} // closed when rough entries were read; nil while none are
	views  map[string]viewed

	viewing singleflight.Group
}

// Open opens a base directory, makes it when it is missing and can be made, and resolves links in its path. host
// is the path to show to people, "" for base itself.
func Open(base, host string) (*Library, error) {
	abs, err := filepath.Abs(base)
	if err != nil {
		return nil, err
	}
	_ = os.MkdirAll(abs, 0o777) // one that cannot be made may be later: until then nothing is found in it
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	return &Library{base: abs, host: host, known: map[string]entry{}, views: map[string]viewed{}}, nil
}

// Base returns the absolute path of the base directory.
func (l *Library) Base() string { return l.base }

// Path returns where a run of this id is or would be. An id that is no plain name is ErrBadID.
func (l *Library) Path(id string) (string, error) {
	if !idForm.MatchString(id) {
		return "", ErrBadID
	}
	return filepath.Join(l.base, id), nil
}

// Find is Path for a run that exists as a directory of its own; a link is none.
func (l *Library) Find(id string) (string, error) {
	path, err := l.Path(id)
	if err != nil {
		return "", err
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", ErrNotFound
	case err != nil:
		return "", fmt.Errorf("look for run %s: %w", id, cause(err))
	case !info.IsDir():
		return "", ErrNotFound
	}
	return path, nil
}

// Display returns the path of a run to show to people.
func (l *Library) Display(id string) string {
	if l.host != "" {
		return strings.TrimRight(l.host, `/\`) + "/" + id
	}
	return filepath.Join(l.base, id)
}

// cause takes the path out of an error of the file system.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Filter chooses runs of a list.
type Filter struct {
	Text   string // stands in the prompt, whatever the case
	States []State
	Limit  int    // at most so many; 0 is all
	After  string // id of the last run of the page before

	// AfterStarted is the StartedAt of After. With it the list goes on at the same place when that
	// run is gone by now; without it the list begins anew then.
	AfterStarted time.Time
}

// List returns runs, newest first, and whether there are more.
func (l *Library) List(f Filter) (page []Summary, more bool, err error) {
	all, err := l.all()
	if err != nil {
		return nil, false, err
	}
	if f.After != "" {
		if i := slices.IndexFunc(all, func(e entry) bool { return e.ID == f.After }); i >= 0 {
			all = all[i+1:]
		} else if !f.AfterStarted.IsZero() {
			last := entry{Summary: Summary{ID: f.After, StartedAt: f.AfterStarted}}
			all = slices.DeleteFunc(all, func(e entry) bool { return newestFirst(last, e) >= 0 })
		}
	}
	text := strings.ToLower(f.Text)
	for _, e := range all {
		if text != "" && !strings.Contains(e.words, text) || len(f.States) > 0 && !slices.Contains(f.States, e.State) {
			continue
		}
		if f.Limit > 0 && len(page) == f.Limit {
			return page, true, nil
		}
		page = append(page, e.Summary)
	}
	return page, false, nil
}

// Count returns how many runs there are and the bytes they take.
func (l *Library) Count() (runs int, bytes int64, err error) {
	all, err := l.all()
	for _, e := range all {
		bytes += e.SizeBytes
	}
	return len(all), bytes, err
}

// fresh is how long a look at the base directory serves. A list within stale of it is answered as it was known, while
// the next look begins; a later one waits for that.
const fresh, stale = 2 * time.Second, 5 * time.Second

// all returns the entries, newest first.
func (l *Library) all() ([]entry, error) {
	switch age := l.age(); {
	case age > stale:
		l.looking.Lock()
		var err error
		if l.age() > fresh { // nobody else looked while this one waited
			err = l.look()
		}
		l.looking.Unlock()
		if err != nil {
			return nil, err
		}
	case age > fresh && l.looking.TryLock():
		go func() {
			defer l.looking.Unlock()
			_ = l.look() // what is wrong with the directory is told by the next one who waits
		}()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]entry, 0, len(l.known))
	for _, e := range l.known {
		if e.live != nil {
			e.Summary = e.live()
		}
		list = append(list, e)
	}
	slices.SortFunc(list, newestFirst)
	return list, nil
}

func (l *Library) age() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.looked)
}

func newestFirst(a, b entry) int {
	if c := b.StartedAt.Compare(a.StartedAt); c != 0 {
		return c
	}
	return strings.Compare(b.ID, a.ID)
}

// atOnce is how many logs one look reads. The entries of more, as after the copying in of many runs, are rough at first.
const atOnce = 8

// look brings the known entries up to date; l.looking is held.
func (l *Library) look() error {
	l.mu.Lock()
	began, forgot := time.Now(), l.forgot
	l.mu.Unlock()
	dirs, err := os.ReadDir(l.base)
	if err != nil {
		return fmt.Errorf("list the runs: %w", cause(err))
	}
	there := map[string]bool{}
	changed := 0
	for _, d := range dirs {
		id := d.Name()
		if !d.IsDir() || !idForm.MatchString(id) {
			continue
		}
		there[id] = true
		if l.refresh(id, changed >= atOnce) {
			changed++
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, e := range l.known {
		if !there[id] && e.live == nil {
			delete(l.known, id)
		}
	}
	if l.forgot == forgot {
		l.looked = began
	}
	l.readBehind()
	return nil
}

// readBehind completes the rough entries, one after the other; l.mu is held.
func (l *Library) readBehind() {
	if l.behind != nil {
		return
	}
	var rough []entry
	for _, e := range l.known {
		if e.rough {
			rough = append(rough, e)
		}
	}
	if len(rough) == 0 {
		return
	}
	slices.SortFunc(rough, newestFirst)
	done := make(chan struct{})
	l.behind = done
	go func() {
		for _, e := range rough {
			l.refresh(e.ID, false)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.behind = nil
		close(done)
	}()
}

// refresh reads one run again if it has changed, or if it is known roughly only and rough is not enough, and tells
// whether it did.
func (l *Library) refresh(id string, rough bool) bool {
	path := filepath.Join(l.base, id)
	now := markOf(path)
	l.mu.Lock()
	e, ok := l.known[id]
	l.mu.Unlock()
	if ok && (e.live != nil || e.mark == now && (rough || !e.rough)) {
		return false
	}
	e, ok = read(id, path, rough)
	e.mark = now // of before: what changed meanwhile is read again
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.known[id].live != nil: // it was started meanwhile
	case ok:
		l.known[id] = e
	default:
		delete(l.known, id)
	}
	return true
}

// Summary returns one run's summary; ErrNotFound when it does not exist or is no run.
func (l *Library) Summary(id string) (Summary, error) {
	if _, err := l.Find(id); err != nil {
		return Summary{}, err
	}
	l.refresh(id, false)
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.known[id]
	if !ok {
		return Summary{}, ErrNotFound
	}
	if e.live != nil {
		return e.live(), nil
	}
	return e.Summary, nil
}

// put replaces what is known of a run: its manager knows better than the disk while it is live.
func (l *Library) put(e entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[e.ID] = e
}

// forget makes the next look read the run again.
func (l *Library) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, id)
	delete(l.views, id)
	l.looked = time.Time{}
	l.forgot++
}
