package wire

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"planexe/internal/llm"
)

// State is how far an answer has come.
type State int

// The states of an answer.
const (
	Going    State = iota
	Complete       // the answer is whole; token counts may follow
	Ended          // nothing of interest follows
)

// Request is one question to a model.
type Request struct {
	URL       string
	Body      any
	FirstByte time.Duration // from the start to the first byte of the body

	// Each is called for every JSON value of the answer: the data of server-sent events, lines of
	// NDJSON, or one whole body.
	Each func(json.RawMessage) (State, error)

	// Adapt may claim a refusal that the provider has learned from; nil leaves it to be classified.
	Adapt func(Failure) *llm.Error
}

// errTooLong ends an answer beyond Limits.Body.
var errTooLong = errors.New("answer too long")

// Stream posts a request and reads its answer to the end. Errors are *llm.Error. After Complete
// nothing is an error any more.
func (c *Client) Stream(ctx context.Context, r Request) error {
	firstByte := r.FirstByte
	if c.noStream.Load() {
		firstByte = max(firstByte, c.o.Limits.Whole)
	}
	total, stop := context.WithTimeoutCause(ctx, c.o.Limits.Total,
		c.fail(llm.ClassStall, "entry %q: the answer of %s was not complete after %s", c.o.Entry, c.host, seconds(c.o.Limits.Total)))
	defer stop()
	inner, cancel := context.WithCancelCause(total)
	defer cancel(nil)
	w := newWatch(cancel)
	defer w.stop()
	w.start(firstByte, c.late(firstByte))

	resp, err := c.send(inner, r.URL, r.Body)
	if err != nil {
		return c.broken(ctx, inner, err)
	}
	defer resp.Body.Close()
	body := &watched{r: resp.Body, watch: w, silence: c.o.Limits.Silence, left: c.o.Limits.Body,
		stall: c.fail(llm.ClassStall, "entry %q: %s went silent for %s in the middle of its answer", c.o.Entry, c.host, seconds(c.o.Limits.Silence))}
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(body, 64<<10))
		if err != nil && len(text) == 0 {
			return c.broken(ctx, inner, err)
		}
		return c.refuse(r, parseFailure(resp.StatusCode, text), resp.Header)
	}
	if firstByte < c.o.Limits.Whole && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		w.extend(c.o.Limits.Whole-firstByte, c.late(c.o.Limits.Whole))
	}
	state, err := c.read(r, body, resp.Header)
	switch {
	case state != Going:
		return nil
	case err == nil:
		return c.fail(llm.ClassNetwork, "%s closed the connection before the answer was complete", c.host)
	case errors.Is(err, errTooLong):
		return c.fail(llm.ClassInvalid, "the answer is longer than %d MiB", c.o.Limits.Body>>20)
	}
	return c.broken(ctx, inner, err)
}

func (c *Client) late(d time.Duration) *llm.Error {
	return c.fail(llm.ClassTimeout, "entry %q: no answer from %s within %s", c.o.Entry, c.host, seconds(d))
}

// read takes the JSON values out of a body, whatever its form: a server that ignores "stream"
// sends one JSON object, Ollama one per line, all others server-sent events.
func (c *Client) read(r Request, body *watched, header http.Header) (State, error) {
	state := Going
	take := func(raw json.RawMessage) error {
		if f, ok := failureInside(raw); ok {
			return c.refuse(r, f, header)
		}
		s, err := r.Each(raw)
		state = max(state, s)
		body.wait(state)
		return err
	}
	in := bufio.NewReader(body)
	first, err := peek(in)
	if err == io.EOF {
		return state, c.fail(llm.ClassServer, "%s answered with an empty body", c.host)
	}
	if err != nil {
		return state, err
	}
	if first == '{' || first == '[' {
		d := json.NewDecoder(in)
		for n := 0; ; n++ {
			var raw json.RawMessage
			err := d.Decode(&raw)
			if err == io.EOF {
				if n == 1 {
					c.noStream.Store(true)
				}
				if n == 1 && state == Going {
					return state, c.fail(llm.ClassServer, "%s answered with JSON that holds no answer", c.host)
				}
				return state, nil
			}
			if _, syntax := errors.AsType[*json.SyntaxError](err); syntax {
				return state, c.notJSON()
			}
			if err != nil {
				return state, cutOff(err)
			}
			if err := take(raw); err != nil {
				return state, err
			}
		}
	}
	return c.readEvents(in, body, &state, take)
}

