package openai

import (
	"encoding/json"
	"strings"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/wire"
)

// chunk is one value of an answer: a piece of a stream, or all of it.
type chunk struct {
	Choices []struct {
		Index   int    `json:"index"`
		Delta   *piece `json:"delta"`
		Message *piece `json:"message"`
		Finish  string `json:"finish_reason"`
	} `json:"choices"`
	Usage json.RawMessage `json:"usage"`
}

type piece struct {
	Content   json.RawMessage `json:"content"` // text, null, or a list of parts
	Refusal   string          `json:"refusal"`
	ToolCalls []struct {
		Index    int `json:"index"`
		Function struct {
			Arguments json.RawMessage `json:"arguments"` // text that is JSON; JSON itself from some servers
		} `json:"function"`
	} `json:"tool_calls"`
	Reasoning        json.RawMessage `json:"reasoning"`
	ReasoningContent json.RawMessage `json:"reasoning_content"`
}

type usage struct {
	Prompt     wire.Amount `json:"prompt_tokens"`
	Completion wire.Amount `json:"completion_tokens"`
	PromptMore struct {
		Cached wire.Amount `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionMore struct {
		Reasoning wire.Amount `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
	CacheHit wire.Amount `json:"prompt_cache_hit_tokens"` // DeepSeek

	// OpenRouter. With a key of the user's own at the provider, Cost is the fee only.
	Cost     wire.Amount `json:"cost"`
	OwnKey   bool        `json:"is_byok"`
	CostMore struct {
		Upstream wire.Amount `json:"upstream_inference_cost"`
	} `json:"cost_details"`
}

// answer puts an answer together from its chunks.
type answer struct {
	wire      *wire.Client
	begun     bool // a choice came
	text      strings.Builder
	tool      strings.Builder
	refusal   strings.Builder
	reasoning int // bytes
	finish    string
	usage     usage
}

func (a *answer) add(raw json.RawMessage) (wire.State, error) {
	var c chunk
	if err := json.Unmarshal(raw, &c); err != nil {
		return wire.Going, a.wire.Fail(llm.ClassServer, "the server answered with JSON of a form that is not known")
	}
	// What has the wrong type is left out, the rest is taken: the error is of no use.
	_ = json.Unmarshal(c.Usage, &a.usage)
	state := wire.Going
	for _, choice := range c.Choices {
		if choice.Index != 0 {
			continue
		}
		a.begun = true
		for _, p := range []*piece{choice.Delta, choice.Message} {
			if p != nil {
				a.take(p)
			}
		}
		if choice.Finish == "error" {
			return wire.Going, a.wire.Fail(llm.ClassServer, "the server broke off the answer with an error")
		}
		if choice.Finish != "" {
			a.finish, state = choice.Finish, wire.Complete
		}
		if choice.Message != nil {
			state = wire.Ended
		}
	}
	return state, nil
}

func (a *answer) take(p *piece) {
	text, thinking := contentText(p.Content)
	a.text.WriteString(text)
	a.refusal.WriteString(p.Refusal)
	for _, r := range []json.RawMessage{p.Reasoning, p.ReasoningContent} {
		if s := string(r); s != "" && s != "null" && s != `""` {
			thinking += len(s)
		}
	}
	a.reasoning += thinking
	for _, t := range p.ToolCalls {
		if t.Index != 0 {
			continue
		}
		var s string
		if err := json.Unmarshal(t.Function.Arguments, &s); err != nil {
			s = string(t.Function.Arguments)
		}
		a.tool.WriteString(s)
	}
}

// contentText returns the text of a message's content and the bytes of thinking in it.
func contentText(raw json.RawMessage) (text string, thinking int) {
	if err := json.Unmarshal(raw, &text); err == nil {
		return text, 0
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return "", 0
	}
	for _, p := range parts {
		if p.Type == "text" || p.Type == "output_text" {
			text += p.Text
		} else {
			thinking = len(raw)
		}
	}
	return text, thinking
}

func (a *answer) response(r llm.Request, form string) llm.Response {
	resp := llm.Response{Text: a.text.String(), Refusal: a.refusal.String(), Form: form, Finish: llm.FinishStop}
	if a.tool.Len() > 0 {
		resp.Text = a.tool.String()
	}
	switch strings.ToLower(a.finish) {
	case "length", "max_tokens", "max_output_tokens":
		resp.Finish = llm.FinishLength
	case "content_filter", "safety", "refusal":
		resp.Finish = llm.FinishFilter
	case "":
		resp.Finish = ""
	}
	if a.begun {
		resp.Usage = wire.Estimate(r.Messages, len(resp.Text), a.reasoning)
	}
	u := a.usage
	if u.Prompt.Count() > 0 || u.Completion.Count() > 0 {
		resp.Usage = event.Usage{
			Prompt: u.Prompt.Count(), Completion: u.Completion.Count(), Reasoning: u.CompletionMore.Reasoning.Count(),
			Cached: max(u.PromptMore.Cached.Count(), u.CacheHit.Count()),
		}
	}
	resp.Cost = u.Cost.USD()
	if upstream := u.CostMore.Upstream.USD(); resp.Cost != nil && upstream != nil && u.OwnKey {
		*resp.Cost += *upstream
	}
	resp.ReasoningOnly = strings.TrimSpace(resp.Text) == "" && resp.Refusal == "" && (a.reasoning > 0 || resp.Usage.Reasoning > 0)
	return resp
}
