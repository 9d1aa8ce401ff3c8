package rundir

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"planexe/internal/event"
)

// Append adds events to the log, in order and in one write. Durable ones are synced before it
// returns. Watchers have seen the events when it returns.
func (d *Dir) Append(data ...event.Data) error {
	if len(data) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.log == nil {
		return fmt.Errorf("the run directory is open for reading only")
	}
	if d.torn {
		if err := d.log.Truncate(d.size); err != nil {
			return fmt.Errorf("cut the torn end of the event log: %w", err)
		}
		d.torn = false
	}
	now := time.Now().UTC()
	events := make([]event.Event, len(data))
	var lines bytes.Buffer
	sync := false
	for i, x := range data {
		events[i] = event.Event{Seq: d.seq + int64(i) + 1, Time: now, Data: x}
		line, err := json.Marshal(events[i])
		if err != nil {
			return err
		}
		lines.Write(line)
		lines.WriteByte('\n')
		_, durable := x.(event.Durable)
		sync = sync || durable
	}
	n, err := d.log.WriteAt(lines.Bytes(), d.size)
	if err == nil && sync {
		err = d.log.Sync()
	}
	if err != nil {
		// Half a line would make everything behind it unreadable.
		d.torn = d.log.Truncate(d.size) != nil
		return err
	}
	d.size += int64(n)
	d.seq += int64(len(events))
	for _, e := range events {
		for _, w := range d.watchers {
			w(e)
		}
	}
	return nil
}

// Watch calls f for every event appended from now on, in order. f must be quick and must not
// append; it runs while the log is locked.
func (d *Dir) Watch(f func(event.Event)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watchers = append(slices.Clip(d.watchers), f)
}

// Replay calls f for every event in the log so far.
func (d *Dir) Replay(f func(event.Event)) error {
	file, err := d.root.Open(eventsPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open event log: %w", err)
	}
	defer file.Close()
	_, _, err = scan(file, f)
	return err
}

// scan reads whole lines from the start and returns the last number and the length of what is
// whole. A last line without its end, or one that is no event, is what a crash leaves and is not
// counted; the same in the middle is damage, and an error with the line.
func scan(r io.Reader, f func(event.Event)) (seq, size int64, err error) {
	br := bufio.NewReaderSize(r, 1<<16)
	var bad error
	for line := 1; ; line++ {
		text, err := br.ReadBytes('\n')
		if err == io.EOF {
			return seq, size, nil
		}
		if err != nil {
			return seq, size, err
		}
		if bad != nil {
			return seq, size, bad
		}
		var e event.Event
		err = json.Unmarshal(text, &e)
		if err == nil && e.Seq != seq+1 {
			err = fmt.Errorf("event %d follows event %d", e.Seq, seq)
		}
		if err != nil {
			bad = fmt.Errorf("line %d is damaged: %w", line, err)
			continue
		}
		f(e)
		seq = e.Seq
		size += int64(len(text))
	}
}
