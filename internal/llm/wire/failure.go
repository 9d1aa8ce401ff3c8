package wire

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
)

// Failure is what a server said when it refused a request.
type Failure struct {
	Status  int    // HTTP status, or the one that the body of a 200 names
	Param   string // the parameter it complains about, when it names one
	Message string // as it came: clean it before it is shown
	Text    string // all the words of the error, in lower case: what to search in
	flagged bool   // by moderation
}

// parseFailure understands the error bodies in use: {"error": {…}}, {"error": "…"},
// {"message": "…"}, {"detail": …}, each perhaps in a list, and plain text.
func parseFailure(status int, body []byte) Failure {
	f := Failure{Status: status}
	var tree any
	if err := json.Unmarshal(body, &tree); err != nil {
		if text := bytes.TrimSpace(body); !bytes.HasPrefix(text, []byte("<")) { // an HTML page says nothing
			f.Message = string(text)
		}
		f.Text = strings.ToLower(string(body))
		return f
	}
	if list, ok := tree.([]any); ok && len(list) > 0 {
		tree = list[0]
	}
	f.Text = strings.ToLower(textOf(tree))
	object, ok := tree.(map[string]any)
	if !ok {
		f.Message = string(body)
		return f
	}
	switch inner := object["error"].(type) {
	case map[string]any:
		object = inner
	case string:
		f.Message = inner
	}
	for _, name := range []string{"message", "msg", "detail"} {
		if f.Message == "" && object[name] != nil {
			f.Message = textOf(object[name])
		}
	}
	f.Param, _ = object["param"].(string)
	if metadata, ok := object["metadata"].(map[string]any); ok {
		_, f.flagged = metadata["reasons"]
		// What the server behind the one we asked has said is more telling.
		if raw, ok := metadata["raw"].(string); ok && raw != "" {
			if nested := parseFailure(status, []byte(raw)); nested.Message != "" {
				f.Message += ": " + nested.Message
			}
		}
	}
	if status == http.StatusOK {
		f.Status = statusInside(object)
	}
	return f
}

// textOf returns text as it is and any other value of a decoded tree as JSON.
func textOf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	text, _ := schema.Marshal(v) // a decoded tree always encodes
	return string(text)
}

// failureInside finds an error in a value of an answer that began as a success.
func failureInside(raw json.RawMessage) (Failure, bool) {
	var v struct {
		Error any `json:"error"`
	}
	if err := json.Unmarshal(raw, &v); err != nil || isEmpty(v.Error) {
		return Failure{}, false
	}
	return parseFailure(http.StatusOK, raw), true
}

// isEmpty tells whether a value says nothing: some servers put the error of a good answer as an
// empty text, as false, or as an object of nulls.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !isEmpty(item) })
	case map[string]any:
		return isEmpty(slices.Collect(maps.Values(v)))
	}
	return v == nil || v == false || v == 0.0
}

// statusInside returns the status that an error object stands for, 502 when it does not say.
func statusInside(object map[string]any) int {
	for _, name := range []string{"code", "status", "type"} {
		switch v := object[name].(type) {
		case float64:
			if v >= 400 && v < 600 {
				return int(v)
			}
		case string:
			if n, err := strconv.Atoi(v); err == nil && n >= 400 && n < 600 {
				return n
			}
			switch v := strings.ToLower(v); {
			case has(v, "insufficient_quota", "rate_limit", "resource_exhausted"):
				return http.StatusTooManyRequests
			case has(v, "invalid_api_key", "authentication"):
				return http.StatusUnauthorized
			case has(v, "model_not_found"):
				return http.StatusNotFound
			case has(v, "moderation", "content_policy", "content_filter"):
				return http.StatusForbidden
			case has(v, "context_length", "invalid_request", "bad_request"):
				return http.StatusBadRequest
			}
		}
	}
	return http.StatusBadGateway
}

// The words by which refusals of the same status differ.
var (
	contextWords = regexp.MustCompile(`context[ _]?(length|window|size|limit)|maximum context|prompt is too long|input (is )?too long|too many (input )?tokens|` +
		`prompt too long|reduce the length|max_model_len|exceeds? the (available )?context|exceed_context_size|input length exceeds|tokens to keep from the initial prompt`)
	modelWords = regexp.MustCompile(`model[^.{}]{0,120}(not found|not exist|unknown|not a valid|not available|not supported|not loaded|decommissioned|deprecated)|` +
		`model_not_found|(unknown|invalid|no such) model|not a valid model|no endpoints found|try pulling|no models? loaded`)
	rateWords   = regexp.MustCompile(`rate.?limit|too many requests|per (second|minute|hour|day)|perminute|perday|retry.?(in|after|delay)|try again in|overloaded|temporarily`)
	creditWords = regexp.MustCompile(`quota|credit|billing|balance|payment|spending limit`)
	refuseWords = regexp.MustCompile(`moderation|flagged|content.?(policy|filter)|safety`)
	memoryWords = regexp.MustCompile(`more (system )?memory|out of memory`)
)

