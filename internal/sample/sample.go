// Package sample holds a plan that shows what the program makes, as a recording.
package sample

import (
	"bytes"
	_ "embed"

	"planexe/internal/llm/replay"
)

//go:embed sample.jsonl.gz
var file []byte

// Open returns the recording of the sample plan.
func Open() (*replay.Recording, error) { return replay.Read(bytes.NewReader(file)) }
