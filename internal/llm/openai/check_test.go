package openai

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"planexe/internal/llm"
	"planexe/internal/llm/wire"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	const name = "acme/model-4096-tools"
	list := func(id string) reply {
		return reply{200, `{"data":[{"id":"other","context_length":1},{"id":"` + id + `","context_length":32768}]}`}
	}
	free := reply{200, `{"data":{"limit_remaining":null}}`}
	for what, c := range map[string]struct {
		dialect Dialect
		change  func(*Options)
		paths   map[string]reply
		want    llm.Class
		window  int
	}{
		"OpenRouter":                 {OpenRouter, nil, map[string]reply{"/v1/key": free, "/v1/models": list(name)}, llm.ClassOK, 32768},
		"OpenRouter, variant":        {OpenRouter, func(o *Options) { o.Wire.Model += ":nitro" }, map[string]reply{"/v1/key": free, "/v1/models": list(name)}, llm.ClassOK, 32768},
		"OpenRouter, bad key":        {OpenRouter, nil, map[string]reply{"/v1/key": {401, key}, "/v1/models": list(name)}, llm.ClassAuth, 32768},
		"OpenRouter, no money":       {OpenRouter, nil, map[string]reply{"/v1/key": {200, `{"data":{"limit_remaining":0}}`}, "/v1/models": list(name)}, llm.ClassCredit, 32768},
		"OpenRouter, no model":       {OpenRouter, nil, map[string]reply{"/v1/key": free, "/v1/models": list("x")}, llm.ClassModelUnknown, 0},
		"OpenRouter, nothing known":  {OpenRouter, nil, nil, llm.ClassOK, 0},
		"configured window":          {OpenRouter, func(o *Options) { o.Window = 9 }, map[string]reply{"/v1/key": free, "/v1/models": list(name)}, llm.ClassOK, 9},
		"OpenAI, no model":           {OpenAI, nil, map[string]reply{"/v1/models": list("x")}, llm.ClassModelUnknown, 0},
		"preset, no model":           {Like, func(o *Options) { o.ListsModels = true }, map[string]reply{"/v1/models": {200, `[{"id":"x"}]`}}, llm.ClassModelUnknown, 0},
		"preset, bare list":          {Like, func(o *Options) { o.ListsModels = true }, map[string]reply{"/v1/models": {200, `[{"id":"` + name + `","context_length":5}]`}}, llm.ClassOK, 5},
		"any server, no model":       {Like, nil, map[string]reply{"/v1/models": list("x")}, llm.ClassOK, 0},
		"any server, bad key":        {Like, nil, map[string]reply{"/v1/models": {403, "no"}}, llm.ClassAuth, 0},
		"any server, 500":            {Like, nil, map[string]reply{"/v1/models": {500, ""}}, llm.ClassOK, 0},
		"any server, unreadable":     {Like, nil, map[string]reply{"/v1/models": {200, "<html>"}}, llm.ClassOK, 0},
		"LM Studio":                  {LMStudio, nil, map[string]reply{"/v1/models": list(name), "/api/v0/models": {200, `{"data":[{"id":"` + name + `","max_context_length":9999,"loaded_context_length":4096}]}`}}, llm.ClassOK, 4096},
		"LM Studio, not loaded":      {LMStudio, nil, map[string]reply{"/v1/models": list(name), "/api/v0/models": {200, `{"data":[{"id":"` + name + `","max_context_length":9999}]}`}}, llm.ClassOK, 0},
		"LM Studio, no model":        {LMStudio, nil, map[string]reply{"/v1/models": list("x")}, llm.ClassModelUnknown, 0},
		"LM Studio, an empty answer": {LMStudio, nil, map[string]reply{"/v1/models": {200, `{}`}}, llm.ClassOK, 0},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := serve(t)
			if c.paths != nil {
				f.byPath = c.paths
			}
			p := f.provider(c.dialect, c.change)
			err := p.Check(t.Context())
			if llm.ClassOf(err) != c.want || p.Window() != c.window {
				t.Errorf("got %v, window %d", err, p.Window())
			}
			if e, ok := errors.AsType[*llm.Error](err); ok && (e.Advice == "" || strings.Contains(fmt.Sprintf("%v %+v", err, *e), key)) {
				t.Errorf("got %+v", *e)
			}
			if len(f.asked) > 0 {
				t.Error("a model was asked")
			}
		})
	}
}

func TestCheckOfNoServer(t *testing.T) {
	t.Parallel()
	f := serve(t)
	base := f.URL
	f.Close()
	err := New(Options{Wire: wire.Options{Entry: "e", Model: "m", BaseURL: base + "/v1"}, Dialect: LMStudio}).Check(t.Context())
	if e, _ := errors.AsType[*llm.Error](err); e == nil || e.Class != llm.ClassNetwork || !strings.Contains(e.Advice, "running") {
		t.Errorf("got %v", err)
	}
}
