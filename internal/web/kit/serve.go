package kit

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	headerLimit   = 10 * time.Second // for a browser to say what it wants
	idleLimit     = 2 * time.Minute
	shutdownLimit = 5 * time.Second
)

// Serve answers requests until ctx is over. Open pages let go of their streams then, and downloads have
// some seconds left. A handler with a Close method is closed in the end.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	if c, ok := h.(interface{ Close() }); ok {
		defer c.Close()
	}
	streams, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: headerLimit, IdleTimeout: idleLimit, MaxHeaderBytes: 64 << 10,
		// No WriteTimeout: streams and downloads last. Streams have a deadline per message.
		BaseContext: func(net.Listener) context.Context { return streams },
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownLimit)
	defer cancel()
	time.AfterFunc(shutdownLimit/5, leave) // what is nearly done may finish first
	if err := s.Shutdown(limit); err != nil {
		_ = s.Close() // those who still read had their time
	}
	return nil
}
