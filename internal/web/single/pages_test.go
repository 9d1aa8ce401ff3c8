package single

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"planexe/internal/api"
	"planexe/internal/plan"
)

// Ensure files are shown as what they are, edited with care, and given away as downloads only.
func TestFiles(t *testing.T) {
	t.Parallel()
	f := sampleWorker()
	b := newBrowser(t, f, nil)
	at := "/runs/" + sampleID + "/files/"
	w := b.get(at + plan.Risks.Name + "/raw")
	if w.Header().Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("a raw file is %v", w.Header())
	}
	f.content["odd.html"] = "<script>alert(1)</script>"
	if text := b.get(at + "odd.html").Body.String(); strings.Contains(text, "<script>alert") {
		t.Error("HTML of a file is in the page")
	}
	if w := b.get(at + "none.md"); w.Code != http.StatusNotFound {
		t.Errorf("a file that is not there: %d", w.Code)
	}
	if text := b.get(at + plan.Risks.Name + "/edit").Body.String(); !strings.Contains(text, "155 calls, 15 minutes, about 0.21 USD") {
		t.Error("the price of an edit is not told")
	}
	w = b.post(at+plan.Risks.Name+"/edit", url.Values{"text": {"new\r\ntext"}, "etag": {`"1"`}}.Encode())
	if page := b.follow(w, at+plan.Risks.Name); !strings.Contains(page.Body.String(), "2 steps are out of date") {
		t.Error("what an edit leads to is not told")
	}
	if f.puts[plan.Risks.Name] != "new\ntext" || len(f.started) > 0 {
		t.Errorf("saved %q, started %v", f.puts, f.started)
	}
	b.follow(b.post(at+plan.Risks.Name+"/edit", "text=x&then=rerun&as=before"), "/runs/"+sampleID)
	if len(f.started) != 1 {
		t.Error("saving and making again does not start")
	}
	b.follow(b.post(at+plan.Risks.Name+"/revert", ""), at+plan.Risks.Name)
	f.refuse = &api.Error{Status: 412, Detail: "changed"}
	if text := b.post(at+plan.Risks.Name+"/edit", "text=my+words").Body.String(); !strings.Contains(text, "my words</textarea>") || !strings.Contains(text, "Donaudampf") {
		t.Error("a lost race does not show both texts")
	}
	f.refuse = &api.Error{Status: 422, Detail: "not valid JSON in line 3, column 7"}
	if text := b.post(at+plan.Risks.Name+"/edit", "text=my+words").Body.String(); !strings.Contains(text, "my words</textarea>") || !strings.Contains(text, "line 3, column 7") {
		t.Error("a refused text is lost, or not explained")
	}
	f.refuse, f.run.State = nil, api.Running
	if w := b.get(at + plan.Risks.Name + "/edit"); w.Code != http.StatusSeeOther {
		t.Errorf("editing while it runs: %d", w.Code)
	}
}

// Ensure reports are served under a policy of their own, in ranges, and told apart from errors.
func TestReport(t *testing.T) {
	t.Parallel()
	f := sampleWorker()
	b := newBrowser(t, f, nil)
	at := "/runs/" + sampleID + "/report.html"
	w := b.get(at)
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"sandbox allow-scripts allow-popups allow-downloads;", "default-src 'none'", "script-src 'sha256-", "frame-ancestors 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "allow-same-origin") || strings.Contains(strings.Split(policy, "style-src")[0], "unsafe") || w.Body.String() != f.report {
		t.Errorf("served %q under %q", w.Body, policy)
	}
	if w := b.do(http.MethodGet, at, "", "Range", "bytes=0-3"); w.Code != http.StatusPartialContent || w.Body.String() != f.report[:4] {
		t.Errorf("a range: %d %q", w.Code, w.Body)
	}
	if w := b.get(at + "?download=1"); w.Header().Get("Content-Disposition") != `attachment; filename="`+sampleID+`-report.html"` {
		t.Errorf("a download is named %q", w.Header().Get("Content-Disposition"))
	}
	if w := b.get("/runs/" + sampleID + "/zip"); w.Header().Get("Content-Disposition") != `attachment; filename="`+sampleID+`.zip"` || w.Body.String() != "PK" {
		t.Errorf("the archive is %v", w.Header())
	}
	f.report = ""
	if w := b.get(at); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "<h1>") {
		t.Errorf("no report: %d", w.Code)
	}
}

