package opener

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"runtime"
	"time"
)

// Launcher shows a directory, given by its absolute path. It returns as soon as that seems to work,
// and does not wait until the window is closed.
type Launcher func(ctx context.Context, path string) error

// patience is how long a launcher waits for the command to fail. A file manager that takes longer
// to start is none of the caller's worries.
const patience = 2 * time.Second

// Desktop returns the launcher of this computer. No shell is involved.
func Desktop() Launcher {
	return func(ctx context.Context, path string) error {
		name, args, err := command(runtime.GOOS, path, exec.LookPath)
		if err != nil {
			return err
		}
		// Explorer ends with 1 when all is well.
		return start(ctx, detached(name, args...), patience, runtime.GOOS == "windows")
	}
}

// command returns what opens a directory. look finds programs.
func command(goos, path string, look func(string) (string, error)) (name string, args []string, err error) {
	switch goos {
	case "darwin":
		return "open", []string{path}, nil
	case "windows":
		return "explorer", []string{path}, nil
	case "linux", "freebsd", "openbsd", "netbsd", "dragonfly":
		if _, err := look("xdg-open"); err == nil {
			return "xdg-open", []string{path}, nil
		}
		if _, err := look("gio"); err == nil {
			return "gio", []string{"open", path}, nil
		}
		return "", nil, errors.New("neither xdg-open nor gio is installed; install the package xdg-utils")
	}
	return "", nil, &Error{http.StatusBadRequest, "opening folders is not supported on " + goos}
}

// start starts a command and gives it a while to fail. It goes on when that is over, or when ctx
// ends.
func start(ctx context.Context, cmd *exec.Cmd, wait time.Duration, anyStatus bool) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case err := <-done:
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			if anyStatus {
				return nil
			}
			return fmt.Errorf("%s ended with %v; is there a desktop with a file manager on this computer?", cmd.Args[0], exit.ProcessState)
		}
		return err
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}
