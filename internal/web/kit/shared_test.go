package kit

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// Ensure that all pages of a topic share one watch, that each gets all parts and then changes only, and
// that the watch ends with the last page and begins anew with the next.
func TestShared(t *testing.T) {
	t.Parallel()
	var s Shared
	var watches atomic.Int64
	topics, left := make(chan *Topic, 2), make(chan bool, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Serve(w, r, "run", func(ctx context.Context, topic *Topic) {
			watches.Add(1)
			topic.Set(Parts{"head": "1", "body": "a"})
			topics <- topic
			<-ctx.Done()
			left <- true
		})
	}))
	defer server.Close()
	type page struct {
		lines chan string
		leave func()
	}
	open := func() page {
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		p := page{make(chan string, 100), func() { cancel(); resp.Body.Close() }}
		go func() {
			for in := bufio.NewScanner(resp.Body); in.Scan(); {
				if data, ok := strings.CutPrefix(in.Text(), "data: "); ok && data != "{}" {
					p.lines <- data
				} else if in.Text() == "event: end" {
					p.lines <- "end"
				}
			}
			close(p.lines)
		}()
		return p
	}
	first := open()
	topic := <-topics
	second := open()
	for _, p := range []page{first, second} {
		if got := <-p.lines; got != `{"body":"a","head":"1"}` {
			t.Errorf("a new page gets %s", got)
		}
	}
	topic.Set(Parts{"head": "2"})
	topic.Set(Parts{"head": "2"})
	for _, p := range []page{first, second} {
		if got := <-p.lines; got != `{"head":"2"}` {
			t.Errorf("a page is told %s", got)
		}
	}
	first.leave()
	second.leave()
	<-left
	third := open()
	topic = <-topics
	if got := <-third.lines; got != `{"body":"a","head":"1"}` || watches.Load() != 2 {
		t.Errorf("the next page gets %s from watch %d", got, watches.Load())
	}
	topic.End()
	if got := <-third.lines; got != "end" {
		t.Errorf("the end is told as %s", got)
	}
	third.leave()
}
