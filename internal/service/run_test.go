package service_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"planexe/internal/api"
	"planexe/internal/config"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/service"
)

const submitBody = `{"submit_or_retry":"submit","plan_prompt":"Turn the boathouse into a rowing school.","llm_model":"auto","speed_vs_detail":"all_details_but_slow","openrouter_api_key":null,"use_uuid_as_run_id":false}`

// A submit makes the directory with its two files and answers at once, in the form that clients know.
func TestSubmit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, func(o *service.Options) { o.Settings.HostRunDir = "/srv/planexe/run" })
	defer w.script.hold()()
	r := w.do("POST", "/runs", submitBody)
	w.want(r, 200, "")
	got := r.json(t)
	id, _ := got["run_id"].(string)
	if !regexp.MustCompile(`^PlanExe_\d{8}_\d{6}$`).MatchString(id) {
		t.Errorf("run_id %q", id)
	}
	for name, want := range map[string]any{
		"run_dir": filepath.Join(w.base, id), "display_run_dir": "/srv/planexe/run/" + id, "pid": float64(os.Getpid()), "status": "running",
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	text, err := os.ReadFile(filepath.Join(w.base, id, plan.Prompt.Name))
	want := "Plan:\nTurn the boathouse into a rowing school.\n\nToday's date:\n" + time.Now().Format("2006-Jan-02") + "\n\nProject start ASAP"
	if string(text) != want {
		t.Errorf("plan file %q, %v", text, err)
	}
	var start map[string]string
	text, _ = os.ReadFile(filepath.Join(w.base, id, plan.StartTime.Name))
	if err := json.Unmarshal(text, &start); err != nil || len(start) != 3 {
		t.Errorf("start time file %s, %v", text, err)
	}
	second := w.do("POST", "/runs", submitBody) // in the same second: it waits for the next
	w.want(second, 200, "")
	if second.json(t)["run_id"] == id {
		t.Error("two runs have one id")
	}
	r = w.do("POST", "/runs", strings.Replace(submitBody, `"use_uuid_as_run_id":false`, `"use_uuid_as_run_id":true,"unknown":[1]`, 1))
	if id, _ := r.json(t)["run_id"].(string); !regexp.MustCompile(`^PlanExe_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("run_id %q", id)
	}
}

// Every wrong request is answered with the status and the words of the contract, and starts nothing.
func TestStartErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"demo": {"class": "Demo", "priority": 1}, "no key": {"class": "OpenRouter", "arguments": {"model": "m", "api_key": "${NOT_SET}"}}}`, nil)
	w.make("PlanExe_file", 0)
	with := func(field, value string) string {
		var m map[string]json.RawMessage
		_ = json.Unmarshal([]byte(submitBody), &m)
		m[field] = json.RawMessage(value)
		if value == "" {
			delete(m, field)
		}
		text, _ := json.Marshal(m)
		return string(text)
	}
	retry := func(id string) string {
		return `{"submit_or_retry":"retry","plan_prompt":"","llm_model":"auto","speed_vs_detail":"",` + id + `}`
	}
	one := func(kind, loc, msg string) string {
		return fmt.Sprintf(`{"detail":[{"type":%q,"loc":["body"%s],"msg":%q}]}`, kind, loc, msg)
	}
	missing := filepath.Join(w.base, "PlanExe_20200101_000000")
	for _, c := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"retry without id", strings.Replace(submitBody, `"submit"`, `"retry"`, 1), 400, detail("retry needs a run_id")},
		{"retry, empty id", retry(`"run_id":""`), 400, detail("retry needs a run_id")},
		{"retry, null id", retry(`"run_id":null`), 400, detail("retry needs a run_id")},
		{"retry, no directory", retry(`"run_id":"PlanExe_20200101_000000"`), 404, detail("no run directory: " + missing)},
		{"retry, a file", retry(`"run_id":"PlanExe_file"`), 404, detail("no run directory: " + filepath.Join(w.base, "PlanExe_file"))},
		{"retry, traversal", retry(`"run_id":"../config"`), 400, detail("invalid run_id")},
		{"retry, absolute", retry(`"run_id":"/etc"`), 400, detail("invalid run_id")},
		{"retry, base", retry(`"run_id":"."`), 400, detail("invalid run_id")},
		{"four problems in field order", `{"submit_or_retry": "again", "plan_prompt": 5}`, 422, `{"detail":[` +
			`{"type":"literal_error","loc":["body","submit_or_retry"],"msg":"must be submit or retry"},` +
			`{"type":"string_type","loc":["body","plan_prompt"],"msg":"must be a string"},` +
			`{"type":"missing","loc":["body","llm_model"],"msg":"field required"},` +
			`{"type":"missing","loc":["body","speed_vs_detail"],"msg":"field required"}]}`},
		{"no body", "", 422, one("missing", "", "field required")},
		{"no JSON", "{oops", 422, one("json_invalid", ",1", "not valid JSON")},
		{"no object", "[1]", 422, one("model_attributes_type", "", "must be an object")},
		{"not UTF-8", strings.Replace(submitBody, "boathouse", "\xff\xfe", 1), 422, one("json_invalid", "", "not valid UTF-8")},
		{"too deep", strings.Repeat("[", 20000), 422, ""},
		{"null flag", with("use_uuid_as_run_id", "null"), 422, one("bool_type", `,"use_uuid_as_run_id"`, "must be true or false")},
		{"wrong flag", with("use_uuid_as_run_id", `"perhaps"`), 422, one("bool_type", `,"use_uuid_as_run_id"`, "must be true or false")},
		{"null prompt", with("plan_prompt", "null"), 422, one("string_type", `,"plan_prompt"`, "must be a string")},
		{"empty prompt", with("plan_prompt", `" \n "`), 422, `{"detail":[{"type":"value_error","loc":["body","plan_prompt"],"msg":"the prompt is empty…`},
		{"NUL in the prompt", with("plan_prompt", `"a\u0000b"`), 422, `{"detail":[{"type":"value_error","loc":["body","plan_prompt"]…`},
		{"long prompt", with("plan_prompt", `"`+strings.Repeat("é", 16385)+`"`), 422, one("string_too_long", `,"plan_prompt"`, "must have at most 32768 bytes of UTF-8")},
		{"large body", with("plan_prompt", `"`+strings.Repeat("a", 1<<20)+`"`), 413, ""},
		{"unknown model", with("llm_model", `"gpt-99"`), 422, `{"detail":[{"type":"value_error","loc":["body","llm_model"],"msg":"there is no model…`},
		{"model without key", with("llm_model", `"no key"`), 422, `{"detail":[{"type":"value_error","loc":["body","llm_model"],"msg":"model no key cannot be used…`},
		{"unknown speed", with("speed_vs_detail", `"warp"`), 422, one("literal_error", `,"speed_vs_detail"`, "must be all_details_but_slow or fast_but_skip_details")},
		{"negative cost", with("max_cost", "-1"), 422, one("greater_than_equal", `,"max_cost"`, "must not be negative")},
		{"cost is text", with("max_cost", `"1"`), 422, one("float_parsing", `,"max_cost"`, "must be a number")},
		{"key with a line break", with("openrouter_api_key", `"sk-secret\nX: y"`), 422, one("value_error", `,"openrouter_api_key"`, "holds characters that no key has")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.do("POST", "/runs", c.body)
			w.want(r, c.status, c.want)
			if strings.Contains(r.body, "sk-secret") {
				t.Error("the answer holds the key")
			}
			if ct := r.header.Get("Content-Type"); ct != "application/json" {
				t.Errorf("Content-Type %q", ct)
			}
		})
	}
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		w.want(w.do("POST", "/runs", submitBody, "Content-Type", kind), 415, "")
	}
	w.want(w.do("POST", "/runs", submitBody, "Content-Type", "application/problem+json; charset=utf-8"), 200, "")
	if list, err := w.c.Runs(t.Context(), api.ListQuery{}); err != nil || len(list.Runs) != 1 {
		t.Errorf("%d runs, %v", len(list.Runs), err)
	}
}

