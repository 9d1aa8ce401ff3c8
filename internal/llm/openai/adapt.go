package openai

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"planexe/internal/llm"
	"planexe/internal/llm/wire"
)

var (
	capNames     = regexp.MustCompile(`max_tokens|max_completion_tokens|(completion|output) tokens`)
	limitWords   = regexp.MustCompile(`at most|maximum|max value|less than|too large|exceed|range|greater than|<=|up to|limit|between|cannot be|must be`)
	aloneNumber  = regexp.MustCompile(`(?:^|[\s\[(<>=:,` + "`" + `'"])(\d{2,7})(?:$|[\s\])<>,.;:` + "`" + `'"])`)
	windowNumber = regexp.MustCompile(`(?:context[ _](?:length|window|size)|max_model_len|context limit: \d+ \+ \d+ >)[^0-9]{0,40}?(\d{3,8})`)
	thousands    = regexp.MustCompile(`(\d),(\d{3})\b`)
	formWords    = regexp.MustCompile(`response_format|json_schema|schema|strict|tool|format|structured.?output|grammar`)
	noSystem     = regexp.MustCompile(`(system|developer) (role|instruction|message|prompt)s?[^.]{0,40}(not supported|not enabled|unsupported|not allowed)`)
)

// adapt finds out whether a refusal teaches how to ask better. It returns nil when it does not.
func (p *Provider) adapt(f wire.Failure, r llm.Request, by *plan, form string) *llm.Error {
	text := thousands.ReplaceAllString(f.Text, "$1$2")
	text = p.ownName.ReplaceAllString(text, "$1$2") // it may hold any word or number
	if noSystem.MatchString(text) && !by.fold && len(r.Messages) > 1 {
		return p.learned(by, func(n *plan) { n.fold = true }, "the model takes no system message: it becomes part of the user's")
	}
	switch f.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusNotImplemented:
	default:
		return nil
	}
	if n := largestCap(text, r.MaxTokens); n > 0 {
		return &llm.Error{Class: llm.ClassAdapted, MaxTokens: n, Message: fmt.Sprintf("the model writes at most %d tokens", n)}
	}
	if f.IsContext() {
		return p.adaptWindow(text, r, by)
	}
	if !by.renamed && (f.Param == by.capName || strings.Contains(text, by.capName)) {
		other := "max_completion_tokens"
		if by.capName == other {
			other = "max_tokens"
		}
		return p.learned(by, func(n *plan) {
			n.capName, n.renamed = other, true // only once, whatever the server says next
		}, "the server wants %s instead of %s", other, by.capName)
	}
	if name := p.refusedParameter(f, text, r, by); name != "" {
		return p.learned(by, func(n *plan) { n.dropped = with(n.dropped, name) }, "the server refuses %s: it is left out from now on", name)
	}
	// "No endpoints" is how OpenRouter says that no provider of the model has the form.
	if f.Status == http.StatusNotFound && f.IsModel() && !strings.Contains(text, "no endpoints") {
		return nil
	}
	return p.adaptForm(text, by, form)
}

// learned changes the plan and lets the request be sent again.
func (p *Provider) learned(by *plan, change func(*plan), format string, args ...any) *llm.Error {
	p.learn(by, change)
	return &llm.Error{Class: llm.ClassAdapted, Message: fmt.Sprintf(format, args...)}
}

// adaptForm finds a simpler way to ask for the schema.
func (p *Provider) adaptForm(text string, by *plan, form string) *llm.Error {
	switch {
	case form == "" || form == Text || !formWords.MatchString(text):
		return nil
	case by.strict && form != JSONObject:
		return p.learned(by, func(n *plan) { n.strict = false }, "the server refuses strict schemas")
	case by.form+1 < len(p.forms):
		return p.learned(by, func(n *plan) { n.form++ }, "the server refuses %s: using %s from now on", form, p.forms[by.form+1])
	}
	return nil
}

// adaptWindow learns the context length from a refusal. Only when prompt and cap were too much
// together does asking again help: with a cap that leaves room.
func (p *Provider) adaptWindow(text string, r llm.Request, by *plan) *llm.Error {
	window := by.window
	if m := windowNumber.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && (window == 0 || n < window) {
			window = n
		}
	}
	if window == 0 || by.tight {
		return nil
	}
	if wire.Bytes(r.Messages)/4 >= window {
		p.learn(by, func(n *plan) { n.window = window })
		return nil
	}
	return p.learned(by, func(n *plan) { n.window, n.tight = window, true }, "the model takes %d tokens, prompt and answer together", window)
}

// largestCap returns the output cap that a refusal of the sent one allows: the largest number below
// it. 0 when the refusal is about something else. One that tells the context length is about
// prompt and cap together; one that only mentions it, as Groq's does, is about the cap.
func largestCap(text string, sent int) int {
	if !capNames.MatchString(text) || !limitWords.MatchString(text) || windowNumber.MatchString(text) {
		return 0
	}
	best := 0
	for _, m := range aloneNumber.FindAllStringSubmatch(strings.ReplaceAll(text, " ", "  "), -1) {
		if n, err := strconv.Atoi(m[1]); err == nil && n < sent && n >= 64 && !isStatus(n) {
			best = max(best, n)
		}
	}
	return best
}

// isStatus keeps the code of the error itself from being taken for a limit.
func isStatus(n int) bool { return n == 400 || n == 404 || n == 422 }

// refusedParameter returns the parameter that the server complains about, if we can do without it.
func (p *Provider) refusedParameter(f wire.Failure, text string, r llm.Request, by *plan) string {
	body := p.body(r, by, "")
	may := []string{"stream_options", "reasoning_effort", "reasoning", "temperature", "usage"}
	for name := range p.o.Extra {
		may = append(may, name)
	}
	for _, name := range may {
		if _, sent := body[name]; !sent {
			continue
		}
		// Long names stand for themselves; the others are words that any message may hold.
		own := name == "stream_options" || name == "reasoning_effort" || name == "temperature"
		if f.Param == name || own && strings.Contains(text, name) || quoted(text, name) {
			return name
		}
	}
	return ""
}

// quoted tells whether a message names a parameter in quotes of any kind, or after a colon at its
// end, as in "unrecognized argument: seed".
func quoted(text, name string) bool {
	name = strings.ToLower(name)
	for _, q := range []string{"'" + name + "'", "`" + name + "`", `\"` + name + `\"`, `"` + name + `"]`, `,"` + name + `"`, `: ` + name + `"`} {
		if strings.Contains(text, q) {
			return true
		}
	}
	return false
}

// with returns a copy of the set with one more name.
func with(set map[string]bool, name string) map[string]bool {
	out := maps.Clone(set)
	if out == nil {
		out = map[string]bool{}
	}
	out[name] = true
	return out
}
