package queue_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"planexe/internal/store"
)

// finished is how many ended tasks the tests of query plans have: PLANEXE_TEST_ROWS, which the
// figures in docs/reliability.md were made with, or enough for the planner to think the same.
func finished(t testing.TB) int {
	if n, err := strconv.Atoi(os.Getenv("PLANEXE_TEST_ROWS")); err == nil {
		return n
	}
	return 50_000
}

const fill = `insert into task_item (timestamp_created, state, prompt, user_id, progress_percentage, finished_at)
	select now() - n * interval '1 s', 'completed', 'Plan ' || n, 'user' || mod(n, 1000), 100, now() from generate_series(1, %d) n`

// F34: Ensure that what workers ask all the time goes by the indexes that are meant for it, however
// many tasks have ended.
func TestF34Plans(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped: slow")
	}
	b := setup(t)
	b.slowly(fmt.Sprintf(fill, finished(t)))
	b.exec("insert into task_item (state, prompt, user_id) select 'pending', 'x', 'u' || n % 10 from generate_series(1, 2000) n")
	b.exec("update task_item set state = 'processing', worker_id = 'w' || (random() * 5)::int, attempt = 1, lease_expires_at = now() where id in (select id from task_item where state = 'pending' limit 50)")
	b.slowly("vacuum analyze task_item")
	for _, c := range []struct{ indexes, sql string }{ // where there are several, the planner may choose
		{"task_item_claim_idx", `select id from task_item where state = 'pending' and stop_requested is not true and (not_before is null or not_before <= now())
			order by priority desc, fair_tag, timestamp_created, id limit 4 for update skip locked`},
		{"task_item_claim_idx", "select min(fair_tag) from task_item where state = 'pending' and priority = 0"},
		{"task_item_user_queue_idx", "select max(fair_tag) + 1 from task_item where state = 'pending' and user_id = 'u1'"},
		{"task_item_processing_idx", "select id, attempt from task_item where state = 'processing' and worker_id = 'w1'"},
		{"task_item_processing_idx", "select id from task_item where state = 'processing' and (lease_expires_at is null or lease_expires_at <= now()) order by id limit 100 for update skip locked"},
		{"task_item_pkey", "update task_item t set lease_expires_at = now() from (select unnest(array['" + uuid.NewString() + "']::uuid[]) as id, unnest(array[1]) as attempt) m where t.id = m.id and t.attempt = m.attempt and t.state = 'processing'"},
		{"task_item_created_idx", "select id, state from task_ended order by timestamp_created desc nulls last, id desc limit 50"},
		{"task_item_live_idx", "select id, state from task_live order by timestamp_created desc nulls last, id desc limit 50"},
		{"task_item_state_created_idx|task_item_created_idx", "select id from task_ended where state = 'completed' order by timestamp_created desc nulls last, id desc limit 50"},
		{"task_item_claim_idx|task_item_live_idx|task_item_user_queue_idx", "select id from task_live where state = 'pending' order by timestamp_created desc nulls last, id desc limit 50"},
		{"task_item_user_created_idx|task_item_user_id_idx", "select id from task_ended where user_id = 'user7' order by timestamp_created desc nulls last, id desc limit 50"},
		{"task_item_percentage_idx", "select id from task_ended order by progress_percentage desc nulls last, id desc limit 50"},
		{"task_item_prompt_fts_idx", "select id from task_ended where to_tsvector('simple', left(prompt, 4000)) @@ plainto_tsquery('simple', '4711')"},
	} {
		rows, err := b.pool.Query(t.Context(), "explain "+c.sql)
		if err != nil {
			t.Fatalf("%s: %v", c.sql, err)
		}
		var lines []string
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line)
		}
		plan := strings.Join(lines, "\n")
		used := slices.ContainsFunc(strings.Split(c.indexes, "|"), func(name string) bool { return strings.Contains(plan, name) })
		if !used || strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s\ndoes not use %s:\n%s", c.sql, c.indexes, plan)
		}
	}
}

// Ensure that renewals and progress, which are written all the time, touch no index.
func TestRenewalAndProgressAreHOT(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.claimed()
	tx, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	in := store.New(tx)
	counts := func() (updates, hot int) {
		if err := tx.QueryRow(t.Context(), "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'task_item'").Scan(&updates, &hot); err != nil {
			t.Fatal(err)
		}
		return updates, hot
	}
	updates, hot := counts() // what this connection did before may be in it
	for i := range 3 {
		rows, err := in.RenewLeases(t.Context(), store.RenewLeasesParams{Lease: time.Minute, WorkerID: b.a.ID, Ids: []uuid.UUID{task.ID}, Attempts: []int32{task.Attempt}})
		if err != nil || len(rows) != 1 {
			t.Fatalf("%d leases renewed, %v", len(rows), err)
		}
		title := fmt.Sprint("Bakery ", i)
		n, err := in.SetProgress(t.Context(), store.SetProgressParams{
			ID: task.ID, Attempt: task.Attempt, Percentage: float64(i + 1), Message: fmt.Sprint(i, " of 3"), StepsTotal: 3, StepsCompleted: int32(i), CurrentStep: title, PlanTitle: &title,
			CostUsd: float64(i), TokensIn: int64(i), TokensOut: int64(i),
		})
		if err != nil || n != 1 {
			t.Fatalf("%d rows with progress, %v", n, err)
		}
	}
	if u, h := counts(); u-updates != 6 || h-hot != 6 {
		t.Errorf("%d of %d updates touched no index", h-hot, u-updates)
	}
}
