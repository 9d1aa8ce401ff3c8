package multi

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"planexe/internal/queue"
	"planexe/internal/web/kit"
)

var taskColumns = []column{
	{text: "Plan"}, {text: "Created", sort: "created"}, {text: "State", sort: "state"}, {text: "Progress", sort: "percentage"}, {text: "User", sort: "user"},
	{text: "Worker"}, {text: "Cost", class: "number"}, {text: "Files"},
}

var taskFilters = []filter{
	{name: "search", label: "Search", kind: "search", hint: "Words, user or id", looks: true, add: func(where func(string, ...any), v string) bool {
		if from, to, ok := idRange(v); ok {
			where("id between ? and ?", from, to)
			return true
		}
		where("to_tsvector('simple', left(prompt, 4000)) @@ plainto_tsquery('simple', ?)", v)
		where("user_id like ?", likePrefix(v))
		return true
	}},
	{name: "state", label: "State", kind: "select", options: stateOptions, add: among(stateOptions, func(v string) string {
		if v == "unknown" {
			return "state is null"
		}
		return "state = '" + v + "'"
	})},
	{name: "user", label: "User", kind: "text", add: equal("user_id")},
	{name: "account", label: "Account", kind: "hidden", add: func(where func(string, ...any), v string) bool {
		id, err := uuid.Parse(v)
		if err == nil {
			where("account_id = ?", id)
		}
		return err == nil
	}},
	{name: "worker", label: "Worker", kind: "text", add: func(where func(string, ...any), v string) bool {
		where("state = 'processing' and worker_id = ?", v)
		return true
	}},
	{name: "reason", label: "Reason", kind: "select", options: reasonOptions, add: among(reasonOptions, func(v string) string { return "failure_reason = '" + v + "'" })},
	{name: "origin", label: "Origin", kind: "select", options: originOptions, add: among(originOptions, func(v string) string {
		if v == "none" {
			return "origin is null"
		}
		return "origin = '" + v + "'"
	})},
	{name: "from", label: "From", kind: "date", add: date("timestamp_created >= ?")},
	{name: "to", label: "To", kind: "date", add: date("timestamp_created < ? + interval '1 day'")},
}

// tasksView is the list of all plans.
type tasksView struct {
	listing
	rows []taskRow
	csv  string
}

func (v tasksView) ids() string {
	var ids []string
	for _, row := range v.rows {
		ids = append(ids, row.ID.String())
	}
	return strings.Join(ids, ",")
}

func (a *app) listTasks(w http.ResponseWriter, r *http.Request) {
	q := tasks.query()
	v := tasksView{listing: listed(r, "Plans", "created", q, taskColumns, taskFilters)}
	v.about = "Everything that anybody asks for appears here."
	var err error
	if v.rows, err = show(a, r, q, &v.listing); err != nil {
		a.fail(w, r, err)
		return
	}
	v.csv = strings.Replace(v.address(), "/admin/taskitem/", "/admin/taskitem/csv", 1)
	a.render(w, r, http.StatusOK, tasksPage(a.adminPage(w, r, "Plans"), v))
}

// live streams what moves on a page of administrators, or with a path that ends with parts tells it once. build returns the parts, and
// whether more will come.
func (a *app) live(w http.ResponseWriter, r *http.Request, task uuid.UUID, build func(context.Context) (kit.Parts, bool, error)) {
	ctx := r.Context()
	if !strings.HasSuffix(r.URL.Path, "/live") {
		parts, _, err := build(ctx)
		if err == nil {
			err = kit.WriteParts(w, parts)
		}
		if err != nil && ctx.Err() == nil {
			a.Log.Warn("parts of a page could not be sent", "path", r.URL.Path, "error", err)
			http.Error(w, "not at the moment", http.StatusServiceUnavailable)
		}
		return
	}
	woken, leave := a.hub.join(task)
	defer leave()
	stream := kit.NewStream(w)
	for {
		parts, more, err := build(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			a.Log.Warn("a live page could not be brought up to date", "path", r.URL.Path, "error", err)
		} else if stream.Send(parts) != nil {
			return
		}
		if stream.Beat() != nil {
			return
		}
		if err == nil && !more {
			_ = stream.End()
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(beat):
		case <-woken:
			select { // what comes together is shown together
			case <-ctx.Done():
				return
			case <-time.After(settle):
			}
		}
	}
}

const (
	beat   = 4 * time.Second
	settle = time.Second
)

// mostIDs is how many rows a page may follow or change at once.
const mostIDs = 100

func parseIDs(texts ...string) ([]uuid.UUID, bool) {
	var ids []uuid.UUID
	for _, t := range texts {
		for part := range strings.SplitSeq(t, ",") {
			id, err := uuid.Parse(part)
			if err != nil || len(ids) == mostIDs {
				return nil, false
			}
			ids = append(ids, id)
		}
	}
	return ids, len(ids) > 0
}

