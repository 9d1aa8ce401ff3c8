package runs

import (
	"os"
	"sync"
	"time"

	"planexe/internal/pipeline"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

// inspections keeps what was found out about runs that are not live: looking at one reads and digests
// all its files. An inspection is not changed by whoever gets it.
type inspections struct {
	mu   sync.Mutex
	kept map[string]inspected
}

type inspected struct {
	files fingerprint
	graph *pipeline.Graph
	*run.Inspection
}

// mostInspections bounds what is kept.
const mostInspections = 64

// fingerprint tells two states of a run directory apart by size and time of each file, since an editor
// may write a file in place. It reads none of them.
type fingerprint struct {
	mark   mark
	files  int
	bytes  int64
	newest time.Time
}

func fingerprintOf(path string) (f fingerprint, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return f, err
	}
	f.mark = markOf(path)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.IsDir() {
			continue // gone in the meantime, or the hidden folder, whose log is in the mark
		}
		f.files++
		f.bytes += info.Size()
		if info.ModTime().After(f.newest) {
			f.newest = info.ModTime()
		}
	}
	return f, nil
}

func (k *inspections) get(l *Library, id, path string, g *pipeline.Graph) (*run.Inspection, error) {
	now, err := fingerprintOf(path)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	old, ok := k.kept[id]
	k.mu.Unlock()
	if ok && old.files == now && old.graph == g {
		return old.Inspection, nil
	}
	d, err := rundir.OpenRead(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var v viewed
	var reading sync.WaitGroup
	reading.Go(func() { v, err = l.viewed(id) })
	digests := run.Digest(g, d)
	reading.Wait()
	if err != nil {
		return nil, err
	}
	in, err := run.InspectFiles(g, digests, v.State, v.records)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil {
		k.kept = map[string]inspected{}
	}
	for other := range k.kept {
		if len(k.kept) < mostInspections {
			break
		}
		delete(k.kept, other) // any: the next look makes it anew
	}
	k.kept[id] = inspected{now, g, in}
	return in, nil
}
