package pgembed

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
)

// spawn starts the server so that it ends when this process does, however that happens. The
// kernel ties it to the thread that started it, so that thread lives as long as the server.
func (c *Cluster) spawn(context.Context) error {
	c.cmd.SysProcAttr.Pdeathsig = syscall.SIGINT
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.cmd.Start()
		started <- err
		if err == nil {
			c.err = c.cmd.Wait()
			close(c.done)
		}
	}()
	if err := <-started; err != nil {
		c.owned = false
		return fmt.Errorf("start Postgres: %w", err)
	}
	return nil
}
