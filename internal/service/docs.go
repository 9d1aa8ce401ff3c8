package service

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
)

// viewer is RapiDoc 9.3.8, (c) Mrinmoy Majumdar, MIT licence; see assets/rapidoc.LICENSE.
//
//go:embed assets/rapidoc-min.js.gz
var viewer []byte

const docsPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>PlanExe Worker API</title>
<script type="module" src="/docs/rapidoc.js"></script></head>
<body><rapi-doc spec-url="/openapi.json" render-style="read" theme="light" load-fonts="false" show-header="false" allow-server-selection="false"
 primary-color="#0b5f8a" nav-bg-color="#f4f6f8" schema-description-expanded="true"></rapi-doc>
<noscript>This page needs JavaScript; the document itself is <a href="/openapi.json">/openapi.json</a>.</noscript></body></html>
`

// docs serves the page that shows the OpenAPI document. Nothing of it comes from elsewhere.
func (s *Service) docs(r chi.Router) {
	r.Get("/docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'")
		_, _ = io.WriteString(w, docsPage)
	})
	r.Get("/docs/rapidoc.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "private, max-age=86400")
		w.Header().Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(viewer)
			return
		}
		plain, err := gzip.NewReader(bytes.NewReader(viewer))
		if err != nil { // it was packed by us
			fail(http.StatusInternalServerError, "internal error").write(w)
			return
		}
		_, _ = io.Copy(w, plain)
	})
}
