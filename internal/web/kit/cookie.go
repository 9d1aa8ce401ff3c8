package kit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Cookies reads and writes values that a browser keeps but cannot change.
type Cookies struct{ key []byte }

// NewCookies signs with a key of any length.
func NewCookies(key []byte) *Cookies { return &Cookies{key} }

// KeyFile returns the 32 bytes in a file, and makes it with random ones when it is not there: so that
// cookies outlive the program. Without a place to write the key is random each time.
func KeyFile(path string) []byte {
	const size = 32
	if key, err := os.ReadFile(path); err == nil && len(key) == size {
		return key
	} else if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return NewKey()
	}
	key := NewKey()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
		_ = os.WriteFile(path, key, 0o600) // kept if it can be
	}
	return key
}

// NewKey returns 32 random bytes.
func NewKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}

func (c *Cookies) sum(name, text string) string {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(name + "=" + text)) // a value cannot be moved to another name
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Set keeps a value for so long; 0 is until the browser closes.
func (c *Cookies) Set(w http.ResponseWriter, r *http.Request, name string, value any, keep time.Duration) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("cookie %s: %w", name, err)
	}
	text := base64.RawURLEncoding.EncodeToString(data)
	SetCookie(w, r, name, text+"."+c.sum(name, text), keep)
	return nil
}

// Get reads a value; false when there is none or somebody changed it.
func (c *Cookies) Get(r *http.Request, name string, value any) bool {
	cookie, err := r.Cookie(name)
	if err != nil {
		return false
	}
	text, sum, _ := strings.Cut(cookie.Value, ".")
	if !hmac.Equal([]byte(sum), []byte(c.sum(name, text))) {
		return false
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && json.Unmarshal(data, value) == nil
}

// SetCookie sets a cookie that no script can read and no other site can use.
func SetCookie(w http.ResponseWriter, r *http.Request, name, value string, keep time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(keep.Seconds()),
		HttpOnly: true, Secure: Encrypted(r), SameSite: http.SameSiteLaxMode,
	})
}

// DropCookie makes the browser forget a cookie.
func DropCookie(w http.ResponseWriter, r *http.Request, name string) {
	SetCookie(w, r, name, "", -time.Second)
}

// Encrypted tells whether the browser speaks TLS, to us or to a proxy in front.
func Encrypted(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

const flashCookie = "planexe_flash"

// SetFlash leaves a message for the next page.
func (c *Cookies) SetFlash(w http.ResponseWriter, r *http.Request, tone Tone, text string) {
	_ = c.Set(w, r, flashCookie, Flash{tone, text}, time.Minute) // text can be encoded
}

// TakeFlash returns the message that was left, and forgets it.
func (c *Cookies) TakeFlash(w http.ResponseWriter, r *http.Request) *Flash {
	var f Flash
	if !c.Get(r, flashCookie, &f) {
		return nil
	}
	DropCookie(w, r, flashCookie)
	return &f
}

const themeCookie = "planexe_theme"

// Theme returns the colours a browser has chosen: light, dark or "".
func Theme(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// SetTheme handles the form of the theme's switch.
func SetTheme(w http.ResponseWriter, r *http.Request) {
	value := r.PostFormValue("theme")
	if value != "light" && value != "dark" {
		DropCookie(w, r, themeCookie)
	} else {
		SetCookie(w, r, themeCookie, value, 365*24*time.Hour)
	}
	back := "/"
	if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host {
		back = Local(from.RequestURI())
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// Local returns a path of this site, or / for anything else.
func Local(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
