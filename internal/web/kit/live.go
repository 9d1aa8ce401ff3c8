package kit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/a-h/templ"
)

// Parts are pieces of a page by name, each the whole inside of the element with that data-part. They say
// how things stand, not what has happened: a lost or doubled message does no harm.
type Parts map[string]string

// Piece renders a component into parts.
func (p Parts) Piece(ctx context.Context, name string, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(ctx, &b); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	p[name] = b.String()
	return nil
}

// WriteParts answers a page that asks now and then, because it has no stream.
func WriteParts(w http.ResponseWriter, p Parts) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(p)
}

// Stream sends parts to one open page, until it leaves.
type Stream struct {
	w    http.ResponseWriter
	rc   *http.ResponseController
	sent Parts
}

// writing is how long one message may take: a page that does not read has gone.
const writing = 10 * time.Second

// NewStream begins a stream of server-sent events.
func NewStream(w http.ResponseWriter) *Stream {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	return &Stream{w, http.NewResponseController(w), Parts{}}
}

// Send tells the parts that have changed since the last time.
func (s *Stream) Send(p Parts) error {
	news := maps.Clone(p)
	maps.DeleteFunc(news, func(name, html string) bool { sent, ok := s.sent[name]; return ok && sent == html })
	if len(news) == 0 {
		return nil
	}
	maps.Copy(s.sent, news)
	data, err := json.Marshal(news)
	if err != nil {
		return err
	}
	return s.write("event: parts\ndata: " + string(data) + "\n\n")
}

// Beat shows that the stream is alive.
func (s *Stream) Beat() error { return s.write("event: beat\ndata: {}\n\n") }

// End tells the page that nothing more will come.
func (s *Stream) End() error { return s.write("event: end\ndata: {}\n\n") }

func (s *Stream) write(text string) error {
	_ = s.rc.SetWriteDeadline(time.Now().Add(writing)) // a recorder in a test has none
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.rc.Flush()
}