// IsContext tells whether the refusal is about the length of prompt and answer.
func (f Failure) IsContext() bool { return contextWords.MatchString(f.Text) }

// IsModel tells whether the refusal says that there is no such model.
func (f Failure) IsModel() bool { return modelWords.MatchString(f.Text) }

func has(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// refuse lets the provider adapt to a refusal of the question, or classifies it.
func (c *Client) refuse(r Request, f Failure, header http.Header) error {
	if r.Adapt != nil {
		if e := r.Adapt(f); e != nil {
			e.Entry, e.Host, e.Status = c.o.Entry, c.host, f.Status
			e.Message = c.hide.Replace(e.Message)
			return e
		}
	}
	return c.classify(f, header, true)
}

// classify gives a refusal its class. Chat tells that a model was asked, so that a 404 speaks of it.
func (c *Client) classify(f Failure, header http.Header, chat bool) *llm.Error {
	said := c.clean(f.Message)
	if said == "" {
		said = strings.ToLower(http.StatusText(f.Status))
	}
	after := retryAfter(header, time.Now())
	say := func(class llm.Class, format string, args ...any) *llm.Error {
		e := c.Fail(class, format, args...)
		e.Status, e.RetryAfter = f.Status, after
		return e
	}
	key := c.o.KeyName
	mayBeContext := f.Status == 400 || f.Status == 413 || f.Status == 422 || f.Status == 500
	mayBeModel := f.Status == 400 || f.Status == 404
	switch {
	case f.Status == 403 && (f.flagged || refuseWords.MatchString(f.Text)), f.Status == 400 && f.flagged:
		return say(llm.ClassModelRefused, "%s refused the question for what it is about: %s", c.host, said)
	case (f.Status == 401 || f.Status == 403) && c.o.Key == "":
		e := say(llm.ClassAuth, "%s wants a key and got none: %s", c.host, said)
		e.Advice = "set " + key
		return e
	case f.Status == 401 || f.Status == 403:
		e := say(llm.ClassAuth, "%s refused the key (%s): %s", c.host, key, said)
		e.Advice = "correct " + key + ", then try again"
		return e
	case f.Status == 402 && after == 0, f.Status == 429 && outOfCredit(f), f.Status == 400 && has(f.Text, "credit balance is too low"):
		e := say(llm.ClassCredit, "money or quota at %s is used up: %s", c.host, said)
		e.Advice = "top up the account of " + key + ", then resume the run"
		return e
	case f.Status == 402 || f.Status == 429:
		return say(llm.ClassRate, "rate limit at %s: %s", c.host, said)
	case mayBeContext && f.IsContext():
		return say(llm.ClassContext, "the prompt is longer than model %s of entry %q takes: %s", c.o.Model, c.o.Entry, said)
	case mayBeModel && f.IsModel(), f.Status == 404 && chat:
		e := say(llm.ClassModelUnknown, "entry %q: %s has no model %q: %s", c.o.Entry, c.host, c.o.Model, said)
		e.Advice = "correct model (or base_url) of the entry"
		return e
	case f.Status >= 500, f.Status == 408, f.Status == 409, f.Status == 425:
		e := say(llm.ClassServer, "%s failed (%d): %s", c.host, f.Status, said)
		e.NoRetry = memoryWords.MatchString(f.Text)
		return e
	case f.Status >= 300 && f.Status < 400:
		e := say(llm.ClassBadRequest, "entry %q: %s redirects (%d), which is not followed", c.o.Entry, c.host, f.Status)
		if u, err := url.Parse(header.Get("Location")); err == nil && u.Host != "" {
			e.Advice = c.clean("set base_url to the address it redirects to, at " + u.Scheme + "://" + u.Host)
		}
		return e
	}
	return say(llm.ClassBadRequest, "entry %q: %s refused the request (%d): %s", c.o.Entry, c.host, f.Status, said)
}

// outOfCredit tells a used-up account from a rate limit. The words of rate limits come first:
// they often advise to buy more.
func outOfCredit(f Failure) bool {
	return has(f.Text, "insufficient_quota") || !rateWords.MatchString(f.Text) && creditWords.MatchString(f.Text)
}

// retryAfter reads Retry-After, in seconds or as a date, and its variant in milliseconds; 0 when
// there is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 && ms < 1e9 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 && s < 1e6 {
		return time.Duration(s * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
