package service_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"planexe/internal/service"
)

type object = map[string]any

// document is the OpenAPI document of the running server, as a program of somebody else sees it.
type document struct {
	root object
	rnd  *rand.Rand
}

func (d document) at(path ...string) object {
	v := d.root
	for _, p := range path {
		v, _ = v[p].(object)
	}
	return v
}

func (d document) resolve(schema object) object {
	for {
		ref, ok := schema["$ref"].(string)
		if !ok {
			return schema
		}
		schema = d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
}

func kinds(schema object) []string {
	switch t := schema["type"].(type) {
	case string:
		return []string{t}
	case []any:
		var out []string
		for _, k := range t {
			out = append(out, k.(string))
		}
		return out
	}
	return nil
}

// conforms says where a value is not what the schema says; members that the schema does not name
// are wrong, for a client could not know them.
func (d document) conforms(schema object, v any, at string) string {
	schema = d.resolve(schema)
	if any, ok := schema["anyOf"].([]any); ok {
		var all []string
		for _, s := range any {
			problem := d.conforms(s.(object), v, at)
			if problem == "" {
				return ""
			}
			all = append(all, problem)
		}
		return strings.Join(all, " and ")
	}
	types := kinds(schema)
	if len(types) == 0 {
		return ""
	}
	is := func(kind string) bool { return slices.Contains(types, kind) }
	ok := false
	switch v := v.(type) {
	case nil:
		ok = is("null")
	case bool:
		ok = is("boolean")
	case string:
		ok = is("string")
		if schema["format"] == "date-time" {
			_, err := time.Parse(time.RFC3339Nano, v)
			ok = ok && err == nil
		}
	case float64:
		ok = is("number") || is("integer") && v == math.Trunc(v)
		least, limited := schema["minimum"].(float64)
		ok = ok && (!limited || v >= least)
	case []any:
		ok = is("array")
		items, _ := schema["items"].(object)
		for i, x := range v {
			if problem := d.conforms(items, x, fmt.Sprintf("%s[%d]", at, i)); problem != "" {
				return problem
			}
		}
	case object:
		ok = is("object")
		properties, _ := schema["properties"].(object)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, there := v[name.(string)]; !there {
				return fmt.Sprintf("%s lacks %s", at, name)
			}
		}
		for name, x := range v {
			p, known := properties[name].(object)
			if !known {
				return fmt.Sprintf("%s has a member %s that is not declared", at, name)
			}
			if problem := d.conforms(p, x, at+"."+name); problem != "" {
				return problem
			}
		}
	}
	if enum, limited := schema["enum"].([]any); limited && v != nil && !slices.Contains(enum, v) {
		ok = false
	}
	if !ok {
		return fmt.Sprintf("%s is %v, which is no %v", at, v, types)
	}
	return ""
}

var words = []string{
	"", "a", "auto", "demo", "submit", "retry", "all_details_but_slow", "fast_but_skip_details", "PlanExe_", "003-2-identify_risks.md", "pitch", "../..", "\x00", "é\u202e", "<script>",
	"completed", "2026-01-01T00:00:00Z,PlanExe_x", "'; --", strings.Repeat("long ", 100), "-1", "1e999", "null", "swot_analysis", "x",
}

// likely holds values that lead beyond the checks of the form.
var likely = map[string]any{"llm_model": "auto", "speed_vs_detail": "fast_but_skip_details", "plan_prompt": "Open a bakery", "openrouter_api_key": "sk-x"}

// random makes a value of a schema; wild, of anything else as well.
func (d document) random(schema object, wild bool) any {
	schema = d.resolve(schema)
	if wild && d.rnd.IntN(4) == 0 {
		return []any{nil, true, -1.5, math.MaxFloat64, words[d.rnd.IntN(len(words))], []any{1.0}, object{"a": 1.0}}[d.rnd.IntN(7)]
	}
	if enum, ok := schema["enum"].([]any); ok {
		return enum[d.rnd.IntN(len(enum))]
	}
	types := kinds(schema)
	if len(types) == 0 {
		return "anything"
	}
	switch types[d.rnd.IntN(len(types))] {
	case "null":
		return nil
	case "boolean":
		return d.rnd.IntN(2) == 0
	case "integer":
		return float64(d.rnd.IntN(300))
	case "number":
		return float64(d.rnd.IntN(1000)) / 8
	case "array":
		items, _ := schema["items"].(object)
		list := []any{}
		for range d.rnd.IntN(3) {
			list = append(list, d.random(items, wild))
		}
		return list
	case "object":
		out := object{}
		properties, _ := schema["properties"].(object)
		required, _ := schema["required"].([]any)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if slices.Contains(required, any(name)) && !(wild && d.rnd.IntN(8) == 0) || d.rnd.IntN(3) == 0 {
				out[name] = d.random(properties[name].(object), wild)
				if value, ok := likely[name]; ok && !wild {
					out[name] = value
				}
			}
		}
		if d.rnd.IntN(4) == 0 {
			out["unknown member"] = 1.0
		}
		return out
	}
	return words[d.rnd.IntN(len(words))]
}

