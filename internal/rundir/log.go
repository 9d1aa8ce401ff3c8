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
	return d.each((*event.Event).UnmarshalJSON, f)
}

// Outline is Replay without the answers in the events, in about half the time; see event.Outline.
func (d *Dir) Outline(f func(event.Event)) error {
	return d.each((*event.Event).Outline, f)
}

// decoder reads a line of the log.
type decoder func(*event.Event, []byte) error

func (d *Dir) each(read decoder, f func(event.Event)) error {
	file, err := d.root.Open(eventsPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open event log: %w", err)
	}
	defer file.Close()
	_, _, err = scan(file, read, f)
	return err
}

// edge is how much of the end of a log Ends looks at.
const edge = 1 << 16

// Ends calls f for the first event of the log and for the last one, whatever the length of the log; what
// stands between them is neither read nor checked. An end that is no event is left out.
func (d *Dir) Ends(f func(event.Event)) error {
	file, err := d.root.Open(eventsPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open event log: %w", err)
	}
	defer file.Close()
	head, err := bufio.NewReader(file).ReadBytes('\n')
	if err != nil && err != io.EOF {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	tail := make([]byte, min(edge, info.Size()))
	if _, err := file.ReadAt(tail, info.Size()-int64(len(tail))); err != nil && err != io.EOF {
		return err
	}
	tail = tail[:bytes.LastIndexByte(tail, '\n')+1] // a torn end does not count
	tail = bytes.TrimSuffix(tail, []byte("\n"))
	tail = tail[bytes.LastIndexByte(tail, '\n')+1:]
	var first, last event.Event
	if json.Unmarshal(head, &first) == nil {
		f(first)
	}
	if json.Unmarshal(tail, &last) == nil && last.Seq != first.Seq {
		f(last)
	}
	return nil
}

// scan reads whole lines from the start and returns the last number and the length of what is
// whole. A last line without its end, or one that is no event, is what a crash leaves and is not
// counted; the same in the middle is damage, and an error with the line.
func scan(r io.Reader, read decoder, f func(event.Event)) (seq, size int64, err error) {
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
		err = read(&e, text[:len(text)-1])
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
