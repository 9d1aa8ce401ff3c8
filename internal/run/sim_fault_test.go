package run_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"time"

	"planexe/internal/llm"
	"planexe/internal/llm/answer"
	"planexe/internal/llm/schema"
)

// faults are what real models and providers do to answers, each as often as any other.
var faults = []string{
	"empty", "thinking", "truncated", "stub", "syntax", "control", "prose", "fenced", "inner", "missing", "echo", "short", "long", "enum", "case",
	"rate", "server", "overload", "reset", "timeout", "stall", "badjson",
}

// spoiler gives the answers of another model, some of them spoiled. Which ones depends on the
// question, on how often it was asked, and on the seed; not on the order of the requests.
type spoiler struct {
	llm.Provider
	seed uint64
	rate float64

	mu      sync.Mutex
	asked   map[string]int // requests by all that makes them differ
	cut     map[string]bool
	schemas map[string]*schema.Schema // by messages
	repeats []string                  // requests that were sent again after a cut answer
	spoiled map[string]int
}

func newSpoiler(p llm.Provider, seed uint64, rate float64) *spoiler {
	return &spoiler{
		Provider: p, seed: seed, rate: rate, asked: map[string]int{}, cut: map[string]bool{}, schemas: map[string]*schema.Schema{},
		spoiled: map[string]int{},
	}
}

func (s *spoiler) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	messages, err := json.Marshal(r.Messages)
	if err != nil {
		return llm.Response{}, err
	}
	id, err := json.Marshal([]any{r.Name, r.MaxTokens, r.LowEffort, string(messages)})
	if err != nil {
		return llm.Response{}, err
	}
	s.mu.Lock()
	s.schemas[string(messages)] = r.Schema
	if s.cut[string(id)] {
		s.repeats = append(s.repeats, string(id))
	}
	h := fnv.New64a()
	h.Write(id)
	rng := rand.New(rand.NewPCG(s.seed, h.Sum64()+uint64(s.asked[string(id)])))
	s.asked[string(id)]++
	kind := ""
	if rng.Float64() < s.rate {
		kind = faults[rng.IntN(len(faults))]
		s.spoiled[kind]++
	}
	if kind == "truncated" || kind == "stub" || kind == "empty" || kind == "thinking" {
		s.cut[string(id)] = true
	}
	s.mu.Unlock()
	time.Sleep(time.Duration(1+rng.IntN(20)) * time.Second)
	resp, err := s.good(ctx, r, string(messages))
	if err != nil || kind == "" {
		return resp, err
	}
	return spoil(kind, resp, r, rng)
}

// known holds answers of the inner model, which are the same in every plan.
var known sync.Map

func (s *spoiler) good(ctx context.Context, r llm.Request, messages string) (llm.Response, error) {
	shape := ""
	if r.Schema != nil {
		shape = r.Schema.Digest()
	}
	id := sha256.Sum256([]byte(r.Name + shape + messages))
	if resp, ok := known.Load(id); ok {
		return resp.(llm.Response), nil
	}
	resp, err := s.Provider.Send(ctx, r)
	if err == nil {
		known.Store(id, resp)
	}
	return resp, err
}

// spoil makes a bad answer of a good one.
func spoil(kind string, resp llm.Response, r llm.Request, rng *rand.Rand) (llm.Response, error) {
	broken := func(c llm.Class, status int, after time.Duration) (llm.Response, error) {
		return llm.Response{}, &llm.Error{Class: c, Status: status, RetryAfter: after, Message: kind}
	}
	switch kind {
	case "rate":
		return broken(llm.ClassRate, 429, time.Duration(rng.IntN(3))*time.Second)
	case "server":
		return broken(llm.ClassServer, 500, 0)
	case "overload":
		return broken(llm.ClassServer, 503, 2*time.Second)
	case "badjson":
		return broken(llm.ClassServer, 200, 0)
	case "reset":
		return broken(llm.ClassNetwork, 0, 0)
	case "timeout":
		time.Sleep(r.FirstByte)
		return broken(llm.ClassTimeout, 0, 0)
	case "stall":
		time.Sleep(90 * time.Second)
		return broken(llm.ClassStall, 0, 0)
	case "empty":
		resp.Text, resp.Finish = "", llm.FinishLength
	case "thinking":
		resp.Text, resp.ReasoningOnly = "", true
	case "truncated":
		resp.Text, resp.Finish = resp.Text[:int(float64(len(resp.Text))*(.3+.65*rng.Float64()))], llm.FinishLength
	case "stub":
		resp.Text = resp.Text[:min(len(resp.Text), max(1, strings.Index(resp.Text, "}")-5), 400)]
		if r.Schema == nil {
			resp.Finish = llm.FinishLength
		}
	case "prose":
		resp.Text = "Before I go on, would you like more detail on any of these points?"
	case "fenced":
		resp.Text = "Here is what you asked for:\n\n```json\n" + resp.Text + "\n```\nLet me know if anything should change."
	case "control":
		resp.Text = strings.Replace(resp.Text, " ", "\n", 1)
	default:
		if r.Schema != nil {
			resp.Text = spoilJSON(kind, resp.Text, r.Schema, rng)
		}
	}
	return resp, nil
}

var choice = regexp.MustCompile(`"(low|medium|high|Low|Medium|High|digital|physical|business|personal|other|keep|remove|absorb|ALLOW)"`)

func spoilJSON(kind, text string, s *schema.Schema, rng *rand.Rand) string {
	tree, _, err := answer.Extract(text, s)
	o, ok := tree.(schema.Object)
	if err != nil || !ok {
		panic("the model's own answer cannot be read: " + text)
	}
	switch kind {
	case "syntax":
		var marks []int
		for i, c := range []byte(text) {
			if c == ',' || c == ':' {
				marks = append(marks, i)
			}
		}
		if len(marks) > 0 {
			i := marks[rng.IntN(len(marks))]
			return text[:i] + text[i+1:]
		}
	case "inner":
		for _, m := range o {
			if l, ok := m.Value.([]any); ok && len(l) > 0 {
				return encode(l[0])
			}
		}
		return text[1:]
	case "missing":
		i := rng.IntN(len(o))
		return encode(append(o[:i:i], o[i+1:]...))
	case "echo":
		return encode(s)
	case "short", "long":
		for i, m := range o {
			l, ok := m.Value.([]any)
			if !ok || len(l) == 0 {
				continue
			}
			if kind == "short" {
				o[i].Value = l[:1]
			} else {
				for range 6 {
					l = append(l, m.Value.([]any)...)
				}
				o[i].Value = l
			}
			return encode(o)
		}
	case "enum":
		if at := choice.FindStringIndex(text); at != nil {
			return text[:at[0]] + `"somewhat"` + text[at[1]:]
		}
	case "case":
		return choice.ReplaceAllStringFunc(text, strings.ToUpper)
	}
	return text
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