// readEvents reads server-sent events. Comments and fields other than data are signs of life only.
func (c *Client) readEvents(in *bufio.Reader, body *watched, state *State, take func(json.RawMessage) error) (State, error) {
	var data []byte
	for {
		line, err := in.ReadBytes('\n')
		line = bytes.TrimRight(line, "\r\n")
		field, value, colon := bytes.Cut(line, []byte(":"))
		switch {
		case len(line) == 0 && len(data) > 0 && err == nil:
			return *state, c.notJSON()
		case len(line) == 0 || len(field) == 0:
		case string(field) == "data" && string(bytes.TrimSpace(value)) == "[DONE]":
			*state = Ended
			body.wait(Ended)
		case string(field) == "data":
			data = append(data, bytes.TrimPrefix(value, []byte(" "))...)
			// Some servers end events by one line end only, so a value is taken once it is whole.
			if json.Valid(data) {
				if err := take(data); err != nil {
					return *state, err
				}
				data = nil
			} else {
				data = append(data, '\n')
			}
		case !colon || !isFieldName(string(field)):
			if err == nil || err == io.EOF {
				return *state, c.notJSON()
			}
		}
		if err == io.EOF {
			return *state, nil
		}
		if err != nil {
			return *state, err
		}
	}
}

func isFieldName(s string) bool { return s == "event" || s == "id" || s == "retry" }

func (c *Client) notJSON() *llm.Error {
	return c.fail(llm.ClassServer, "%s answered with something that is not JSON", c.host)
}

// cutOff lets the end of a body inside a value look like a broken connection.
func cutOff(err error) error {
	if err == io.ErrUnexpectedEOF {
		return errors.New("the connection was closed inside the answer")
	}
	return err
}

// peek returns the first byte that is no white space or byte order mark, without taking it.
func peek(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if bytes.IndexByte([]byte(" \t\r\n\xef\xbb\xbf"), b) < 0 {
			return b, in.UnreadByte()
		}
	}
}

// broken explains why an exchange ended before its time: the caller gave up, a limit of ours, or
// the network.
func (c *Client) broken(caller, inner context.Context, err error) error {
	if caller.Err() != nil {
		return c.failWith(context.Cause(caller), llm.ClassCancelled, "stopped")
	}
	if le, ok := errors.AsType[*llm.Error](err); ok {
		return le
	}
	if le, ok := errors.AsType[*llm.Error](context.Cause(inner)); ok {
		return le
	}
	what := "the connection to %s broke: %s"
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		what = "cannot reach %s: %s"
		err = wrapped.Err // the URL may hold a password
	}
	e := c.fail(llm.ClassNetwork, what, c.host, c.clean(err.Error()))
	if IsLoopback(c.o.BaseURL) {
		e.Advice = "is the server running? Start it, or correct base_url of entry " + c.o.Entry
	}
	_, badCert := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case badCert:
		e.NoRetry = true
		e.Advice = "correct base_url of entry " + c.o.Entry + ", or let this computer trust the server's certificate"
	case errors.Is(err, http.ErrSchemeMismatch):
		e.NoRetry = true
		e.Advice = "write http:// instead of https:// in base_url of entry " + c.o.Entry
	}
	return e
}

// watch cancels an exchange when a limit passes.
type watch struct {
	cancel context.CancelCauseFunc
	mu     sync.Mutex
	timer  *time.Timer
	since  time.Time
	limit  time.Duration
}

func newWatch(cancel context.CancelCauseFunc) *watch { return &watch{cancel: cancel} }

// start replaces the limit; why becomes the cause when it passes.
func (w *watch) start(d time.Duration, why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	w.since, w.limit = time.Now(), d
	w.timer = time.AfterFunc(d, func() { w.cancel(why) })
}

// extend gives the running limit more time.
func (w *watch) extend(more time.Duration, why error) {
	w.mu.Lock()
	left := w.limit + more - time.Since(w.since)
	w.mu.Unlock()
	w.start(left, why)
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
}

// watched is a body whose bytes keep the watch quiet. It is read by one goroutine.
type watched struct {
	r       io.Reader
	watch   *watch
	silence time.Duration
	stall   error
	left    int64
	state   State
}

func (b *watched) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if n > 0 && b.state == Going {
		b.watch.start(b.silence, b.stall)
	}
	return n, err
}

// wait shortens the patience once the answer is there.
func (b *watched) wait(s State) {
	if s <= b.state {
		return
	}
	b.state = s
	grace := usageGrace
	if s == Ended {
		grace = endGrace
	}
	b.watch.start(grace, b.stall)
}
