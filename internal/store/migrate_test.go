package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/config"
	"planexe/internal/pgtest"
	"planexe/internal/store"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// january is a database as the reference made it on 2026-01-03, with its demo rows and a task that
// a worker died over.
const january = `
create type taskstate as enum ('pending', 'processing', 'completed', 'failed');
create type eventtype as enum ('GENERIC_ERROR', 'GENERIC_EVENT', 'TASK_PENDING', 'TASK_PROCESSING', 'TASK_FAILED', 'TASK_COMPLETED');
create table task_item (id uuid not null, timestamp_created timestamp, state taskstate, prompt text, progress_percentage numeric(5,2),
  progress_message varchar(128), last_seen_timestamp timestamp, user_id varchar(256), parameters json,
  generated_report_html text, run_zip_snapshot bytea, primary key (id));
create table events (id serial not null, timestamp timestamp not null, event_type eventtype not null, message text not null, context json, primary key (id));
create index ix_events_timestamp on events (timestamp);
create index ix_events_event_type on events (event_type);
create table workers (id varchar(255) not null, started_at timestamp not null, last_heartbeat_at timestamp not null, current_task_id varchar(255), primary key (id));
create index ix_workers_last_heartbeat_at on workers (last_heartbeat_at);
create index ix_workers_current_task_id on workers (current_task_id);
create table nonces (id serial not null, nonce_key varchar(255) not null, created_at timestamp not null, last_accessed_at timestamp not null,
  request_count integer not null, context json, primary key (id));
create unique index ix_nonces_nonce_key on nonces (nonce_key);
create index ix_nonces_created_at on nonces (created_at);
create index ix_nonces_last_accessed_at on nonces (last_accessed_at);
insert into task_item values
  ('00000000-0000-4000-8000-000000000001', '2026-01-01 10:00:00.123456', 'failed', 'Eurovision 2026', 0, 'Awaiting server to start…', '2026-01-01', 'demo_user_1', null, null, null),
  ('00000000-0000-4000-8000-000000000002', '2026-01-01 10:00:01', 'completed', 'Robot Olympics', 100, 'Completed', '2026-01-01', 'demo_user_1', null, '<html>', '\x504b'),
  ('00000000-0000-4000-8000-000000000003', '2026-01-01 10:00:02', 'processing', 'Left by a dead worker', 41.5, '12 of 111', '2026-01-01', 'u', '{"budget": 100000000, "location": "Tokyo"}', null, null),
  ('00000000-0000-4000-8000-000000000004', null, null, null, null, null, null, null, 'null', null, null),
  ('00000000-0000-4000-8000-000000000005', '2026-01-01 10:00:03', 'pending', 'A caf\u00e9', 0, 'Awaiting server to start…', null, 'u', '{"fast": "", "z": 1, "a": 2}', null, null);
insert into events (timestamp, event_type, message, context) values
  ('2026-01-01', 'GENERIC_ERROR', 'DEMO: error', '{"host": "localhost", "port": 5432}'), ('2026-01-01', 'GENERIC_ERROR', 'DEMO: null', 'null'),
  ('2026-01-01', 'GENERIC_EVENT', 'DEMO: event', '{"key":"value"}'), ('2026-01-01', 'TASK_FAILED', 'DEMO: failed', '{"task_id": "1234567890"}'),
  ('2026-01-01', 'TASK_COMPLETED', 'Processing -> Completed', '{"task_id": "00000000-0000-4000-8000-000000000002", "has_report_file": "True"}'),
  ('2026-01-01', 'TASK_PENDING', 'no context', null), ('2026-01-01', 'TASK_PENDING', 'array', '[1]');
insert into workers values ('1', '2026-01-01', '2026-01-01', '00000000-0000-4000-8000-000000000003');
insert into nonces (nonce_key, created_at, last_accessed_at, request_count, context) values ('demo_nonce_12345', '2026-01-01', '2026-01-01', 1, '{"ip": "127.0.0.1"}');
`

// older lacks the two columns that are younger than the table.
const older = january + `alter table task_item drop column generated_report_html, drop column run_zip_snapshot;`

// february has the columns and tables that the reference added later.
const february = january + `
alter table task_item add column stop_requested boolean, add column stop_requested_timestamp timestamp;
create table user_account (id uuid primary key, email varchar(256));
insert into user_account values ('00000000-0000-4000-8000-00000000000a', 'a@example.org');
`

// theirs are the columns of the contract, by table.
var theirs = map[string]string{
	"task_item": "id, timestamp_created, state::text, prompt, progress_percentage, progress_message, last_seen_timestamp, user_id, parameters::text",
	"events":    "id, timestamp, event_type::text, message, context::text",
	"workers":   "id, started_at, last_heartbeat_at, current_task_id",
	"nonces":    "id, nonce_key, created_at, last_accessed_at, request_count, context::text",
}

