//go:build unix

package pgembed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// owner is the user that the server runs as: Postgres refuses to run as root.
type owner struct {
	uid, gid int
	other    bool // not the user of this process
	name     string
}

func unprivileged() (owner, error) {
	if os.Geteuid() != 0 {
		return owner{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			continue
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			continue
		}
		return owner{uid: uid, gid: gid, other: true, name: name}, nil
	}
	return owner{}, errors.New("postgres does not run as root, and there is no user postgres or nobody to run it as: make one, or start this program as another user")
}

// prepare makes the directory and tells whether the owner can reach it.
func (o owner) prepare(dir string) error {
	_, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(dir, 0o755); err == nil {
			err = o.own(dir)
		}
	}
	if err != nil {
		return fmt.Errorf("make the directory of the Postgres cluster: %w", err)
	}
	if !o.other {
		return nil
	}
	for at := filepath.Dir(dir); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return fmt.Errorf("look at %s: %w", at, err)
		}
		if info.Mode().Perm()&0o001 == 0 {
			return fmt.Errorf("this program runs as root, Postgres as %s, who cannot enter %s: choose a directory below one that all may enter, such as /var/lib/planexe, or run: chmod o+x %s", o.name, at, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// own gives a directory to the owner, for nobody else to read.
func (o owner) own(dir string) error {
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	if !o.other {
		return nil
	}
	if err := os.Chown(dir, o.uid, o.gid); err != nil {
		return fmt.Errorf("give %s to %s, as whom Postgres runs: %w", dir, o.name, err)
	}
	return nil
}

// apply makes a command run as the owner, away from the terminal's interrupts.
func (o owner) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if o.other {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}
	}
}
