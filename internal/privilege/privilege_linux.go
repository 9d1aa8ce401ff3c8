package privilege

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"planexe/internal/config"
)

// Drop makes this process an ordinary user for good when it is root and PLANEXE_UID, in environ, asks for it; otherwise it
// does nothing. What root owns of the runs is given to that user first. Call it before files are opened. After an error the
// process must end: it may still be root.
func Drop(environ []string, log *slog.Logger) error {
	o, err := config.LoadOwner(environ)
	if err != nil {
		return err
	}
	if o.UID == "" || os.Geteuid() != 0 {
		return nil
	}
	owner, group, err := ownerOf(o.RunDir)
	if err != nil {
		return fmt.Errorf("look who owns the directory of the runs: %w; mount a directory there, or set PLANEXE_RUN_DIR", err)
	}
	uid, gid, err := choose(o, owner, group, namespaced())
	if err != nil {
		return err
	}
	if uid == 0 {
		log.Warn("the service stays root: set PLANEXE_UID to another user if that is not wanted", "runs", o.RunDir)
		return nil
	}
	if err := handOver(o.RunDir, uid, gid); err != nil {
		log.Error("not everything in the directory of the runs could be given to the user of the service",
			"error", err, "mend", fmt.Sprintf("sudo chown -R %d:%d %s", uid, gid, o.RunDir))
	}
	if err := become(uid, gid); err != nil {
		return err
	}
	log.Info("the service is an ordinary user now", "uid", uid, "gid", gid, "runs", o.RunDir)
	return nil
}

func ownerOf(path string) (uid, gid int, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, fmt.Errorf("%s: the file system tells no owner", path)
	}
	return int(st.Uid), int(st.Gid), nil
}

// namespaced tells whether root of this container is another user outside of it.
func namespaced() bool {
	data, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	f := strings.Fields(string(data))
	return len(f) >= 2 && f[0] == "0" && f[1] != "0"
}

// handOver gives what root owns below dir, and dir, to a user. It follows no link, and looks into no directory of somebody
// else. A directory changes hands after its content: an interrupted hand-over goes on at the next start.
func handOver(dir string, uid, gid int) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return giveAway(root, ".", uid, gid)
}

func giveAway(root *os.Root, path string, uid, gid int) error {
	info, err := root.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	ours := ok && st.Uid == 0
	if !ours && path != "." {
		return nil
	}
	var errs []error
	if info.IsDir() {
		names, err := fs.ReadDir(root.FS(), path)
		errs = append(errs, err)
		for _, n := range names {
			errs = append(errs, giveAway(root, filepath.Join(path, n.Name()), uid, gid))
		}
	}
	if ours {
		errs = append(errs, root.Lchown(path, uid, gid))
	}
	return errors.Join(errs...)
}

// become changes user and group of all threads and makes sure that there is no way back.
func become(uid, gid int) error {
	if err := syscall.Setgroups([]int{}); err != nil {
		return fmt.Errorf("give up the groups of root: %w", err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("become group %d: %w", gid, err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("become user %d: %w", uid, err)
	}
	if os.Geteuid() != uid || os.Getegid() != gid || syscall.Setuid(0) == nil {
		return errors.New("the service is still root after it gave that up")
	}
	return nil
}
