// Package trace tells an OpenTelemetry collector what the services do: requests, claims, runs, steps, calls of models and their
// attempts. It says how long, how much and what came of it, never what was asked or answered. A nil *Tracer traces nothing and costs
// nothing.
package trace

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"planexe/internal/config"
)

// Tracer makes spans. It is safe for concurrent use.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	log      *slog.Logger
}

// Start returns the tracer of a service, nil when the settings name no collector. Close has to be called.
func Start(c config.Trace, service, version string, log *slog.Logger) *Tracer {
	if c.Endpoint == "" || disabled() {
		return nil
	}
	header, _ := c.Header() // Validate has looked
	log.Info("traces are sent", "endpoint", c.Endpoint)
	return start(newExporter(c.Endpoint, header, log), service, version, log)
}

// disabled is what OpenTelemetry's own switch says.
func disabled() bool { return strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") }

func start(to sdk.SpanExporter, service, version string, log *slog.Logger) *Tracer {
	name := resource.WithAttributes(attribute.String("service.name", service), attribute.String("service.version", version))
	about, err := resource.New(context.Background(), name, resource.WithFromEnv()) // the environment wins
	if err != nil {
		log.Warn("OTEL_RESOURCE_ATTRIBUTES cannot be read: traces go without", "error", err)
		about, _ = resource.New(context.Background(), name) // two words of ours
	}
	p := sdk.NewTracerProvider(sdk.WithBatcher(to), sdk.WithResource(about))
	return &Tracer{provider: p, tracer: p.Tracer("planexe", trace.WithInstrumentationVersion(version)), log: log}
}

// patience is how long the end of a service waits for the collector.
const patience = 3 * time.Second

// Close sends what is left.
func (t *Tracer) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.Warn("the last traces are lost", "error", err)
	}
}

// Span is something that lasts. A nil one is nothing.
type Span struct{ span trace.Span }

// Begin begins a span below that of ctx at a time, which may be past; about are pairs of a name and a value, as for slog.
func (t *Tracer) Begin(ctx context.Context, name string, at time.Time, about ...any) (context.Context, *Span) {
	return t.begin(ctx, name, at, trace.SpanKindInternal, about)
}

func (t *Tracer) begin(ctx context.Context, name string, at time.Time, kind trace.SpanKind, about []any) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	ctx, s := t.tracer.Start(ctx, name, trace.WithTimestamp(at), trace.WithSpanKind(kind), trace.WithAttributes(pairs(about)...))
	return ctx, &Span{s}
}

// Set adds what became known meanwhile.
func (s *Span) Set(about ...any) {
	if s != nil {
		s.span.SetAttributes(pairs(about)...)
	}
}

// Fail marks the span as failed. The class is a word for a program; sentences may hold what must not leave the service.
func (s *Span) Fail(class string) {
	if s != nil {
		s.span.SetAttributes(attribute.String("error.type", class))
		s.span.SetStatus(codes.Error, class)
	}
}

// End ends the span at a time.
func (s *Span) End(at time.Time) {
	if s != nil {
		s.span.End(trace.WithTimestamp(at))
	}
}

func pairs(about []any) []attribute.KeyValue {
	var out []attribute.KeyValue
	for i := 0; i+1 < len(about); i += 2 {
		key := fmt.Sprint(about[i])
		switch v := about[i+1].(type) {
		case string:
			out = append(out, attribute.String(key, v))
		case bool:
			out = append(out, attribute.Bool(key, v))
		case int:
			out = append(out, attribute.Int(key, v))
		case float64:
			out = append(out, attribute.Float64(key, v))
		case []string:
			out = append(out, attribute.StringSlice(key, v))
		default:
			out = append(out, attribute.String(key, fmt.Sprint(v)))
		}
	}
	return out
}

// Carry writes where ctx stands, as the header traceparent has it; "" when nothing is traced.
func (t *Tracer) Carry(ctx context.Context) string {
	if t == nil {
		return ""
	}
	c := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, c)
	return c["traceparent"]
}

// Carried returns a context below what Carry wrote, elsewhere perhaps. Whatever else the text is, is nothing.
func (t *Tracer) Carried(ctx context.Context, text string) context.Context {
	if t == nil || text == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": text})
}
