package kit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

const (
	headerLimit   = 10 * time.Second // for a browser to say what it wants
	idleLimit     = 2 * time.Minute
	shutdownLimit = 5 * time.Second
)

// Listen opens a port. Its errors name the variables to change.
func Listen(host string, port int, hostVar, portVar string) (net.Listener, error) {
	at := net.JoinHostPort(host, strconv.Itoa(port))
	l, err := net.Listen("tcp", at)
	var unknown *net.DNSError
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is in use by another program: end it, or set %s to a free port", port, portVar)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("port %d is not allowed: set %s to a port above 1023", port, portVar)
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &unknown):
		return nil, fmt.Errorf("%s is no address of this machine: correct %s", host, hostVar)
	}
	return nil, fmt.Errorf("listen on %s (%s, %s): %w", at, hostVar, portVar, err)
}

// Serve answers requests until ctx is over. Open pages let go of their streams then, and downloads have
// some seconds left.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
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

// Probe asks a service on this machine for its health, as container probes do.
func Probe(host string, port int) error {
	switch host { // what it listens on is not always what it is called by
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	c := http.Client{Timeout: 3 * time.Second}
	resp, err := c.Get("http://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/healthz")
	if err != nil {
		return fmt.Errorf("ask for the health: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask for the health: answer %d", resp.StatusCode)
	}
	return nil
}
