package ollama

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/llm/wire"
)

type shapeOf struct {
	City string `json:"city"`
}

// fake is an Ollama server with one model of 16,384 tokens.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	answers []reply // to /api/chat; the last one stays
	asked   []request
	shown   int
	tags    string
}

type reply struct {
	status int
	body   string
}

type request struct {
	Model    string
	Messages []llm.Message
	Stream   bool
	Format   json.RawMessage
	Options  map[string]any
	Keep     any `json:"keep_alive"`
	Think    any
	Truncate *bool
	Route    any
}

const good = `{"message":{"content":"{\"city\":","thinking":""},"done":false}
{"message":{"content":"\"Lyon\"}"},"done":false}
{"message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":10,"eval_count":4}
`

func serve(t *testing.T, answers ...reply) *fake {
	f := &fake{answers: append(answers, reply{200, good}), tags: `{"models":[{"name":"llama3.1:latest"},{"name":"qwen:7b"}]}`}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch r.URL.Path {
	case "/api/tags":
		io.WriteString(w, f.tags)
	case "/api/show":
		f.shown++
		io.WriteString(w, `{"model_info":{"general.architecture":"llama","llama.context_length":16384,"llama.embedding_length":4096}}`)
	case "/api/chat":
		var q request
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			w.WriteHeader(418)
			return
		}
		f.asked = append(f.asked, q)
		a := f.answers[0]
		if len(f.answers) > 1 {
			f.answers = f.answers[1:]
		}
		w.WriteHeader(a.status)
		io.WriteString(w, a.body)
	}
}

func (f *fake) provider(change func(*Options)) *Provider {
	o := Options{Wire: wire.Options{Entry: "e", Model: "llama3.1", BaseURL: f.URL}, Temperature: 0.5}
	if change != nil {
		change(&o)
	}
	return New(o)
}

