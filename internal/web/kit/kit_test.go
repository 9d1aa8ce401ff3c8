package kit

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/port"
)

// Ensure assets can be kept for ever, and nothing else is served.
func TestAssets(t *testing.T) {
	t.Parallel()
	total := 0
	for _, name := range []string{"style.css", "app.js", "icon.svg"} {
		url := Asset(name)
		if !regexp.MustCompile(`^/assets/[a-z]+\.[0-9a-f]{12}\.[a-z]+$`).MatchString(url) {
			t.Errorf("the address of %s is %s", name, url)
		}
		for _, encoding := range []string{"", "gzip"} {
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, url, nil)
			r.Header.Set("Accept-Encoding", encoding)
			Assets().ServeHTTP(w, r)
			if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Encoding") != encoding {
				t.Errorf("%s, %q: %d, %v", url, encoding, w.Code, w.Header())
			}
			if encoding == "gzip" {
				total += w.Body.Len()
			}
		}
	}
	if total > 40_000 {
		t.Errorf("the assets take %d bytes on the wire", total)
	}
	for _, path := range []string{"/assets/", "/assets/style.css", "/assets/../kit.go", "/assets/style.000000000000.css"} {
		w := httptest.NewRecorder()
		Assets().ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: httptest.NewRequest(http.MethodGet, path, nil).URL})
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Ensure the style and the script bring nothing from elsewhere.
func TestAssetsAreWhole(t *testing.T) {
	t.Parallel()
	for name, file := range theAssets().files {
		text := strings.ReplaceAll(string(file.plain), "http://www.w3.org/2000/svg", "")
		if found := regexp.MustCompile(`https?://|@import|url\(`).FindString(text); found != "" {
			t.Errorf("%s holds %q", name, found)
		}
	}
}

// Ensure that only pages of the service itself change anything.
func TestGuard(t *testing.T) {
	t.Parallel()
	h := Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for _, c := range []struct {
		name, method string
		header       map[string]string
		want         int
	}{
		{"own form", "POST", map[string]string{"Sec-Fetch-Site": "same-origin"}, 204},
		{"own origin", "POST", map[string]string{"Origin": "http://planexe.test"}, 204},
		{"a program", "POST", nil, 204},
		{"foreign form", "POST", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403},
		{"sandboxed report", "POST", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403},
		{"old browser", "POST", map[string]string{"Origin": "https://evil.example"}, 403},
		{"neighbour", "POST", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "http://other.planexe.test"}, 403},
		{"foreign link", "GET", map[string]string{"Sec-Fetch-Site": "cross-site"}, 204},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(c.method, "http://planexe.test/x", nil)
		for k, v := range c.header {
			r.Header.Set(k, v)
		}
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
		if p := w.Header().Get("Content-Security-Policy"); strings.Contains(p, "unsafe") || !strings.HasPrefix(p, "default-src 'none'") {
			t.Errorf("%s: policy %q", c.name, p)
		}
	}
}

// Ensure a web page cannot point its own name here.
func TestHosts(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost:7860": true, "127.0.0.1:7860": true, "[::1]:7860": true, "192.168.1.7": true, "frontend_single_user:7860": true, "laptop.local": true,
		"plans.localhost": true, "host.docker.internal:7860": true, "plans.example.org": true, "PLANS.example.org.": true,
		"evil.example": false, "evil.example:7860": false, "127.0.0.1.evil.example": false, "localhost.evil.example": false, "": false,
	} {
		if got := knownHost(host, []string{"plans.example.org"}); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

// Ensure a browser cannot change what it keeps, nor move it.
func TestCookies(t *testing.T) {
	t.Parallel()
	c := NewCookies([]byte("key"))
	w := httptest.NewRecorder()
	if err := c.Set(w, httptest.NewRequest(http.MethodGet, "/", nil), "a", "value", time.Hour); err != nil {
		t.Fatal(err)
	}
	cookie := w.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure {
		t.Errorf("the cookie is %v", cookie)
	}
	read := func(c *Cookies, name, value string) (got string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: name, Value: value})
		c.Get(r, name, &got)
		return got
	}
	if got := read(c, "a", cookie.Value); got != "value" {
		t.Errorf("read back as %q", got)
	}
	for what, got := range map[string]string{
		"another key": read(NewCookies([]byte("other")), "a", cookie.Value), "another name": read(c, "b", cookie.Value),
		"no sum": read(c, "a", strings.Split(cookie.Value, ".")[0]), "changed": read(c, "a", "x"+cookie.Value), "empty": read(c, "a", ""),
	} {
		if got != "" {
			t.Errorf("%s: read as %q", what, got)
		}
	}
	file := filepath.Join(t.TempDir(), "deep", "key")
	if first := KeyFile(file); len(first) != 32 || string(first) != string(KeyFile(file)) {
		t.Error("the key is not kept")
	}
}