func rowsOf(t *testing.T, pool *pgxpool.Pool) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for table, columns := range theirs {
		rows, err := pool.Query(t.Context(), fmt.Sprintf("select row(%s)::text from %s order by id", columns, table))
		if err != nil {
			t.Fatal(err)
		}
		if all[table], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func execute(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func connConfig(t *testing.T, dsn string) *pgx.ConnConfig {
	t.Helper()
	c, err := store.Config(store.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	return c.ConnConfig
}

// F2, F32: Ensure that a database of the reference, of any age, is taken over without losing a row, and
// that the way back leaves one on which the reference's statements work.
func TestF2TakeOver(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{"empty": "", "January": january, "without artifact columns": older, "February": february} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Empty(t)
			pool := pgtest.Connect(t, dsn)
			var before map[string][]string
			if sql != "" {
				execute(t, pool, sql)
				before = rowsOf(t, pool)
			}
			for range 2 { // the second time there is nothing to do
				if err := store.Migrate(t.Context(), connConfig(t, dsn)); err != nil {
					t.Fatal(err)
				}
			}
			pool.Reset() // types have changed
			if after := rowsOf(t, pool); before != nil && !cmp.Equal(before, after) {
				t.Errorf("rows have changed:\n%s", cmp.Diff(before, after))
			}
			if sql != "" {
				var linked int
				if err := pool.QueryRow(t.Context(), "select count(*) from events where task_id is not null").Scan(&linked); err != nil || linked != 1 {
					t.Errorf("%d events belong to a task, %v", linked, err)
				}
			}
			insertAsReference(t, pool, "00000000-0000-4000-8000-0000000000aa")
			execute(t, pool, "update task_item set state = 'stopped' where prompt = 'inserted'")
			execute(t, pool, "insert into events (event_type, message) values ('TASK_STOPPED', 'x')")
			var unsorted int // what lists sort of tasks that have ended, before the migration or by any program after it
			if err := pool.QueryRow(t.Context(), "select count(*) from task_item where (state in ('pending', 'processing')) is not true and final_percentage is distinct from progress_percentage").Scan(&unsorted); err != nil || unsorted > 0 {
				t.Errorf("%d ended tasks do not keep their percentage, %v", unsorted, err)
			}
			if name == "February" {
				var n int
				if err := pool.QueryRow(t.Context(), "select count(*) from user_account").Scan(&n); err != nil || n != 1 {
					t.Errorf("user_account has %d rows, %v", n, err)
				}
			}

			if err := store.MigrateDown(t.Context(), connConfig(t, dsn), 0); err != nil {
				t.Fatal(err)
			}
			pool.Reset()
			insertAsReference(t, pool, "00000000-0000-4000-8000-0000000000bb")
			var state string
			if err := pool.QueryRow(t.Context(), "select state::text from task_item where id = '00000000-0000-4000-8000-0000000000aa'").Scan(&state); err != nil || state != "failed" {
				t.Errorf("a stopped task is %s afterwards, %v", state, err)
			}
			execute(t, pool, "select id, timestamp_created, state, prompt, progress_percentage, progress_message, last_seen_timestamp, user_id, parameters, generated_report_html, run_zip_snapshot from task_item where state = 'pending' order by timestamp_created limit 1 for update skip locked")
			if err := store.Migrate(t.Context(), connConfig(t, dsn)); err != nil {
				t.Errorf("up again: %v", err)
			}
		})
	}
}

// insertAsReference writes as the reference does: the old columns, all of them.
func insertAsReference(t *testing.T, pool *pgxpool.Pool, id string) {
	t.Helper()
	execute(t, pool, `insert into task_item (id, timestamp_created, state, prompt, progress_percentage, progress_message, last_seen_timestamp, user_id, parameters, generated_report_html, run_zip_snapshot)
		values ('`+id+`', '2026-01-03', 'pending', 'inserted', 0.0, 'Awaiting server to start…', '2026-01-03', 'u', 'null', null, null)`)
	execute(t, pool, `insert into events (timestamp, event_type, message, context) values ('2026-01-03', 'TASK_PENDING', 'x', '{}')`)
	execute(t, pool, `insert into workers (id, started_at, last_heartbeat_at, current_task_id) values ('w`+id+`', '2026-01-03', '2026-01-03', null)`)
	execute(t, pool, `insert into nonces (nonce_key, created_at, last_accessed_at, request_count, context) values ('n`+id+`', '2026-01-03', '2026-01-03', 1, null)`)
}

// Ensure that a column of another type stops the migration, saying which, and changes nothing.
func TestForeignColumn(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	pool := pgtest.Connect(t, dsn)
	execute(t, pool, january+"alter table task_item alter column user_id type text")
	err := store.Migrate(t.Context(), connConfig(t, dsn))
	if err == nil || !strings.Contains(err.Error(), "task_item.user_id") || !strings.Contains(err.Error(), "character varying(256)") || !strings.Contains(err.Error(), "type text") {
		t.Errorf("%v", err)
	}
}

