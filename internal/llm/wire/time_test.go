package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/llm"
)

// inMemory runs a server and a client without a network, so that virtual time passes.
func inMemory(t *testing.T, handler http.HandlerFunc, f func(ctx context.Context, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // a server notices that its client left only after that
			handler(w, r)
		})}
		done := make(chan struct{})
		go func() { defer close(done); server.Serve(l) }()
		transport := NewTransport()
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			near, far := net.Pipe()
			select {
			case l.conns <- far:
				return near, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		f(t.Context(), New(Options{Entry: "e", BaseURL: "http://model.example", Transport: transport}))
		transport.CloseIdleConnections()
		server.Close()
		<-done
	})
}

type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func wait(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}

func say(w http.ResponseWriter, s string) {
	io.WriteString(w, s)
	w.(http.Flusher).Flush()
}

func TestTime(t *testing.T) {
	t.Parallel()
	const a, end = "data: {\"t\":\"a\"}\n\n", "data: {\"end\":true}\n\n"
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    llm.Class
		took    time.Duration
	}{
		"no headers": {func(w http.ResponseWriter, r *http.Request) { wait(r, time.Hour) }, llm.ClassTimeout, time.Minute},
		"headers, then silence": {func(w http.ResponseWriter, r *http.Request) { say(w, ""); wait(r, time.Hour) },
			llm.ClassTimeout, time.Minute},
		"bytes, then silence": {func(w http.ResponseWriter, r *http.Request) { say(w, a); wait(r, time.Hour) },
			llm.ClassStall, 90 * time.Second},
		"slow but steady": {func(w http.ResponseWriter, r *http.Request) {
			for range 14 {
				say(w, a)
				wait(r, time.Minute)
			}
			say(w, end)
		}, llm.ClassOK, 14 * time.Minute},
		"comments are signs of life": {func(w http.ResponseWriter, r *http.Request) {
			for range 5 {
				say(w, ": busy\n\n")
				wait(r, 80*time.Second)
			}
			say(w, end)
		}, llm.ClassOK, 400 * time.Second},
		"never done": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				say(w, a)
				wait(r, time.Minute)
			}
		}, llm.ClassStall, 15 * time.Minute},
		"done, but not closed":            {func(w http.ResponseWriter, r *http.Request) { say(w, end); wait(r, time.Hour) }, llm.ClassOK, usageGrace},
		"said to be done, but not closed": {func(w http.ResponseWriter, r *http.Request) { say(w, "data: [DONE]\n\n"); wait(r, time.Hour) }, llm.ClassOK, endGrace},
		"one body after the headers": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			say(w, "")
			wait(r, 200*time.Second)
			say(w, `{"end":true}`)
		}, llm.ClassOK, 200 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, c.handler, func(ctx context.Context, client *Client) {
				start := time.Now()
				var got []string
				err := client.Stream(ctx, Request{URL: "http://model.example/", Body: 1, FirstByte: time.Minute, Each: collect(&got)})
				if took := time.Since(start); llm.ClassOf(err) != c.want || took != c.took {
					t.Errorf("got %v after %s", err, took)
				}
			})
		})
	}
}

func TestServerThatDoesNotStreamGetsMoreTime(t *testing.T) {
	t.Parallel()
	think := time.Second
	inMemory(t, func(w http.ResponseWriter, r *http.Request) {
		wait(r, think)
		io.WriteString(w, `{"end":true}`)
	}, func(ctx context.Context, c *Client) {
		for _, think = range []time.Duration{time.Second, 250 * time.Second} {
			if err := c.Stream(ctx, Request{URL: "http://model.example/", Body: 1, FirstByte: time.Minute, Each: collect(new([]string))}); err != nil {
				t.Errorf("after %s: %v", think, err)
			}
		}
	})
}

func TestAskIsBounded(t *testing.T) {
	t.Parallel()
	inMemory(t, func(w http.ResponseWriter, r *http.Request) { say(w, "{"); wait(r, time.Hour) }, func(ctx context.Context, c *Client) {
		start := time.Now()
		err := c.Ask(ctx, "http://model.example/models", nil, &struct{}{})
		if llm.ClassOf(err) != llm.ClassTimeout || time.Since(start) != 5*time.Second || Certain(err) != nil {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
	})
}

func TestCancelClosesTheConnection(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]string{"waiting": "", "reading": "data: {\"t\":\"a\"}\n\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			closed := make(chan struct{})
			inMemory(t, func(w http.ResponseWriter, r *http.Request) {
				say(w, before)
				<-r.Context().Done()
				close(closed)
			}, func(ctx context.Context, c *Client) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(time.Second, cancel)
				err := c.Stream(ctx, Request{URL: "http://model.example/", Body: 1, FirstByte: time.Minute, Each: collect(new([]string))})
				if llm.ClassOf(err) != llm.ClassCancelled || !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				<-closed
			})
		})
	}
}