// A retry keeps the text of the run and says so, goes on with new settings, and needs a run that is
// not active.
func TestRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	w.script.fail("", &llm.Error{Class: llm.ClassAuth, Message: "the key was refused"})
	id := w.submit("Open a bakery")
	st := w.over(id)
	if st.State != api.Failed || st.Returncode == nil || *st.Returncode != 1 || st.Error == nil || st.Error.Class != "auth" || st.Error.Advice == "" && st.Error.Message == "" {
		t.Fatalf("%s %v %+v", st.State, st.Returncode, st.Error)
	}
	before, _ := os.ReadFile(filepath.Join(w.base, id, plan.Prompt.Name))
	w.script.fail("none", nil)
	let := w.script.hold()
	body := `{"submit_or_retry":"retry","plan_prompt":"another text","llm_model":"demo","speed_vs_detail":"fast_but_skip_details","run_id":"` + id + `"}`
	r := w.do("POST", "/runs", body)
	w.want(r, 200, "")
	if warnings := fmt.Sprint(r.json(t)["warnings"]); !strings.Contains(warnings, "plan_prompt is ignored") {
		t.Errorf("warnings %s", warnings)
	}
	w.want(w.do("POST", "/runs", body), 409, detail("run "+id+" is already active"))
	if st := w.status(id); !st.Running || st.StopRequested || st.Returncode != nil || st.Error != nil || st.LLMModel != "demo" {
		t.Errorf("%+v", st)
	}
	let()
	if st := w.over(id); st.State != api.Completed || !st.PipelineComplete || *st.Returncode != 0 {
		t.Errorf("%s %v", st.State, st.Error)
	}
	if after, _ := os.ReadFile(filepath.Join(w.base, id, plan.Prompt.Name)); string(after) != string(before) {
		t.Errorf("the prompt has changed: %q", after)
	}
}

