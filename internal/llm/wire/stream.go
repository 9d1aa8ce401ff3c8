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

// Stream posts a request and reads its answer to the end. Errors are *llm.Error. After Complete
// nothing is an error any more.
func (c *Client) Stream(ctx context.Context, r Request) error {
	firstByte := r.FirstByte
	if c.noStream.Load() {
		firstByte = max(firstByte, wholeLimit)
	}
	total, stop := context.WithTimeoutCause(ctx, totalLimit,
		c.Fail(llm.ClassStall, "entry %q: the answer of %s was not complete after %s", c.o.Entry, c.host, seconds(totalLimit)))
	defer stop()
	inner, cancel := context.WithCancelCause(total)
	defer cancel(nil)
	w := &watch{cancel: cancel}
	defer w.stop()
	w.start(firstByte, c.late(firstByte))

	resp, err := c.send(inner, r.URL, r.Body)
	if err != nil {
		return c.broken(ctx, inner, err)
	}
	defer resp.Body.Close()
	body := &watched{ctx: inner, r: resp.Body, watch: w, left: bodyLimit,
		stall: c.Fail(llm.ClassStall, "entry %q: %s went silent for %s in the middle of its answer", c.o.Entry, c.host, seconds(silenceLimit))}
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(body, 64<<10))
		if err != nil && len(text) == 0 {
			return c.broken(ctx, inner, err)
		}
		return c.refuse(r, parseFailure(resp.StatusCode, text), resp.Header)
	}
	if firstByte < wholeLimit && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		w.extend(wholeLimit-firstByte, c.late(wholeLimit))
	}
	state, err := c.read(r, body, resp.Header)
	switch {
	case state != Going:
		return nil
	case err == nil:
		return c.Fail(llm.ClassNetwork, "%s closed the connection before the answer was complete", c.host)
	case errors.Is(err, errTooLong):
		return c.Fail(llm.ClassInvalid, "the answer is longer than %d MiB", bodyLimit>>20)
	}
	return c.broken(ctx, inner, err)
}

func (c *Client) late(d time.Duration) *llm.Error {
	return c.Fail(llm.ClassTimeout, "entry %q: no answer from %s within %s", c.o.Entry, c.host, seconds(d))
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
		return state, c.Fail(llm.ClassServer, "%s answered with an empty body", c.host)
	}
	if err != nil {
		return state, err
	}
	values, asEvents := io.Reader(in), first != '{' && first != '['
	if asEvents {
		values = &events{in: in, done: func() {
			state = Ended
			body.wait(Ended)
		}}
	}
	d := json.NewDecoder(values)
	for n := 0; ; n++ {
		var raw json.RawMessage
		err := d.Decode(&raw)
		switch {
		case err == nil:
			err = take(raw)
		case err == io.EOF && n == 1 && !asEvents:
			c.noStream.Store(true)
			if state == Going {
				return state, c.Fail(llm.ClassServer, "%s answered with JSON that holds no answer", c.host)
			}
			return state, nil
		case err == io.EOF:
			return state, nil
		}
		if err != nil {
			return state, c.unreadable(err)
		}
	}
}

// unreadable explains why a value of a body cannot be read, where the decoder's words do not.
func (c *Client) unreadable(err error) error {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	switch {
	case syntax, errors.Is(err, errNotEvents):
		return c.Fail(llm.ClassServer, "%s answered with something that is not JSON", c.host)
	case err == io.ErrUnexpectedEOF:
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
	e := c.Fail(llm.ClassNetwork, what, c.host, c.clean(err.Error()))
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
