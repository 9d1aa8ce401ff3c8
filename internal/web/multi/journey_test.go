package multi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// Ensure a plan's whole way works, from the sign-in to the report, with a real worker.
func TestJourney(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.work(0)
	b := w.as("ada")
	if text := b.page("/"); !strings.Contains(text, "No worker is running") && !strings.Contains(text, "begins at once") {
		t.Error("the form does not tell of the queue")
	}
	form := b.post("/runs", "prompt", "Open a small bakery in Lyon with a budget of 300,000 EUR", "model", "auto", "speed", "fast_but_skip_details", "nonce", "n1")
	b.to(form, "/runs/[0-9a-f-]{36}")
	at := form.Header().Get("Location")
	b.to(b.post("/runs", "prompt", "Open a small bakery in Lyon with a budget of 300,000 EUR", "model", "auto", "nonce", "n1"), at)
	if n := w.count("select count(*) from task_item"); n != 1 {
		t.Errorf("a form sent twice made %d plans", n)
	}
	id := uuid.MustParse(strings.TrimPrefix(at, "/runs/"))
	w.until("the end of the plan", "select state::text not in ('pending', 'processing') from task_item where id = $1", id)
	page := b.page(at)
	for _, want := range []string{"bakery", "Complete", "Open report", "How the plan grows", "Executive summary"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the plan does not say %q", want)
		}
	}
	if strings.Contains(page, "Copy path") || strings.Contains(page, "Ask again…") || strings.Contains(page, "other settings") {
		t.Error("the page offers what it cannot do")
	}
	report := b.get(at + "/report.html")
	if report.Code != http.StatusOK || !strings.Contains(report.Body.String(), "bakery") || !strings.HasPrefix(report.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the report: %d, %q", report.Code, report.Header().Get("Content-Security-Policy"))
	}
	if zip := b.get(at + "/zip"); zip.Code != http.StatusOK || !strings.HasPrefix(zip.Body.String(), "PK") {
		t.Errorf("the zip: %d", zip.Code)
	}
	for _, path := range []string{"/runs", at + "?tab=files", at + "?tab=log", at + "/report", at + "/parts?tab=steps"} {
		if text := b.page(path); !strings.Contains(text, "akery") {
			t.Errorf("%s does not tell of the plan", path)
		}
	}
	b.page("/account")
	b.to(b.post(at+"/delete"), "/runs")
	if n := w.count("select count(*) from task_item"); n != 0 {
		t.Errorf("%d plans after the deletion", n)
	}
}
