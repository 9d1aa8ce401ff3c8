package opener

import (
	"os/exec"
	"strings"
	"syscall"
)

// detached returns a command in a process group of its own: Ctrl-C does not close the window. The
// arguments, which are paths, are put in quotes whatever they hold: Explorer takes a comma for the
// end of a path, and quotes cannot be part of one.
func detached(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP,
		CmdLine:       name + ` "` + strings.Join(args, `" "`) + `"`,
	}
	return cmd
}
