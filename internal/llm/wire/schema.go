package wire

import (
	"slices"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
)

// WithSchema returns the messages with the schema at the end of the system message, or of the last
// message when there is no system message. Models need to see it even where the server enforces
// it: a grammar lets them write nothing else, but does not tell them what to write.
func WithSchema(messages []llm.Message, s *schema.Schema) []llm.Message {
	if s == nil || len(messages) == 0 {
		return messages
	}
	out := slices.Clone(messages)
	at := len(out) - 1
	if out[0].Role == llm.System {
		at = 0
	}
	out[at].Content += "\n\nAnswer with exactly one JSON object that conforms to the JSON schema below. " +
		"Fill it with your own content, do not repeat the schema, and write nothing before or after the object.\n" + s.String()
	return out
}
