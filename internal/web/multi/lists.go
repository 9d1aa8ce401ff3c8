package multi

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"planexe/internal/api"
	"planexe/internal/store"
)

// taskRow is a task in a list: the prompt's beginning, and no body.
type taskRow struct {
	store.OwnTaskRow
	unmeasured bool // the percentage is NULL
}

func (t taskRow) summary() api.RunSummary { return summary(t.OwnTaskRow) }

// tasks is the list of all tasks.
var tasks = &list[taskRow]{
	from: "task_item", parts: []string{"task_live", "task_ended"},
	columns: `id, timestamp_created, state, left(prompt, 600), coalesce(progress_percentage, 0)::float8, progress_message, user_id, parameters, account_id, origin,
attempt, generation, worker_id, claimed_at, finished_at, failure_reason, error_message, recoverable, plan_title, coalesce(cost_usd, 0)::float8, coalesce(tokens_in, 0),
coalesce(tokens_out, 0), coalesce(stop_requested, false), generated_report_html is not null, coalesce(octet_length(generated_report_html), 0)::bigint,
coalesce(octet_length(run_zip_snapshot), 0)::bigint, progress_percentage is null`,
	id: sorting{column: "id", kind: "uuid"},
	sorts: map[string]sorting{
		"created": {"timestamp_created", "timestamp", true}, "id": {column: "id", kind: "uuid"}, "state": {"state", "taskstate", true},
		"user": {"user_id", "varchar", true}, "percentage": {"progress_percentage", "numeric", true},
	},
	scan: func(r pgx.Rows) (t taskRow, err error) {
		err = r.Scan(&t.ID, &t.TimestampCreated, &t.State, &t.Prompt, &t.ProgressPercentage, &t.ProgressMessage, &t.UserID, &t.Parameters, &t.AccountID, &t.Origin,
			&t.Attempt, &t.Generation, &t.WorkerID, &t.ClaimedAt, &t.FinishedAt, &t.FailureReason, &t.ErrorMessage, &t.Recoverable, &t.PlanTitle, &t.CostUsd, &t.TokensIn,
			&t.TokensOut, &t.Stopping, &t.HasReport, &t.ReportBytes, &t.ZipBytes, &t.unmeasured)
		return t, err
	},
	keys: func(t taskRow, sort string) (*string, string) {
		id := t.ID.String()
		switch sort {
		case "created":
			return stampKey(t.TimestampCreated), id
		case "state":
			if t.State == nil {
				return nil, id
			}
			s := string(*t.State)
			return &s, id
		case "user":
			return t.UserID, id
		case "percentage":
			if t.unmeasured {
				return nil, id
			}
			s := fmt.Sprintf("%.2f", t.ProgressPercentage)
			return &s, id
		}
		return &id, id
	},
}

func stampKey(t *time.Time) *string {
	if t == nil {
		return nil
	}
	s := t.UTC().Format("2006-01-02 15:04:05.999999")
	return &s
}

// eventRow is an event in a list.
type eventRow struct {
	ID      int32
	Time    time.Time
	Type    string
	Message string
	Context []byte
	Task    *uuid.UUID
	Actor   *string
}

var events = &list[eventRow]{
	from: "events", columns: "id, timestamp, event_type::text, message, context, task_id, actor",
	id:    sorting{column: "id", kind: "integer"},
	sorts: map[string]sorting{"time": {column: "timestamp", kind: "timestamp"}, "id": {column: "id", kind: "integer"}},
	scan: func(r pgx.Rows) (e eventRow, err error) {
		err = r.Scan(&e.ID, &e.Time, &e.Type, &e.Message, &e.Context, &e.Task, &e.Actor)
		return e, err
	},
	keys: func(e eventRow, sort string) (*string, string) {
		id := fmt.Sprint(e.ID)
		if sort == "id" {
			return &id, id
		}
		return stampKey(&e.Time), id
	},
}

// nonceRow is a nonce in a list.
type nonceRow struct {
	ID       int32
	Key      string
	Created  time.Time
	Accessed time.Time
	Count    int32
	Context  []byte
}

var nonces = &list[nonceRow]{
	from: "nonces", columns: "id, nonce_key, created_at, last_accessed_at, request_count, context",
	id: sorting{column: "id", kind: "integer"},
	sorts: map[string]sorting{
		"created": {column: "created_at", kind: "timestamp"}, "accessed": {column: "last_accessed_at", kind: "timestamp"}, "count": {column: "request_count", kind: "integer"},
	},
	scan: func(r pgx.Rows) (n nonceRow, err error) {
		err = r.Scan(&n.ID, &n.Key, &n.Created, &n.Accessed, &n.Count, &n.Context)
		return n, err
	},
	keys: func(n nonceRow, sort string) (*string, string) {
		id := fmt.Sprint(n.ID)
		switch sort {
		case "accessed":
			return stampKey(&n.Accessed), id
		case "count":
			s := fmt.Sprint(n.Count)
			return &s, id
		}
		return stampKey(&n.Created), id
	},
}

// userRow is an account in a list: found by its id, read by store.UserRows.
type userRow struct {
	ID      uuid.UUID
	Login   string
	Created time.Time
}

var users = &list[userRow]{
	from: "app_user", columns: "id, login, created_at",
	id:    sorting{column: "id", kind: "uuid"},
	sorts: map[string]sorting{"created": {column: "created_at", kind: "timestamptz"}, "login": {column: "lower(login)", kind: "text"}},
	scan: func(r pgx.Rows) (u userRow, err error) {
		err = r.Scan(&u.ID, &u.Login, &u.Created)
		return u, err
	},
	keys: func(u userRow, sort string) (*string, string) {
		if sort == "login" {
			s := strings.ToLower(u.Login)
			return &s, u.ID.String()
		}
		return stampKey(&u.Created), u.ID.String()
	},
}
