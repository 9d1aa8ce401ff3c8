package single

import (
	"errors"
	"html"
	"io"
	"io/fs"
	"net/http"
	"regexp"
	"strings"

	"planexe/internal/report"
)

// nothing is a run without documents.
type nothing struct{}

func (nothing) Read(string) ([]byte, error) { return nil, fs.ErrNotExist }

var scriptSource = regexp.MustCompile(`script-src ('sha256-[A-Za-z0-9+/=]+')`)

// ReportPolicy returns the policy that reports are served under, whatever stands in them: an origin of
// their own, no network, and no script but the one that reports of this version have. Reports of other
// versions are read without their script. Styles cannot do harm there.
func ReportPolicy() (string, error) {
	page, err := report.Render(nothing{}, report.Meta{})
	if err != nil {
		return "", err
	}
	script := scriptSource.FindStringSubmatch(html.UnescapeString(string(page)))
	if script == nil {
		return "", errors.New("the policy of reports does not name their script")
	}
	return "sandbox allow-scripts allow-popups allow-downloads; default-src 'none'; script-src " + script[1] +
		"; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'", nil
}

// showReport is the run's page with the report in it.
func (u *ui) showReport(w http.ResponseWriter, r *http.Request) {
	u.showTab(w, r, http.StatusOK, reportTab)
}

// passed are the headers of a download that belong to the conversation between browser and worker.
var passed = []string{"Range", "If-Range", "If-None-Match", "If-Modified-Since"}

func (u *ui) report(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", u.policy)
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	disposition := "inline"
	if r.URL.Query().Get("download") != "" {
		disposition = `attachment; filename="` + plainName(r.PathValue("id")) + `-report.html"`
	}
	u.relay(w, r, disposition, u.Worker.Report)
}

func (u *ui) zip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/zip")
	u.relay(w, r, `attachment; filename="`+plainName(r.PathValue("id"))+`.zip"`, u.Worker.Zip)
}

// relay passes an answer of the worker through without keeping it.
func (u *ui) relay(w http.ResponseWriter, r *http.Request, disposition string, open opening) {
	header := http.Header{}
	for _, name := range passed {
		if v := r.Header.Get(name); v != "" {
			header.Set(name, v)
		}
	}
	resp, err := open(r.Context(), r.PathValue("id"), header)
	if err != nil {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; frame-ancestors 'self'")
		u.fail(w, r, err)
		return
	}
	defer resp.Body.Close()
	h := w.Header()
	h.Set("Content-Disposition", disposition)
	h.Set("Cache-Control", "private, no-cache")
	for _, name := range []string{"Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified"} {
		if v := resp.Header.Get(name); v != "" {
			h.Set(name, v)
		}
	}
	w.WriteHeader(resp.StatusCode)
	if _, err := io.Copy(w, resp.Body); err != nil && r.Context().Err() == nil {
		u.Log.Warn("a download broke off", "path", r.URL.Path, "error", err)
		panic(http.ErrAbortHandler) // so that the browser does not take it for whole
	}
}

// plainName is a name that can stand in a header.
func plainName(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c) {
			return c
		}
		return '_'
	}, name)
}
