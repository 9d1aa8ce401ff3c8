package service

import (
	"context"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"planexe/internal/api"
)

// RunInput is the input of an operation on one run.
type RunInput struct {
	ID string `path:"id" doc:"A run: letters, digits, dot, hyphen, underscore; at most 128 characters"`
}

// nothing is the input of an operation without one.
type nothing struct{}

// answer is a JSON body.
type answer[T any] struct{ Body T }

func (s *Service) routes() http.Handler {
	useFailures()
	r := chi.NewRouter()
	r.Use(s.logged, s.guarded, withoutSlash, withHead)
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) { fail(http.StatusNotFound, "Not Found").write(w) })
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			if chi.RouteContext(r.Context()).Routes.Match(chi.NewRouteContext(), m, routePath(r)) {
				w.Header().Add("Allow", m)
			}
		}
		fail(http.StatusMethodNotAllowed, "Method Not Allowed").write(w)
	})
	config := huma.DefaultConfig("PlanExe Worker", s.version)
	config.Info.Description = "Makes project plans: a run takes a prompt through some 150 questions to language models, and ends in a report."
	config.Info.License = &huma.License{Name: "MIT", Identifier: "MIT"}
	config.CreateHooks, config.SchemasPath, config.DocsPath = nil, "", ""
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "PLANEXE_WORKER_TOKEN, when the service has one"},
	}
	a := humachi.New(r, config)
	s.register(a)
	describe(a.OpenAPI())
	s.docs(r)
	return r
}

func routePath(r *http.Request) string {
	if r.URL.RawPath != "" {
		return r.URL.RawPath
	}
	return r.URL.Path
}

// op describes an operation. errors are the statuses it answers beside success.
func op(method, path, id, summary, tag string, errors ...int) huma.Operation {
	all := append([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError}, errors...)
	slices.Sort(all)
	o := huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary, Tags: []string{tag}, Errors: slices.Compact(all),
		Security: []map[string][]string{{}, {"token": {}}}, MaxBodyBytes: -1, SkipValidateParams: false,
	}
	return o
}

// withBody gives an operation the checks of a JSON body.
func withBody(o huma.Operation, required bool, notNull ...string) huma.Operation {
	o.Middlewares = huma.Middlewares{jsonBody(required, notNull...)}
	o.Errors = append(o.Errors, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	return o
}

// file describes an operation whose answer is no JSON.
func file(o huma.Operation, description string, types ...string) huma.Operation {
	content := map[string]*huma.MediaType{}
	for _, t := range types {
		content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	o.Responses = map[string]*huma.Response{"200": {Description: description, Content: content}}
	return o
}

const (
	runsTag   = "runs"
	filesTag  = "files"
	modelsTag = "models"
	opsTag    = "operation"
)

func (s *Service) register(a huma.API) {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete

	huma.Register(a, withBody(op(post, "/runs", "start-run", "Start a run, or go on with one", runsTag, 400, 404, 409, 422, 429, 503, 507), true, "use_uuid_as_run_id"), s.startRun)
	huma.Register(a, op(get, "/runs", "list-runs", "List runs, newest first", runsTag, 400), s.listRuns)
	huma.Register(a, op(get, "/runs/{id}", "run-status", "How a run stands", runsTag, 400), s.runStatus)
	huma.Register(a, op(del, "/runs/{id}", "delete-run", "Delete a run that is not live", runsTag, 400, 404, 409), s.deleteRun)
	huma.Register(a, op(post, "/runs/{id}/stop", "stop-run", "Stop a run", runsTag, 400, 404), s.stopRun)
	huma.Register(a, withBody(op(post, "/runs/{id}/rerun", "rerun", "Make steps of a run anew", runsTag, 400, 404, 409, 422, 429, 503, 507), false), s.rerun)
	huma.Register(a, op(get, "/runs/{id}/steps", "run-steps", "The steps of a run", runsTag, 400, 404), s.runSteps)
	events := file(op(get, "/runs/{id}/events", "run-events", "The events of a run, live", runsTag, 400, 404), "Server-sent events: id is the event's number, event its type, data a JSON object", "text/event-stream")
	huma.Register(a, events, s.runEvents)
	huma.Register(a, op(get, "/estimate", "estimate", "What a new run would take", runsTag, 400, 503), s.estimate)
	huma.Register(a, op(get, "/runs/{id}/estimate", "estimate-rerun", "What a rerun would make anew, and what it takes", runsTag, 400, 404, 503), s.estimateRerun)

	huma.Register(a, op(get, "/runs/{id}/files", "list-files", "The files of a run", filesTag, 400, 404), s.listFiles)
	huma.Register(a, file(op(get, "/runs/{id}/files/{file}", "get-file", "One file", filesTag, 304, 400, 404, 416), "The file; HTML as a download", "text/plain", "application/json", "application/octet-stream"), s.getFile)
	edit := op(put, "/runs/{id}/files/{file}", "put-file", "Change a file; its readers become dirty", filesTag, 400, 404, 409, 412, 413, 415, 422)
	edit.Middlewares = huma.Middlewares{contentBody}
	huma.Register(a, edit, s.putFile)
	a.OpenAPI().Paths[edit.Path].Put.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}, "application/json": {Schema: &huma.Schema{}},
	}}
	huma.Register(a, op(post, "/runs/{id}/files/{file}/revert", "revert-file", "Take back all changes by hand to a file", filesTag, 400, 404, 409), s.revertFile)
	huma.Register(a, file(op(get, "/runs/{id}/report", "report", "The report", filesTag, 206, 304, 400, 404, 416), "The report, as a download", "text/html"), s.report)
	huma.Register(a, file(op(get, "/runs/{id}/zip", "zip", "All files but log.txt", filesTag, 206, 304, 400, 404, 416), "The archive", "application/zip"), s.zip)
	huma.Register(a, file(op(get, "/runs/{id}/log", "log", "The end of log.txt", filesTag, 400, 404), "Lines", "text/plain"), s.tail)

	huma.Register(a, op(get, "/llm-info", "llm-info", "The models that can be chosen", modelsTag), s.llmInfo)
	huma.Register(a, file(op(get, "/llm-ping", "llm-ping", "Try models one after the other", modelsTag, 400, 429), "Server-sent events; the last is that of server", "text/event-stream"), s.llmPing)

	huma.Register(a, withBody(op(post, "/purge-runs", "purge-runs", "Delete old runs", opsTag, 400, 422), true), s.purgeRuns)
	for _, path := range []string{"/healthz", "/healthcheck"} {
		huma.Register(a, op(get, path, path[1:], "Whether the service answers, and can keep runs", opsTag, 503), s.health)
	}
	ready := op(get, "/readyz", "readyz", "Whether the service can make plans", opsTag)
	huma.Register(a, ready, s.ready)
	a.OpenAPI().Paths["/readyz"].Get.Responses["503"] = &huma.Response{
		Description: "It cannot", Content: a.OpenAPI().Paths["/readyz"].Get.Responses["200"].Content,
	}
}

