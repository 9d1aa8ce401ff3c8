// Package opener shows run directories in the desktop's file manager, for user interfaces that
// cannot do it themselves because they run in a container.
package opener

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// Error is a refusal or failure, with the HTTP status that says so.
type Error struct {
	Status int
	Detail string // for people
}

func (e *Error) Error() string { return e.Detail }

// Folder opens the run directories of one base directory.
type Folder struct {
	base   string   // resolved
	spelt  []string // how callers may write the base directory
	launch Launcher
}

// New returns the opener of a base directory. A leading ~ stands for the home directory; links are
// resolved once, here. The error says what is wrong with base.
func New(base string, launch Launcher) (*Folder, error) {
	plain := base
	if rest, ok := strings.CutPrefix(base, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("find the home directory for %s: %w", base, err)
		}
		plain = filepath.Join(home, rest)
	}
	abs, err := filepath.Abs(plain)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", base, err)
	}
	resolved, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return nil, fmt.Errorf("find the run directory: %w", err)
	}
	if info, err := os.Stat(resolved); err != nil {
		return nil, fmt.Errorf("find the run directory: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", resolved)
	}
	return &Folder{base: resolved, spelt: []string{filepath.Clean(base), abs, resolved}, launch: launch}, nil
}

// Base returns the absolute path of the base directory.
func (f *Folder) Base() string { return f.base }

const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`

// runName is what run directories are called: by time (with a number behind, when two began in the
// same second), by UUID, and by the id of a queued task.
var runName = regexp.MustCompile(`^(PlanExe_\d+_\d+(_\d+)?|(PlanExe_)?` + uuid + `)$`)

// Open shows the directory of a run and returns its resolved path. Refusals are an *Error.
//
// Of path only its last component is ever used: the rest is compared as text with the base
// directory. So a caller cannot make this computer touch any other place, a network share for one.
func (f *Folder) Open(ctx context.Context, path string) (resolved string, err error) {
	parent, name := split(path)
	if !runName.MatchString(name) {
		return "", &Error{http.StatusBadRequest, "the path does not end in the name of a run"}
	}
	if !slices.ContainsFunc(f.spelt, func(base string) bool { return same(base, parent) }) {
		return "", &Error{http.StatusForbidden, "the path is outside of the run directory that PLANEXE_HOST_RUN_DIR names"}
	}
	target := filepath.Join(f.base, name)
	switch info, err := os.Lstat(target); {
	case errors.Is(err, fs.ErrNotExist):
		return "", &Error{http.StatusNotFound, fmt.Sprintf("there is no directory %s", target)}
	case err != nil:
		return "", &Error{http.StatusInternalServerError, fmt.Sprintf("look for the directory: %v", err)}
	case info.Mode()&fs.ModeSymlink != 0: // it may lead anywhere
		return "", &Error{http.StatusForbidden, fmt.Sprintf("%s is a link, not a directory", target)}
	case !info.IsDir():
		return "", &Error{http.StatusNotFound, fmt.Sprintf("%s is not a directory", target)}
	}
	if err := f.launch(ctx, target); err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			return "", e
		}
		return "", &Error{http.StatusInternalServerError, fmt.Sprintf("the folder could not be opened: %v", err)}
	}
	return target, nil
}

// split takes a path apart by the rules of this computer; a separator at the end does not count.
func split(path string) (parent, name string) {
	clean := filepath.Clean(path)
	return filepath.Dir(clean), filepath.Base(clean)
}

// same compares paths that are clean. Windows does not tell cases apart.
func same(a, b string) bool {
	return a == b || runtime.GOOS == "windows" && strings.EqualFold(a, b)
}
