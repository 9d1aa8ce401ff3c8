package multi

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"planexe/internal/event"
	"planexe/internal/pgembed"
	"planexe/internal/pgtest"
)

// pgTool returns a program of the Postgres that the tests use, or skips the test.
func pgTool(t *testing.T, name string) string {
	t.Helper()
	dir, err := pgembed.Find()
	if err != nil {
		t.Skipf("skipped: needs Postgres: %v", err)
	}
	path, err := exec.LookPath(filepath.Join(dir, name))
	if err != nil {
		t.Skipf("skipped: %s is not beside postgres in %s: install the client programs of Postgres", name, dir)
	}
	return path
}

func (w *world) command(name string, args ...string) {
	w.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		w.t.Fatalf("%s: %v: %s", filepath.Base(name), err, out)
	}
}

// Ensure a backup as docs/multi-user.md describes it holds everything: in an empty database elsewhere people sign in with their
// passwords and read and download their plans, and a plan that was under way is completed without asking an answered question again.
func TestBackup(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: makes two plans")
	}
	dump, restore := pgTool(t, "pg_dump"), pgTool(t, "pg_restore")
	w := newWorld(t, nil)
	ada := w.as("ada")
	start := func(prompt string) string {
		got := ada.post("/runs", "prompt", prompt, "model", "auto", "speed", "fast_but_skip_details")
		ada.to(got, "/runs/.*")
		return strings.TrimPrefix(got.Header().Get("Location"), "/runs/")
	}
	done := start("Open a small bakery in Lyon")
	end := w.work(0)
	w.until("the first plan", "select state = 'completed' from task_item where id = $1", done)
	end()
	half := start("Repair the bridge over the brook")
	end = w.work(50)
	w.until("the middle of the second plan", "select coalesce(progress_percentage, 0) >= 20 from task_item where id = $1", half)
	end()
	if n := w.count("select count(*) from task_item where id = $1 and state = 'pending'", half); n != 1 {
		t.Fatal("the second plan is not under way")
	}
	before := w.counts()
	report := ada.page("/runs/" + done + "/report.html")

	file := filepath.Join(t.TempDir(), "planexe.dump")
	w.command(dump, "-Fc", "--file", file, "--dbname", w.dsn)
	empty := pgtest.Empty(t)
	w.command(restore, "--no-owner", "--exit-on-error", "--dbname", empty, file)

	r := worldOn(t, empty, nil)
	for table, n := range before {
		if got := r.counts()[table]; got < n { // signing in and opening add rows
			t.Errorf("%s has %d rows of %d", table, got, n)
		}
	}
	ada = r.as("ada")
	if got := ada.page("/runs/" + done + "/report.html"); got != report {
		t.Error("the report is another one")
	}
	for _, path := range []string{"/runs", "/runs/" + done, "/runs/" + done + "?tab=files"} {
		if page := ada.page(path); !strings.Contains(page, "akery") {
			t.Errorf("%s does not tell of the plan", path)
		}
	}
	if zip := ada.get("/runs/" + done + "/zip"); zip.Code != http.StatusOK || !strings.HasPrefix(zip.Body.String(), "PK") {
		t.Errorf("the zip: %d", zip.Code)
	}
	if page := r.as("root").page("/admin/eventitem/"); !strings.Contains(page, "Signed in") {
		t.Error("the events are gone")
	}
	r.work(0)
	r.until("the rest of the second plan", "select state = 'completed' from task_item where id = $1", half)
	answers := map[string]int{}
	r.ok(r.app.queue.Log(t.Context(), r.id("select $1::uuid", half), 0, func(e event.Event) {
		if a, ok := e.Data.(event.CallAnswered); ok {
			answers[a.Key]++
		}
	}))
	for key, n := range answers {
		if n > 1 {
			t.Errorf("call %s was answered %d times", key, n)
		}
	}
}

// counts are the rows of each table.
func (w *world) counts() map[string]int {
	w.t.Helper()
	out := map[string]int{}
	for _, table := range []string{"task_item", "events", "nonces", "task_artifact", "task_log", "app_user"} {
		out[table] = w.count("select count(*) from " + table)
	}
	return out
}
