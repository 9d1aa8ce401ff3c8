package multi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"planexe/internal/queue"
	"planexe/internal/store"
	"planexe/internal/web/kit"
)

// dashView is the overview of administrators.
type dashView struct {
	depth    store.CountTasksRow
	today    map[string]int64 // plans that ended in a day, by state
	workers  []store.WorkerListRow
	days     []store.DaysRow
	failures []store.FailuresTodayRow
	outbox   []store.OutboxCountsRow
}

func (a *app) loadDash(ctx context.Context) (v dashView, err error) {
	v.today = map[string]int64{}
	if v.depth, err = a.queue.Depth(ctx); err != nil {
		return v, err
	}
	counts, err := a.q.EndedToday(ctx)
	if err != nil {
		return v, err
	}
	for _, c := range counts {
		v.today[c.State] = c.Plans
	}
	if v.workers, err = a.q.WorkerList(ctx); err != nil {
		return v, err
	}
	if v.days, err = a.q.Days(ctx); err != nil {
		return v, err
	}
	if v.failures, err = a.q.FailuresToday(ctx); err != nil {
		return v, err
	}
	v.outbox, err = a.q.OutboxCounts(ctx)
	return v, err
}

func (a *app) dashboard(w http.ResponseWriter, r *http.Request) {
	v, err := a.loadDash(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	f := a.adminPage(w, r, "Overview")
	f.Refresh = 10
	a.render(w, r, http.StatusOK, dashPage(f, v))
}

// dashboardParts keeps the overview up to date.
func (a *app) dashboardParts(w http.ResponseWriter, r *http.Request) {
	a.live(w, r, uuid.Nil, func(ctx context.Context) (kit.Parts, bool, error) {
		v, err := a.loadDash(ctx)
		if err != nil {
			return nil, true, err
		}
		parts := kit.Parts{}
		return parts, true, parts.Piece(ctx, "dash", dashBody(v))
	})
}

// The ages from which a worker counts as silent, and as lost, in seconds.
const (
	staleAfter = 45
	lostAfter  = 180
)

// workerState is how a worker is, in a word.
func workerState(w store.WorkerListRow) (string, kit.Tone) {
	switch {
	case w.Status == "stopped":
		return "stopped", kit.Plain
	case w.Age > lostAfter:
		return "lost", kit.Poor
	case w.Age > staleAfter:
		return "silent", kit.Fair
	case w.Status == "blocked":
		return "blocked", kit.Poor
	case w.Status == "draining":
		return "going down", kit.Fair
	}
	return "ok", kit.Good
}

func lost(w store.WorkerListRow) bool { return w.Age > lostAfter }

// bar is a day in the chart.
type bar struct {
	x, y, width, height int
	yOther, otherHeight int
	words               string
}

// Sizes of the chart, in its own units.
const (
	chartWidth  = 720
	chartHeight = 150
	chartDays   = 30
)

// chart draws a figure per day of the last thirty: one bar on the other.
func chart(rows []store.DaysRow, now time.Time, low, high func(store.DaysRow) float64, words func(store.DaysRow) string) (bars []bar, top float64) {
	byDay := map[string]store.DaysRow{}
	for _, d := range rows {
		byDay[d.Day] = d
		top = max(top, low(d)+high(d))
	}
	const step = chartWidth / chartDays
	for i := range chartDays {
		day := now.UTC().AddDate(0, 0, i-chartDays+1)
		d := byDay[day.Format(time.DateOnly)]
		b := bar{x: i*step + 3, width: step - 6, words: day.Format("2 Jan") + ": " + words(d)}
		if top > 0 {
			b.height = int(low(d) / top * (chartHeight - 10))
			b.otherHeight = int(high(d) / top * (chartHeight - 10))
			if low(d) > 0 {
				b.height = max(2, b.height)
			}
			if high(d) > 0 {
				b.otherHeight = max(2, b.otherHeight)
			}
		}
		b.y = chartHeight - b.height
		b.yOther = b.y - b.otherHeight
		bars = append(bars, b)
	}
	return bars, top
}

// tell writes an event about something an administrator did.
func (a *app) tell(ctx context.Context, message string, task *uuid.UUID, about map[string]any) {
	data, err := json.Marshal(about)
	if err == nil {
		err = a.q.InsertEvent(ctx, store.InsertEventParams{EventType: store.EventtypeGENERICEVENT, Message: message, Context: data, TaskID: task, Actor: by(ctx).Actor})
	}
	if err != nil {
		a.Log.Error("an event could not be written", "message", message, "error", err)
	}
}

func (a *app) listWorkers(w http.ResponseWriter, r *http.Request) {
	rows, err := a.q.WorkerList(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	f := a.adminPage(w, r, "Workers")
	f.Refresh = 10
	a.render(w, r, http.StatusOK, workersPage(f, rows))
}

// doWorker takes the plans of a lost worker from it, or removes its row.
func (a *app) doWorker(w http.ResponseWriter, r *http.Request) {
	ctx, id := r.Context(), r.PostFormValue("id")
	switch r.PostFormValue("what") {
	case "free":
		ids, err := a.q.WorkerTasks(ctx, &id)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		n := 0
		for _, task := range ids {
			err := a.queue.Free(ctx, task, by(ctx))
			var refused *queue.RefusedError
			if err != nil && !errors.As(err, &refused) && !errors.Is(err, queue.ErrNotFound) {
				a.fail(w, r, err)
				return
			}
			if err == nil {
				n++
			}
		}
		a.back(w, r, "/admin/workeritem/", kit.Good, fmt.Sprintf("%d plans were taken from %s; other workers go on with them.", n, id))
	case "remove":
		n, err := a.q.DeleteWorker(ctx, store.DeleteWorkerParams{ID: id, SilentSeconds: lostAfter})
		switch {
		case err != nil:
			a.fail(w, r, err)
		case n == 0:
			a.back(w, r, "/admin/workeritem/", kit.Fair, "It is not lost, or it has plans: nothing was done.")
		default:
			a.tell(ctx, "Worker removed", nil, map[string]any{"worker_id": id})
			a.back(w, r, "/admin/workeritem/", kit.Good, "The worker is removed from the list.")
		}
	default:
		a.notFound(w, r)
	}
}

var eventColumns = []column{{text: "Time", sort: "time"}, {text: "Type"}, {text: "Message"}, {text: "Plan"}, {text: "By"}}

var eventFilters = []filter{
	{name: "type", label: "Type", kind: "select", options: eventOptions, add: among(eventOptions, func(v string) string { return "event_type = '" + v + "'" })},
	{name: "task", label: "Plan", kind: "search", hint: "Its id", add: func(where func(string, ...any), v string) bool {
		id, err := uuid.Parse(v)
		if err == nil {
			where("task_id = ?", id)
		}
		return err == nil
	}},
	{name: "actor", label: "By", kind: "text", hint: "user:ada, system", add: equal("actor")},
	{name: "from", label: "From", kind: "date", add: date("timestamp >= ?")},
	{name: "to", label: "To", kind: "date", add: date("timestamp < ? + interval '1 day'")},
}

func (a *app) listEvents(w http.ResponseWriter, r *http.Request) {
	q := events.query()
	order := "time"
	if v := r.URL.Query(); v.Get("task") != "" || v.Get("actor") != "" { // their indexes go by the number
		order = "id"
	}
	l := listed(r, "Events", order, q, eventColumns, eventFilters)
	l.about = "Whatever happens to plans, accounts and workers is noted here."
	rows, err := show(a, r, q, &l)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.render(w, r, http.StatusOK, eventsPage(a.adminPage(w, r, "Events"), l, rows))
}

var nonceColumns = []column{{text: "Nonce"}, {text: "Created", sort: "created"}, {text: "Last used", sort: "accessed"}, {text: "Uses", sort: "count", class: "number"}, {text: "From"}}

var nonceFilters = []filter{
	{name: "search", label: "Search", kind: "search", hint: "How it begins", looks: true, add: func(where func(string, ...any), v string) bool {
		where("nonce_key like ?", likePrefix(v))
		return true
	}},
	{name: "uses", label: "Uses", kind: "select", options: []option{{"many", "More than once"}}, add: func(where func(string, ...any), v string) bool {
		where("request_count > 1")
		return v == "many"
	}},
}

func (a *app) listNonces(w http.ResponseWriter, r *http.Request) {
	q := nonces.query()
	l := listed(r, "Nonces", "created", q, nonceColumns, nonceFilters)
	l.about = "Each form and each request of a partner that has made a plan leaves its nonce here, so that it makes no second one."
	rows, err := show(a, r, q, &l)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.render(w, r, http.StatusOK, noncesPage(a.adminPage(w, r, "Nonces"), l, rows))
}

// purgeNonces removes nonces that are older than any could be used again.
func (a *app) purgeNonces(w http.ResponseWriter, r *http.Request) {
	sum := int64(0)
	for {
		n, err := a.q.PurgeNonces(r.Context(), 30*24*time.Hour)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		if sum += n; n == 0 {
			break
		}
	}
	a.tell(r.Context(), "Nonces purged", nil, map[string]any{"count": sum})
	a.back(w, r, "/admin/nonceitem/", kit.Good, fmt.Sprintf("%d nonces older than 30 days are removed.", sum))
}

// pairs are the entries of a context for people.
func pairs(context []byte) [][2]string {
	var m map[string]any
	if json.Unmarshal(context, &m) != nil {
		return nil
	}
	var out [][2]string
	for _, k := range sortedKeys(m) {
		v := m[k]
		text, ok := v.(string)
		if !ok {
			data, _ := json.Marshal(v) // it was JSON before
			text = string(data)
		}
		if text != "" && text != "null" {
			out = append(out, [2]string{strings.ReplaceAll(k, "_", " "), clip(text, 300)})
		}
	}
	return out
}
