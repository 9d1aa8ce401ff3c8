package pgembed

import (
	"fmt"
	"os"
	"os/exec"
)

// owner is the user of this process: there is no other on this system.
type owner struct{}

func unprivileged() (owner, error) { return owner{}, nil }

func (owner) prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the directory of the Postgres cluster: %w", err)
	}
	return nil
}

func (owner) own(string) error { return nil }

func (owner) apply(*exec.Cmd) {}
