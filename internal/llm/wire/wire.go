// Package wire is the HTTP that all providers share: time limits, streams, and the translation of
// everything that can go wrong into an *llm.Error of the right class, without secrets.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
)

// Limits of one exchange. A slow answer that keeps coming is no error, so totalLimit is generous.
const (
	connectLimit = 10 * time.Second
	silenceLimit = 90 * time.Second  // between two bytes of the body, after the first
	totalLimit   = 15 * time.Minute  // of the whole exchange
	wholeLimit   = 300 * time.Second // least time until the first byte for a server that does not stream
	askLimit     = 5 * time.Second   // of a question without a model, such as a list of models
	bodyLimit    = 8 << 20           // bytes of an answer

	// What is waited for after a complete answer: token counts, then the end of the body, which
	// lets the connection be used again.
	usageGrace = 5 * time.Second
	endGrace   = 250 * time.Millisecond
)

// Options describe one entry's server.
type Options struct {
	Entry     string // id in the configuration, for messages
	Model     string // for messages
	BaseURL   string // for messages; requests carry whole URLs
	Key       string // "" sends none
	KeyHeader string // what the key is sent in; "" sends it as a bearer token
	KeyName   string // where the key comes from, for messages: a variable, or "api_key of entry x"
	Headers   map[string]string
	Secrets   []string          // values that no message may show, besides Key
	Transport http.RoundTripper // nil: an own NewTransport
}

// Client sends the requests of one entry. It is safe for concurrent use.
type Client struct {
	o        Options
	host     string
	http     *http.Client
	hide     *strings.Replacer
	noStream atomic.Bool // the server answers with one JSON body whatever is asked
}

// NewTransport returns a transport with our connect limit. The proxy variables of the environment
// are honoured. Clients should share one.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectLimit, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   connectLimit,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// New returns a client.
func New(o Options) *Client {
	if o.Transport == nil {
		o.Transport = NewTransport()
	}
	c := &Client{o: o, host: Host(o.BaseURL), http: &http.Client{
		Transport: o.Transport,
		// Following would carry keys in headers of ours to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	secrets := append([]string{o.Key}, o.Secrets...)
	// Of two that begin alike the longer one has to be tried first.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range secrets {
		if len(s) >= 6 { // shorter ones are dummies, and hiding them would garble text
			pairs = append(pairs, s, "[REDACTED]")
		}
	}
	c.hide = strings.NewReplacer(pairs...)
	return c
}

// Host returns host and port of a URL, without user and password; "" when it has none.
func Host(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Host
}

// IsLoopback tells whether a URL leads to this machine, from inside a container too.
func IsLoopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback() || ip.IsUnspecified()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "host.docker.internal"
}

// Ask sends a question that costs nothing, a POST of body or a GET when body is nil, and decodes
// the answer into out. It takes at most askLimit. Errors are *llm.Error.
func (c *Client) Ask(ctx context.Context, address string, body, out any) error {
	limited, cancel := context.WithTimeoutCause(ctx, askLimit,
		c.Fail(llm.ClassTimeout, "no answer from %s within %s", c.host, seconds(askLimit)))
	defer cancel()
	resp, err := c.send(limited, address, body)
	if err != nil {
		return c.broken(ctx, limited, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit))
	if err != nil {
		return c.broken(ctx, limited, err)
	}
	if resp.StatusCode != http.StatusOK {
		return c.classify(parseFailure(resp.StatusCode, data), resp.Header, false)
	}
	if err := json.Unmarshal(data, out); err != nil {
		return c.Fail(llm.ClassServer, "%s answered with something that is not the expected JSON", c.host)
	}
	return nil
}

// Certain returns an error of Ask when it shows that the entry cannot be used, and nil when it
// only shows that nothing is known.
func Certain(err error) error {
	switch llm.ClassOf(err) {
	case llm.ClassAuth, llm.ClassCredit, llm.ClassNetwork:
		return err
	}
	return nil
}

func (c *Client) send(ctx context.Context, address string, body any) (*http.Response, error) {
	method, reader := http.MethodGet, io.Reader(nil)
	if body != nil {
		text, err := schema.Marshal(body)
		if err != nil {
			return nil, c.failWith(err, llm.ClassInternal, "cannot write the request")
		}
		method, reader = http.MethodPost, bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return nil, c.Fail(llm.ClassConfig, "entry %q: its base URL cannot be used", c.o.Entry)
	}
	req.Header.Set("User-Agent", "PlanExe")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	switch {
	case c.o.Key == "":
	case c.o.KeyHeader != "":
		req.Header.Set(c.o.KeyHeader, c.o.Key)
	default:
		req.Header.Set("Authorization", "Bearer "+c.o.Key)
	}
	for k, v := range c.o.Headers {
		req.Header.Set(k, v)
	}
	return c.http.Do(req)
}

// Fail makes an error of the entry; the message is cleaned of secrets.
func (c *Client) Fail(class llm.Class, format string, args ...any) *llm.Error {
	return &llm.Error{Class: class, Entry: c.o.Entry, Host: c.host, Message: c.hide.Replace(fmt.Sprintf(format, args...))}
}

func (c *Client) failWith(err error, class llm.Class, format string, args ...any) *llm.Error {
	e := c.Fail(class, format, args...)
	e.Err = err
	return e
}

// clean makes foreign text fit for one line of a message: no secrets, no control characters, at
// most 300 characters. Secrets go first, so that a cut cannot leave half of one.
func (c *Client) clean(s string) string {
	s = c.hide.Replace(s)
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return s
}

// seconds writes a duration for people.
func seconds(d time.Duration) string {
	if d < time.Second {
		return d.String()
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
