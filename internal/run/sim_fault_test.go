package run_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"slices"
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
	asked   map[string]int            // by all that makes requests differ
	cut     map[string]bool           // requests whose answer was cut
	repeats []string                  // those that were sent again
	schemas map[string]*schema.Schema // by digest of the messages
	said    map[string]string         // last answer, by the same
}

func newSpoiler(p llm.Provider, seed uint64, rate float64) *spoiler {
	return &spoiler{
		Provider: p, seed: seed, rate: rate, asked: map[string]int{}, cut: map[string]bool{}, schemas: map[string]*schema.Schema{},
		said: map[string]string{},
	}
}

func (s *spoiler) Send(ctx context.Context, r llm.Request) (llm.Response, error) {
	messages := digest(r.Messages)
	id := fmt.Sprint(r.Name, " ", messages, " ", r.MaxTokens, " ", r.LowEffort)
	s.mu.Lock()
	s.schemas[messages] = r.Schema
	if s.cut[id] {
		s.repeats = append(s.repeats, id)
	}
	h := fnv.New64a()
	h.Write([]byte(id))
	rng := rand.New(rand.NewPCG(s.seed, h.Sum64()+uint64(s.asked[id])))
	s.asked[id]++
	kind := ""
	if rng.Float64() < s.rate {
		kind = faults[rng.IntN(len(faults))]
	}
	if kind == "truncated" || kind == "stub" || kind == "empty" || kind == "thinking" {
		s.cut[id] = true
	}
	r.Messages, messages = s.question(r.Messages, messages)
	s.mu.Unlock()
	time.Sleep(time.Duration(1+rng.IntN(20)) * time.Second)
	resp, err := s.good(ctx, r, messages)
	if err == nil && kind != "" {
		resp, err = spoil(kind, resp, r, rng)
	}
	s.mu.Lock()
	s.said[messages] = resp.Text
	s.mu.Unlock()
	return resp, err
}

// digest names messages as the log does.
func digest(m []llm.Message) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		panic(err)
	}
	sum := sha256.Sum256(bytes.TrimSpace(b.Bytes()))
	return hex.EncodeToString(sum[:16])
}

// question returns the messages, and their digest, without what was said about a wrong answer:
// a good answer to that is a good answer to the question.
func (s *spoiler) question(m []llm.Message, id string) ([]llm.Message, string) {
	n := len(m)
	if n >= 4 {
		q := digest(m[:n-2])
		if text, ok := s.said[q]; ok && text == m[n-2].Content {
			return m[:n-2], q
		}
	}
	if i := strings.LastIndex(m[n-1].Content, "\n\n"); i >= 0 {
		bare := slices.Clone(m)
		bare[n-1].Content = m[n-1].Content[:i]
		if q := digest(bare); s.schemas[q] != nil {
			return bare, q
		}
	}
	return m, id
}

// known holds answers of the inner model, which are the same in every plan.
var known sync.Map

func (s *spoiler) good(ctx context.Context, r llm.Request, messages string) (llm.Response, error) {
	shape := ""
	if r.Schema != nil {
		shape = r.Schema.Digest()
	}
	id := [3]string{r.Name, shape, messages}
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
