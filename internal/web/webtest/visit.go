package webtest

import (
	"net/http"
	"net/http/httptest"
	"strings"
)

// Visit sends a request to a handler as a page's own script would, follows no redirect, and keeps the cookies of the answer.
func Visit(h http.Handler, kept map[string]*http.Cookie, method, path, form string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(form))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for _, c := range kept {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(kept, c.Name)
			continue
		}
		kept[c.Name] = c
	}
	return w
}
