package single

import (
	"context"
	"net/http"
	"time"

	"planexe/internal/api"
	"planexe/internal/web/kit"
)

const (
	// settle lets events that come together be shown together.
	settle = 300 * time.Millisecond
	// tick is how often clocks on the page move without an event.
	tick = 2 * time.Second
	// patience is for how many looks an interrupted run may still be taken up again by its worker.
	patience = 8
	// longestPause between tries to reach a worker that does not answer.
	longestPause = 15 * time.Second
)

// parts renders what moves on a run's page.
func (u *ui) parts(ctx context.Context, v runView) (kit.Parts, error) {
	p := kit.Parts{}
	if err := p.Piece(ctx, "connection", connection(v)); err != nil {
		return nil, err
	}
	if v.trouble != "" {
		return p, nil // the rest stays as it was last known
	}
	if err := p.Piece(ctx, "run-head", runHead(v)); err != nil {
		return nil, err
	}
	if err := p.Piece(ctx, "run-tabs", kit.Tabs("Parts of this plan", v.tabs())); err != nil {
		return nil, err
	}
	if v.tab == reportTab {
		return p, nil
	}
	return p, p.Piece(ctx, "run-body", runBody(v))
}

// tabOf is the tab that a live page shows.
func tabOf(r *http.Request) string {
	switch tab := r.URL.Query().Get("tab"); tab {
	case filesTab, logTab, reportTab:
		return tab
	}
	return stepsTab
}

// runParts answers pages that have no stream.
func (u *ui) runParts(w http.ResponseWriter, r *http.Request) {
	v, err := u.load(r.Context(), r.PathValue("id"), tabOf(r))
	if err != nil {
		v.trouble, v.since, v.again = workerTrouble(err), time.Now(), 5
	} else {
		v.opener = u.canOpen(r.Context())
	}
	parts, err := u.parts(r.Context(), v)
	if err == nil {
		err = kit.WriteParts(w, parts)
	}
	if err != nil {
		u.Log.Warn("parts of a run could not be sent", "run_id", r.PathValue("id"), "error", err)
	}
}

// liveRun streams a run's page until the run has ended or the page is left. All who look at the same
// tab of a run share one watch of the worker and what is rendered of it.
func (u *ui) liveRun(w http.ResponseWriter, r *http.Request) {
	id, tab := r.PathValue("id"), tabOf(r)
	if _, err := u.Worker.Run(r.Context(), id); lacking(err) { // whoever shares a watch may see the run
		gone, stream := kit.Parts{}, kit.NewStream(w)
		if gone.Piece(r.Context(), "connection", goneNotice()) == nil && stream.Send(gone) == nil {
			_ = stream.End()
		}
		return
	}
	u.live.Serve(w, r, id+" "+tab, func(ctx context.Context, t *kit.Topic) { u.followRun(ctx, t, id, tab) })
}

// followRun tells how a run stands until it has ended. What is told says how things stand, so nothing is
// lost when a stream breaks: the next one begins with all of it.
func (u *ui) followRun(ctx context.Context, t *kit.Topic, id, tab string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed := make(chan struct{}, 1)
	following, last := false, int64(0)
	ended := make(chan error, 1)
	follow := func(after int64) {
		for e, err := range u.Worker.Events(ctx, id, after) {
			if err != nil {
				ended <- err
				return
			}
			last = e.Seq
			select {
			case changed <- struct{}{}:
			default:
			}
		}
		ended <- nil
	}
	var lost time.Time
	pause := tick
	seen, left := runView{}, patience
	for {
		v, err := u.load(ctx, id, tab)
		switch {
		case ctx.Err() != nil:
			return
		case lacking(err):
			gone := kit.Parts{}
			if gone.Piece(ctx, "connection", goneNotice()) == nil {
				t.Set(gone)
			}
			return
		case err != nil:
			if lost.IsZero() {
				lost, pause = time.Now(), time.Second
			}
			v = seen
			v.tab, v.trouble, v.since, v.again = tab, workerTrouble(err), lost, int(pause/time.Second)
		default:
			lost, pause = time.Time{}, tick
			v.opener = u.canOpen(ctx)
			seen = v
		}
		parts, err := u.parts(ctx, v)
		if err != nil {
			u.Log.Warn("parts of a run could not be rendered", "run_id", id, "error", err)
			return
		}
		t.Set(parts)
		if v.trouble == "" && !v.State.Live() {
			if left--; v.State != api.Interrupted || left < 0 {
				return
			}
		}
		if v.trouble == "" && v.State.Live() && !following && !v.limited {
			following = true
			go follow(max(last, v.LastEvent))
		}
		select {
		case <-ctx.Done():
			return
		case err := <-ended: // the stream of events broke, or the run is over
			following = false
			wait := settle
			if err != nil {
				wait = tick
			}
			if !sleep(ctx, wait) {
				return
			}
		case <-changed:
			if !sleep(ctx, settle) {
				return
			}
		case <-time.After(pause):
			if v.trouble != "" {
				pause = min(longestPause, 2*pause)
			}
		}
	}
}

// sleep waits; false when there is nothing to wait for any more.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
