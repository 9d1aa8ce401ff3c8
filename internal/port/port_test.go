package port

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// Ensure that a probe passes on a healthy service only, finds it under any address it may listen on, and
// passes on why one is not.
func TestProbe(t *testing.T) {
	t.Parallel()
	problem := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/healthz":
			w.WriteHeader(http.StatusNotFound)
		case problem != "":
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, problem+"\n")
		}
	}))
	defer s.Close()
	_, text, _ := net.SplitHostPort(s.Listener.Addr().String())
	number, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "0.0.0.0", ""} {
		if err := Probe(host, number, "/healthz"); err != nil {
			t.Errorf("%q: %v", host, err)
		}
	}
	problem = "the loop has not turned"
	if err := Probe("127.0.0.1", number, "/healthz"); err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), problem) {
		t.Errorf("an ill service: %v", err)
	}
}

// Ensure that an error of listening names the variable to change.
func TestListen(t *testing.T) {
	t.Parallel()
	l, err := Listen("127.0.0.1", 0, "HOST", "PORT")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	if _, err := Listen("127.0.0.1", taken, "HOST", "PORT"); err == nil || !strings.Contains(err.Error(), "set PORT to a free port") {
		t.Errorf("a taken port: %v", err)
	}
	if _, err := Listen("192.0.2.1", 0, "HOST", "PORT"); err == nil || !strings.Contains(err.Error(), "correct HOST") {
		t.Errorf("a foreign address: %v", err)
	}
}
