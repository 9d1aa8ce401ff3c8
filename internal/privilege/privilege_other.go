//go:build !linux

package privilege

import "log/slog"

// Drop does nothing: containers are Linux.
func Drop([]string, *slog.Logger) error { return nil }
