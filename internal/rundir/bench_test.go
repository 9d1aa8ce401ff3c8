package rundir_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/rundir"
)

// BenchmarkReplay reads the log of a plan of usual size: 160 answers, 1 MB.
func BenchmarkReplay(b *testing.B) {
	path := b.TempDir()
	d, err := rundir.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	answer, _ := json.Marshal(map[string]string{"text": strings.Repeat("A sentence of a plan, with an \"é\". ", 150)})
	for n := range 160 {
		key := fmt.Sprintf("%032d", n)
		err := d.Append(event.CallStarted{Key: key, Step: "think"},
			event.CallAttempt{Key: key, Step: "think", Number: 1, Class: "ok", Started: time.Now(), Rejected: strings.Repeat("x", 900)},
			event.CallAnswered{Key: key, Step: "think", Answer: answer}, event.ArtifactWritten{Step: "think", Name: "a.json"})
		if err != nil {
			b.Fatal(err)
		}
	}
	d.Close()
	d, err = rundir.OpenRead(path)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	for name, read := range map[string]func(func(event.Event)) error{"whole": d.Replay, "outline": d.Outline} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				n := 0
				if err := read(func(event.Event) { n++ }); err != nil || n != 640 {
					b.Fatal(n, err)
				}
			}
		})
	}
}
