package multi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"planexe/internal/api"
	"planexe/internal/config"
	"planexe/internal/queue"
	"planexe/internal/store"
	"planexe/internal/web/kit"
)

// looked is a task as the old routes may show it: to its owner, to administrators, and a partner's to everybody who knows its id.
type looked struct {
	id        uuid.UUID
	state     string
	percent   float64
	message   string
	problem   string
	hasReport bool
	partner   bool
}

// look reads a task for the old routes; false when there is none for this request.
func (a *app) look(r *http.Request) (looked, bool, error) {
	key, err := uuid.Parse(r.URL.Query().Get("run_id"))
	if err != nil {
		return looked{}, false, nil
	}
	if a.PublicRun != config.RunOff {
		t, err := a.q.PartnerTask(r.Context(), key)
		if err == nil {
			return looked{t.ID, stateName(t.State), t.ProgressPercentage, text(t.ProgressMessage), text(t.ErrorMessage), t.HasReport, true}, true, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return looked{}, false, err
		}
	}
	if sessionOf(r.Context()) == nil {
		return looked{}, false, nil
	}
	t, err := a.desk.task(r.Context(), key.String())
	var e *api.Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		return looked{}, false, nil
	}
	return looked{t.ID, stateName(t.State), t.ProgressPercentage, text(t.ProgressMessage), text(t.ErrorMessage), t.HasReport, false}, true, err
}

func stateName(s *store.TaskState) string {
	if s == nil {
		return "unknown-null"
	}
	return string(*s)
}

// seen answers the old routes, which know partners' tasks and sessions.
func (a *app) seen(w http.ResponseWriter, r *http.Request, do func(looked)) {
	noCache(w)
	r, ok := a.recognised(w, r)
	if !ok {
		return
	}
	t, found, err := a.look(r)
	switch {
	case err != nil:
		a.Log.Error("a task could not be read", "error", err)
		jsonError(w, http.StatusServiceUnavailable, "the database does not answer: try again in a minute")
	case !found:
		jsonError(w, http.StatusBadRequest, "Task not found")
	default:
		if t.partner {
			a.frame(w)
		}
		do(t)
	}
}

// progress tells how far a plan is, in the form that partners' pages know.
func (a *app) progress(w http.ResponseWriter, r *http.Request) {
	a.seen(w, r, func(t looked) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
		defer cancel()
		if _, err := a.q.TouchSeen(ctx, t.id); err != nil {
			a.Log.Warn("that somebody looks could not be noted", "error", err)
		}
		if strings.Contains(r.Header.Get("Accept"), "text/html") && t.partner { // a frame without script
			a.render(w, r, http.StatusOK, framedPage(kit.Page{Title: "Your plan is being made", Bare: true, Refresh: 10}, framed(t)))
			return
		}
		writeJSON(w, http.StatusOK, struct {
			Percentage float64 `json:"progress_percentage"`
			Message    string  `json:"progress_message"`
			Status     string  `json:"status"`
			Problem    string  `json:"error_message,omitempty"`
		}{t.percent, t.message, t.state, t.problem})
	})
}

// viewPlan shows a report by itself.
func (a *app) viewPlan(w http.ResponseWriter, r *http.Request) {
	a.seen(w, r, func(t looked) {
		body, err := a.queue.Report(r.Context(), t.id)
		if errors.Is(err, queue.ErrNotFound) {
			jsonError(w, http.StatusNotFound, "Report not available")
			return
		}
		if err != nil {
			a.Log.Error("a report could not be read", "error", err)
			jsonError(w, http.StatusServiceUnavailable, "the database does not answer: try again in a minute")
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", strings.Replace(a.policy, "frame-ancestors 'self'", "frame-ancestors "+strings.Join(append([]string{"'self'"}, a.FrameAncestors...), " "), 1))
		h.Del("X-Frame-Options")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(body)) // a reader who has left is no error
	})
}

// framedView is the progress page in a partner's frame.
type framedView struct {
	id      string
	state   string
	percent float64
	message string
	problem string
	report  bool
}

func framed(t looked) framedView {
	return framedView{t.id.String(), t.state, t.percent, t.message, t.problem, t.hasReport}
}

// over tells whether a plan has ended without a whole one.
func (v framedView) over() bool { return v.state == "failed" || v.state == "stopped" }

// title and note say how it stands; the script of the page has the same words.
func (v framedView) title() string {
	switch v.state {
	case "failed":
		return "Your plan could not be made"
	case "stopped":
		return "Your plan was stopped"
	}
	return "Your plan is being made"
}

func (v framedView) note() string {
	if v.over() {
		return "Nothing more happens here. Go back to the page you came from to begin anew."
	}
	return "Keep this page open: the plan appears here when it is ready."
}

func (v framedView) progressURL() string { return "/progress?run_id=" + url.QueryEscape(v.id) }
func (v framedView) reportURL() string   { return "/viewplan?run_id=" + url.QueryEscape(v.id) }
