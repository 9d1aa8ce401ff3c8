package single

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// openerFor is how long the opener's answer to whether it is there serves.
const openerFor = 30 * time.Second

// canOpen tells whether folders can be opened. Open pages ask often.
func (u *ui) canOpen(ctx context.Context) bool {
	if u.Opener == nil {
		return false
	}
	u.looking.Lock()
	defer u.looking.Unlock()
	if time.Since(u.looked) > openerFor {
		u.canopen, u.looked = u.Opener.Available(ctx), time.Now()
	}
	return u.canopen
}

// HostOpener is the host opener behind an address.
type HostOpener struct {
	URL   string
	Token string // sent when it is set
}

// Available asks the opener for its health; "healthz" and "healthcheck" are its names for it.
func (o HostOpener) Available(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	resp, err := o.send(ctx, http.MethodGet, "/healthz", nil)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode < 300
}

// Open asks the opener to show a folder.
func (o HostOpener) Open(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]string{"path": path})
	if err != nil {
		return err
	}
	resp, err := o.send(ctx, http.MethodPost, "/open", body)
	if err != nil {
		return errors.New("the opener does not answer")
	}
	defer resp.Body.Close()
	if resp.StatusCode < 300 {
		return nil
	}
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what was read serves
	var answer struct{ Message, Detail string }
	if json.Unmarshal(data, &answer) != nil || answer.Message == "" && answer.Detail == "" {
		return fmt.Errorf("the opener answered %d", resp.StatusCode)
	}
	if answer.Message != "" {
		return errors.New(answer.Message)
	}
	return errors.New(answer.Detail)
}

func (o HostOpener) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(o.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if o.Token != "" {
		req.Header.Set("Authorization", "Bearer "+o.Token)
	}
	return http.DefaultClient.Do(req)
}