// Status tells each situation of a run in the fields that clients know.
func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	facts := func(id string) string {
		r := w.do("GET", "/runs/"+id, "")
		w.want(r, 200, "")
		m := r.json(t)
		for _, name := range []string{"run_id", "run_dir", "display_run_dir", "started_at", "usage", "cost", "size_bytes", "error", "prompt"} {
			if _, ok := m[name]; !ok {
				t.Errorf("%s lacks %s", id, name)
			}
		}
		if m["run_dir"] != filepath.Join(w.base, id) || m["run_id"] != id {
			t.Errorf("%v, %v", m["run_id"], m["run_dir"])
		}
		if m["pid"] != nil {
			m["pid"] = "us"
		}
		if m["last_update_seconds_ago"] != nil {
			m["last_update_seconds_ago"] = "some"
		}
		return strings.TrimSpace(fmt.Sprintln(m["run_dir_exists"], m["pid"], m["running"], m["returncode"], m["pipeline_complete"], m["stop_requested"], m["last_update_seconds_ago"], m["state"]))
	}
	check := func(situation, id, want string) {
		t.Helper()
		if got := facts(id); got != want {
			t.Errorf("%s: %s, want %s", situation, got, want)
		}
	}
	complete := w.finished()
	check("completed", complete, "true us false 0 true false some completed")

	let := w.script.hold()
	stopped := w.submit("stopped")
	w.in()
	check("running", stopped, "true us true <nil> false false some running")
	w.want(w.do("POST", "/runs/"+stopped+"/stop", ""), 200, `{"run_id":"`+stopped+`","stopped":true,"message":"Stop requested.","returncode":null}`)
	w.over(stopped)
	check("stopped", stopped, "true us false -15 false true some stopped")
	for range 2 {
		w.want(w.do("POST", "/runs/"+stopped+"/stop", ""), 200, `{"run_id":"`+stopped+`","stopped":false,"message":"The run had ended before.","returncode":-15}`)
	}
	w.want(w.do("POST", "/runs/"+complete+"/stop", ""), 200, `{"run_id":"`+complete+`","stopped":false,"message":"The run had ended before.","returncode":0}`)
	w.want(w.do("POST", "/runs/PlanExe_20190101_000000/stop", ""), 404, detail("run not found: PlanExe_20190101_000000"))
	let()

	w.script.fail("swot_analysis", &llm.Error{Class: llm.ClassBadRequest, Message: "no", NoRetry: true, EndsCall: true})
	partial := w.submit("partial")
	st := w.over(partial)
	check("partial", partial, "true us false 4 false false some partial")
	if st.Error == nil || st.Error.Message == "" || !st.HasReport {
		t.Errorf("%+v", st.Error)
	}
	w.script.fail("none", nil)

	check("unknown", "PlanExe_20190101_000000", "false <nil> false <nil> false false <nil> not_found")
	w.make("file", 0)
	check("a file", "file", "false <nil> false <nil> false false <nil> not_found")
	_ = os.Mkdir(filepath.Join(w.base, "empty"), 0o777)
	check("empty directory", "empty", "true <nil> false <nil> false false <nil> interrupted")
	w.make("foreign", time.Minute, plan.Prompt.Name, plan.Complete.Name)
	check("of another program, complete", "foreign", "true <nil> false <nil> true false some completed")
	w.make("foreign-half", time.Minute, plan.Prompt.Name)
	check("of another program, unfinished", "foreign-half", "true <nil> false <nil> false false some interrupted")

	if err := w.c.Delete(t.Context(), complete); err != nil {
		t.Error(err)
	}
	check("deleted after the end", complete, "false us false 0 false false <nil> not_found")

	w.stop(t)
	w.start(t)
	check("after a restart, stopped before", stopped, "true <nil> false <nil> false false some stopped")
	check("after a restart, partial before", partial, "true <nil> false <nil> false false some partial")
	w.want(w.do("POST", "/runs/"+stopped+"/stop", ""), 404, detail("run not found: "+stopped))
}

