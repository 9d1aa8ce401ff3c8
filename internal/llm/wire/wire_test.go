package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
)

const key = "sk-very-secret-key-0123456789"

// collect understands {"t": text} and {"end": true}.
func collect(got *[]string) func(json.RawMessage) (State, error) {
	return func(raw json.RawMessage) (State, error) {
		var v struct {
			T   string `json:"t"`
			End bool   `json:"end"`
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			return Going, err
		}
		if v.End {
			return Complete, nil
		}
		*got = append(*got, v.T)
		return Going, nil
	}
}

func client(base string) *Client {
	return New(Options{Entry: "my-entry", Model: "my-model", BaseURL: base, Key: key, KeyName: "MY_KEY"})
}

// stream asks a server that answers with handler.
func stream(t *testing.T, handler http.HandlerFunc) ([]string, error) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	var got []string
	err := client(server.URL).Stream(t.Context(), Request{
		URL: server.URL + "/chat", Body: map[string]any{"q": "<&>"}, FirstByte: 10 * time.Second, Each: collect(&got),
	})
	return got, err
}

func TestForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"events":                 {"data: {\"t\":\"a\"}\n\ndata: {\"t\":\"b\"}\n\ndata: {\"end\":true}\n\ndata: [DONE]\n\n", "a b"},
		"comments, other fields": {": busy\n\nevent: x\nid: 1\nretry: 5\ndata: {\"t\":\"a\"}\n\n: more\n\ndata:[DONE]\n\n", "a"},
		"CRLF":                   {"data: {\"t\":\"a\"}\r\n\r\ndata: [DONE]\r\n\r\n", "a"},
		"single line ends":       {"data: {\"t\":\"a\"}\ndata: {\"t\":\"b\"}\ndata: [DONE]", "a b"},
		"data over two lines":    {"data: {\"t\":\ndata: \"a\"}\n\ndata: [DONE]\n\n", "a"},
		"lines":                  {"{\"t\":\"a\"}\n{\"t\":\"b\"}\n{\"end\":true}\n", "a b"},
		"one body":               {"\ufeff {\n \"t\": \"a\", \"end\": true}", ""},
		"no data":                {"data:\n\ndata: {\"t\":\"a\"}\n\ndata: [DONE]\n\n", "a"},
		"no error":               {"data: {\"t\":\"a\",\"error\":\"\"}\n\ndata: {\"t\":\"b\",\"error\":{}}\n\ndata: {\"t\":\"c\",\"error\":{\"code\":null,\"message\":\" \"}}\n\ndata: {\"end\":true,\"error\":null}\n\n", "a b c"},
		"text after the end":     {"data: {\"end\":true}\n\nnonsense", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := stream(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, c.body) })
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	_, err := stream(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.Header.Get("Authorization") != "Bearer "+key || r.Header.Get("Content-Type") != "application/json" ||
			strings.TrimSpace(string(body)) != `{"q":"<&>"}` {
			t.Errorf("%s %v %s", r.Method, r.Header, body)
		}
		io.WriteString(w, "data: [DONE]\n\n")
	})
	if err != nil {
		t.Error(err)
	}
}

