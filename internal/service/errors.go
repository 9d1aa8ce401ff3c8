package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"planexe/internal/api"
	"planexe/internal/rundir"
	"planexe/internal/runs"
)

// failure is every answer that is no success. Its body is {"detail": X}: a list of problems for
// 422, a text for all others.
type failure struct {
	status int
	detail string
	fields []api.FieldError
}

func fail(status int, format string, args ...any) *failure {
	return &failure{status: status, detail: fmt.Sprintf(format, args...)}
}

// invalid is a 422 about one field of the body.
func invalid(field, kind, format string, args ...any) *failure {
	return &failure{status: http.StatusUnprocessableEntity, fields: []api.FieldError{
		{Type: kind, Loc: []any{"body", field}, Msg: fmt.Sprintf(format, args...)},
	}}
}

func (f *failure) Error() string {
	if f.fields != nil {
		return fmt.Sprint(f.fields)
	}
	return f.detail
}

// GetStatus returns the HTTP status.
func (f *failure) GetStatus() int { return f.status }

// MarshalJSON writes the body.
func (f *failure) MarshalJSON() ([]byte, error) {
	if f.fields != nil {
		return json.Marshal(map[string]any{"detail": f.fields})
	}
	return json.Marshal(map[string]any{"detail": f.detail})
}