// Ensure the interface is of use with a worker that knows the reference's routes only.
func TestOldWorker(t *testing.T) {
	t.Parallel()
	pid, code := 7, 0
	for _, c := range []struct {
		name   string
		status api.RunStatus
		want   api.State
	}{
		{"gone", api.RunStatus{}, api.NotFound},
		{"running", api.RunStatus{RunDirExists: true, PID: &pid, Running: true}, api.Running},
		{"stopping", api.RunStatus{RunDirExists: true, PID: &pid, Running: true, StopRequested: true}, api.Stopping},
		{"finishing", api.RunStatus{RunDirExists: true, PID: &pid, Running: true, PipelineComplete: true}, api.Running},
		{"complete", api.RunStatus{RunDirExists: true, PID: &pid, PipelineComplete: true, Returncode: &code}, api.Completed},
		{"complete before a restart", api.RunStatus{RunDirExists: true, PipelineComplete: true}, api.Completed},
		{"interrupted", api.RunStatus{RunDirExists: true}, api.Interrupted},
		{"stopped", api.RunStatus{RunDirExists: true, PID: &pid, StopRequested: true}, api.Stopped},
		{"failed", api.RunStatus{RunDirExists: true, PID: &pid}, api.Failed},
	} {
		v := runView{RunStatus: c.status}
		if v.derive([]string{plan.Prompt.Name}); v.State != c.want {
			t.Errorf("%s: %s, want %s", c.name, v.State, c.want)
		}
	}
	f := sampleWorker()
	f.old, f.run.State, f.run.Running = true, "", true
	b := newBrowser(t, f, nil)
	b.follow(b.post("/runs", "prompt=x"), "/runs/"+sampleID)
	b.follow(b.post("/runs/"+sampleID+"/stop", ""), "/runs/"+sampleID)
	f.run.Running = false
	b.follow(b.post("/runs/"+sampleID+"/resume", "as=before"), "/runs/"+sampleID)
	for _, path := range []string{"/", "/runs", "/models", "/settings", "/maintenance", "/about", "/runs/" + sampleID + "/zip", "/runs/" + sampleID + "/report.html"} {
		if w := b.get(path); w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if got := f.started[1]; got.SubmitOrRetry != api.Retry || got.RunID != sampleID {
		t.Errorf("resumed by %+v", got)
	}
}

// Ensure pages work without script: they refresh themselves while a plan is made, and forms lead on.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	f := sampleWorker()
	b := newBrowser(t, f, nil)
	const refresh = `<noscript><meta http-equiv="refresh"`
	if strings.Contains(b.get("/runs/"+sampleID).Body.String(), refresh) {
		t.Error("a plan that is complete is loaded again")
	}
	f.run.State = api.Running
	if !strings.Contains(b.get("/runs/"+sampleID).Body.String(), refresh) {
		t.Error("a plan that is being made does not refresh itself")
	}
	if text := b.get("/?example=0ad5ea63-cf38-4d10-a3f3-d51baa609abd").Body.String(); !regexp.MustCompile(`<textarea[^>]*>Ouvrir`).MatchString(text) {
		t.Error("an example does not get into the form")
	}
	if text := b.get("/?q=boulangerie").Body.String(); strings.Contains(text, "bicycle workshop in Utrecht</strong>") || strings.Count(text, `class="example"`) != 1 {
		t.Error("the search does not narrow the examples")
	}
	if text := b.get("/runs/" + sampleID + "/delete").Body.String(); !strings.Contains(text, `action="/runs/`+sampleID+`/delete"`) {
		t.Error("deleting does not ask")
	}
}

// Ensure the list asks for what the filter says, and leads on with it.
func TestList(t *testing.T) {
	t.Parallel()
	f := sampleWorker()
	b := newBrowser(t, f, nil)
	text := b.get("/runs?q=boat+house&state=live&cursor=abc").Body.String()
	q := f.queries[0]
	if q.Text != "boat house" || q.Cursor != "abc" || q.Limit != pageSize || !slices.Equal(q.States, []api.State{api.Waiting, api.Running, api.Stopping}) {
		t.Errorf("asked for %+v", q)
	}
	if !strings.Contains(text, "/runs?cursor=next&amp;q=boat+house&amp;state=live") {
		t.Error("the next page forgets the filter")
	}
}

