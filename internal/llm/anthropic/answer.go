package anthropic

import (
	"encoding/json"
	"strings"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/wire"
)

// chunk is one event of a stream, or a whole message.
type chunk struct {
	Type    string `json:"type"`
	Message struct {
		Usage usage `json:"usage"`
	} `json:"message"`
	Block block `json:"content_block"`
	Delta struct {
		Text       string `json:"text"`
		JSON       string `json:"partial_json"`
		Thinking   string `json:"thinking"`
		StopReason string `json:"stop_reason"`
	} `json:"delta"`
	Usage usage `json:"usage"`

	// A whole message.
	Content    []block `json:"content"`
	StopReason string  `json:"stop_reason"`
}

type block struct {
	Type     string          `json:"type"`
	Text     string          `json:"text"`
	Thinking string          `json:"thinking"`
	Input    json.RawMessage `json:"input"`
}

// usage counts the tokens of the prompt in three parts that do not overlap.
type usage struct {
	Fresh   wire.Amount `json:"input_tokens"`
	Written wire.Amount `json:"cache_creation_input_tokens"`
	Cached  wire.Amount `json:"cache_read_input_tokens"`
	Output  wire.Amount `json:"output_tokens"`
}

// answer puts an answer together from its events.
type answer struct {
	wire     *wire.Client
	begun    bool
	text     strings.Builder
	tool     strings.Builder
	thinking int // bytes
	stop     string
	usage    event.Usage
}

func (a *answer) add(raw json.RawMessage) (wire.State, error) {
	var c chunk
	if err := json.Unmarshal(raw, &c); err != nil {
		return wire.Going, a.wire.Fail(llm.ClassServer, "the server answered with JSON of a form that is not known")
	}
	a.count(c.Message.Usage)
	a.count(c.Usage)
	switch c.Type {
	case "message_start":
		a.begun = true
	case "content_block_start":
		a.take(c.Block, false)
	case "content_block_delta":
		a.text.WriteString(c.Delta.Text)
		a.tool.WriteString(c.Delta.JSON)
		a.thinking += len(c.Delta.Thinking)
	case "message_delta":
		if c.Delta.StopReason != "" {
			a.stop = c.Delta.StopReason
			return wire.Complete, nil
		}
	case "message_stop":
		return wire.Ended, nil
	case "message":
		a.begun, a.stop = true, c.StopReason
		for _, b := range c.Content {
			a.take(b, true)
		}
		return wire.Ended, nil
	}
	return wire.Going, nil
}

// take adds a block. In a stream a tool's block begins with an empty input and its JSON follows in
// pieces.
func (a *answer) take(b block, whole bool) {
	a.text.WriteString(b.Text)
	a.thinking += len(b.Thinking)
	if whole && b.Type == "tool_use" {
		a.tool.Write(b.Input)
	}
}

// count keeps the largest numbers: those of a stream are repeated as they grow.
func (a *answer) count(u usage) {
	a.usage.Prompt = max(a.usage.Prompt, u.Fresh.Count()+u.Written.Count()+u.Cached.Count())
	a.usage.Cached = max(a.usage.Cached, u.Cached.Count())
	a.usage.Completion = max(a.usage.Completion, u.Output.Count())
}

func (a *answer) response(r llm.Request, form string) llm.Response {
	resp := llm.Response{Text: a.text.String(), Form: form, Finish: llm.FinishStop, Usage: a.usage}
	if a.tool.Len() > 0 {
		resp.Text = a.tool.String()
	}
	switch a.stop {
	case "max_tokens", "model_context_window_exceeded":
		resp.Finish = llm.FinishLength
	case "refusal":
		resp.Finish = llm.FinishFilter
	case "":
		resp.Finish = ""
	}
	if a.begun && a.usage.Prompt == 0 {
		resp.Usage = wire.Estimate(r.Messages, len(resp.Text), a.thinking)
	}
	resp.ReasoningOnly = strings.TrimSpace(resp.Text) == "" && a.thinking > 0
	return resp
}