// The server answers what its OpenAPI document says, whatever it is asked: only declared statuses
// and types, bodies of the declared shape, never an internal error.
func TestDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, func(o *service.Options) { o.Settings.MaxRuns = 2 })
	complete, quiet := w.finished(), w.finished()
	w.script.hold() // runs that are started from here on wait until the service is closed
	d := document{rnd: rand.New(rand.NewPCG(1, 2))}
	if err := json.Unmarshal([]byte(w.do("GET", "/openapi.json", "").body), &d.root); err != nil {
		t.Fatal(err)
	}
	if d.root["openapi"] != "3.1.0" {
		t.Errorf("version %v", d.root["openapi"])
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	defer client.CloseIdleConnections()
	seen := map[string]int{}
	const rounds = 12
	for range rounds {
		for _, path := range slices.Sorted(maps.Keys(d.at("paths"))) {
			for _, method := range slices.Sorted(maps.Keys(d.at("paths", path))) {
				if path == "/llm-ping" { // its answer waits for the model, which is held
					continue
				}
				op := d.at("paths", path, method)
				id := complete
				if strings.HasSuffix(path, "/events") { // a stream of a run that goes on would not end
					id = quiet
				}
				if method == "delete" {
					id = "PlanExe_none"
				}
				req, sent := d.request(t, w, op, method, path, []string{id, id, id, id, "PlanExe_none", "%2e%2e", "a%20b"})
				resp, err := client.Do(req)
				if err != nil {
					t.Fatalf("%s: %v", sent, err)
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil {
					t.Fatalf("%s: %v", sent, err)
				}
				seen[strconv.Itoa(resp.StatusCode)+" "+method+" "+path]++
				if problem := d.check(op, resp, body); problem != "" {
					t.Errorf("%s: %s", sent, problem)
				}
			}
		}
	}
	for _, want := range []string{
		"200 post /runs", "422 post /runs", "200 get /runs", "400 get /runs", "200 get /runs/{id}", "400 get /runs/{id}/zip", "404 get /runs/{id}/steps",
		"200 get /runs/{id}/steps", "200 get /runs/{id}/events", "200 get /estimate", "422 post /purge-runs", "200 post /purge-runs", "200 get /readyz",
	} {
		if seen[want] == 0 {
			t.Errorf("never seen: %s", want)
		}
	}
}

// request makes a random request of an operation and a text that says it.
func (d document) request(t *testing.T, w *world, op object, method, path string, ids []string) (*http.Request, string) {
	t.Helper()
	wild := d.rnd.IntN(2) == 0
	query, header := url.Values{}, http.Header{}
	parameters, _ := op["parameters"].([]any)
	for _, p := range parameters {
		p := p.(object)
		name, schema := p["name"].(string), p["schema"].(object)
		switch p["in"] {
		case "path":
			value := ids[d.rnd.IntN(len(ids))]
			if name == "file" {
				value = []string{"003-2-identify_risks.md", "002-10-potential_levers.json", "030-report.html", "log.txt", "none", "%00"}[d.rnd.IntN(6)]
			}
			path = strings.Replace(path, "{"+name+"}", value, 1)
		case "query":
			if d.rnd.IntN(2) == 0 {
				query.Set(name, text(d.random(schema, wild)))
			}
		case "header":
			if d.rnd.IntN(3) == 0 {
				value := text(d.random(schema, wild))
				if !strings.ContainsAny(value, "\x00\r\n") {
					header.Set(name, value)
				}
			}
		}
	}
	var body []byte
	if content, ok := op["requestBody"].(object); ok {
		kind := "application/json"
		media := content["content"].(object)
		if _, ok := media["text/plain"]; ok && d.rnd.IntN(2) == 0 {
			kind = "text/plain"
		}
		schema, _ := media[kind].(object)["schema"].(object)
		body, _ = json.Marshal(d.random(schema, wild))
		header.Set("Content-Type", kind)
		if wild && d.rnd.IntN(6) == 0 {
			body = body[:len(body)/2]
		}
		if wild && d.rnd.IntN(8) == 0 {
			header.Set("Content-Type", "text/odd")
		}
	}
	at := w.server.URL + path
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(t.Context(), strings.ToUpper(method), at, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	return req, fmt.Sprintf("%s %s %v %.300s", method, strings.TrimPrefix(at, w.server.URL), header, body)
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var items []string
		for _, x := range v {
			items = append(items, text(x))
		}
		return strings.Join(items, ",")
	}
	data, _ := json.Marshal(v)
	return string(data)
}

// check says what of an answer is not as declared.
func (d document) check(op object, resp *http.Response, body []byte) string {
	if resp.StatusCode == 500 {
		return fmt.Sprintf("internal error: %s", body)
	}
	responses := op["responses"].(object)
	response, ok := responses[strconv.Itoa(resp.StatusCode)].(object)
	if !ok {
		return fmt.Sprintf("status %d is not declared: %.200s", resp.StatusCode, body)
	}
	content, _ := response["content"].(object)
	if len(content) == 0 {
		if len(body) > 0 {
			return fmt.Sprintf("status %d has a body: %.200s", resp.StatusCode, body)
		}
		return ""
	}
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	media, ok := content[kind].(object)
	if !ok {
		return fmt.Sprintf("status %d with type %q, declared are %v", resp.StatusCode, kind, slices.Collect(maps.Keys(content)))
	}
	if kind != "application/json" || op["operationId"] == "get-file" && resp.StatusCode < 400 {
		return ""
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return fmt.Sprintf("the body is no JSON: %v: %.200s", err, body)
	}
	return d.conforms(media["schema"].(object), value, "the body")
}