// Ensure sessions end, and a new login has a new name.
func TestSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewSessions[string]("id", time.Hour)
		put := func(r *http.Request, value string) *http.Request {
			w := httptest.NewRecorder()
			s.Put(w, r, value)
			next := httptest.NewRequest(http.MethodGet, "/", nil)
			next.AddCookie(w.Result().Cookies()[0])
			return next
		}
		first := put(httptest.NewRequest(http.MethodGet, "/", nil), "one")
		if v, ok := s.Get(first); !ok || v != "one" {
			t.Errorf("got %q", v)
		}
		second := put(first, "two")
		if _, ok := s.Get(first); ok {
			t.Error("the old name is still good")
		}
		time.Sleep(time.Hour + time.Second)
		if _, ok := s.Get(second); ok {
			t.Error("the session does not end")
		}
	})
}

// Ensure guessing is slowed down, and a pause forgives.
func TestThrottle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var th Throttle
		var waited time.Duration
		for range 30 {
			waited += th.Wait()
			time.Sleep(th.Wait())
			th.Note(false)
		}
		if waited < time.Hour {
			t.Errorf("30 guesses take %s", waited)
		}
		time.Sleep(longest + forgive + time.Second)
		for range freeTries - 1 {
			th.Note(false)
		}
		if th.Wait() > 0 {
			t.Error("a pause does not forgive")
		}
	})
}

// Ensure a page is led to places of this site only.
func TestLocal(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/runs?q=a": "/runs?q=a", "": "/", "//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/", "javascript:alert(1)": "/", "/a\nb": "/",
	} {
		if got := Local(path); got != want {
			t.Errorf("%q: %q", path, got)
		}
	}
}

// Ensure a stream tells what has changed only, and a new one all of it.
func TestStream(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	s := NewStream(w)
	for _, p := range []Parts{{"a": "1", "b": "\n<b>"}, {"a": "1", "b": "2"}, {"a": "1", "b": "2"}} {
		if err := s.Send(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	want := "event: parts\ndata: {\"a\":\"1\",\"b\":\"\\n\\u003cb\\u003e\"}\n\nevent: parts\ndata: {\"b\":\"2\"}\n\nevent: end\ndata: {}\n\n"
	if w.Body.String() != want {
		t.Errorf("streamed %q", w.Body)
	}
}

// Ensure a service ends when it is told to, though a page holds a stream open, and that it says what to change
// when its port is taken.
func TestServe(t *testing.T) {
	t.Parallel()
	l, err := port.Listen("127.0.0.1", 0, "HOST", "PORT")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	inside, ended := make(chan struct{}), make(chan error)
	go func() {
		ended <- Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := NewStream(w).Beat(); err != nil {
				t.Error(err)
			}
			close(inside)
			<-r.Context().Done()
		}))
	}()
	resp, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-inside
	number := portOf(l.Addr().String())
	if _, err := port.Listen("127.0.0.1", number, "HOST", "PLANEXE_PORT"); err == nil || !strings.Contains(err.Error(), "PLANEXE_PORT") {
		t.Errorf("a taken port: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := port.Probe("127.0.0.1", number, "/healthz"); err == nil {
		t.Error("the probe finds a service that has ended")
	}
}

func portOf(address string) int {
	_, port, _ := net.SplitHostPort(address)
	n, _ := strconv.Atoi(port)
	return n
}
