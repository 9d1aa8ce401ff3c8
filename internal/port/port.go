// Package port opens the ports of our services and asks after them.
package port

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
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

// probeLimit is within what container platforms give a probe.
const probeLimit = 3 * time.Second

// Probe asks a service on this machine for its health, as container probes do.
func Probe(host string, port int, path string) error {
	switch host { // what it listens on is not always what it is called by
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	c := http.Client{Timeout: probeLimit}
	resp, err := c.Get("http://" + net.JoinHostPort(host, strconv.Itoa(port)) + path)
	if err != nil {
		return fmt.Errorf("ask for the health: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500)) // why, where it says so
		return fmt.Errorf("ask for the health: %s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	return nil
}
