package single

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"planexe/internal/api"
	"planexe/internal/web/kit"
)

const settingsCookie = "planexe_settings"

// settings is what a browser keeps: how its next plan is made.
type settings struct {
	Model   string `json:"m,omitempty"` // "" is auto
	Speed   string `json:"s,omitempty"`
	MaxCost string `json:"c,omitempty"` // USD as typed; "" is no limit
}

func (u *ui) settings(r *http.Request) settings {
	var s settings
	u.cookies.Get(r, settingsCookie, &s)
	if s.Model == "" {
		s.Model = "auto"
	}
	if s.Speed != api.Fast {
		s.Speed = api.AllDetails
	}
	return s
}

// known replaces a model that has left the configuration by auto.
func (s settings) known(info api.LLMInfo) settings {
	if !slices.ContainsFunc(info.Items, func(i api.LLMItem) bool { return i.ID == s.Model }) {
		s.Model = "auto"
	}
	return s
}

// posted reads settings from a form; the problem belongs to the field of the limit.
func posted(r *http.Request) (s settings, maxCost float64, problem string) {
	s = settings{Model: strings.TrimSpace(r.PostFormValue("model")), Speed: r.PostFormValue("speed"), MaxCost: strings.TrimSpace(r.PostFormValue("max_cost"))}
	if s.Model == "" {
		s.Model = "auto"
	}
	if s.Speed != api.Fast {
		s.Speed = api.AllDetails
	}
	if s.MaxCost != "" {
		cost, err := strconv.ParseFloat(strings.Replace(s.MaxCost, ",", ".", 1), 64)
		if err != nil || !(cost > 0 && cost < 1e6) {
			return s, 0, "The limit has to be an amount of dollars above 0, such as 0.50, or empty for none."
		}
		maxCost = cost
	}
	return s, maxCost, ""
}

// info asks for the models, briefly: a page must not wait for it.
func (u *ui) info(ctx context.Context) (api.LLMInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	info, err := u.Worker.LLMInfo(ctx)
	if err == nil {
		for i, item := range info.Items { // a worker that does not tell has only the label
			if item.Class == "" && item.Model == "" && item.Problem == "" && !strings.Contains(item.Label, "unavailable") {
				info.Items[i].Available = true
			}
		}
	}
	return info, err
}

// settingsView is the settings page.
type settingsView struct {
	settings
	info    api.LLMInfo
	trouble string // why the models are not known
	problem string // of the limit
	keySet  bool
	keyable bool // a key may be entered: no model has one of its own
}

func (u *ui) settingsView(r *http.Request, s settings) settingsView {
	v := settingsView{settings: s}
	info, err := u.info(r.Context())
	if err != nil {
		v.trouble = workerTrouble(err)
	}
	v.info = info
	v.settings = s
	if err == nil {
		v.settings = s.known(info)
	}
	_, v.keySet = u.keys.Get(r)
	v.keyable = v.keySet || err == nil && keyless(info)
	return v
}

// keyless tells whether no hosted model can be used: then a key of the person's own helps.
func keyless(info api.LLMInfo) bool {
	return !slices.ContainsFunc(info.Items, func(i api.LLMItem) bool { return i.Available && !i.Local && !i.Demo && i.Class != "" })
}

func (u *ui) showSettings(w http.ResponseWriter, r *http.Request) {
	p := u.page(w, r, "Settings", "/settings")
	u.render(w, r, http.StatusOK, settingsPage(p, u.settingsView(r, u.settings(r))))
}

func (u *ui) saveSettings(w http.ResponseWriter, r *http.Request) {
	switch r.PostFormValue("do") {
	case "key":
		key := strings.TrimSpace(r.PostFormValue("key"))
		if key == "" || len(key) > 4096 {
			u.back(w, r, "/settings", kit.Poor, "The key is empty or too long. Nothing was changed.")
			return
		}
		u.keys.Put(w, r, key)
		u.back(w, r, "/settings", kit.Good, "The key is kept in memory for 12 hours and sent with the plans that you start.")
	case "forget":
		u.keys.Drop(w, r)
		u.back(w, r, "/settings", kit.Good, "The key is forgotten.")
	default:
		s, _, problem := posted(r)
		if problem != "" {
			v := u.settingsView(r, s)
			v.problem = problem
			u.render(w, r, http.StatusUnprocessableEntity, settingsPage(u.page(w, r, "Settings", "/settings"), v))
			return
		}
		u.remember(w, r, s)
		u.back(w, r, "/settings", kit.Good, "Saved for this browser.")
	}
}

func (u *ui) remember(w http.ResponseWriter, r *http.Request, s settings) {
	if err := u.cookies.Set(w, r, settingsCookie, s, 365*24*time.Hour); err != nil {
		u.Log.Warn("settings could not be kept", "error", err)
	}
}
