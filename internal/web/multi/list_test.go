package multi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Ensure that paging shows every row once in its order, forth and back, in every order, with equal and missing values.
func TestPaging(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.exec(`insert into task_item (id, timestamp_created, state, prompt, user_id, progress_percentage)
		select gen_random_uuid(), case when n % 7 > 0 then now() - (n % 5) * interval '1 hour' end, (array['pending', 'completed', 'failed', null])[1 + n % 4]::taskstate, 'Plan ' || n,
			case when n % 6 > 0 then 'user' || n % 3 end, case when n % 8 > 0 then n % 3 end from generate_series(1, 97) n`)
	for sort := range tasks.sorts {
		for _, desc := range []bool{true, false} {
			for _, where := range []string{"", "state = 'failed'"} {
				q := tasks.query()
				want := 97
				if where != "" {
					q.where(where)
					want = w.count("select count(*) from task_item where " + where)
				}
				var forth, back []string
				r := request{sort: sort, desc: desc, size: 10}
				last := page[taskRow]{}
				for range 20 {
					p, err := q.page(t.Context(), w.pool, r)
					w.ok(err)
					for _, row := range p.rows {
						forth = append(forth, row.ID.String())
					}
					last = p
					if p.after == "" {
						break
					}
					r.after = p.after
				}
				r.after = ""
				for _, row := range slices.Backward(last.rows) {
					back = append(back, row.ID.String())
				}
				for range 20 {
					if last.before == "" {
						break
					}
					r.before = last.before
					var err error
					last, err = q.page(t.Context(), w.pool, r)
					w.ok(err)
					for _, row := range slices.Backward(last.rows) {
						back = append(back, row.ID.String())
					}
				}
				slices.Reverse(back)
				unique := slices.Compact(slices.Sorted(slices.Values(forth)))
				if len(unique) != want || len(forth) != want || !slices.Equal(forth, back) {
					t.Errorf("%s, descending %v, %q: %d rows, %d of them different, of %d; back %d", sort, desc, where, len(forth), len(unique), want, len(back))
				}
			}
		}
	}
}

// Ensure that addresses that nobody understands are told and left out, and never an error page.
func TestListAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.fill()
	b := w.as("root")
	for _, list := range []string{"/admin/taskitem/", "/admin/eventitem/", "/admin/nonceitem/", "/admin/useritem/"} {
		for _, q := range []string{
			"?sort=prompt", "?size=7", "?after=x", "?before=e30", "?page=-1", "?page=99999", "?page=1", "?state=none", "?from=soon", "?unknown=1", "?search=%00", "?search=%FF", "?task=1",
			"?after=eyJ2IjoieCIsImkiOiJ5IiwicyI6ImNyZWF0ZWQifQ", "?after=eyJ2IjoieCIsImkiOiJ5IiwicyI6InRpbWUifQ", "?search=" + strings.Repeat("x", 3000), "?search='%3B+drop+table+task_item", "?role=x", "?account=x", "?search=%25", "?worker='",
		} {
			if got := b.get(list + q); got.Code != http.StatusOK {
				t.Errorf("%s%s: %d", list, q, got.Code)
			}
		}
	}
	if text := b.page("/admin/taskitem/?sort=prompt&state=failed"); !strings.Contains(text, "“sort” in the address is not understood") || !strings.Contains(text, `value="failed" selected`) {
		t.Error("what was left out is not told")
	}
	id := w.id("select id from task_item where state = 'completed' and prompt like 'Plan%'")
	for _, search := range []string{id.String(), id.String()[:8], strings.ToUpper(id.String()[:11]), "boathouse+rowing", "ada"} {
		if text := b.page("/admin/taskitem/?state=completed&search=" + search); !strings.Contains(text, id.String()) {
			t.Errorf("%q does not find the plan", search)
		}
	}
	table := b.get("/admin/taskitem/csv?state=failed")
	if n := strings.Count(table.Body.String(), "\n"); table.Code != http.StatusOK || n < 4 {
		t.Errorf("the table: %d, %d lines", table.Code, n)
	}
}

