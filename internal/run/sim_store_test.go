package run_test

import (
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"planexe/internal/event"
)

// memory is a store without a disk.
type memory struct {
	mu       sync.Mutex
	files    map[string][]byte
	log      []event.Event
	watchers []func(event.Event)
}

func newMemory() *memory { return &memory{files: map[string][]byte{}} }

func (m *memory) Read(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(data), nil
}

func (m *memory) Write(name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[name] = slices.Clone(data)
	return nil
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.files, name)
	return nil
}

func (m *memory) SetAside(string) error { return nil }

func (m *memory) Names() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.files)), nil
}

func (m *memory) Append(data ...event.Data) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range data {
		e := event.Event{Seq: int64(len(m.log) + 1), Time: time.Now(), Data: d}
		m.log = append(m.log, e)
		for _, w := range m.watchers {
			w(e)
		}
	}
	return nil
}

func (m *memory) Replay(f func(event.Event)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.log {
		f(e)
	}
	return nil
}

func (m *memory) Watch(f func(event.Event)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watchers = append(m.watchers, f)
}
