package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Events streams the events of a run after a number, 0 for all, and ends after its last one. An
// error ends it: reconnecting, with the number of the last event, is left to the caller.
func (c *Client) Events(ctx context.Context, id string, after int64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		header := http.Header{"Accept": {"text/event-stream"}, "Last-Event-ID": {strconv.FormatInt(after, 10)}}
		for m, err := range c.messages(ctx, path("runs", id, "events"), header) {
			var e Event
			if err == nil {
				err = json.Unmarshal([]byte(m.data), &e)
				e.Type = m.event
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Ping tries models one after the other: those named, else all that have a priority. The last
// event is that of name server.
func (c *Client) Ping(ctx context.Context, ids ...string) iter.Seq2[PingEvent, error] {
	return func(yield func(PingEvent, error) bool) {
		v := url.Values{}
		if len(ids) > 0 {
			v["id"] = ids
		}
		for m, err := range c.messages(ctx, path("llm-ping")+query(v), http.Header{"Accept": {"text/event-stream"}}) {
			var e PingEvent
			if err == nil {
				err = json.Unmarshal([]byte(m.data), &e)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

type message struct{ id, event, data string }

// mostLine bounds one line of a stream.
const mostLine = 4 << 20

// messages reads a stream of server-sent events.
func (c *Client) messages(ctx context.Context, at string, header http.Header) iter.Seq2[message, error] {
	return func(yield func(message, error) bool) {
		resp, err := c.send(ctx, http.MethodGet, at, header, nil)
		if err != nil {
			yield(message{}, err)
			return
		}
		defer resp.Body.Close()
		if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
			yield(message{}, fmt.Errorf("%w: %s answered %q instead of events", ErrUnreachable, at, kind))
			return
		}
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, mostLine)
		var m message
		for lines.Scan() {
			line := lines.Text()
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch {
			case line == "" && m.data != "":
				if !yield(m, nil) {
					return
				}
				m = message{}
			case line == "":
				m = message{}
			case name == "id":
				m.id = value
			case name == "event":
				m.event = value
			case name == "data" && m.data != "":
				m.data += "\n" + value
			case name == "data":
				m.data = value
			}
		}
		if err := lines.Err(); err != nil && !errors.Is(err, io.EOF) {
			if ctx.Err() == nil && !errors.Is(err, ErrUnreachable) {
				err = fmt.Errorf("%w: %w", ErrUnreachable, err)
			}
			yield(message{}, err)
		}
	}
}
