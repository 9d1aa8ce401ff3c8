package dbworker

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"planexe/internal/queue"
)

// Ensure that a row of a program that knows the old columns only becomes a finished plan.
func TestInsertedRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.worker(w.settings("one", t.TempDir()), nil)
	id := w.insert("Open a small bakery in Lyon with a budget of 300,000 EUR")
	row := w.ended(id)
	if !in(queue.Completed)(row) || row.ProgressPercentage != 100 || row.PlanTitle == nil || row.WorkerID != nil || row.Attempt != 1 {
		t.Errorf("%+v", show(row))
	}
	report, err := w.q.Report(t.Context(), id)
	if err != nil || !strings.Contains(report, "<html") {
		t.Errorf("report: %d bytes, %v", len(report), err)
	}
	zip, err := w.q.Zip(t.Context(), id)
	if err != nil || len(zip) < 1000 {
		t.Errorf("zip: %d bytes, %v", len(zip), err)
	}
	files, err := w.q.Artifacts(t.Context(), id)
	if err != nil || len(files) < 111 {
		t.Errorf("%d files, %v", len(files), err)
	}
}

// Ensure that a connection that breaks while a run directory is filled is not taken for a disk that this worker cannot use.
func TestIsDisk(t *testing.T) {
	t.Parallel()
	for want, errs := range map[bool][]error{
		true: {&fs.PathError{Op: "mkdir", Path: "/run", Err: syscall.EROFS}, &os.LinkError{Op: "rename", Err: syscall.ENOSPC}, os.NewSyscallError("fsync", syscall.EIO)},
		false: {
			&net.OpError{Op: "write", Net: "unix", Err: os.NewSyscallError("write", syscall.EPIPE)}, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
			queue.ErrLost,
		},
	} {
		for _, err := range errs {
			if got := isDisk(fmt.Errorf("prepare the run directory: %w", err)); got != want {
				t.Errorf("%v: disk %v", err, got)
			}
		}
	}
}