// F32: Ensure that a database with 100,000 tasks is taken over in seconds.
func TestF32Large(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped: slow")
	}
	dsn := pgtest.Empty(t)
	pool := pgtest.Connect(t, dsn)
	execute(t, pool, january+`
		insert into task_item (id, timestamp_created, state, prompt, progress_percentage, user_id)
		select gen_random_uuid(), now(), 'completed', 'Plan number ' || n, 100, 'user' || n % 100 from generate_series(1, 100000) n;
		insert into events (timestamp, event_type, message, context)
		select now(), 'TASK_COMPLETED', 'x', json_build_object('task_id', id) from task_item where state = 'completed'`)
	if err := store.Migrate(t.Context(), connConfig(t, dsn)); err != nil {
		t.Fatal(err)
	}
	var tasks, linked int
	if err := pool.QueryRow(t.Context(), "select (select count(*) from task_item), (select count(*) from events where task_id is not null)").Scan(&tasks, &linked); err != nil || tasks != 100005 || linked != 100002 {
		t.Errorf("%d tasks, %d events of tasks, %v", tasks, linked, err)
	}
}

// F1, F33: Ensure that services that start at once on an empty database all come up.
func TestF33Together(t *testing.T) {
	t.Parallel()
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	for range rounds {
		dsn := pgtest.Empty(t)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := store.Migrate(context.Background(), connConfig(t, dsn)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

// F21: Ensure that times are UTC in a database whose own zone is another.
func TestF21TimeZone(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	pool := pgtest.Connect(t, dsn)
	execute(t, pool, "do $$ begin execute 'alter database ' || current_database() || ' set timezone to ''America/New_York'''; end $$")
	pool = pgtest.Connect(t, dsn)
	execute(t, pool, "insert into task_item (state, prompt) values ('pending', 'x')")
	var off float64
	err := pool.QueryRow(t.Context(), "select abs(extract(epoch from timestamp_created - (now() at time zone 'utc'))) from task_item").Scan(&off)
	var created time.Time
	if err == nil {
		err = pool.QueryRow(t.Context(), "select timestamp_created from task_item").Scan(&created)
	}
	if err != nil || off > 60 || time.Since(created).Abs() > time.Hour {
		t.Errorf("stored %v s off, read as %v, %v", off, created, err)
	}
}

// F26: Ensure that any password can be used, and that no error shows it.
func TestF26Password(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"a b", "p@ss/w%rd+x:y?#", "ü€'\"\\"} {
		d := config.Database{Host: "db", Port: "5432", Name: "planexe", User: "planexe", Password: config.Secret(password)}
		text, err := d.DSN()
		if err != nil {
			t.Fatal(err)
		}
		if c := connConfig(t, text); c.Password != password || c.Host != "db" || c.Database != "planexe" {
			t.Errorf("%q arrives as %q", password, c.Password)
		}
		d = config.Database{URI: config.Secret("postgresql+psycopg2://planexe:" + strings.ReplaceAll(url.QueryEscape(password), "+", "%20") + "@db:5433/x")}
		if text, err = d.DSN(); err != nil {
			t.Fatal(err)
		}
		if c := connConfig(t, text); c.Password != password || c.Port != 5433 || c.Database != "x" {
			t.Errorf("in an address %q arrives as %q", password, c.Password)
		}
	}
	for _, bad := range []string{"mysql://x:topsecret@h/d", "topsecret", "postgresql://u:top/secret%zz@h/d"} {
		d := config.Database{URI: config.Secret(bad)}
		if _, err := d.DSN(); err == nil || strings.Contains(err.Error(), "secret@") || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// Ensure that a process that is stopped in the middle of a transaction does not keep its rows from others.
func TestStoppedInTransaction(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	open := func(change func(map[string]string)) *pgxpool.Pool {
		c, err := store.Config(store.Options{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		change(c.ConnConfig.RuntimeParams)
		pool, err := pgxpool.NewWithConfig(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		return pool
	}
	other := open(func(map[string]string) {})
	execute(t, other, "insert into task_item (state, prompt) values ('pending', 'x')")
	stopped := open(func(p map[string]string) {
		if p["idle_in_transaction_session_timeout"] != "10s" {
			t.Errorf("a transaction may be idle for %q", p["idle_in_transaction_session_timeout"])
		}
		p["idle_in_transaction_session_timeout"] = "100ms"
	})
	tx, err := stopped.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), "select 1 from task_item for update"); err != nil {
		t.Fatal(err)
	}
	execute(t, other, "update task_item set prompt = 'y'") // waits until the server has given the other up
	if _, err := tx.Exec(t.Context(), "update task_item set prompt = 'z'"); err == nil {
		t.Error("the transaction went on")
	}
}

// Ensure that a service waits for a database that is not up yet, and says so.
func TestOpenWaits(t *testing.T) {
	t.Parallel()
	said := make(chan string, 100)
	log := slog.New(slog.NewTextHandler(writer(func(line string) { said <- line }), nil))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := store.Open(ctx, store.Options{DSN: "postgres://u:topsecret@/d?host=" + t.TempDir(), Log: log})
		ended <- err
	}()
	for line := range said {
		if strings.Contains(line, "topsecret") {
			t.Errorf("the log shows the password: %s", line)
		}
		if strings.Contains(line, "not ready") {
			break
		}
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("opened a database that is not there")
	}
}

type writer func(string)

func (w writer) Write(p []byte) (int, error) { w(string(p)); return len(p), nil }
