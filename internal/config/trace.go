package config

import (
	"errors"
	"net/url"
	"strings"
)

// Trace is where a service sends its OpenTelemetry traces. The names and their meaning are OpenTelemetry's own; those that only
// choose what is sampled and how it is labelled (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_BSP_…) are read by
// its library, from the process environment.
type Trace struct {
	Endpoint string `envconfig:"OTEL_EXPORTER_OTLP_ENDPOINT" desc:"base URL of an OpenTelemetry collector that gets traces by HTTP, such as http://collector:4318; unset makes none"`
	Headers  Secret `envconfig:"OTEL_EXPORTER_OTLP_HEADERS" desc:"headers that the collector wants, such as authorization=Bearer%20…, separated by commas"`
	Protocol string `envconfig:"OTEL_EXPORTER_OTLP_PROTOCOL" default:"http/protobuf" desc:"only http/protobuf is spoken"`
}

// Validate checks the address and the headers.
func (t *Trace) Validate() error {
	if t.Endpoint == "" {
		return nil
	}
	var errs []error
	if u, err := url.Parse(t.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		errs = append(errs, wrong("OTEL_EXPORTER_OTLP_ENDPOINT", t.Endpoint, "it has to be an address such as http://localhost:4318"))
	}
	if t.Protocol != "http/protobuf" {
		errs = append(errs, wrong("OTEL_EXPORTER_OTLP_PROTOCOL", t.Protocol, "allowed is http/protobuf, which collectors take on port 4318"))
	}
	if _, ok := t.Header(); !ok {
		errs = append(errs, errors.New("OTEL_EXPORTER_OTLP_HEADERS cannot be read: write it as name=value,name=value with special characters as %2C for a comma"))
	}
	return errors.Join(errs...)
}

// Header returns the headers by name; false when they cannot be read.
func (t *Trace) Header() (map[string]string, bool) {
	out := map[string]string{}
	for item := range strings.SplitSeq(string(t.Headers), ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		name, value, ok := strings.Cut(item, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !ok || name == "" || err != nil || strings.ContainsAny(name, " \t\r\n\x00:") || strings.ContainsAny(value, "\r\n\x00") {
			return nil, false
		}
		out[name] = value
	}
	return out, true
}
