// Package kit is the design system of the web interfaces: one look in light and dark, one page frame,
// embedded assets, and the guards every interface stands behind. It knows nothing of plans.
package kit

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"
)

//go:generate go tool templ generate -f frame.templ
//go:generate go tool templ generate -f parts.templ

// Link is an entry of a navigation.
type Link struct {
	Text, URL string
	Current   bool
	Off       bool   // shown, but leads nowhere yet
	Count     string // a small number beside the text, "" is none
}

// Page is what the frame around a page needs.
type Page struct {
	Title   string // of the window; the product's name is added
	Nav     []Link
	User    string // who is logged in; "" when there is no login
	UserURL string // their own page; "" when there is none
	Theme   string // light, dark, or "" for the system's
	Flash   *Flash
	Refresh int           // seconds after which a browser without script loads the page again; 0 is never
	Bare    bool          // without navigation, as before a login
	Session time.Duration // until whoever is logged in will be logged out when nothing is done; 0 is never told
}

// Tone is the colour of a badge or notice. A tone never stands alone: the words say the same.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Good  Tone = "good"
	Fair  Tone = "fair"
	Poor  Tone = "poor"
	Busy  Tone = "busy"
)

// Flash is a message that is shown once, on the next page.
type Flash struct {
	Tone Tone   `json:"t,omitempty"`
	Text string `json:"m"`
}

// compressFrom is the size in bytes from which compressing a page is worth it.
const compressFrom = 1 << 10

// Render answers with a page. It is built before the first byte is sent, so that a failure can still be
// told by its status.
func Render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	var page bytes.Buffer
	if err := c.Render(r.Context(), &page); err != nil {
		http.Error(w, "This page could not be built.", http.StatusInternalServerError)
		return fmt.Errorf("render %s: %w", r.URL.Path, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store") // every page is somebody's, and of this moment
	}
	h.Add("Vary", "Accept-Encoding")
	body := page.Bytes()
	if len(body) >= compressFrom && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		body = compress(body)
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a reader who has left is no error
	return nil
}

func compress(data []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(data) // a buffer takes everything
	_ = z.Close()
	return out.Bytes()
}

// otherTheme is what the switch of the theme asks for; the page's script knows better when the system
// decides.
func otherTheme(now string) string {
	if now == "dark" {
		return "light"
	}
	return "dark"
}

func noticeRole(t Tone) string {
	if t == Poor {
		return "alert"
	}
	return "status"
}
