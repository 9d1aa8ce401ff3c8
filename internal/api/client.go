package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrUnreachable says that the service did not answer, or fell silent in the middle of an answer.
var ErrUnreachable = errors.New("the worker_plan service cannot be reached")

// Client calls a worker_plan service. It is safe for concurrent use.
type Client struct {
	base    string
	token   string
	silence time.Duration
	http    *http.Client
}

// Options of a client.
type Options struct {
	Token   string            // for Authorization: Bearer; "" sends none
	Timeout time.Duration     // longest silence of the service, default 30 s
	HTTP    http.RoundTripper // default: a transport of its own
}

// NewClient returns a client for a base URL such as http://worker_plan:8000.
func NewClient(base string, o Options) *Client {
	if o.HTTP == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 64
		o.HTTP = t
	}
	return &Client{
		base: strings.TrimRight(base, "/"), token: o.Token, silence: cmp.Or(o.Timeout, 30*time.Second),
		http: &http.Client{Transport: o.HTTP, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// StartRun begins a run or goes on with one. The same key within ten minutes gives the first
// answer again; "" sends none.
func (c *Client) StartRun(ctx context.Context, r StartRunRequest, key string) (StartRunResponse, error) {
	header := http.Header{}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	return call[StartRunResponse](ctx, c, http.MethodPost, "/runs", header, r)
}

// ListQuery chooses runs.
type ListQuery struct {
	Limit  int // 1 to 200; 0 is 50
	Cursor string
	Text   string  // stands in the prompt
	States []State // any of these
}

// Runs lists runs, newest first.
func (c *Client) Runs(ctx context.Context, q ListQuery) (RunList, error) {
	v := url.Values{}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if q.Cursor != "" {
		v.Set("cursor", q.Cursor)
	}
	if q.Text != "" {
		v.Set("q", q.Text)
	}
	if len(q.States) > 0 {
		var names []string
		for _, s := range q.States {
			names = append(names, string(s))
		}
		v.Set("state", strings.Join(names, ","))
	}
	return call[RunList](ctx, c, http.MethodGet, path("runs")+query(v), nil, nil)
}

// Run returns how a run stands; an unknown id is no error but the state not_found.
func (c *Client) Run(ctx context.Context, id string) (RunStatus, error) {
	return call[RunStatus](ctx, c, http.MethodGet, path("runs", id), nil, nil)
}

// Steps returns the steps of a run in order.
func (c *Client) Steps(ctx context.Context, id string) ([]Step, error) {
	return call[[]Step](ctx, c, http.MethodGet, path("runs", id, "steps"), nil, nil)
}

// Stop stops a run.
func (c *Client) Stop(ctx context.Context, id string) (StopRunResponse, error) {
	return call[StopRunResponse](ctx, c, http.MethodPost, path("runs", id, "stop"), nil, nil)
}

// Rerun makes steps of a run anew. key is as in StartRun.
func (c *Client) Rerun(ctx context.Context, id string, r RerunRequest, key string) (StartRunResponse, error) {
	header := http.Header{}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	return call[StartRunResponse](ctx, c, http.MethodPost, path("runs", id, "rerun"), header, r)
}

// EstimateQuery says what is to be estimated.
type EstimateQuery struct {
	LLMModel      string // "" is auto
	SpeedVsDetail string // "" is the default
	RunID         string // a run that goes on; "" is a new one
	From, Only    string // as in RerunRequest
	File          string // as if this file were edited
}

// Estimate says what an execution would take.
func (c *Client) Estimate(ctx context.Context, q EstimateQuery) (Estimate, error) {
	v := url.Values{}
	for name, value := range map[string]string{"llm_model": q.LLMModel, "speed_vs_detail": q.SpeedVsDetail, "from": q.From, "only": q.Only, "file": q.File} {
		if value != "" {
			v.Set(name, value)
		}
	}
	at := path("estimate")
	if q.RunID != "" {
		at = path("runs", q.RunID, "estimate")
	}
	return call[Estimate](ctx, c, http.MethodGet, at+query(v), nil, nil)
}

// Delete deletes a run that is not live.
func (c *Client) Delete(ctx context.Context, id string) error {
	_, err := call[json.RawMessage](ctx, c, http.MethodDelete, path("runs", id), nil, nil)
	return err
}

// Files lists the files of a run.
func (c *Client) Files(ctx context.Context, id string) (RunFiles, error) {
	return call[RunFiles](ctx, c, http.MethodGet, path("runs", id, "files"), nil, nil)
}

// File returns the content of a file and its ETag, which PutFile takes.
func (c *Client) File(ctx context.Context, id, name string) (data []byte, etag string, err error) {
	resp, err := c.Open(ctx, path("runs", id, "files", name), nil)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	data, err = io.ReadAll(resp.Body)
	return data, resp.Header.Get("ETag"), err
}

// PutFile replaces a file of a run that is not live. etag is that of the content which the caller
// has seen, "" replaces whatever is there; a 412 says that it has changed.
func (c *Client) PutFile(ctx context.Context, id, name string, data []byte, etag string) (EditResponse, error) {
	header := http.Header{"Content-Type": {"text/plain; charset=utf-8"}}
	if strings.HasSuffix(name, ".json") {
		header.Set("Content-Type", "application/json")
	}
	if etag != "" {
		header.Set("If-Match", etag)
	}
	return call[EditResponse](ctx, c, http.MethodPut, path("runs", id, "files", name), header, data)
}

// RevertFile takes back all changes by hand to a file.
func (c *Client) RevertFile(ctx context.Context, id, name string) (EditResponse, error) {
	return call[EditResponse](ctx, c, http.MethodPost, path("runs", id, "files", name, "revert"), nil, nil)
}

// Log returns the last lines of a run's log.txt, at most 2,000; 0 is 200.
func (c *Client) Log(ctx context.Context, id string, lines int) (string, error) {
	v := url.Values{}
	if lines > 0 {
		v.Set("lines", strconv.Itoa(lines))
	}
	resp, err := c.Open(ctx, path("runs", id, "log")+query(v), nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// Report opens a run's report. header may hold Range, If-Range, If-None-Match and
// If-Modified-Since; the answer is then 200, 206 or 304. The caller closes the body.
func (c *Client) Report(ctx context.Context, id string, header http.Header) (*http.Response, error) {
	return c.Open(ctx, path("runs", id, "report"), header)
}

// Zip opens the archive of a run, as Report does.
func (c *Client) Zip(ctx context.Context, id string, header http.Header) (*http.Response, error) {
	return c.Open(ctx, path("runs", id, "zip"), header)
}

// Purge deletes old runs.
func (c *Client) Purge(ctx context.Context, r PurgeRunsRequest) (PurgeRunsResponse, error) {
	return call[PurgeRunsResponse](ctx, c, http.MethodPost, "/purge-runs", nil, r)
}

// LLMInfo lists the models that a user can choose.
func (c *Client) LLMInfo(ctx context.Context) (LLMInfo, error) {
	return call[LLMInfo](ctx, c, http.MethodGet, "/llm-info", nil, nil)
}

// Health tells whether the service answers.
func (c *Client) Health(ctx context.Context) (Health, error) {
	return call[Health](ctx, c, http.MethodGet, "/healthz", nil, nil)
}

// Ready tells whether the service can make plans. When it cannot, the answer says why and the
// error is nil.
func (c *Client) Ready(ctx context.Context) (Ready, error) {
	return call[Ready](ctx, c, http.MethodGet, "/readyz", nil, nil, http.StatusServiceUnavailable)
}

// path joins segments into an escaped path.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		switch s {
		case ".", "..": // PathEscape leaves them, and they would be resolved away
			b.WriteString(strings.ReplaceAll(s, ".", "%2E"))
		default:
			b.WriteString(url.PathEscape(s))
		}
	}
	return b.String()
}

func query(v url.Values) string {
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

// call sends a request and decodes the answer. body is sent as JSON, or as it is when it is bytes.
func call[T any](ctx context.Context, c *Client, method, at string, header http.Header, body any, also ...int) (out T, err error) {
	var data []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		data = b
	default:
		if data, err = json.Marshal(body); err != nil {
			return out, fmt.Errorf("encode the request: %w", err)
		}
		if header == nil {
			header = http.Header{}
		}
		header.Set("Content-Type", "application/json")
	}
	resp, err := c.send(ctx, method, at, header, data, also...)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNoContent {
		return out, nil
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out, fmt.Errorf("%w: read the answer to %s %s: %w", ErrUnreachable, method, at, err)
	}
	return out, nil
}

// Open gets a path of the service as it is. The caller closes the body.
func (c *Client) Open(ctx context.Context, at string, header http.Header) (*http.Response, error) {
	return c.send(ctx, http.MethodGet, at, header, nil, http.StatusNotModified)
}

// mostError bounds what is read of an answer that is no success.
const mostError = 1 << 20

func (c *Client) send(ctx context.Context, method, at string, header http.Header, body []byte, also ...int) (*http.Response, error) {
	watch := newWatch(ctx, c.silence)
	req, err := http.NewRequestWithContext(watch.ctx, method, c.base+at, bytes.NewReader(body))
	if err != nil {
		watch.stop()
		return nil, fmt.Errorf("make a request to the worker_plan service: %w", err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		defer watch.stop()
		return nil, watch.explain(err)
	}
	resp.Body = &watchedBody{resp.Body, watch}
	ok := resp.StatusCode >= 200 && resp.StatusCode < 300
	for _, s := range also {
		ok = ok || s == resp.StatusCode
	}
	if ok {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, readError(resp)
}

func readError(resp *http.Response) error {
	e := &Error{Status: resp.StatusCode, Detail: http.StatusText(resp.StatusCode)}
	data, err := io.ReadAll(io.LimitReader(resp.Body, mostError))
	if err != nil {
		return e
	}
	var body struct {
		Detail json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(data, &body) != nil {
		return e // a proxy's
	}
	if json.Unmarshal(body.Detail, &e.Detail) == nil || json.Unmarshal(body.Detail, &e.Fields) != nil {
		return e
	}
	var all []string
	for _, f := range e.Fields {
		all = append(all, strings.TrimPrefix(f.Field()+": "+f.Msg, ": "))
	}
	e.Detail = strings.Join(all, "; ")
	return e
}

// watch ends a request when the service has been silent for too long.
type watch struct {
	ctx    context.Context
	cancel context.CancelFunc
	caller context.Context
	limit  time.Duration
	timer  *time.Timer
}

func newWatch(ctx context.Context, limit time.Duration) *watch {
	w := &watch{caller: ctx, limit: limit}
	w.ctx, w.cancel = context.WithCancel(ctx)
	w.timer = time.AfterFunc(limit, w.cancel)
	return w
}

func (w *watch) heard() { w.timer.Reset(w.limit) }

func (w *watch) stop() { w.timer.Stop(); w.cancel() }

// explain returns the caller's own end as it is, and everything else as ErrUnreachable.
func (w *watch) explain(err error) error {
	if w.caller.Err() != nil {
		return context.Cause(w.caller)
	}
	if w.ctx.Err() != nil {
		return fmt.Errorf("%w: it was silent for %s", ErrUnreachable, w.limit)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

type watchedBody struct {
	io.ReadCloser
	watch *watch
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 && b.watch.ctx.Err() == nil {
		b.watch.heard()
	}
	if err != nil && err != io.EOF {
		err = b.watch.explain(err)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.watch.stop()
	return b.ReadCloser.Close()
}
