package service_test

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"planexe/internal/api"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

// The list of files is sorted by code point and leaves our own records out.
func TestFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	id := w.finished()
	files, err := w.c.Files(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(files.Files) || slices.Contains(files.Files, rundir.Hidden) || !slices.Contains(files.Files, "log.txt") || files.RunDir != filepath.Join(w.base, id) {
		t.Errorf("%v", files)
	}
	if a, b := slices.Index(files.Files, "002-10-potential_levers.json"), slices.Index(files.Files, "002-2-redline_gate.md"); a < 0 || a > b {
		t.Errorf("002-10 is at %d, 002-2 at %d", a, b)
	}
	for _, f := range files.Items {
		if f.Name == plan.Risks.Name && (f.Step != "identify_risks" || !f.Editable || f.Edited || f.SizeBytes == 0) {
			t.Errorf("%+v", f)
		}
		if f.Name == plan.Report.Name && f.Editable {
			t.Error("the report is editable")
		}
	}
	w.want(w.do("GET", "/runs/PlanExe_x/files", ""), 404, detail("no run directory: "+filepath.Join(w.base, "PlanExe_x")))
	w.want(w.do("GET", "/runs/%2E%2E/files", ""), 400, detail("invalid run directory"))
	w.want(w.do("GET", "/runs/a%2Fb/files", ""), 404, detail("Not Found"))
	w.make("file", 0)
	w.want(w.do("GET", "/runs/file/files", ""), 404, "")
	_ = os.MkdirAll(filepath.Join(w.base, "hand", "sub"), 0o777)
	w.want(w.do("GET", "/runs/hand/files", ""), 200, `{"run_id":"hand","run_dir":"`+filepath.Join(w.base, "hand")+`","files":["sub"],"items":[]}`)
}

