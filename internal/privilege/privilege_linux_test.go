package privilege

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"planexe/internal/config"
)

const asProgram = "PRIVILEGE_TEST_IS_PROGRAM"

// TestMain lets the test binary be a service that drops, writes a file and says who it is.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	if err := Drop(os.Environ(), slog.New(slog.NewTextHandler(os.Stdout, nil))); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	err := os.WriteFile(filepath.Join(os.Getenv("PLANEXE_RUN_DIR"), "written"), nil, 0o644)
	groups, _ := os.Getgroups()
	status, _ := os.ReadFile("/proc/self/status")
	_, caps, _ := strings.Cut(string(status), "CapEff:\t")
	caps, _, _ = strings.Cut(caps, "\n")
	fmt.Println("uid", os.Getuid(), "groups", groups, "caps", caps, "write", err)
}

// Ensure root becomes the owner of the directory, or nobody when that is root; that nothing of root is left in the process
// nor in the directory; and that no link is followed.
func TestDrop(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 || namespaced() {
		t.Skip("only root can become somebody else")
	}
	for _, c := range []struct {
		name       string
		owner      int
		uid, gid   string
		code       int
		want, lack string
	}{
		{"a person's directory", 1234, "auto", "auto", 0, "uid 1234 groups [] caps 0000000000000000 write <nil>", ""},
		{"root's directory", 0, "auto", "", 0, "uid 65532 groups [] caps 0000000000000000 write <nil>", ""},
		{"chosen", 0, "777", "888", 0, "uid 777 groups [] caps 0000000000000000 write <nil>", ""},
		{"root", 1234, "0", "0", 0, "stays root", "ordinary"},
		{"not asked for", 1234, "", "", 0, "uid 0", "ordinary"},
		{"no number", 0, "me", "", 1, "PLANEXE_UID", "uid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			top, err := os.MkdirTemp("", "privilege-test-") // t.TempDir is closed to others
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(top) })
			dir, outside := filepath.Join(top, "run"), filepath.Join(top, "outside")
			for _, err := range []error{
				os.Chmod(top, 0o755), os.MkdirAll(filepath.Join(dir, "PlanExe_old", "inner"), 0o755), os.WriteFile(outside, nil, 0o600),
				os.Symlink(outside, filepath.Join(dir, "PlanExe_old", "link")), os.Lchown(dir, c.owner, c.owner),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
			cmd.Env = []string{asProgram + "=1", "PLANEXE_UID=" + c.uid, "PLANEXE_GID=" + c.gid, "PLANEXE_RUN_DIR=" + dir}
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != c.code || !bytes.Contains(out, []byte(c.want)) || c.lack != "" && bytes.Contains(out, []byte(c.lack)) {
				t.Fatalf("exit %d, %s", code, out)
			}
			if info, err := os.Stat(outside); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
				t.Error("what a link leads to was given away")
			}
			if !strings.Contains(string(out), "ordinary user") {
				return
			}
			for _, path := range []string{".", "PlanExe_old", "PlanExe_old/inner", "PlanExe_old/link", "written"} {
				if info, err := os.Lstat(filepath.Join(dir, path)); err != nil || info.Sys().(*syscall.Stat_t).Uid == 0 {
					t.Errorf("%s still belongs to root, %v", path, err)
				}
			}
		})
	}
}

// Ensure the user is chosen by the settings, else by the directory; and that root of an engine without root stays.
func TestChoose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		uid, gid     string
		owner, group int
		namespaced   bool
		want         string
	}{
		{"auto", "auto", 1000, 100, false, "1000:100"},
		{"auto", "", 0, 0, false, "65532:65532"},
		{"auto", "", 0, 0, true, "0:0"},
		{"auto", "", 1000, 1000, true, "1000:1000"},
		{"auto", "50", 0, 0, false, "65532:50"},
		{"7", "", 1000, 1000, false, "7:7"},
		{"7", "8", 1000, 1000, false, "7:8"},
		{"-1", "", 1000, 1000, false, "PLANEXE_UID"},
		{"7", "staff", 1000, 1000, false, "PLANEXE_GID"},
	} {
		uid, gid, err := choose(config.Owner{UID: c.uid, GID: c.gid}, c.owner, c.group, c.namespaced)
		if got := fmt.Sprintf("%d:%d %v", uid, gid, err); !strings.Contains(got, c.want) {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
