package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"planexe/internal/event"
)

// Store is where a run lives: its artifacts and its event log. It is safe for concurrent use.
type Store interface {
	// Read returns an artifact; fs.ErrNotExist when there is none.
	Read(name string) ([]byte, error)
	// Write stores an artifact: afterwards it is whole and survives a crash, or it is as before.
	Write(name string, data []byte) error
	// Remove deletes an artifact; a missing one is no error.
	Remove(name string) error
	// SetAside keeps a copy of an artifact that is about to be overwritten although a person
	// changed it.
	SetAside(name string) error
	// Names lists the artifacts.
	Names() ([]string, error)
	// Append adds events to the log, numbered and timed by the store.
	Append(data ...event.Data) error
}

// Digest names content.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// StoreError is a failure of the store: the run cannot go on, and no model is to blame.
type StoreError struct {
	Doing string // "write 003-2-identify_risks.md"
	Err   error
}

func (e *StoreError) Error() string { return fmt.Sprintf("%s: %v", e.Doing, e.Err) }

// Unwrap returns the cause.
func (e *StoreError) Unwrap() error { return e.Err }

// Reason tells a person what to look at.
func (e *StoreError) Reason() event.Reason {
	return event.Reason{
		Class: "internal", Message: "cannot " + e.Error(),
		CanRetry: true, Advice: "check free space and permissions of the run directory, then resume",
	}
}

// Ending makes a failing store end the run.
func (e *StoreError) Ending() (event.Outcome, bool) { return event.Failed, true }
