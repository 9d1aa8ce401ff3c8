package dbworker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"planexe/internal/queue"
)

const (
	probeEvery = 10 * time.Second
	leastFree  = 256 << 20 // bytes of disk that a plan may need
)

// probe looks whether tasks can be run here. If not, none is claimed: a worker with a full disk would
// otherwise spoil the whole queue.
func (w *Worker) probe(ctx context.Context) {
	reason := ""
	if err := w.usable(ctx); err != nil {
		reason = w.redact(err.Error())
	}
	w.mu.Lock()
	before := w.blocked
	w.blocked = reason
	w.mu.Unlock()
	if before == reason {
		return
	}
	signal(w.renew)
	if reason == "" {
		w.log.Info("worker can run tasks again")
		_ = w.queue.Note(ctx, w.me, "Worker unblocked", nil) // the row of the worker tells too
		signal(w.wake)
		return
	}
	w.log.Error("worker takes no tasks until this is mended", "reason", reason)
	if before == "" {
		_ = w.queue.Note(ctx, w.me, "Worker blocked", queue.Details{"reason": clean(reason, w.base)})
	}
}

func (w *Worker) usable(ctx context.Context) error {
	if err := writable(w.base); err != nil {
		return fmt.Errorf("the directory for runs cannot be written to, see PLANEXE_RUN_DIR: %w", err)
	}
	if free, ok := freeBytes(w.base); ok && free < leastFree {
		return fmt.Errorf("the disk of the directory for runs has only %d MiB left", free>>20)
	}
	if err := w.usableModels(ctx); err != nil {
		return fmt.Errorf("no model can be used: %w", err)
	}
	return nil
}

func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".planexe-check-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString("x")
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
