package wire

import (
	"math"
	"strconv"
	"strings"

	"planexe/internal/event"
	"planexe/internal/llm"
)

// Amount is a number of tokens or of USD as a server tells it. Reading one never fails: an answer
// that is paid for must not be lost for its bill. Numbers in quotes are taken; whatever is
// negative, not finite or no number counts as not told.
type Amount struct {
	value float64
	told  bool
}

// UnmarshalJSON takes any JSON value.
func (a *Amount) UnmarshalJSON(raw []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(raw), `" `), 64)
	*a = Amount{}
	if err == nil && v >= 0 && v <= math.MaxInt32 {
		*a = Amount{value: v, told: true}
	}
	return nil
}

// Count returns a number of tokens, 0 when it was not told.
func (a Amount) Count() int { return int(a.value) }

// USD returns an amount of money, nil when it was not told.
func (a Amount) USD() *float64 {
	if !a.told {
		return nil
	}
	return &a.value
}

// Bytes is the length of all messages: the base of estimates.
func Bytes(messages []llm.Message) int {
	n := 0
	for _, m := range messages {
		n += len(m.Content)
	}
	return n
}

// Estimate guesses the tokens of an exchange whose server did not count them, from the bytes of
// the answer and of the thinking before it.
func Estimate(messages []llm.Message, answer, thinking int) event.Usage {
	return event.Usage{Prompt: Bytes(messages) / 4, Completion: (answer + thinking) / 4, Reasoning: thinking / 4, Estimated: true}
}
