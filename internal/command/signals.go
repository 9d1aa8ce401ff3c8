package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// sameSignal is how soon a second signal is taken for the first one once more: some programs that
// start others pass a signal on that has reached them already.
const sameSignal = 500 * time.Millisecond

// Signals returns a context that the first signal cancels: Ctrl-C with the cause interrupt, SIGTERM with
// one that names it. A second signal ends the program at once.
func Signals(w io.Writer, interrupt error) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		var first time.Time
		for sig := range ch {
			switch {
			case first.IsZero():
				first = time.Now()
			case time.Since(first) < sameSignal:
				continue
			default:
				os.Exit(130)
			}
			if sig == os.Interrupt {
				fmt.Fprintln(w, "\nstopping; press Ctrl-C again to end at once")
				cancel(interrupt)
				continue
			}
			cancel(fmt.Errorf("the program was told to end (%v)", sig))
		}
	}()
	return ctx, func() { signal.Stop(ch); close(ch); cancel(nil) }
}
