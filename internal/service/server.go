package service

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"planexe/internal/config"
	"planexe/internal/port"
)

const (
	headerLimit   = 10 * time.Second // for a caller to say what it wants
	idleLimit     = 2 * time.Minute
	answerLimit   = time.Minute      // for an answer to be read
	downloadLimit = 30 * time.Minute // for a report or an archive to be read
	shutdownLimit = 8 * time.Second  // containers are killed 10 s after they were asked to end
)

// Listen opens the port of the settings. Its errors name the variable to change.
func Listen(c config.Worker) (net.Listener, error) {
	number, variable := c.Listen()
	return port.Listen(c.Host, number, "PLANEXE_WORKER_HOST", variable)
}

// Serve starts the runs that were interrupted and answers requests on l until ctx is over. Then it
// takes no more of them, interrupts the runs and waits for both.
func (s *Service) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerLimit, IdleTimeout: idleLimit, MaxHeaderBytes: 64 << 10,
		// No WriteTimeout: event streams last. Each answer has a deadline of its own, each message of a stream too.
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.Start()
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	s.log.Info("worker_plan is ready", "address", l.Addr().String(), "runs", s.Runs(), "version", s.version)
	var err error
	select {
	case <-ctx.Done():
	case err = <-served:
	}
	s.log.Info("shutting down: runs that are going on are interrupted, and go on at the next start")
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownLimit)
	defer cancel()
	closed := s.Close(limit)
	if e := server.Shutdown(limit); e != nil {
		_ = server.Close() // those who are still reading had their time
	}
	return errors.Join(err, closed)
}

// Run builds a service and serves until ctx is over.
func Run(ctx context.Context, o Options) error {
	l, err := Listen(o.Settings)
	if err != nil {
		return err
	}
	defer l.Close()
	s, err := New(o)
	if err != nil {
		return err
	}
	return s.Serve(ctx, l)
}
