package anthropic

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/llm/wire"
)

const key = "sk-ant-very-secret-0123456789"

var question = llm.Request{
	Messages:  []llm.Message{{Role: llm.System, Content: "You know cities."}, {Role: llm.User, Content: "Which?"}},
	Schema:    schema.For[struct{ City string }](),
	Name:      "city",
	MaxTokens: 8192,
	FirstByte: time.Minute,
}

// serve answers every request with status and body and keeps what was asked.
func serve(t *testing.T, status int, body string) (*Provider, *[]map[string]any) {
	t.Helper()
	asked := &[]map[string]any{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") != key || r.Header.Get("Anthropic-Version") == "" || r.Header.Get("Authorization") != "" {
			t.Errorf("headers %v", r.Header)
		}
		q := map[string]any{"path": r.URL.Path}
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
				t.Error(err)
			}
		}
		*asked = append(*asked, q)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return New(Options{Wire: wire.Options{Entry: "claude", Model: "claude-x", BaseURL: s.URL + "/v1", Key: key, KeyName: "ANTHROPIC_API_KEY"}, Temperature: 0.5}), asked
}

// stream writes events as the API does.
func stream(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		var head struct{ Type string }
		_ = json.Unmarshal([]byte(e), &head)
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", head.Type, e)
	}
	return b.String()
}

const (
	start = `{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":7,"output_tokens":1}}}`
	stop  = `{"type":"message_stop"}`
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	usage := event.Usage{Prompt: 20, Cached: 7, Completion: 9}
	for name, c := range map[string]struct {
		body string
		want llm.Response
	}{
		"tool in pieces, after thinking": {
			stream(start, `{"type":"ping"}`, `{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}`,
				`{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","name":"city","input":{}}}`,
				`{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"City\":"}}`,
				`{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"\"Lyon\"}"}}`,
				`{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}`, stop),
			llm.Response{Text: `{"City":"Lyon"}`, Finish: llm.FinishStop, Form: Tools, Usage: usage},
		},
		"cut": {
			stream(start, `{"type":"content_block_delta","delta":{"partial_json":"{\"Ci"}}`, `{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":9}}`, stop),
			llm.Response{Text: `{"Ci`, Finish: llm.FinishLength, Form: Tools, Usage: usage},
		},
		"refused": {
			stream(start, `{"type":"message_delta","delta":{"stop_reason":"refusal"},"usage":{"output_tokens":9}}`, stop),
			llm.Response{Finish: llm.FinishFilter, Form: Tools, Usage: usage},
		},
		"only thinking": {
			stream(start, `{"type":"content_block_delta","delta":{"thinking":"hm"}}`, `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}`, stop),
			llm.Response{Finish: llm.FinishStop, Form: Tools, Usage: usage, ReasoningOnly: true},
		},
		"not streamed": {
			`{"type":"message","content":[{"type":"tool_use","input":{"City":"Lyon"}}],"stop_reason":"tool_use","usage":{"input_tokens":20,"cache_read_input_tokens":0,"output_tokens":9}}`,
			llm.Response{Text: `{"City":"Lyon"}`, Finish: llm.FinishStop, Form: Tools, Usage: event.Usage{Prompt: 20, Completion: 9}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, asked := serve(t, 200, c.body)
			got, err := p.Send(t.Context(), question)
			if err != nil || got != c.want {
				t.Errorf("got %+v, %v\nwant %+v", got, err, c.want)
			}
			q := (*asked)[0]
			if q["path"] != "/v1/messages" || q["system"] != "You know cities." || q["temperature"] != 0.5 || q["max_tokens"] != 8192.0 {
				t.Errorf("asked %v", q)
			}
			if choice := fmt.Sprint(q["tool_choice"]); choice != "map[name:city type:tool]" {
				t.Errorf("tool_choice %s", choice)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   llm.Class
	}{
		"bad key":         {401, `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}`, llm.ClassAuth},
		"rate":            {429, `{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your rate limit"}}`, llm.ClassRate},
		"credit":          {400, `{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}`, llm.ClassCredit},
		"overloaded":      {529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, llm.ClassServer},
		"overload inside": {200, stream(start, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`), llm.ClassServer},
		"no model":        {404, `{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"}}`, llm.ClassModelUnknown},
		"too long":        {400, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}`, llm.ClassContext},
		"broken off":      {200, stream(start), llm.ClassNetwork},
		"cap too large":   {400, `{"type":"error","error":{"message":"max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens for claude-x"}}`, llm.ClassAdapted},
		"temperature":     {400, `{"type":"error","error":{"message":"temperature: not supported by this model"}}`, llm.ClassAdapted},
		"tool refused":    {400, `{"type":"error","error":{"message":"tools.0.custom.input_schema: JSON schema is invalid"}}`, llm.ClassAdapted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := serve(t, c.status, c.body)
			_, err := p.Send(t.Context(), question)
			if llm.ClassOf(err) != c.want || strings.Contains(fmt.Sprintf("%v %#v", err, err), key) {
				t.Errorf("got %v, class %v", err, llm.ClassOf(err))
			}
		})
	}
}

// What a refusal has taught is used by the next request.
func TestLearns(t *testing.T) {
	t.Parallel()
	p, asked := serve(t, 400, `{"type":"error","error":{"message":"temperature is not supported, nor is tool_choice"}}`)
	for range 2 {
		if _, err := p.Send(t.Context(), question); llm.ClassOf(err) != llm.ClassAdapted {
			t.Fatal(err)
		}
	}
	if _, err := p.Send(t.Context(), question); llm.ClassOf(err) != llm.ClassBadRequest {
		t.Fatal(err)
	}
	last := (*asked)[2]
	if last["temperature"] != nil || last["tools"] != nil || !strings.Contains(fmt.Sprint(last["system"]), `"City"`) {
		t.Errorf("asked %v", last)
	}
	if p.StepDown() {
		t.Error("there is no simpler form than text")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		want   llm.Class
	}{"known": {200, llm.ClassOK}, "unknown": {404, llm.ClassModelUnknown}, "bad key": {401, llm.ClassAuth}, "trouble": {500, llm.ClassOK}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, asked := serve(t, c.status, `{"id":"claude-x"}`)
			if err := p.Check(t.Context()); llm.ClassOf(err) != c.want {
				t.Errorf("got %v", err)
			}
			if (*asked)[0]["path"] != "/v1/models/claude-x" {
				t.Errorf("asked %v", *asked)
			}
		})
	}
}
