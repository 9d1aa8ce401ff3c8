package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

var errNotEvents = errors.New("these are no server-sent events")

// events reads the data of server-sent events, one line after the other. Comments and the other
// fields are signs of life only. So are blank lines: some servers leave them out, and a JSON value
// shows by itself where it ends.
type events struct {
	in   *bufio.Reader
	done func() // called at [DONE]
	data []byte // what is left of the last line
	err  error  // comes after data
}

func (e *events) Read(p []byte) (int, error) {
	for len(e.data) == 0 && e.err == nil {
		var line []byte
		line, e.err = e.in.ReadBytes('\n')
		e.take(line)
	}
	if len(e.data) == 0 {
		return 0, e.err
	}
	n := copy(p, e.data)
	e.data = e.data[n:]
	return n, nil
}

func (e *events) take(line []byte) {
	field, value, colon := bytes.Cut(line, []byte(":"))
	switch name := string(bytes.TrimRight(field, "\r\n")); {
	case name == "": // a blank line or a comment
	case name == "data" && string(bytes.TrimSpace(value)) == "[DONE]":
		e.done()
	case name == "data":
		e.data = bytes.TrimPrefix(value, []byte(" ")) // with its line end, which is white space of JSON
	case colon && (name == "event" || name == "id" || name == "retry"):
	case e.err == nil || e.err == io.EOF: // else the line may be cut
		e.err = errNotEvents
	}
}