// Ensure cells that a program could take for formulas are made harmless.
func TestCells(t *testing.T) {
	t.Parallel()
	got := cells("=1+1", "+1", "-1", "@x", "plain", "", "\t=1")
	if want := []string{"'=1+1", "'+1", "'-1", "'@x", "plain", "", "'\t=1"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// Ensure the lists find their pages by indexes, however many rows there are.
func TestPlans(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: fills the tables")
	}
	w := newWorld(t, nil)
	w.large(20_000, 60_000)
	for name, c := range map[string]struct {
		filter func(q *query[taskRow])
		sort   string
	}{
		"newest": {func(*query[taskRow]) {}, "created"}, "by id": {func(*query[taskRow]) {}, "id"}, "by state": {func(*query[taskRow]) {}, "state"}, "by user": {func(*query[taskRow]) {}, "user"},
		"by percentage": {func(*query[taskRow]) {}, "percentage"}, "failed": {func(q *query[taskRow]) { q.where("state = 'failed'") }, "created"},
		"of a user": {func(q *query[taskRow]) { q.where("user_id = ?", "user7") }, "created"}, "of an account": {func(q *query[taskRow]) { q.where("account_id = ?", w.people["ada"].ID) }, "created"},
		"reason": {func(q *query[taskRow]) { q.where("failure_reason = 'budget'") }, "created"}, "origin": {func(q *query[taskRow]) { q.where("origin = 'partner'") }, "created"},
		"words": {func(q *query[taskRow]) {
			q.where("to_tsvector('simple', left(prompt, 4000)) @@ plainto_tsquery('simple', ?)", "word4711")
		}, "created"},
		"since":    {func(q *query[taskRow]) { q.where("timestamp_created >= '2020-01-01'") }, "created"},
		"a worker": {func(q *query[taskRow]) { q.where("state = 'processing' and worker_id = ?", "w") }, "created"},
	} {
		q := tasks.query()
		c.filter(q)
		for _, desc := range []bool{true, false} {
			first, err := q.page(t.Context(), w.pool, request{sort: c.sort, desc: desc, size: 20})
			w.ok(err)
			at, err := parseCursor(first.after, c.sort)
			w.ok(err)
			part := &query[taskRow]{list: q.list, conditions: slices.Clone(q.conditions), args: slices.Clone(q.args)}
			if plan := w.explain(part, tasks.sorts[c.sort], desc, at); strings.Contains(plan, "Seq Scan") || len(q.conditions) == 0 && sortsEnded(plan) {
				t.Errorf("%s, descending %v:\n%s", name, desc, plan)
			}
		}
	}
}

// sortsEnded tells whether a plan sorts anything but the tasks that have not ended.
func sortsEnded(plan string) bool {
	for _, sorted := range strings.Split(plan, "->  Sort")[1:] {
		if !strings.Contains(sorted, "task_item_live_idx") {
			return true
		}
	}
	return strings.HasPrefix(strings.TrimSpace(plan), "Sort") || strings.Contains(plan, "Incremental")
}

// explain returns how Postgres would read a page.
func (w *world) explain(q *query[taskRow], by sorting, desc bool, at *cursor) string {
	w.t.Helper()
	inside := at != nil && at.Value != nil
	sql := q.sql(by, desc, false, inside, at, 21, 0)
	rows, err := w.pool.Query(context.Background(), "explain "+sql, q.args...)
	w.ok(err)
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		w.ok(rows.Scan(&line))
		lines = append(lines, line)
	}
	w.ok(rows.Err())
	return strings.Join(lines, "\n")
}

// large fills the tables with so many tasks and events, some of each kind.
func (w *world) large(tasks, events int) {
	w.t.Helper()
	for from := 1; from <= tasks; from += 20_000 { // a statement has its time limit
		w.exec(`insert into task_item (id, timestamp_created, state, prompt, user_id, account_id, origin, progress_percentage, failure_reason, claimed_at, finished_at, cost_usd, generated_report_html)
			select gen_random_uuid(), now() - n * interval '1 minute', case when n % 10 = 0 then 'failed' else 'completed' end::taskstate, 'Open a bakery in Lyon, plan word' || n || repeat(' and more of it', 20),
				'user' || n % 500, case when n % 50 = 0 then $1::uuid end, case when n % 100 = 0 then 'partner' else 'ui' end, n % 100, case when n % 10 = 0 then (array['partial', 'budget', 'worker_error'])[1 + n / 10 % 3] end,
				now() - n * interval '1 minute', now() - n * interval '50 seconds', 0.1, 'x' from generate_series($2::int, $3::int) n`, w.people["ada"].ID, from, min(tasks, from+19_999))
	}
	for from := 1; from <= events; from += 100_000 {
		w.exec(`insert into events (timestamp, event_type, message, actor, task_id) select now() - n * interval '10 seconds', (array['TASK_PENDING', 'TASK_COMPLETED', 'GENERIC_EVENT'])[1 + n % 3]::eventtype, 'An event', 'user:u' || n % 200, null
			from generate_series($1::int, $2::int) n`, from, min(events, from+99_999))
	}
	w.exec("vacuum analyze task_item")
	w.exec("vacuum analyze events")
}