// Ensure nothing is removed that was not shown before.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	f := sampleWorker()
	b := newBrowser(t, f, nil)
	for _, form := range []string{"hours=0.5&prefix=P", "hours=x&prefix=P", "hours=24&prefix=", "hours=NaN&prefix=P", "hours=Inf&prefix=P", "hours=-1&prefix=P&do=remove"} {
		if w := b.post("/maintenance", form); w.Code != http.StatusUnprocessableEntity || len(f.purges) > 0 {
			t.Errorf("%s: %d", form, w.Code)
		}
	}
	if text := b.post("/maintenance", "hours=1.5&prefix=P&do=preview").Body.String(); !strings.Contains(text, "Remove 12 entries for good") || !f.purges[0].Preview {
		t.Error("no preview")
	}
	if page := b.follow(b.post("/maintenance", "hours=1.5&prefix=P&do=remove"), "/maintenance"); !strings.Contains(page.Body.String(), "12 entries removed") {
		t.Error("what was removed is not told")
	}
	if p := f.purges[1]; p.Preview || *p.MaxAgeHours != 1.5 || *p.Prefix != "P" {
		t.Errorf("purged by %+v", p)
	}
}

// Ensure hints find what a description lacks, in any language.
func TestHints(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]seen{
		"": {},
		"Open a bakery in Lyon with 300,000 EUR by May 2027":  {characters: 50, words: 11, money: true, date: true},
		"Ouvrir une boulangerie pour 80 000 € en six mois":    {characters: 48, words: 10, money: true},
		"Byg et skur for 20.000 kr på 3 uger":                 {characters: 35, words: 9, money: true, date: true},
		"東京で300万円でパン屋を3月に開く":                                  {characters: 18, words: 8, money: true, date: true},
		"Eine Bäckerei in 8 Monaten, ohne Kredit":             {characters: 39, words: 7, date: true},
		"Move 3 offices, 40 people, to the second floor next": {characters: 51, words: 10},
	} {
		if got := look(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	if !look(strings.Repeat("é", mostPrompt)).tooLong {
		t.Error("the limit is in bytes")
	}
}

// Ensure the picture of the graph has each step once, on a place of its own, left of what waits for it.
func TestDraw(t *testing.T) {
	t.Parallel()
	steps := sampleWorker().steps
	p := draw(steps)
	at := map[[2]int]string{}
	x := map[string]int{}
	for _, n := range p.nodes {
		if other := at[[2]int{n.x, n.y}]; other != "" {
			t.Errorf("%s and %s lie on each other", n.Step.Step, other)
		}
		at[[2]int{n.x, n.y}], x[n.Step.Step] = n.Step.Step, n.x
		if n.x < 0 || n.y < 0 || n.x > p.width || n.y > p.height {
			t.Errorf("%s is outside", n.Step.Step)
		}
	}
	for _, s := range steps {
		for _, need := range s.Needs {
			if x[need] >= x[s.Step] {
				t.Errorf("%s is not left of %s", need, s.Step)
			}
		}
	}
	if len(p.nodes) != len(steps) || draw(nil).width != 0 {
		t.Error("not every step is drawn")
	}
}

// Ensure the host opener's answers become words for people.
func TestHostOpener(t *testing.T) {
	t.Parallel()
	var status int
	var answer, got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization") + " " + r.Header.Get("Content-Type") + " " + string(body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	o := HostOpener{URL: server.URL + "/", Token: "t"}
	for _, c := range []struct {
		status       int
		answer, want string
	}{
		{200, `{"status":"ok"}`, ""},
		{404, `{"detail":"no such directory"}`, "no such directory"},
		{500, `{"message":"xdg-open failed"}`, "xdg-open failed"},
		{422, `{"detail":[{"msg":"x"}]}`, "the opener answered 422"},
		{502, `<html>`, "the opener answered 502"},
	} {
		status, answer = c.status, c.answer
		err := o.Open(t.Context(), "/a b")
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%d %s: %v", c.status, c.answer, err)
		}
		if want := `POST /open Bearer t application/json {"path":"/a b"}`; got != want {
			t.Errorf("sent %q", got)
		}
		if o.Available(t.Context()) != (c.status == 200) {
			t.Errorf("%d: available", c.status)
		}
	}
	if err := (HostOpener{URL: "http://127.0.0.1:1"}).Open(t.Context(), "/"); err == nil || os.IsNotExist(err) {
		t.Error("an opener that is not there is no error")
	}
}
