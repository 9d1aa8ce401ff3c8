package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"planexe/internal/api"
)

// mostBody bounds the body of a request.
const mostBody = 1 << 20

// bodyLimit is how long a caller may take to send a body.
const bodyLimit = 30 * time.Second

// readBody returns the body, which is no longer than mostBody.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *failure) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyLimit)) // a writer without deadlines has none to miss
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	_ = rc.SetReadDeadline(time.Time{})
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, fail(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", mostBody)
	case err != nil:
		return nil, fail(http.StatusBadRequest, "the body could not be read")
	}
	return body, nil
}

// jsonBody lets only JSON through to an operation and says what is wrong with anything else. Fields
// in notNull may be left out but not be null.
func jsonBody(required bool, notNull ...string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(ctx)
		body, f := readBody(w, r)
		if f == nil {
			f = checkJSON(r.Header.Get("Content-Type"), body, required, notNull)
		}
		if f != nil {
			f.write(w)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next(ctx)
	}
}

func checkJSON(contentType string, body []byte, required bool, notNull []string) *failure {
	wrong := func(kind, message string, loc ...any) *failure {
		return &failure{status: http.StatusUnprocessableEntity, fields: []api.FieldError{{Type: kind, Loc: append([]any{"body"}, loc...), Msg: message}}}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		if !required {
			return nil
		}
		return wrong("missing", "field required")
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return fail(http.StatusUnsupportedMediaType, "the body has to be JSON with Content-Type: application/json")
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		at := int64(0)
		var syntax *json.SyntaxError
		var number *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			at = syntax.Offset - 1
		case errors.As(err, &number):
			at = number.Offset - 1
		}
		return wrong("json_invalid", "not valid JSON", max(at, 0))
	}
	if !utf8.Valid(body) {
		return wrong("json_invalid", "not valid UTF-8")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return wrong("model_attributes_type", "must be an object")
	}
	for _, name := range notNull {
		if v, there := object[name]; there && v == nil {
			return wrong("bool_type", "must be true or false", name)
		}
	}
	return nil
}

// upload is where an operation finds the content that came with its request.
type upload struct{}

// contentBody reads an upload of any type but a form, which every web page can send.
func contentBody(ctx huma.Context, next func(huma.Context)) {
	r, w := humachi.Unwrap(ctx)
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || strings.HasPrefix(kind, "multipart/") || kind == "application/x-www-form-urlencoded" {
		fail(http.StatusUnsupportedMediaType, "the body has to be the new content with its Content-Type, such as text/markdown or application/json").write(w)
		return
	}
	body, f := readBody(w, r)
	if f != nil {
		f.write(w)
		return
	}
	next(huma.WithValue(ctx, upload{}, body))
}
