package llm

import (
	"context"
	"strings"
	"time"
)

// pingLimit bounds one Ping.
const pingLimit = 30 * time.Second

// Ping asks an entry one small question, once: no retry, no fallback, and nothing that it finds touches a
// run. The answer is on one line and at most most runes long.
func Ping(ctx context.Context, e *Entry, most int) (answer string, err error) {
	if e.Problem != nil {
		return "", e.Problem
	}
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	request := Request{
		Messages:  []Message{{Role: User, Content: "Can you read this? Answer with OK and nothing else."}},
		MaxTokens: min(256, max(1, e.MaxTokens)), FirstByte: pingLimit,
	}
	resp, err := e.Provider.Send(ctx, request)
	if ClassOf(err) == ClassAdapted { // the provider has learned how to ask
		resp, err = e.Provider.Send(ctx, request)
	}
	if err != nil {
		return "", err
	}
	text := []rune(strings.Join(strings.Fields(resp.Text), " "))
	return string(text[:min(len(text), most)]), nil
}
