//go:build unix

package opener

import (
	"os/exec"
	"syscall"
)

// detached returns a command in a process group of its own: Ctrl-C does not close the window.
func detached(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}