// liveTasks keeps the moving columns of the list up to date. Rows stay where they are; new ones are announced.
func (a *app) liveTasks(w http.ResponseWriter, r *http.Request) {
	ids, ok := parseIDs(r.URL.Query().Get("ids"))
	since, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get("since"))
	if !ok || err != nil {
		a.notFound(w, r)
		return
	}
	a.live(w, r, uuid.Nil, func(ctx context.Context) (kit.Parts, bool, error) {
		q := tasks.query()
		q.where("id = any(?)", ids)
		page, err := q.page(ctx, a.Pool, request{sort: "id", size: mostIDs})
		if err != nil {
			return nil, true, err
		}
		fresh := tasks.query()
		fresh.where("timestamp_created > ?", since)
		n, err := fresh.count(ctx, a.Pool, mostIDs)
		if err != nil {
			return nil, true, err
		}
		parts := kit.Parts{}
		errs := []error{parts.Piece(ctx, "fresh", freshNotice(n))}
		for _, t := range page.rows {
			id := t.ID.String()
			errs = append(errs, parts.Piece(ctx, "state-"+id, taskState(t)), parts.Piece(ctx, "progress-"+id, taskProgress(t)), parts.Piece(ctx, "worker-"+id, taskWorker(t)))
		}
		return parts, true, errors.Join(errs...)
	})
}

// mostCSV is how many rows a table for other programs has at most.
const mostCSV = 100_000

// tasksCSV streams the filtered list as a table.
func (a *app) tasksCSV(w http.ResponseWriter, r *http.Request) {
	q := tasks.query()
	l := listed(r, "", "created", q, taskColumns, taskFilters)
	if err := q.look(r.Context(), a.Pool); err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="plans.csv"`)
	out := csv.NewWriter(w)
	_ = out.Write([]string{"id", "created", "state", "reason", "percentage", "message", "user", "origin", "worker", "attempt", "finished", "cost_usd", "tokens_in", "tokens_out", "title"})
	ask := request{sort: l.sort, desc: l.desc, size: 1000}
	for range mostCSV / ask.size {
		page, err := q.page(r.Context(), a.Pool, ask)
		if err != nil {
			if r.Context().Err() == nil {
				a.Log.Warn("a table broke off", "error", err)
			}
			panic(http.ErrAbortHandler) // so that nobody takes it for whole
		}
		for _, t := range page.rows {
			s := t.summary()
			_ = out.Write(cells(t.ID.String(), stampText(t.TimestampCreated), stateName(t.State), text(t.FailureReason), fmt.Sprintf("%.2f", t.ProgressPercentage), text(t.ProgressMessage),
				text(t.UserID), text(t.Origin), text(t.WorkerID), strconv.Itoa(int(t.Attempt)), stampText(t.FinishedAt), fmt.Sprintf("%.6f", t.CostUsd),
				strconv.FormatInt(t.TokensIn, 10), strconv.FormatInt(t.TokensOut, 10), s.Title))
		}
		out.Flush()
		if page.after == "" || out.Error() != nil {
			return
		}
		ask.after = page.after
	}
}

func stampText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// cells makes texts harmless for programs that take some for formulas.
func cells(texts ...string) []string {
	for i, t := range texts {
		if t != "" && strings.ContainsRune("=+-@\t\r", rune(t[0])) {
			texts[i] = "'" + t
		}
	}
	return texts
}

// bulkActions are what can be done to many plans at once.
var bulkActions = map[string]string{"stop": "Stop", "retry": "Retry", "delete": "Delete"}

// bulkView is the question before something is done to many plans.
type bulkView struct {
	what, word string
	rows       []taskRow
}

func (a *app) askBulk(w http.ResponseWriter, r *http.Request) {
	what := r.PostFormValue("what")
	ids, ok := parseIDs(r.PostForm["id"]...)
	if bulkActions[what] == "" || !ok {
		a.back(w, r, "/admin/taskitem/", kit.Fair, "Choose up to 100 plans first.")
		return
	}
	q := tasks.query()
	q.where("id = any(?)", ids)
	page, err := q.page(r.Context(), a.Pool, request{sort: "created", desc: true, size: mostIDs})
	if err != nil {
		a.fail(w, r, err)
		return
	}
	word := bulkActions[what]
	a.render(w, r, http.StatusOK, bulkPage(a.adminPage(w, r, word+" plans"), bulkView{what, word, page.rows}))
}

func (a *app) doBulk(w http.ResponseWriter, r *http.Request) {
	what := r.PostFormValue("what")
	ids, ok := parseIDs(r.PostForm["id"]...)
	if bulkActions[what] == "" || !ok {
		a.notFound(w, r)
		return
	}
	done, refused := 0, 0
	for _, id := range ids {
		err := a.act(r.Context(), what, id, "")
		var no *queue.RefusedError
		switch {
		case err == nil:
			done++
		case errors.As(err, &no), errors.Is(err, queue.ErrNotFound), errors.Is(err, queue.ErrStopRequested):
			refused++
		default:
			a.fail(w, r, err)
			return
		}
	}
	message := fmt.Sprintf("%s: %d done.", bulkActions[what], done)
	tone := kit.Good
	if refused > 0 {
		message += fmt.Sprintf(" %d were left alone, because their state does not allow it.", refused)
		tone = kit.Fair
	}
	a.back(w, r, "/admin/taskitem/", tone, message)
}

// act does something to a task.
func (a *app) act(ctx context.Context, what string, id uuid.UUID, reason string) error {
	b := by(ctx)
	switch what {
	case "stop":
		return a.queue.Stop(ctx, id, b)
	case "retry":
		return a.queue.Retry(ctx, id, b, false)
	case "anew":
		return a.queue.Retry(ctx, id, b, true)
	case "free":
		return a.queue.Free(ctx, id, b)
	case "fail":
		return a.queue.MarkFailed(ctx, id, b, reason)
	case "delete":
		return a.queue.Delete(ctx, id, b)
	}
	return fmt.Errorf("unknown action %q", what)
}