// A key that comes with a request reaches the model and nothing else: no file, no log, no answer.
func TestOwnKey(t *testing.T) {
	t.Parallel()
	const key = "sk-or-v1-own-key-of-the-caller"
	used := make(chan string, 10)
	w := newWorld(t, `{"router": {"class": "OpenRouter", "priority": 1, "arguments": {"model": "m", "api_key": "${OPENROUTER_API_KEY}"}}}`, func(o *service.Options) {
		build := o.Models
		o.Models = func(l config.LLM) []*llm.Entry {
			entries := build(l)
			if k := l.Models[0].Arguments.Key; k != "" {
				used <- k
				for _, e := range entries {
					if e.ID == "router" {
						e.Provider = entries[len(entries)-1].Provider
					}
				}
			}
			return entries
		}
	})
	body := strings.Replace(submitBody, `"openrouter_api_key":null`, `"openrouter_api_key":"`+key+`"`, 1)
	r := w.do("POST", "/runs", strings.Replace(body, `"auto"`, `"router"`, 1))
	w.want(r, 200, "")
	id, _ := r.json(t)["run_id"].(string)
	if st := w.over(id); st.State != api.Completed {
		t.Fatalf("%s %+v", st.State, st.Error)
	}
	if got := <-used; got != key {
		t.Errorf("the model was asked with %q", got)
	}
	w.want(w.do("POST", "/runs", strings.Replace(submitBody, `"auto"`, `"router"`, 1)), 422, "") // the key is not kept
	if strings.Contains(w.log.String()+r.body+w.do("GET", "/runs/"+id, "").body, key) {
		t.Error("the key is told")
	}
	err := filepath.WalkDir(w.base, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), key) {
			t.Errorf("%s holds the key", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// The same Idempotency-Key starts one run, however often and from how many sides it is sent.
func TestIdempotency(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	defer w.script.hold()()
	answers := make(chan response, 5)
	for range cap(answers) {
		go func() { answers <- w.do("POST", "/runs", submitBody, "Idempotency-Key", "k1") }()
	}
	first := <-answers
	w.want(first, 200, "")
	for range cap(answers) - 1 {
		w.want(<-answers, 200, strings.TrimSpace(first.body))
	}
	other := strings.Replace(submitBody, "rowing", "sailing", 1)
	w.want(w.do("POST", "/runs", other, "Idempotency-Key", "k1"), 422, `{"detail":[{"type":"value_error","loc":["header","Idempotency-Key"],"msg":"was used with another body"}]}`)
	bad := strings.Replace(submitBody, `"auto"`, `"unknown"`, 1)
	w.want(w.do("POST", "/runs", bad, "Idempotency-Key", "k2"), 422, "")
	w.want(w.do("POST", "/runs", other, "Idempotency-Key", "k2"), 200, "") // a failure does not use a key up
	if list, err := w.c.Runs(t.Context(), api.ListQuery{}); err != nil || len(list.Runs) != 2 {
		t.Errorf("%d runs, %v", len(list.Runs), err)
	}
}

// More runs than may execute wait and say their place; too many are refused with a way out.
func TestPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, func(o *service.Options) { o.Settings.MaxRuns = 1 })
	let := w.script.hold()
	first := w.submit("first")
	w.in()
	var last string
	for i := range 100 {
		last = w.submit(fmt.Sprintf("waiting %d", i))
	}
	if st := w.status(last); st.State != api.Waiting || !st.Running || st.QueuePosition != 100 {
		t.Errorf("%s %v %d", st.State, st.Running, st.QueuePosition)
	}
	r := w.do("POST", "/runs", submitBody)
	w.want(r, 429, "")
	if !strings.Contains(r.body, "PLANEXE_WORKER_MAX_RUNS") || r.header.Get("Retry-After") == "" {
		t.Errorf("%s %v", r.body, r.header)
	}
	if ready, err := w.c.Ready(t.Context()); err != nil || ready.Running != 1 || ready.Waiting != 100 || ready.MaxRuns != 1 {
		t.Errorf("%+v, %v", ready, err)
	}
	if got, err := w.c.Stop(t.Context(), last); err != nil || !got.Stopped {
		t.Errorf("%+v, %v", got, err)
	}
	if st := w.status(last); st.State != api.Stopped || *st.Returncode != -15 {
		t.Errorf("%s", st.State)
	}
	_ = first
	let()
}

