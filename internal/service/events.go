package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"planexe/internal/runs"
)

const (
	heartbeat  = 15 * time.Second // comments keep proxies from closing a silent stream
	writeLimit = 10 * time.Second // for one message to a reader that does not read
)

// stream writes server-sent events.
type stream struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	buf bytes.Buffer
}

func newStream(w http.ResponseWriter) *stream {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no") // a proxy must not collect events
	return &stream{w: w, rc: http.NewResponseController(w)}
}

func (s *stream) event(id int64, name string, data []byte) {
	fmt.Fprintf(&s.buf, "id: %d\nevent: %s\ndata: %s\n\n", id, name, data)
}

func (s *stream) data(v any) {
	text, _ := json.Marshal(v) // strings and numbers only
	fmt.Fprintf(&s.buf, "data: %s\n\n", text)
}

func (s *stream) comment(text string) { fmt.Fprintf(&s.buf, ": %s\n\n", text) }

// flush sends what was written since the last time; false when the reader is gone or does not read.
func (s *stream) flush() bool {
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeLimit)) // a writer without deadlines has none to miss
	_, err := s.w.Write(s.buf.Bytes())
	s.buf.Reset()
	return err == nil && s.rc.Flush() == nil
}

type eventsInput struct {
	RunInput
	Last  int64 `header:"Last-Event-ID" minimum:"0" doc:"Events after this one are told"`
	After int64 `query:"after" minimum:"0" doc:"As Last-Event-ID, which wins when it is greater"`
}

func (s *Service) runEvents(_ context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	if _, err := s.library.Summary(in.ID); err != nil {
		return nil, s.failed(err, in.ID, "read the run")
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		_, w := humachi.Unwrap(ctx)
		out := newStream(w)
		after := max(in.Last, in.After)
		if feed := s.manager.Feed(in.ID); feed != nil {
			s.follow(ctx.Context(), out, feed, after)
			return
		}
		err := s.library.Events(in.ID, after, func(l runs.Line) bool {
			out.event(l.Seq, l.Type, l.Data)
			return out.buf.Len() < 1<<16 || out.flush()
		})
		if err != nil {
			s.log.Warn("the log of a run cannot be read", "run_id", in.ID, "error", err)
		}
		out.flush()
	}}, nil
}

// follow tells a live run until it or the reader or the service ends.
func (s *Service) follow(ctx context.Context, out *stream, feed *runs.Feed, after int64) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		lines, over, more := feed.Since(after)
		for _, l := range lines {
			out.event(l.Seq, l.Type, l.Data)
			after = l.Seq
		}
		if !out.flush() || over {
			return
		}
		select {
		case <-more:
		case <-beat.C:
			out.comment("still there")
		case <-ctx.Done():
			return
		case <-s.closing.Done():
			return
		}
	}
}