// question has a prompt of about size bytes, the schema included.
func question(size int) llm.Request {
	return llm.Request{
		Messages: []llm.Message{{Role: llm.System, Content: "Be brief."}, {Role: llm.User, Content: strings.Repeat("x", size)}},
		Schema:   schema.For[shapeOf](), Name: "pick_city", MaxTokens: 1000, FirstByte: 10 * time.Second,
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	f := serve(t)
	p := f.provider(func(o *Options) {
		o.KeepAlive, o.Think = "10m", true
		o.Options = map[string]any{"top_k": 3, "num_predict": 7}
		o.Body = map[string]any{"route": "r"}
	})
	r, err := p.Send(t.Context(), question(10))
	if err != nil || r.Text != `{"city":"Lyon"}` || r.Finish != llm.FinishStop || r.Form != "json_schema" || r.Usage.Prompt != 10 || r.Usage.Completion != 4 || r.Usage.Estimated {
		t.Errorf("got %+v, %v", r, err)
	}
	q := f.asked[0]
	if q.Model != "llama3.1" || !q.Stream || q.Keep != "10m" || q.Route != "r" || q.Think != true || q.Truncate == nil || *q.Truncate {
		t.Errorf("asked %+v", q)
	}
	if !strings.Contains(string(q.Format), `"city"`) || !strings.Contains(q.Messages[0].Content, `"city"`) {
		t.Errorf("schema: %s, %s", q.Format, q.Messages[0].Content)
	}
	for name, want := range map[string]float64{"temperature": 0.5, "num_predict": 1000, "num_ctx": 2048, "top_k": 3} {
		if q.Options[name] != want {
			t.Errorf("%s is %v, want %v", name, q.Options[name], want)
		}
	}
}

func TestContextLength(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Options)
		sizes  []int
		want   []float64
	}{
		"grows and stays": {nil, []int{10, 9000, 10}, []float64{2048, 6144, 6144}},
		"the model's":     {nil, []int{47000}, []float64{16384}},
		"the entry's":     {func(o *Options) { o.Window = 4096 }, []int{10000}, []float64{4096}},
		"the user's own":  {func(o *Options) { o.Options = map[string]any{"num_ctx": json.Number("5000")} }, []int{10, 9000}, []float64{5000, 5000}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t)
			p := f.provider(c.change)
			for i, size := range c.sizes {
				if _, err := p.Send(t.Context(), question(size)); err != nil {
					t.Fatal(err)
				}
				if got := f.asked[i].Options["num_ctx"]; got != c.want[i] {
					t.Errorf("%d bytes: num_ctx is %v, want %v", size, got, c.want[i])
				}
			}
			if f.shown > 1 {
				t.Errorf("asked %d times for the context length", f.shown)
			}
		})
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer reply
		size   int
		asked  int
	}{
		"before it is sent": {reply{200, good}, 80_000, 0},
		"cut by the server": {reply{200, `{"message":{"content":"x"},"done":true,"done_reason":"stop","prompt_eval_count":2048,"eval_count":1}`}, 10, 1},
		"refused":           {reply{400, `{"error":"the input length exceeds the context length"}`}, 10, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, c.answer)
			if _, err := f.provider(nil).Send(t.Context(), question(c.size)); llm.ClassOf(err) != llm.ClassContext || len(f.asked) != c.asked {
				t.Errorf("got %v after %d requests", err, len(f.asked))
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply  reply
		want   llm.Class
		finish llm.Finish
		check  func(llm.Response) bool
	}{
		"cut": {reply{200, `{"message":{"content":"x"},"done":true,"done_reason":"length","prompt_eval_count":1,"eval_count":9}`}, llm.ClassOK, llm.FinishLength, nil},
		"only thinking": {reply{200, `{"message":{"thinking":"hm"},"done":false}` + "\n" + `{"message":{},"done":true,"eval_count":9}`}, llm.ClassOK, llm.FinishStop,
			func(r llm.Response) bool { return r.ReasoningOnly && r.Text == "" && r.Usage.Reasoning == 9 }},
		"counts in other forms": {reply{200, `{"message":{"content":"x"},"done":true,"prompt_eval_count":12.0,"eval_count":"9"}`}, llm.ClassOK, llm.FinishStop,
			func(r llm.Response) bool { return r.Usage.Prompt == 12 && r.Usage.Completion == 9 }},
		"negative counts": {reply{200, `{"message":{"content":"twelve bytes"},"done":true,"prompt_eval_count":-1,"eval_count":-9}`}, llm.ClassOK, llm.FinishStop,
			func(r llm.Response) bool { return r.Usage.Estimated && r.Usage.Completion == 3 }},
		"no counts": {reply{200, `{"message":{"content":"twelve bytes"},"done":true}`}, llm.ClassOK, llm.FinishStop,
			func(r llm.Response) bool { return r.Usage.Estimated && r.Usage.Completion == 3 }},
		"ends early": {reply{200, `{"message":{"content":"some"},"done":false}` + "\n" + `{"message":{"content":"thing"},"done":false}` + "\n"}, llm.ClassNetwork, "",
			func(r llm.Response) bool { return r.Text == "something" && r.Usage.Estimated }},
		"error in the stream": {reply{200, `{"message":{"content":"x"},"done":false}` + "\n" + `{"error":"an error was encountered while running the model"}`}, llm.ClassServer, "", nil},
		"no memory":           {reply{500, `{"error":"model requires more system memory (9 GiB) than is available (3 GiB)"}`}, llm.ClassServer, "", nil},
		"no model":            {reply{404, `{"error":"model 'llama3.1' not found"}`}, llm.ClassModelUnknown, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := serve(t, c.reply).provider(nil).Send(t.Context(), question(10))
			if llm.ClassOf(err) != c.want || r.Finish != c.finish || c.check != nil && !c.check(r) {
				t.Errorf("got %+v, %v", r, err)
			}
			e, _ := errors.AsType[*llm.Error](err)
			if name == "no memory" && !e.NoRetry || name == "no model" && !strings.Contains(e.Advice, "ollama pull llama3.1") {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func TestAdapts(t *testing.T) {
	t.Parallel()
	f := serve(t,
		reply{400, `{"error":"invalid JSON schema in format"}`},
		reply{500, `{"error":"failed to parse grammar"}`},
		reply{400, `{"error":"\"llama3.1\" does not support thinking"}`})
	p := f.provider(func(o *Options) { o.Think = true })
	var formats []string
	for n := 0; ; n++ {
		_, err := p.Send(t.Context(), question(10))
		formats = append(formats, string(f.asked[n].Format))
		if err == nil {
			break
		}
		if llm.ClassOf(err) != llm.ClassAdapted || n > 3 {
			t.Fatalf("request %d: %v", n, err)
		}
	}
	if len(formats) != 4 || !strings.HasPrefix(formats[0], "{") || formats[1] != `"json"` || formats[2] != "" {
		t.Errorf("formats: %q", formats)
	}
	if f.asked[2].Think != true || f.asked[3].Think != nil {
		t.Errorf("think: %v, then %v", f.asked[2].Think, f.asked[3].Think)
	}
	if p.StepDown() {
		t.Error("there is a form below text")
	}
}

func TestFormIsFixed(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{"json_schema": "{", "json_object": `"json"`, "text": ""} {
		f := serve(t)
		p := f.provider(func(o *Options) { o.Form = form })
		if _, err := p.Send(t.Context(), question(10)); err != nil || !strings.HasPrefix(string(f.asked[0].Format), want) || p.StepDown() {
			t.Errorf("%s: %s, %v", form, f.asked[0].Format, err)
		}
	}
}

func TestLessThinking(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]any{"gpt-oss:20b": "low", "qwen3": false} {
		f := serve(t)
		r := question(10)
		r.LowEffort = true
		if _, err := f.provider(func(o *Options) { o.Wire.Model = model }).Send(t.Context(), r); err != nil || f.asked[0].Think != want {
			t.Errorf("%s: %v, %v", model, f.asked[0].Think, err)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	f := serve(t)
	for model, want := range map[string]llm.Class{
		"llama3.1": llm.ClassOK, "llama3.1:latest": llm.ClassOK, "llama3.1:8b": llm.ClassModelUnknown, "qwen:7b": llm.ClassOK, "qwen": llm.ClassModelUnknown,
		"hf.co/x/y:Q4": llm.ClassOK, "": llm.ClassModelUnknown,
	} {
		p := f.provider(func(o *Options) { o.Wire.Model = model })
		err := p.Check(t.Context())
		if llm.ClassOf(err) != want {
			t.Errorf("%s: %v", model, err)
		}
		if want == llm.ClassOK && p.Window() != 16384 {
			t.Errorf("%s: window %d", model, p.Window())
		}
		if e, ok := errors.AsType[*llm.Error](err); ok && e.Advice != "run: ollama pull "+model {
			t.Errorf("%s: advice %q", model, e.Advice)
		}
	}
	f.Close()
	err := f.provider(nil).Check(t.Context())
	if e, _ := errors.AsType[*llm.Error](err); e == nil || e.Class != llm.ClassNetwork || !strings.Contains(fmt.Sprint(e.Advice), "running") {
		t.Errorf("got %v", err)
	}
}
