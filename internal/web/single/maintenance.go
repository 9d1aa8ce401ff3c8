package single

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"

	"planexe/internal/api"
	"planexe/internal/web/kit"
)

// purgeView is the page of maintenance.
type purgeView struct {
	hours, prefix string
	problems      map[string]string
	preview       *api.PurgeRunsResponse
	total         int
	bytes         int64
	known         bool // total and bytes
}

func (u *ui) maintenance(w http.ResponseWriter, r *http.Request) {
	u.showPurge(w, r, http.StatusOK, purgeView{hours: "24", prefix: "PlanExe_"})
}

func (u *ui) showPurge(w http.ResponseWriter, r *http.Request, status int, v purgeView) {
	if list, err := u.Worker.Runs(r.Context(), api.ListQuery{Limit: 1}); err == nil {
		v.total, v.bytes, v.known = list.Total, list.TotalBytes, true
	}
	u.render(w, r, status, maintenancePage(u.page(w, r, "Maintenance", "/maintenance"), v))
}

// purge counts what would be removed, or removes what was counted.
func (u *ui) purge(w http.ResponseWriter, r *http.Request) {
	v := purgeView{hours: strings.TrimSpace(r.PostFormValue("hours")), prefix: strings.TrimSpace(r.PostFormValue("prefix")), problems: map[string]string{}}
	hours, err := strconv.ParseFloat(strings.Replace(v.hours, ",", ".", 1), 64)
	if err != nil || !(hours >= 1 && hours <= 87600) {
		v.problems["hours"] = "The age has to be a number of hours, 1 or more."
	}
	if v.prefix == "" {
		v.problems["prefix"] = "Without a beginning of the name everything would match."
	}
	if len(v.problems) > 0 {
		u.showPurge(w, r, http.StatusUnprocessableEntity, v)
		return
	}
	remove := r.PostFormValue("do") == "remove"
	answer, err := u.Worker.Purge(r.Context(), api.PurgeRunsRequest{MaxAgeHours: &hours, Prefix: &v.prefix, Preview: !remove})
	switch {
	case err != nil:
		v.problems[""] = sentence(refused(err))
		u.showPurge(w, r, http.StatusBadGateway, v)
	case remove:
		u.back(w, r, "/maintenance", kit.Good, sentence(answer.Message))
	default:
		v.preview = &answer
		u.showPurge(w, r, http.StatusOK, v)
	}
}

// aboutView is the page about the program.
type aboutView struct {
	version, system string
	ready           api.Ready
	trouble         string
}

func (u *ui) about(w http.ResponseWriter, r *http.Request) {
	v := aboutView{version: u.Version, system: runtime.Version()}
	ready, err := u.Worker.Ready(r.Context())
	if err != nil && !lacking(err) {
		v.trouble = workerTrouble(err)
	}
	v.ready = ready
	u.render(w, r, http.StatusOK, aboutPage(u.page(w, r, "About", "/about"), v))
}