func (f *failure) write(w http.ResponseWriter) {
	body, err := json.Marshal(f)
	if err != nil { // texts and numbers only
		body = []byte(`{"detail":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_, _ = w.Write(body)
}

// useFailures makes the framework answer with failures. It has one variable for that, for the
// whole program.
var useFailures = sync.OnceFunc(func() {
	order := fieldsOf(api.StartRunRequest{}, api.RerunRequest{}, api.PurgeRunsRequest{})
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		f := translate(status, message, errs)
		place := func(e api.FieldError) int { return slices.Index(order, e.Field()) }
		slices.SortStableFunc(f.fields, func(a, b api.FieldError) int { return place(a) - place(b) })
		return f
	}
})

// fieldsOf lists the JSON names of fields in the order in which they are declared.
func fieldsOf(types ...any) []string {
	var names []string
	for _, t := range types {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(t)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

// translate turns what the framework found wrong into our form. Problems of the body are told one
// by one; of a wrong parameter the first is told.
func translate(status int, message string, errs []error) *failure {
	f := &failure{status: status, detail: message}
	for _, err := range errs {
		var d huma.ErrorDetailer
		if !errors.As(err, &d) {
			f.detail = err.Error()
			continue
		}
		at := strings.Split(d.ErrorDetail().Location, ".")
		problem := explain(d.ErrorDetail().Message)
		if at[0] != "body" {
			return fail(http.StatusBadRequest, "%s: %s", at[len(at)-1], problem.Msg)
		}
		for _, name := range at {
			problem.Loc = append(problem.Loc, name)
		}
		if problem.Type == "missing" {
			problem.Loc, problem.Msg = append(problem.Loc, problem.Msg), "field required"
		}
		f.fields = append(f.fields, problem)
	}
	switch {
	case f.fields != nil:
		f.status = http.StatusUnprocessableEntity
	case status == http.StatusUnprocessableEntity:
		f.fields = []api.FieldError{{Type: "value_error", Loc: []any{"body"}, Msg: f.detail}}
	case status >= 500:
		f.detail = "internal error; the service's log says more"
	}
	return f
}

// explain gives a message of the framework the name and the words that clients know. of a missing
// field Msg is its name.
func explain(message string) api.FieldError {
	is := func(format string) (string, bool) {
		before, after, _ := strings.Cut(format, "%")
		if after != "" {
			after = after[1:] // the verb
		}
		value, ok := strings.CutPrefix(message, before)
		return strings.TrimSuffix(value, after), ok
	}
	for _, k := range []struct{ format, kind, text string }{
		{validation.MsgExpectedRequiredProperty, "missing", "%s"},
		{validation.MsgExpectedOneOf, "literal_error", "must be %s"},
		{validation.MsgExpectedBoolean, "bool_type", "must be true or false"},
		{validation.MsgExpectedNumber, "float_parsing", "must be a number"},
		{validation.MsgExpectedInteger, "int_parsing", "must be a whole number"},
		{validation.MsgExpectedObject, "model_attributes_type", "must be an object"},
		{validation.MsgExpectedMinimumNumber, "greater_than_equal", "must be at least %s"},
		{validation.MsgExpectedMaximumNumber, "less_than_equal", "must be at most %s"},
		{validation.MsgExpectedMinLength, "string_too_short", "must have at least %s characters"},
		{validation.MsgExpectedMaxLength, "string_too_long", "must have at most %s characters"},
	} {
		value, ok := is(k.format)
		if !ok || !strings.Contains(k.format, "%") && value != "" {
			continue
		}
		text := k.text
		if strings.Contains(text, "%s") {
			text = fmt.Sprintf(text, strings.ReplaceAll(value, ", ", " or "))
		}
		switch text {
		case "must be at least 0":
			text = "must not be negative"
		case "must have at least 1 characters":
			text = "must not be empty"
		}
		return api.FieldError{Type: k.kind, Msg: text}
	}
	if message == validation.MsgExpectedString {
		return api.FieldError{Type: "string_type", Msg: "must be a string"}
	}
	return api.FieldError{Type: "value_error", Msg: message}
}

// failed maps the errors of package runs. doing says what was tried, for people; id is the run.
func (s *Service) failed(err error, id, doing string) error {
	var locked *rundir.LockedError
	var shape *runs.ShapeError
	var known *failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.Canceled):
		return fail(http.StatusServiceUnavailable, "the caller has gone")
	case errors.Is(err, runs.ErrBadID):
		return fail(http.StatusBadRequest, "invalid run_id")
	case errors.Is(err, runs.ErrNotFound):
		return s.noRun(id)
	case errors.Is(err, runs.ErrActive), errors.As(err, &locked):
		return fail(http.StatusConflict, "run %s is already active", id)
	case errors.Is(err, runs.ErrExists):
		return fail(http.StatusConflict, "run directory already exists: %s", s.dir(id))
	case errors.Is(err, runs.ErrBusy):
		return withRetry(fail(http.StatusTooManyRequests, "too many runs are waiting already: wait, or raise PLANEXE_WORKER_MAX_RUNS"), 60)
	case errors.Is(err, runs.ErrClosing):
		return withRetry(fail(http.StatusServiceUnavailable, "the service is shutting down"), 5)
	case errors.Is(err, runs.ErrChanged):
		return fail(http.StatusPreconditionFailed, "%v: read it again", err)
	case errors.As(err, &shape):
		return invalid("content", "value_error", "%s", shape.Message)
	}
	s.log.Error("request failed", "doing", doing, "run_id", id, "error", err)
	switch {
	case isFull(err):
		return fail(http.StatusInsufficientStorage, "%s: the disk is full; free space, or set PLANEXE_RUN_DIR to another directory", doing)
	case cannotWrite(err):
		return fail(http.StatusServiceUnavailable, "%s: %v; make the directory of PLANEXE_RUN_DIR writable, or set PLANEXE_RUN_DIR to another one", doing, cause(err))
	}
	return fail(http.StatusInternalServerError, "%s: the service's log says why", doing)
}

func (s *Service) noRun(id string) error {
	return fail(http.StatusNotFound, "no run directory: %s", s.dir(id))
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func cannotWrite(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// cause is the system's word for what went wrong, without paths.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// withRetry says when to come back.
func withRetry(f *failure, seconds int) error {
	return huma.ErrorWithHeaders(f, http.Header{"Retry-After": {strconv.Itoa(seconds)}})
}