// describe corrects the parts of the document that the framework cannot know: the form of errors,
// and objects that may be null.
func describe(o *huma.OpenAPI) {
	schemas := o.Components.Schemas
	fields := schemas.Schema(reflect.TypeFor[[]api.FieldError](), true, "Fields")
	message := &huma.Schema{Type: huma.TypeObject, Required: []string{"detail"}, Properties: map[string]*huma.Schema{"detail": {Type: huma.TypeString}}}
	problems := &huma.Schema{Type: huma.TypeObject, Required: []string{"detail"}, Properties: map[string]*huma.Schema{"detail": fields}}
	for _, item := range o.Paths {
		for _, operation := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
			if operation == nil {
				continue
			}
			for status, response := range operation.Responses {
				switch {
				case status == "206":
					response.Content = operation.Responses["200"].Content
				case status == "304":
					response.Content = nil
				case status == "422":
					response.Content = map[string]*huma.MediaType{"application/json": {Schema: problems}}
				case status >= "400" && status <= "599" && !(status == "503" && operation.OperationID == "readyz"):
					response.Content = map[string]*huma.MediaType{"application/json": {Schema: message}}
				}
			}
			delete(operation.Responses, "default")
		}
	}
	null := &huma.Schema{Type: "null"}
	for name, schema := range schemas.Map() {
		if schema.AdditionalProperties == false {
			schema.AdditionalProperties = nil // later versions may add members
		}
		for field, property := range schema.Properties {
			if property.Ref != "" && (field == "error" || field == "notice") {
				schemas.Map()[name].Properties[field] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: property.Ref}, null}}
			}
		}
	}
}

func (s *Service) health(context.Context, *nothing) (*answer[api.Health], error) {
	if err := s.Usable(); err != nil {
		return nil, fail(http.StatusServiceUnavailable, "%v", err)
	}
	return &answer[api.Health]{api.Health{Status: "ok", RunBasePath: s.library.Base()}}, nil
}

// readiness is an answer with a status of its own.
type readiness struct {
	Status int
	Body   api.Ready
}

func (s *Service) ready(context.Context, *nothing) (*readiness, error) {
	out := &readiness{Status: http.StatusOK, Body: api.Ready{Status: "ok", Version: s.version, MaxRuns: s.settings.MaxRuns, LastPurge: s.purges.lastTime()}}
	out.Body.Running, out.Body.Waiting = s.manager.Counts()
	check := func(name, advice string, err error) {
		c := api.Check{Name: name, OK: err == nil}
		if err != nil {
			c.Message = err.Error() + "; " + advice
			out.Status, out.Body.Status = http.StatusServiceUnavailable, "not ready"
		}
		out.Body.Checks = append(out.Body.Checks, c)
	}
	check("run directory", mendRuns, s.tryWrite())
	_, err := s.catalogue.Now()
	check("configuration", "correct llm_config.json or .env", err)
	if s.closing.Err() != nil {
		check("service", "ask another one", s.closing.Err())
	}
	return out, nil
}
