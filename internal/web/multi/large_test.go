package multi

import (
	"os"
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
	root, ada := w.as("root"), w.as("ada")
	for _, c := range []struct {
		b    *browser
		path string
	}{
		{root, "/admin/"}, {root, "/admin/taskitem/"}, {root, "/admin/taskitem/?sort=percentage&dir=asc&size=100"}, {root, "/admin/taskitem/?state=failed"}, {root, "/admin/taskitem/?search=word4711"},
		{root, "/admin/taskitem/?search=user7"}, {root, "/admin/taskitem/?search=bakery"}, {root, "/admin/taskitem/?reason=budget"}, {root, "/admin/taskitem/?origin=partner"}, {root, "/admin/taskitem/?page=499"},
		{root, "/admin/taskitem/?from=2020-01-01"}, {root, "/admin/taskitem/?sort=user"}, {root, "/admin/eventitem/"}, {root, "/admin/eventitem/?type=TASK_COMPLETED"}, {root, "/admin/eventitem/?actor=user:u7"},
		{root, "/admin/eventitem/?from=2020-01-01"}, {root, "/admin/workeritem/"}, {root, "/admin/useritem/"}, {root, "/admin/nonceitem/"}, {ada, "/runs"}, {ada, "/runs?q=word50"}, {ada, "/"},
	} {
		c.b.page(c.path)
		began := time.Now()
		c.b.page(c.path)
		t.Logf("%6.1f ms  %s", float64(time.Since(began).Microseconds())/1000, c.path)
	}
}