// The two downloads have names, lengths, ranges and conditions.
func TestDownloads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	id := w.finished()
	report, err := os.ReadFile(filepath.Join(w.base, id, plan.Report.Name))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, kind, name string }{
		{"/report", "text/html; charset=utf-8", plan.Report.Name}, {"/zip", "application/zip", id + ".zip"},
	} {
		full := w.do("GET", "/runs/"+id+c.path, "")
		w.want(full, 200, "")
		h := full.header
		if h.Get("Content-Type") != c.kind || h.Get("Content-Disposition") != `attachment; filename="`+c.name+`"` || h.Get("Content-Length") != strconv.Itoa(len(full.body)) ||
			h.Get("Accept-Ranges") != "bytes" || h.Get("ETag") == "" || h.Get("Last-Modified") == "" {
			t.Errorf("%s: %v", c.path, h)
		}
		head := w.do("HEAD", "/runs/"+id+c.path, "")
		if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != h.Get("Content-Length") {
			t.Errorf("HEAD %s: %d %v", c.path, head.status, head.header)
		}
		part := w.do("GET", "/runs/"+id+c.path, "", "Range", "bytes=0-3")
		if part.status != 206 || part.body != full.body[:4] || part.header.Get("Content-Range") != "bytes 0-3/"+strconv.Itoa(len(full.body)) {
			t.Errorf("range of %s: %d %q %v", c.path, part.status, part.body, part.header)
		}
		w.want(w.do("GET", "/runs/"+id+c.path, "", "Range", "bytes=99999999-"), 416, "")
		if again := w.do("GET", "/runs/"+id+c.path, "", "If-None-Match", h.Get("ETag")); again.status != 304 || again.body != "" {
			t.Errorf("%s again: %d", c.path, again.status)
		}
		w.want(w.do("GET", "/runs/PlanExe_x"+c.path, ""), 404, detail("no run directory: "+filepath.Join(w.base, "PlanExe_x")))
		w.want(w.do("GET", "/runs/%2e%2e"+c.path, ""), 400, detail("invalid run directory"))
		post := w.do("POST", "/runs/"+id+c.path, "")
		w.want(post, 405, detail("Method Not Allowed"))
		if post.header.Get("Allow") != "GET" {
			t.Errorf("Allow: %q", post.header["Allow"])
		}
		if c.path == "/report" && full.body != string(report) {
			t.Error("the report is not the file")
		}
	}
	tag := w.do("GET", "/runs/"+id+"/zip", "").header.Get("ETag")
	if err := os.WriteFile(filepath.Join(w.base, id, "more.txt"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if r := w.do("GET", "/runs/"+id+"/zip", "", "If-None-Match", tag); r.status != 200 {
		t.Errorf("a changed run: %d", r.status)
	}
	w.make("PlanExe_new", 0, plan.Prompt.Name)
	w.want(w.do("GET", "/runs/PlanExe_new/report", ""), 404, detail("no report for run PlanExe_new"))
}

// An archive holds everything but logs and our records, also below.
func TestZip(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	w.make("PlanExe_z", 0, plan.Prompt.Name, "log.txt", ".dot", "sub/deep/a.txt", "sub/log.txt", ".planexe/events.jsonl")
	_ = os.Mkdir(filepath.Join(w.base, "PlanExe_z", "nothing"), 0o777)
	if err := os.Symlink("/etc/passwd", filepath.Join(w.base, "PlanExe_z", "link")); err != nil {
		t.Fatal(err)
	}
	r := w.do("GET", "/runs/PlanExe_z/zip", "")
	z, err := zip.NewReader(strings.NewReader(r.body), int64(len(r.body)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(in); err != nil || !bytes.HasPrefix(data, []byte("Plan:")) || f.Method != zip.Deflate {
			t.Errorf("%s: %q, %v", f.Name, data, err)
		}
	}
	if want := []string{".dot", plan.Prompt.Name, "sub/deep/a.txt"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
	w.make("PlanExe_log", 0, "log.txt")
	if r := w.do("GET", "/runs/PlanExe_log/zip", ""); r.status != 200 || len(r.body) != 22 {
		t.Errorf("an empty archive: %d, %d bytes", r.status, len(r.body))
	}
}

// A file is shown by its kind, never as a page, and only if it is one of the run.
func TestFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	w.make("PlanExe_f", 0, plan.Prompt.Name, "a.json", "b.MD", "c.html", "d.bin", ".planexe/events.jsonl")
	at := filepath.Join(w.base, "PlanExe_f")
	if err := os.Symlink("/etc/passwd", filepath.Join(at, "link.txt")); err != nil {
		t.Fatal(err)
	}
	_ = os.Mkdir(filepath.Join(at, "dir.txt"), 0o777)
	for name, want := range map[string]string{
		"a.json": "application/json", "b.MD": "text/plain; charset=utf-8", "c.html": "application/octet-stream", "d.bin": "application/octet-stream",
	} {
		r := w.do("GET", "/runs/PlanExe_f/files/"+name, "")
		w.want(r, 200, "Plan:\n"+name)
		if r.header.Get("Content-Type") != want || r.header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(r.header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %v", name, r.header)
		}
		if shown := r.header.Get("Content-Disposition") == ""; shown != (want != "application/octet-stream") {
			t.Errorf("%s: %v", name, r.header)
		}
	}
	for name, want := range map[string]int{
		"none.txt": 404, "link.txt": 404, "dir.txt": 404, ".planexe": 404, "..": 404, "%2e%2e": 404, ".planexe%2Fevents.jsonl": 404, "..%2f..%2fllm_config.json": 404,
		"a%00b": 404, `..%5Cx`: 404, "a:b": 404, strings.Repeat("x", 300): 404,
	} {
		if r := w.do("GET", "/runs/PlanExe_f/files/"+name, ""); r.status != want && r.status != 400 {
			t.Errorf("%s: %d %.100s", name, r.status, r.body)
		}
	}
}

// An edit is kept and makes its readers dirty; a rerun follows it, and a revert takes it back.
func TestEditAndRerun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	id := w.finished()
	ctx, name := t.Context(), plan.Risks.Name
	text, tag, err := w.c.File(ctx, id, name)
	if err != nil || tag == "" {
		t.Fatal(err)
	}
	estimate, err := w.c.Estimate(ctx, api.EstimateQuery{RunID: id, File: name})
	if err != nil || len(estimate.Steps) == 0 || !slices.Contains(estimate.Steps, "report") || estimate.Calls == 0 || !estimate.Demo || *estimate.Cost != 0 {
		t.Fatalf("%+v, %v", estimate, err)
	}
	edit, err := w.c.PutFile(ctx, id, name, append(text, "\nThe oven may be late.\n"...), tag)
	if err != nil || !slices.Equal(edit.Dirty, estimate.Steps) {
		t.Errorf("dirty %v, estimated %v, %v", edit.Dirty, estimate.Steps, err)
	}
	path := "/runs/" + id + "/files/"
	w.want(w.do("PUT", path+name, "x", "If-Match", tag, "Content-Type", "text/markdown"), 412, "")
	w.want(w.do("PUT", path+name, "x", "Content-Type", ""), 415, "")
	w.want(w.do("PUT", path+name, "x", "Content-Type", "application/x-www-form-urlencoded"), 415, "")
	w.want(w.do("PUT", path+name, strings.Repeat("x", 1<<20+1), "Content-Type", "text/plain"), 413, "")
	w.want(w.do("PUT", path+"none.md", "x", "Content-Type", "text/plain"), 404, "")
	w.want(w.do("PUT", path+plan.Report.Name, "x", "Content-Type", "text/plain"), 422, `{"detail":[{"type":"not_editable"…`)
	w.want(w.do("PUT", path+"002-10-potential_levers.json", "{oops"), 422, "")
	w.want(w.do("PUT", path+"002-10-potential_levers.json", `{"a":1}`), 422, "")
	steps, err := w.c.Steps(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]int{}
	for _, s := range steps {
		states[s.State]++
		if s.Step == "identify_risks" && !slices.Equal(s.Edited, []string{name}) {
			t.Errorf("edited %v", s.Edited)
		}
	}
	if states["dirty"] == 0 || states["done"] == 0 || len(states) != 2 {
		t.Errorf("states %v", states)
	}

	let := w.script.hold()
	r, err := w.c.Rerun(ctx, id, api.RerunRequest{}, "")
	if err != nil || r.RunID != id {
		t.Fatalf("%+v, %v", r, err)
	}
	w.want(w.do("PUT", path+name, "x", "Content-Type", "text/plain"), 409, detail("run "+id+" is already active"))
	w.want(w.do("DELETE", "/runs/"+id, ""), 409, detail("run "+id+" is already active"))
	w.want(w.do("POST", "/runs/"+id+"/rerun", "{}"), 409, "")
	let()
	if st := w.over(id); st.State != api.Completed || st.SpeedVsDetail != api.Fast || st.Calls == 0 {
		t.Errorf("%s %s, %d calls, %+v", st.State, st.SpeedVsDetail, st.Calls, st.Error)
	}
	if now, _, _ := w.c.File(ctx, id, name); !bytes.Contains(now, []byte("oven may be late")) {
		t.Error("the edit is lost")
	}
	if edit, err = w.c.RevertFile(ctx, id, name); err != nil || len(edit.Dirty) == 0 {
		t.Errorf("%+v, %v", edit, err)
	}
	w.want(w.do("POST", path+name+"/revert", ""), 404, "")
	if now, _, _ := w.c.File(ctx, id, name); !bytes.Equal(now, text) {
		t.Error("the revert does not bring back the text")
	}

	for body, want := range map[string]int{
		`{"from":"none"}`: 422, `{"only":"none"}`: 422, `{"from":"pitch","only":"swot_analysis"}`: 422, `{"llm_model":"none"}`: 422, `{"speed_vs_detail":"x"}`: 422, `{"from":7}`: 422, "[]": 422,
	} {
		w.want(w.do("POST", "/runs/"+id+"/rerun", body), want, "")
	}
	if _, err := w.c.Rerun(ctx, id, api.RerunRequest{Only: "swot_analysis"}, ""); err != nil {
		t.Fatal(err)
	}
	if st := w.over(id); st.State != api.Completed || st.StepsTotal != 1 {
		t.Errorf("%s, %d steps", st.State, st.StepsTotal)
	}
	if one, err := w.c.Estimate(ctx, api.EstimateQuery{RunID: id, Only: "swot_analysis"}); err != nil || len(one.Steps) != 1 {
		t.Errorf("%+v, %v", one, err)
	}
	if err := w.c.Delete(ctx, id); err != nil {
		t.Error(err)
	}
	w.want(w.do("DELETE", "/runs/"+id, ""), 404, "")
}

// The log is told from its end, without secrets.
func TestLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"demo": {"class": "Demo"}, "r": {"class": "OpenRouter", "arguments": {"model": "m", "api_key": "sk-or-secret-of-the-service"}}}`, nil)
	w.make("PlanExe_l", 0, plan.Prompt.Name)
	w.want(w.do("GET", "/runs/PlanExe_l/log", ""), 200, "")
	var lines []string
	for i := range 3000 {
		lines = append(lines, "line "+strconv.Itoa(i)+" with sk-or-secret-of-the-service")
	}
	if err := os.WriteFile(filepath.Join(w.base, "PlanExe_l", "log.txt"), []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for ask, want := range map[int]int{0: 200, 1: 1, 2000: 2000} {
		got, err := w.c.Log(t.Context(), "PlanExe_l", ask)
		if err != nil || strings.Count(got, "\n") != want || !strings.HasSuffix(got, "line 2999 with [REDACTED]\n") {
			t.Errorf("%d lines asked, %d told, %v", ask, strings.Count(got, "\n"), err)
		}
	}
	for _, bad := range []string{"0", "2001", "x", "-1"} {
		w.want(w.do("GET", "/runs/PlanExe_l/log?lines="+bad, ""), 400, `{"detail":"lines: …`)
	}
	w.want(w.do("GET", "/runs/none/log", ""), 404, "")
}

