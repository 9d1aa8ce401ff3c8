package main

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"planexe/internal/pgembed"
	"planexe/internal/pgtest"
)

// atHome marks the process that has a network of its own.
const atHome = "WORKER_PLAN_DATABASE_TEST_HAS_NETWORK"

// Ensure that of two workers in networks of their own the second goes on with a plan when the first is cut off from the database in the
// middle of it, and that the first, which knows nothing of that, spoils nothing when its network is back, and works on.
//
// The test runs itself again in a new network namespace, and each worker in another: nothing of the machine's network is touched, and all of it
// is gone with the processes.
func TestCutOff(t *testing.T) {
	if os.Getenv(atHome) == "" {
		needs(t)
		t.Parallel()
		cmd := exec.Command(os.Args[0], "-test.run=^TestCutOff$", "-test.v")
		cmd.Env = append(os.Environ(), atHome+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "--- SKIP") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	const home, network = "10.213.0.1", "10.213.0.0/24"
	shell(t, "ip link set lo up", "ip link add home type bridge", "ip addr add "+home+"/24 dev home", "ip link set home up")
	s := newServer(t, append(pgtest.Fast, "listen_addresses="+home)...)
	hba, err := os.OpenFile(filepath.Join(s.options.Dir, "data", "pg_hba.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(hba, "host all all %s trust\n", network)
	if hba.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), "select pg_reload_conf()"); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, s.dsn(), 60)
	w.listen(home + ":0")
	w.dsn = (&url.URL{Scheme: "postgres", User: url.User(pgembed.User), Host: home, Path: pgembed.User, RawQuery: "sslmode=disable"}).String()
	w.attr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}

	id := w.create()
	first := w.start("first", "", "")
	connect(t, first, "first", home, 2)
	w.await("under way", func() bool { return len(w.answers(id)) > 10 })
	shell(t, "ip link set first down")
	second := w.start("second", "", "")
	connect(t, second, "second", home, 3)
	w.await("taken over", func() bool {
		row, err := w.q.Task(t.Context(), id)
		return err == nil && row.WorkerID != nil && *row.WorkerID == "second" && len(w.answers(id)) > 15
	})
	shell(t, "ip link set first up") // in the middle of the other's run
	w.whole(id)

	_ = second.Process.Signal(syscall.SIGTERM)
	<-second.ended
	next := w.create()
	w.await("done by the first", func() bool { return w.state(next) == "completed" })
	for id, attempt := range map[uuid.UUID]int32{id: 2, next: 1} {
		row, err := w.q.Task(t.Context(), id)
		if err != nil || row.Attempt != attempt || w.state(id) != "completed" {
			t.Errorf("%s after %d attempts, %v", w.state(id), row.Attempt, err)
		}
		for key, n := range w.answers(id) {
			if n > 1 {
				t.Errorf("call %s was answered %d times", key, n)
			}
		}
	}
	var ends int
	if err := s.pool.QueryRow(t.Context(), "select count(*) from events where event_type in ('TASK_COMPLETED', 'TASK_FAILED', 'TASK_STOPPED')").Scan(&ends); err != nil || ends != 2 {
		t.Errorf("%d ends of two tasks, %v", ends, err)
	}
}

// needs skips the test where it cannot make networks.
func needs(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped: slow")
	}
	if os.Getuid() != 0 {
		t.Skip("skipped: only root can make network namespaces")
	}
	for _, program := range []string{"ip", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("skipped: needs %s (Debian: apt install iproute2 util-linux)", program)
		}
	}
	pgtest.Dir(t) // skips without Postgres
	probe := exec.Command("ip", "link", "add", "probe", "type", "bridge")
	probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if out, err := probe.CombinedOutput(); err != nil {
		t.Skipf("skipped: this system makes no network namespace with a bridge: %v %s", err, out)
	}
}

// connect gives a worker's network a cable to home, whose end there has this name.
func connect(t *testing.T, p *process, name, home string, host int) {
	t.Helper()
	pid := strconv.Itoa(p.Process.Pid)
	inside := "nsenter -t " + pid + " -n ip "
	shell(t,
		"ip link add "+name+" type veth peer name cable", "ip link set "+name+" master home up", "ip link set cable netns "+pid,
		fmt.Sprintf("%saddr add %s%d/24 dev cable", inside, strings.TrimSuffix(home, "1"), host), inside+"link set lo up", inside+"link set cable up",
	)
}

// shell runs commands without any quoting.
func shell(t *testing.T, commands ...string) {
	t.Helper()
	for _, c := range commands {
		words := strings.Fields(c)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", c, err, out)
		}
	}
}
