package opener

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const token = "0123456789abcdef"

func ask(h http.Handler, method, path, body string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:5100"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Ensure that whatever a web page can make a browser send opens nothing and learns nothing.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	type headers = map[string]string
	for _, tt := range []struct {
		name, body string
		header     headers
		token      string // of the service
		status     int
	}{
		{"program", "", nil, "", 200},
		{"program of the container", "", headers{"Host": "host.docker.internal:5100"}, "", 200},
		{"container on Linux", "", headers{"Host": "172.17.0.1:5100"}, "", 200},
		{"loopback v6", "", headers{"Host": "[::1]:5100"}, "", 200},
		{"host without a port", "", headers{"Host": "LOCALHOST"}, "", 200},
		{"listed host", "", headers{"Host": "desk.lan:5100"}, "", 200},
		{"charset", "", headers{"Content-Type": "application/json; charset=utf-8"}, "", 200},
		{"token", "", headers{"Authorization": "Bearer " + token}, token, 200},
		{"token, scheme in lower case", "", headers{"Authorization": "bearer " + token}, token, 200},
		{"token where none is wanted", "", headers{"Authorization": "Bearer x"}, "", 200},

		{"foreign page", "", headers{"Origin": "https://evil.example"}, "", 403},
		{"foreign page with the token", "", headers{"Origin": "https://evil.example", "Authorization": "Bearer " + token}, token, 403},
		{"sandboxed frame", "", headers{"Origin": "null"}, "", 403},
		{"page of this computer", "", headers{"Origin": "http://127.0.0.1:7860"}, "", 403},
		{"origin as if it were ours", "", headers{"Origin": "http://127.0.0.1:5100"}, "", 403},
		{"cross-site without an origin", "", headers{"Sec-Fetch-Site": "cross-site"}, "", 403},
		{"same site", "", headers{"Sec-Fetch-Site": "same-site"}, "", 403},
		{"same origin", "", headers{"Sec-Fetch-Site": "same-origin"}, "", 403},
		{"DNS rebinding", "", headers{"Host": "evil.example:5100"}, "", 403},
		{"DNS rebinding, name like ours", "", headers{"Host": "localhost.evil.example:5100"}, "", 403},
		{"DNS rebinding, dot behind", "", headers{"Host": "evil.example.:5100"}, "", 403},
		{"address of the network", "", headers{"Host": "192.168.1.5:5100"}, "", 403},
		{"no host", "", headers{"Host": ""}, "", 403},
		{"form", "path=x", headers{"Content-Type": "application/x-www-form-urlencoded"}, "", 415},
		{"plain text", "", headers{"Content-Type": "text/plain"}, "", 415},
		{"no type", "", headers{"Content-Type": ""}, "", 415},
		{"type that begins the same", "", headers{"Content-Type": "application/jsonp"}, "", 415},
		{"no token", "", nil, token, 401},
		{"wrong token", "", headers{"Authorization": "Bearer " + token + "0"}, token, 401},
		{"empty token", "", headers{"Authorization": "Bearer "}, token, 401},
		{"another scheme", "", headers{"Authorization": "Basic " + token}, token, 401},

		{"no JSON", "{", nil, "", 422},
		{"array", "[]", nil, "", 422},
		{"null", "null", nil, "", 422},
		{"text", `"x"`, nil, "", 422},
		{"no path", "{}", nil, "", 422},
		{"path null", `{"path":null}`, nil, "", 422},
		{"path a number", `{"path":7}`, nil, "", 422},
		{"path a list", `{"path":["x"]}`, nil, "", 422},
		{"two bodies", `{"path":"x"}{}`, nil, "", 422},
		{"too long", `{"path":"` + strings.Repeat("x", maxBody) + `"}`, nil, "", 413},
		{"no run", `{"path":"/etc"}`, nil, "", 400},
		{"outside", `{"path":"/etc/PlanExe_1_1"}`, nil, "", 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o, f := folder(t)
			h := Handler(o, Options{Host: "127.0.0.1", Port: 5100, Hosts: []string{"desk.lan"}, Token: tt.token, Log: slog.New(slog.DiscardHandler)})
			body := tt.body
			if body == "" {
				data, _ := json.Marshal(map[string]string{"path": filepath.Join(o.Base(), run)})
				body = string(data)
			}
			w := ask(h, "POST", "/open", body, tt.header)
			if w.Code != tt.status || (len(f.shown) > 0) != (tt.status == 200) {
				t.Errorf("got %d %s, shown %q; want %d", w.Code, w.Body, f.shown, tt.status)
			}
			var answer struct {
				Status, Message string
				Detail          any
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || (answer.Detail != nil) != (w.Code != 200) {
				t.Errorf("the answer is %s", w.Body)
			}
			if w.Code == 200 && (answer.Status != "ok" || !strings.Contains(answer.Message, f.shown[0])) {
				t.Errorf("the answer is %s", w.Body)
			}
			if strings.Contains(w.Body.String(), token) || w.Code != 200 && strings.Contains(w.Body.String(), o.Base()) {
				t.Errorf("the answer %s tells too much", w.Body)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Error("pages may read the answer")
			}
			if w.Code == 401 && w.Header().Get("WWW-Authenticate") == "" {
				t.Error("a 401 without WWW-Authenticate")
			}
		})
	}
}