// TestClasses holds the rows of the error table that a status or a body tells.
func TestClasses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		status     int
		header     string // Retry-After
		want       llm.Class
		says       string
		after      time.Duration
	}{
		{name: "bad key", status: 401, body: `{"error":{"message":"Incorrect API key provided: ` + key + `"}}`, want: llm.ClassAuth, says: "MY_KEY"},
		{name: "forbidden", status: 403, body: `{"error":"no"}`, want: llm.ClassAuth, says: "refused the key"},
		{name: "moderation", status: 403, body: `{"error":{"code":403,"message":"flagged","metadata":{"reasons":["x"],"flagged_input":"y"}}}`, want: llm.ClassModelRefused, says: "flagged"},
		{name: "no credit", status: 402, body: `{"error":{"message":"Insufficient credits"}}`, want: llm.ClassCredit, says: "money or quota"},
		{name: "402 that passes", status: 402, header: "3", body: `{"error":{"message":"in-flight budget"}}`, want: llm.ClassRate, after: 3 * time.Second},
		{name: "quota", status: 429, body: `{"error":{"message":"You exceeded your current quota, check your plan and billing details","code":"insufficient_quota"}}`, want: llm.ClassCredit},
		{name: "credit in a 429", status: 429, body: `{"error":{"message":"Your credit balance is used up"}}`, want: llm.ClassCredit},
		{name: "rate", status: 429, header: "7", body: `{"error":{"message":"Too many"}}`, want: llm.ClassRate, after: 7 * time.Second},
		{name: "rate that advertises", status: 429, body: `{"error":{"message":"Rate limit reached for model, try again in 2s. Upgrade at /settings/billing"}}`, want: llm.ClassRate},
		{name: "no such model", status: 404, body: `{"error":{"message":"nope"}}`, want: llm.ClassModelUnknown, says: `"my-model"`},
		{name: "no such model, 400", status: 400, body: `{"error":{"message":"my-model is not a valid model ID"}}`, want: llm.ClassModelUnknown, says: "my-entry"},
		{name: "not pulled", status: 404, body: `{"error":"model 'x' not found, try pulling it first"}`, want: llm.ClassModelUnknown},
		{name: "context", status: 400, body: `{"error":{"message":"This model's maximum context length is 8192 tokens","code":"context_length_exceeded"}}`, want: llm.ClassContext, says: "my-model"},
		{name: "context of LM Studio", status: 400, body: `{"error":"The number of tokens to keep from the initial prompt is greater than the context length."}`, want: llm.ClassContext},
		{name: "context, 413", status: 413, body: `{"message":"prompt is too long: 9 tokens > 8"}`, want: llm.ClassContext},
		{name: "bad request", status: 400, body: `{"detail":[{"loc":["body","x"],"msg":"bad"}]}`, want: llm.ClassBadRequest, says: "bad"},
		{name: "method", status: 405, want: llm.ClassBadRequest, says: "method not allowed"},
		{name: "too large", status: 413, body: `payload`, want: llm.ClassBadRequest, says: "payload"},
		{name: "unprocessable", status: 422, body: `[{"error":{"message":"in a list"}}]`, want: llm.ClassBadRequest, says: "in a list"},
		{name: "redirect", status: 307, want: llm.ClassBadRequest, says: "redirects"},
		{name: "500", status: 500, body: `<html>oops</html>`, want: llm.ClassServer, says: "500"},
		{name: "501", status: 501, want: llm.ClassServer},
		{name: "503 with date", status: 503, header: "date", want: llm.ClassServer, after: 20 * time.Second},
		{name: "529", status: 529, body: `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, want: llm.ClassServer, says: "Overloaded"},
		{name: "408", status: 408, want: llm.ClassServer},
		{name: "409", status: 409, want: llm.ClassServer},
		{name: "425", status: 425, want: llm.ClassServer},
		{name: "upstream", status: 400, body: `{"error":{"message":"Provider returned error","metadata":{"raw":"{\"error\":{\"message\":\"deep\"}}"}}}`, want: llm.ClassBadRequest, says: "Provider returned error: deep"},

		{name: "200, error 429", status: 200, body: `{"error":{"code":429,"message":"slow down"}}`, want: llm.ClassRate},
		{name: "200, error in words", status: 200, body: `{"error":{"code":"rate_limit_exceeded","message":"slow down"}}`, want: llm.ClassRate},
		{name: "200, bad key", status: 200, body: `{"error":{"code":401,"message":"` + key + `"}}`, want: llm.ClassAuth},
		{name: "200, error of unknown code", status: 200, body: `{"error":"broken"}`, want: llm.ClassServer, says: "broken"},
		{name: "200, moderation", status: 200, body: `{"error":{"code":403,"message":"m","metadata":{"reasons":[]}}}`, want: llm.ClassModelRefused},
		{name: "200, error in a stream", status: 200, body: "data: {\"t\":\"a\"}\n\ndata: {\"error\":{\"code\":502,\"message\":\"gone\"}}\n\n", want: llm.ClassServer, says: "gone"},
		{name: "200, HTML", status: 200, body: `<html></html>`, want: llm.ClassServer, says: "not JSON"},
		{name: "200, words", status: 200, body: "all is well\n", want: llm.ClassServer, says: "not JSON"},
		{name: "200, broken data", status: 200, body: "data: {\"t\": oops}\n\n", want: llm.ClassServer, says: "not JSON"},
		{name: "200, an event cut short", status: 200, body: "data: {\"t\": \"a\n\ndata: {\"t\":\"b\"}\n\n", want: llm.ClassServer, says: "not JSON"},
		{name: "200, empty", status: 200, want: llm.ClassServer, says: "empty"},
		{name: "200, JSON without answer", status: 200, body: `{"t":"a"}`, want: llm.ClassServer, says: "no answer"},
		{name: "ends too early", status: 200, body: "data: {\"t\":\"a\"}\n\n", want: llm.ClassNetwork, says: "before the answer was complete"},
		{name: "ends inside a line", status: 200, body: "{\"t\":\"a\"}\n{\"t\":", want: llm.ClassNetwork, says: "broke"},
		{name: "ends inside an event", status: 200, body: "data: {\"t\":\"a", want: llm.ClassNetwork, says: "inside the answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := stream(t, func(w http.ResponseWriter, r *http.Request) {
				switch c.header {
				case "":
				case "date":
					w.Header().Set("Retry-After", time.Now().Add(20*time.Second).UTC().Format(http.TimeFormat))
				default:
					w.Header().Set("Retry-After", c.header)
				}
				if c.status == 307 {
					w.Header().Set("Location", "https://elsewhere.example/x?k="+key)
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			e, ok := errors.AsType[*llm.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if e.Class != c.want || !strings.Contains(e.Message, c.says) || e.Entry != "my-entry" || e.Host == "" {
				t.Errorf("got %s: %s, want %s with %q", e.Class, e.Message, c.want, c.says)
			}
			if d := e.RetryAfter - c.after; d > time.Second || d < -2*time.Second {
				t.Errorf("retry after %s, want %s", e.RetryAfter, c.after)
			}
			noKey(t, e)
		})
	}
}

func noKey(t *testing.T, e *llm.Error) {
	t.Helper()
	if all := fmt.Sprintf("%s %s %+v", e.Error(), e.Advice, *e); strings.Contains(all, key) {
		t.Errorf("the key is shown: %s", all)
	}
}

func TestFailureTextIsNotEscaped(t *testing.T) {
	t.Parallel()
	if f := parseFailure(400, []byte(`{"error":{"message":"N <= 5 & M"}}`)); !strings.Contains(f.Text, "n <= 5 & m") {
		t.Errorf("got %q", f.Text)
	}
}

func TestNoKeyIsAsked(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("an authorization was sent")
		}
		w.WriteHeader(401)
	}))
	defer server.Close()
	err := New(Options{Entry: "e", BaseURL: server.URL, KeyName: "MY_KEY"}).Ask(t.Context(), server.URL, nil, &struct{}{})
	if e, _ := errors.AsType[*llm.Error](err); e == nil || e.Class != llm.ClassAuth || !strings.Contains(e.Advice, "set MY_KEY") {
		t.Errorf("got %v", err)
	}
}

func TestLongForeignMessageIsCut(t *testing.T) {
	t.Parallel()
	_, err := stream(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		// The key lies across the cut.
		fmt.Fprintf(w, `{"message":"%s%s%s"}`, strings.Repeat("é", 290), key, strings.Repeat("\\n\\u001b[31m", 200))
	})
	e := err.(*llm.Error)
	if n := len([]rune(e.Message)); n > 420 || strings.Contains(e.Message, "sk-very") || strings.ContainsAny(e.Message, "\n\x1b") {
		t.Errorf("%d: %q", n, e.Message)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://user:" + key + "@" + l.Addr().String()
	l.Close()
	err = client(base).Stream(t.Context(), Request{URL: base, Body: 1, FirstByte: time.Minute})
	e, _ := errors.AsType[*llm.Error](err)
	if e == nil || e.Class != llm.ClassNetwork || e.NoRetry || !strings.Contains(e.Message, l.Addr().String()) || !strings.Contains(e.Advice, "is the server running?") {
		t.Fatalf("got %#v", err)
	}
	noKey(t, e)
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	for _, base := range []string{server.URL, "https://" + plain(t)} {
		err := client(base).Stream(t.Context(), Request{URL: base, Body: 1, FirstByte: time.Minute})
		if e, _ := errors.AsType[*llm.Error](err); e == nil || e.Class != llm.ClassNetwork || !e.NoRetry {
			t.Errorf("%s: %v", base, err)
		}
	}
}

// plain returns the address of a server without TLS.
func plain(t *testing.T) string {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestReset(t *testing.T) {
	t.Parallel()
	_, err := stream(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "data: {\"t\":\"a\"}\n\n")
		w.(http.Flusher).Flush()
		conn, _, _ := http.NewResponseController(w).Hijack()
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	})
	if llm.ClassOf(err) != llm.ClassNetwork {
		t.Errorf("got %v", err)
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 20 {
			if _, err := fmt.Fprintf(w, "data: {\"t\":\"%s\"}\n\n", strings.Repeat("x", 1<<20)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	var got []string
	c := New(Options{BaseURL: server.URL})
	err := c.Stream(t.Context(), Request{URL: server.URL, Body: 1, FirstByte: time.Minute, Each: collect(&got)})
	if llm.ClassOf(err) != llm.ClassInvalid || len(got) > 8 {
		t.Errorf("got %d values, %v", len(got), err)
	}
}

// TestUnfinishedEvent: reading an event of many lines must not take time by its square, which
// would be hours here.
func TestUnfinishedEvent(t *testing.T) {
	t.Parallel()
	const line = "data: 1,\n"
	_, err := stream(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "data: [\n"+strings.Repeat(line, 5<<20/len(line)))
	})
	if llm.ClassOf(err) != llm.ClassNetwork {
		t.Errorf("got %v", err)
	}
}

// endless is a server's body that never waits and never ends, and knows no context.
type endless struct{ read int }

func (e *endless) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(e)}, nil
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, "data: {}\n")
	e.read += n
	return n, nil
}

func TestCancelStopsReading(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := &endless{}
	c := New(Options{BaseURL: "http://model.example", Transport: server})
	err := c.Stream(ctx, Request{URL: "http://model.example", Body: 1, FirstByte: time.Minute, Each: func(json.RawMessage) (State, error) {
		cancel()
		return Going, nil
	}})
	if llm.ClassOf(err) != llm.ClassCancelled || server.read > 100_000 {
		t.Errorf("got %v after %d bytes", err, server.read)
	}
}

func TestAmount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		`12`: 12, `12.0`: 12, `"0.01"`: 0.01, `" 7 "`: 7, `0`: 0,
		`-5`: -1, `"-5"`: -1, `"NaN"`: -1, `"Inf"`: -1, `1e999`: -1, `1e30`: -1, `null`: -1, `[]`: -1, `{}`: -1, `true`: -1, `"many"`: -1,
	} {
		var got struct{ N Amount }
		if err := json.Unmarshal([]byte(`{"n":`+text+`}`), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if usd := got.N.USD(); (usd == nil) != (want < 0) || usd != nil && *usd != want || got.N.Count() != int(max(want, 0)) {
			t.Errorf("%s is %+v, want %v", text, got.N, want)
		}
	}
}

// TestSchemaIsShownAsItIs: in a prompt nobody takes the escapes of HTML back.
func TestSchemaIsShownAsItIs(t *testing.T) {
	t.Parallel()
	s := schema.For[struct {
		Kind string `json:"kind" enum:"R&D,<none>"`
	}]()
	got := WithSchema([]llm.Message{{Role: llm.User, Content: "What?"}}, s)[0].Content
	if !strings.Contains(got, `"R&D","<none>"`) {
		t.Errorf("got %s", got)
	}
}

func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]bool{
		"http://localhost:1": true, "http://127.1.2.3": true, "http://[::1]:2/v1": true, "http://host.docker.internal:3": true, "http://0.0.0.0": true,
		"https://openrouter.ai": false, "http://192.168.0.1": false, "http://localhost.example": false, "%": false,
	} {
		if got := IsLoopback(base); got != want {
			t.Errorf("%s: %v", base, got)
		}
	}
}
