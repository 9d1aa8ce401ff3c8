package single

import (
	"net/http"
	"net/url"
	"slices"

	"planexe/internal/api"
)

// listView is the list of plans.
type listView struct {
	api.RunList
	query, state string
	first        bool // page
	filtered     bool
	cannot       bool // the worker has no list
}

// filters are the states that a list can be narrowed to.
var filters = []struct {
	name, text string
	states     []api.State
}{
	{"live", "Being made", []api.State{api.Waiting, api.Running, api.Stopping}},
	{"complete", "Complete", []api.State{api.Completed}},
	{"open", "Stopped or interrupted", []api.State{api.Stopped, api.Interrupted, api.Budget}},
	{"trouble", "Failed, refused or incomplete", []api.State{api.Failed, api.Refused, api.Partial}},
}

const pageSize = 25

func (u *ui) listRuns(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	v := listView{query: q.Get("q"), state: q.Get("state"), first: q.Get("cursor") == ""}
	ask := api.ListQuery{Limit: pageSize, Cursor: q.Get("cursor"), Text: v.query}
	for _, f := range filters {
		if f.name == v.state {
			ask.States = f.states
		}
	}
	v.filtered = v.query != "" || len(ask.States) > 0
	var err error
	if v.RunList, err = u.Worker.Runs(r.Context(), ask); lacking(err) {
		v.cannot = true
	} else if err != nil {
		u.fail(w, r, err)
		return
	}
	p := u.page(w, r, "Plans", "/runs")
	if slices.ContainsFunc(v.RunList.Runs, func(s api.RunSummary) bool { return s.State.Live() }) {
		p.Refresh = 10
	}
	u.render(w, r, http.StatusOK, listPage(p, v))
}

// next is the address of the page after this one.
func (v listView) next() string {
	q := url.Values{"cursor": {v.NextCursor}}
	if v.query != "" {
		q.Set("q", v.query)
	}
	if v.state != "" {
		q.Set("state", v.state)
	}
	return "/runs?" + q.Encode()
}
