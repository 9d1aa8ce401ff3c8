package trace

import (
	"math"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	pb "google.golang.org/protobuf/encoding/protowire"
)

// encode writes an ExportTraceServiceRequest of opentelemetry-proto 1.x. The numbers are those of its fields.
func encode(spans []sdk.ReadOnlySpan) []byte {
	if len(spans) == 0 {
		return nil
	}
	var resource, all []byte
	for _, kv := range spans[0].Resource().Attributes() { // all are of one service
		resource = sub(resource, 1, keyValue(kv))
	}
	all = sub(all, 1, resource)
	var scopes []instrumentation.Scope
	of := map[instrumentation.Scope][]byte{}
	for _, s := range spans {
		scope := s.InstrumentationScope()
		scope.Attributes = attribute.Set{}
		if _, ok := of[scope]; !ok {
			scopes = append(scopes, scope)
			of[scope] = sub(nil, 1, str(str(nil, 1, scope.Name), 2, scope.Version))
		}
		of[scope] = sub(of[scope], 2, span(s))
	}
	for _, scope := range scopes {
		all = sub(all, 2, of[scope])
	}
	return sub(nil, 1, all)
}

func span(s sdk.ReadOnlySpan) []byte {
	ctx, trace, id := s.SpanContext(), s.SpanContext().TraceID(), s.SpanContext().SpanID()
	b := sub(sub(nil, 1, trace[:]), 2, id[:])
	b = str(b, 3, ctx.TraceState().String())
	if parent := s.Parent(); parent.SpanID().IsValid() {
		id := parent.SpanID()
		b = sub(b, 4, id[:])
	}
	b = number(str(b, 5, s.Name()), 6, uint64(s.SpanKind())) // the library counts kinds as the protocol does
	b = fixed(fixed(b, 7, uint64(s.StartTime().UnixNano())), 8, uint64(s.EndTime().UnixNano()))
	for _, kv := range s.Attributes() {
		b = sub(b, 9, keyValue(kv))
	}
	b = number(b, 10, uint64(s.DroppedAttributes()))
	if st := s.Status(); st.Code != codes.Unset {
		code := uint64(1)
		if st.Code == codes.Error {
			code = 2
		}
		b = sub(b, 15, number(str(nil, 2, st.Description), 3, code))
	}
	return b
}

func keyValue(kv attribute.KeyValue) []byte {
	return sub(str(nil, 1, string(kv.Key)), 2, value(kv.Value))
}

func value(v attribute.Value) []byte {
	switch v.Type() {
	case attribute.BOOL:
		n := uint64(0)
		if v.AsBool() {
			n = 1
		}
		return pb.AppendVarint(pb.AppendTag(nil, 2, pb.VarintType), n)
	case attribute.INT64:
		return pb.AppendVarint(pb.AppendTag(nil, 3, pb.VarintType), uint64(v.AsInt64()))
	case attribute.FLOAT64:
		return fixed(nil, 4, math.Float64bits(v.AsFloat64()))
	case attribute.STRINGSLICE:
		var list []byte
		for _, s := range v.AsStringSlice() {
			list = sub(list, 1, sub(nil, 1, []byte(s)))
		}
		return sub(nil, 5, list)
	}
	return sub(nil, 1, []byte(v.String()))
}

func sub(b []byte, field pb.Number, inside []byte) []byte {
	return pb.AppendBytes(pb.AppendTag(b, field, pb.BytesType), inside)
}

// str leaves the empty out, as number does 0.
func str(b []byte, field pb.Number, s string) []byte {
	if s == "" {
		return b
	}
	return pb.AppendString(pb.AppendTag(b, field, pb.BytesType), s)
}

func number(b []byte, field pb.Number, n uint64) []byte {
	if n == 0 {
		return b
	}
	return pb.AppendVarint(pb.AppendTag(b, field, pb.VarintType), n)
}

func fixed(b []byte, field pb.Number, n uint64) []byte {
	return pb.AppendFixed64(pb.AppendTag(b, field, pb.Fixed64Type), n)
}
