package wire

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// errTooLong ends an answer beyond bodyLimit.
var errTooLong = errors.New("answer too long")

// watch cancels an exchange when a limit passes.
type watch struct {
	cancel context.CancelCauseFunc
	mu     sync.Mutex
	timer  *time.Timer
	since  time.Time
	limit  time.Duration
}

// start replaces the limit; why becomes the cause when it passes.
func (w *watch) start(d time.Duration, why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	w.since, w.limit = time.Now(), d
	w.timer = time.AfterFunc(d, func() { w.cancel(why) })
}

// extend gives the running limit more time.
func (w *watch) extend(more time.Duration, why error) {
	w.mu.Lock()
	left := w.limit + more - time.Since(w.since)
	w.mu.Unlock()
	w.start(left, why)
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
}

// watched is a body whose bytes keep the watch quiet. It is read by one goroutine.
type watched struct {
	ctx   context.Context // of the exchange
	r     io.Reader
	watch *watch
	stall error
	left  int64
	state State
}

func (b *watched) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil { // a fast server must not keep us reading
		return 0, context.Cause(b.ctx)
	}
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if n > 0 && b.state == Going {
		b.watch.start(silenceLimit, b.stall)
	}
	return n, err
}

// wait shortens the patience once the answer is there.
func (b *watched) wait(s State) {
	if s <= b.state {
		return
	}
	b.state = s
	grace := usageGrace
	if s == Ended {
		grace = endGrace
	}
	b.watch.start(grace, b.stall)
}
