package multi

import (
	"os"
	"slices"
	"testing"
	"time"
)

// TestLarge measures the pages of administrators, and those of a person, with 100,000 tasks and 1,000,000 events.
func TestLarge(t *testing.T) {
	if os.Getenv("PLANEXE_LARGE") == "" {
		t.Skip("slow: fills the tables with 100,000 tasks and 1,000,000 events; set PLANEXE_LARGE=1")
	}
	w := newWorld(t, nil)
	w.large(100_000, 1_000_000)
	w.exec(`insert into task_item (state, prompt, user_id, fair_tag, progress_percentage) select case when n % 20 = 0 then 'processing' else 'pending' end::taskstate, 'Open a bakery', 'user' || n % 500, n / 500, n % 100
		from generate_series(1, 2000) n`)
	root, ada := w.as("root"), w.as("ada")
	type page struct {
		b    *browser
		path string
	}
	var pages []page
	for _, path := range []string{
		"/admin/", "/admin/taskitem/?state=failed", "/admin/taskitem/?search=word4711", "/admin/taskitem/?search=user7", "/admin/taskitem/?search=bakery", "/admin/taskitem/?reason=budget",
		"/admin/taskitem/?origin=partner", "/admin/taskitem/?page=499", "/admin/taskitem/?from=2020-01-01", "/admin/eventitem/", "/admin/eventitem/?type=TASK_COMPLETED",
		"/admin/eventitem/?actor=user:u7", "/admin/eventitem/?from=2020-01-01", "/admin/workeritem/", "/admin/useritem/", "/admin/nonceitem/",
	} {
		pages = append(pages, page{root, path})
	}
	for sort := range tasks.sorts {
		pages = append(pages, page{root, "/admin/taskitem/?size=100&sort=" + sort}, page{root, "/admin/taskitem/?size=100&dir=asc&sort=" + sort})
	}
	for _, path := range []string{"/runs", "/runs?q=word50", "/"} {
		pages = append(pages, page{ada, path})
	}
	for _, p := range pages {
		var took []time.Duration
		for range 101 {
			began := time.Now()
			p.b.page(p.path)
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("p50 %5.1f ms, p99 %5.1f ms  %s", took[50].Seconds()*1000, took[99].Seconds()*1000, p.path)
	}
}