// Ensure that the health routes have the contract's fields, and the base directory only for those
// who know the token.
func TestHealth(t *testing.T) {
	t.Parallel()
	o, _ := folder(t)
	for _, tt := range []struct {
		name, token, auth, origin string
		status                    int
		base                      any
	}{
		{"no token wanted", "", "", "", 200, nil},
		{"no token wanted, one given", "", "Bearer x", "", 200, nil},
		{"none wanted, empty given", "", "Bearer ", "", 200, nil},
		{"token not given", token, "", "", 200, nil},
		{"token given", token, "Bearer " + token, "", 200, o.Base()},
		{"wrong token", token, "Bearer x", "", 401, nil},
		{"page", "", "", "https://evil.example", 403, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := Handler(o, Options{Host: "127.0.0.1", Port: 5100, Token: tt.token})
			for _, path := range []string{"/healthz", "/healthcheck"} {
				w := ask(h, "GET", path, "", map[string]string{"Authorization": tt.auth, "Origin": tt.origin})
				var got map[string]any
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != tt.status {
					t.Fatalf("got %d %s, want %d", w.Code, w.Body, tt.status)
				}
				if base, has := got["allowed_base"]; w.Code == 200 &&
					(!has || base != tt.base || got["status"] != "ok" || got["platform"] != runtime.GOOS || got["host"] != "127.0.0.1" || got["port"] != 5100.0 || len(got) != 5) {
					t.Errorf("got %s", w.Body)
				}
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	o, _ := folder(t)
	h := Handler(o, Options{Host: "127.0.0.1", Port: 5100})
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"HEAD", "/healthz", 200}, {"GET", "/open", 405}, {"DELETE", "/open", 405}, {"OPTIONS", "/open", 405},
		{"POST", "/healthz", 405}, {"GET", "/", 404}, {"POST", "/open/x", 404}, {"POST", "/OPEN", 404},
	} {
		w := ask(h, tt.method, tt.path, "", nil)
		if w.Code != tt.status || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: got %d %s, want %d", tt.method, tt.path, w.Code, w.Body, tt.status)
		}
	}
}

// Ensure that it works over a real connection.
func TestServed(t *testing.T) {
	t.Parallel()
	o, f := folder(t)
	s := httptest.NewServer(Handler(o, Options{Host: "127.0.0.1", Log: slog.New(slog.DiscardHandler)}))
	defer s.Close()
	resp, err := http.Post(s.URL+"/open", "application/json", strings.NewReader(`{"path":"`+filepath.Join(o.Base(), run)+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || len(f.shown) != 1 {
		t.Errorf("got %s %s", resp.Status, body)
	}
}
