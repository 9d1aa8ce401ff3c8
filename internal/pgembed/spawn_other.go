//go:build !linux

package pgembed

import (
	"context"
	"fmt"
)

// spawn starts the server.
func (c *Cluster) spawn(context.Context) error {
	if err := c.cmd.Start(); err != nil {
		c.owned = false
		return fmt.Errorf("start Postgres: %w", err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	return nil
}
