package trace

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// exporter sends spans by OTLP over HTTP. The library's own exporter brings gRPC along, which makes each program 5 MB larger.
type exporter struct {
	url    string
	header map[string]string
	client *http.Client
	log    *slog.Logger
	pause  time.Duration // before the second try, doubled for each further one
	away   atomic.Bool   // the collector did not take the last ones
}

const (
	answerLimit = 10 * time.Second
	tries       = 4
)

func newExporter(endpoint string, header map[string]string, log *slog.Logger) *exporter {
	// The collector's headers must not follow a redirect to somewhere else.
	client := &http.Client{Timeout: answerLimit, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &exporter{url: strings.TrimRight(endpoint, "/") + "/v1/traces", header: header, client: client, log: log, pause: time.Second}
}

// ExportSpans sends spans, again for a while when the collector is away. A lasting failure is told once, not for each batch.
func (x *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	body := encode(spans)
	var err error
	for try, pause := 0, x.pause; try < tries; try, pause = try+1, 2*pause {
		if try > 0 {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
		var again bool
		if again, err = x.send(ctx, body); err == nil || !again || ctx.Err() != nil {
			break
		}
	}
	if was := x.away.Swap(err != nil); err != nil && !was {
		x.log.Warn("traces cannot be sent: check OTEL_EXPORTER_OTLP_ENDPOINT and whether the collector runs", "spans_lost", len(spans), "error", err)
	} else if err == nil && was {
		x.log.Info("traces are sent again")
	}
	return nil // it was told; the library would tell each one
}

// send posts once; again tells whether another try can help.
func (x *exporter) send(ctx context.Context, body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	for name, value := range x.header {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := x.client.Do(r)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // so that the connection can be used again
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return false, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, fmt.Errorf("the collector answers %s", resp.Status)
	}
	return false, fmt.Errorf("the collector answers %s", resp.Status)
}

// Shutdown has nothing to do.
func (x *exporter) Shutdown(context.Context) error { return nil }