// What the disk refuses is told with the variable to change.
func TestRunDirectoryGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	if err := os.Rename(w.base, w.base+"-away"); err != nil {
		t.Fatal(err)
	}
	w.make("", 0) // a file stands in its place
	r := w.do("POST", "/runs", submitBody)
	w.want(r, 503, `{"detail":"cannot create the run directory…`)
	if !strings.Contains(r.body, "PLANEXE_RUN_DIR") {
		t.Error(r.body)
	}
	r = w.do("GET", "/readyz", "")
	w.want(r, http.StatusServiceUnavailable, `{"status":"not ready"…`)
	if !strings.Contains(r.body, "PLANEXE_RUN_DIR") {
		t.Error(r.body)
	}
	r = w.do("GET", "/healthz", "")
	w.want(r, http.StatusServiceUnavailable, `{"detail":"the directory for runs, …`)
	if !strings.Contains(r.body, "not a directory; make it writable, or set PLANEXE_RUN_DIR") {
		t.Error(r.body)
	}
	w.want(w.do("POST", "/purge-runs", "{}"), 500, detail("purge failed"))
	_ = os.Remove(w.base)
	if err := os.Rename(w.base+"-away", w.base); err != nil {
		t.Fatal(err)
	}
	w.want(w.do("GET", "/readyz", ""), 200, "")
	w.want(w.do("GET", "/healthz", ""), 200, "")
}
