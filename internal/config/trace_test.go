package config

import (
	"strings"
	"testing"
)

// Ensure traces are off by default, and that what cannot work is told by the name of its variable, without the headers' values.
func TestTraceSettings(t *testing.T) {
	t.Parallel()
	var c Trace
	if err := Load(&c, NewEnv(nil)); err != nil || c.Endpoint != "" {
		t.Errorf("by default: %+v, %v", c, err)
	}
	good := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example:4318/otlp", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20eDp5, x-team = plans ,"}
	if err := Load(&c, NewEnv(good)); err != nil {
		t.Fatal(err)
	}
	if h, ok := c.Header(); !ok || len(h) != 2 || h["authorization"] != "Basic eDp5" || h["x-team"] != "plans" {
		t.Errorf("headers: %v", h)
	}
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_HEADERS": "hush", "OTEL_EXPORTER_OTLP_HEADERS ": "x=hush%0d%0ay", "OTEL_EXPORTER_OTLP_HEADERS  ": "a b=hush",
	} {
		env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
		env[strings.TrimSpace(name)] = value
		if err := Load(new(Trace), NewEnv(env)); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}