// History is paged, searched and filtered; a page goes on where it was although runs come and go.
func TestList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoOnly, nil)
	for i := range 5 {
		d, err := rundir.Create(filepath.Join(w.base, "PlanExe_2026010"+strconv.Itoa(i+1)+"_101010"))
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Begin(d, "Plan "+strconv.Itoa(i+1)+" for a Bäckerei", time.Date(2026, 1, i+1, 10, 10, 10, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
		d.Close()
	}
	w.stop(t)
	w.start(t) // it looks at the directory anew
	var got []string
	q := api.ListQuery{Limit: 2}
	for page := 0; ; page++ {
		list, err := w.c.Runs(t.Context(), q)
		if err != nil || list.Total != 5 && page == 0 {
			t.Fatalf("%+v, %v", list, err)
		}
		for _, r := range list.Runs {
			got = append(got, strings.Fields(r.Title)[1])
		}
		if page == 0 { // the last run of the page is deleted before the next one is asked for
			if err := w.c.Delete(t.Context(), list.Runs[1].RunID); err != nil {
				t.Fatal(err)
			}
		}
		if q.Cursor = list.NextCursor; q.Cursor == "" {
			break
		}
	}
	if strings.Join(got, " ") != "5 4 3 2 1" {
		t.Errorf("%v", got)
	}
	if list, err := w.c.Runs(t.Context(), api.ListQuery{Text: "plan 2 FOR A BÄCK", States: []api.State{api.Interrupted, api.Failed}}); err != nil || len(list.Runs) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	for _, bad := range []string{"limit=0", "limit=201", "limit=x", "cursor=nonsense", "cursor=2026-01-01T00:00:00Z,../x", "state=odd"} {
		w.want(w.do(http.MethodGet, "/runs?"+bad, ""), 400, `{"detail":…`)
	}
}
