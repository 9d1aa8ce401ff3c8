package single

import (
	"errors"
	"net/http"

	"planexe/internal/api"
	"planexe/internal/web/kit"
)

func runURL(r *http.Request) string { return runPath(r.PathValue("id")) }

func (u *ui) stopRun(w http.ResponseWriter, r *http.Request) {
	answer, err := u.Worker.Stop(r.Context(), r.PathValue("id"))
	switch {
	case err != nil:
		u.back(w, r, runURL(r), kit.Poor, sentence(refused(err)))
	case !answer.Stopped:
		u.back(w, r, runURL(r), kit.Plain, "It had ended before.")
	default:
		u.back(w, r, runURL(r), kit.Plain, "")
	}
}

// resumeRun goes on with a run: as before, or with the settings of the form.
func (u *ui) resumeRun(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	run, err := u.Worker.Run(r.Context(), id)
	if err != nil {
		u.fail(w, r, err)
		return
	}
	ask := api.StartRunRequest{SubmitOrRetry: api.Retry, RunID: id, PlanPrompt: run.Prompt, LLMModel: "auto", SpeedVsDetail: run.SpeedVsDetail, MaxCost: run.MaxCost}
	var s settings
	if r.PostFormValue("as") == "before" {
		s = settings{Model: run.LLMModel}
	} else {
		var problem string
		if s, ask.MaxCost, problem = posted(r); problem != "" {
			if u.Shared {
				u.back(w, r, runURL(r), kit.Poor, problem)
				return
			}
			u.showAgain(w, r, http.StatusUnprocessableEntity, s, map[string]string{"max_cost": problem})
			return
		}
		ask.SpeedVsDetail = s.Speed
	}
	if info, err := u.info(r.Context()); err == nil {
		ask.LLMModel = s.known(info).Model // what is gone is auto
	}
	ask.OpenRouterAPIKey, _ = u.keys.Get(r)
	_, err = u.Worker.StartRun(r.Context(), ask, "")
	u.started(w, r, s, err)
}

// previewRun answers the form that goes on with a run while it is filled in: what it would take.
func (u *ui) previewRun(w http.ResponseWriter, r *http.Request) {
	s, _, _ := posted(r) // an amount that is none is told when the form is sent
	q := api.EstimateQuery{RunID: r.PathValue("id"), LLMModel: s.Model, SpeedVsDetail: s.Speed, From: r.PostFormValue("step")}
	if r.PostFormValue("what") == "only" {
		q.From, q.Only = "", q.From
	}
	var known *api.Estimate
	if e, err := u.Worker.Estimate(r.Context(), q); err == nil {
		known = &e
	}
	parts := kit.Parts{}
	err := parts.Piece(r.Context(), "takes", takes(known))
	if err == nil {
		err = kit.WriteParts(w, parts)
	}
	if err != nil {
		u.Log.Warn("a preview could not be made", "run_id", r.PathValue("id"), "error", err)
	}
}

// rerunStep asks a step again, alone or with all that follow from it.
func (u *ui) rerunStep(w http.ResponseWriter, r *http.Request) {
	s, maxCost, problem := posted(r)
	if problem != "" {
		u.showAgain(w, r, http.StatusUnprocessableEntity, s, map[string]string{"max_cost": problem})
		return
	}
	ask := api.RerunRequest{From: r.PostFormValue("step"), LLMModel: s.Model, SpeedVsDetail: s.Speed, MaxCost: maxCost}
	if r.PostFormValue("what") == "only" {
		ask.From, ask.Only = "", ask.From
	}
	ask.OpenRouterAPIKey, _ = u.keys.Get(r)
	_, err := u.Worker.Rerun(r.Context(), r.PathValue("id"), ask, "")
	u.started(w, r, s, err)
}

// started answers a form that goes on with a run.
func (u *ui) started(w http.ResponseWriter, r *http.Request, s settings, err error) {
	var e *api.Error
	switch {
	case err == nil:
		http.Redirect(w, r, runURL(r), http.StatusSeeOther)
	case errors.As(err, &e) && len(e.Fields) > 0 && r.PostFormValue("as") == "":
		problems := map[string]string{}
		for _, f := range e.Fields {
			problems[fieldOf(f.Field())] = sentence(f.Msg)
		}
		u.showAgain(w, r, http.StatusUnprocessableEntity, s, problems)
	default:
		u.back(w, r, runURL(r), kit.Poor, sentence(refused(err)))
	}
}

// showAgain shows the form that goes on with a run once more, with what was wrong with it.
func (u *ui) showAgain(w http.ResponseWriter, r *http.Request, status int, s settings, problems map[string]string) {
	v, err := u.load(r.Context(), r.PathValue("id"), stepsTab)
	if err != nil {
		u.fail(w, r, err)
		return
	}
	u.goOn(r, &v)
	u.askAgain(r, &v)
	if v.form == "" {
		v.form = "settings"
	}
	v.settings, v.problems = s, problems
	u.render(w, r, status, runPage(u.page(w, r, v.title(), "/runs"), v))
}

func (u *ui) askDelete(w http.ResponseWriter, r *http.Request) {
	run, err := u.Worker.Run(r.Context(), r.PathValue("id"))
	if err != nil {
		u.fail(w, r, err)
		return
	}
	u.render(w, r, http.StatusOK, deletePage(u.page(w, r, "Delete", "/runs"), r.PathValue("id"), runView{RunStatus: run}.title()))
}

func (u *ui) deleteRun(w http.ResponseWriter, r *http.Request) {
	if err := u.Worker.Delete(r.Context(), r.PathValue("id")); err != nil {
		u.back(w, r, runURL(r), kit.Poor, sentence(refused(err)))
		return
	}
	u.back(w, r, "/runs", kit.Good, "The plan is deleted.")
}

// openDir asks the opener to show the folder on the person's desktop.
func (u *ui) openDir(w http.ResponseWriter, r *http.Request) {
	run, err := u.Worker.Run(r.Context(), r.PathValue("id"))
	switch {
	case err != nil:
		u.fail(w, r, err)
	case u.Opener == nil:
		u.back(w, r, runURL(r), kit.Poor, "No opener is set up: PLANEXE_OPEN_DIR_SERVER_URL is its address.")
	case !run.RunDirExists:
		u.back(w, r, runURL(r), kit.Poor, "There is no folder yet.")
	default:
		path := run.DisplayRunDir
		if path == "" {
			path = run.RunDir
		}
		if err := u.Opener.Open(r.Context(), path); err != nil {
			u.back(w, r, runURL(r), kit.Poor, "The folder could not be opened: "+sentence(err.Error())+" Open it by hand: "+path)
			return
		}
		u.back(w, r, runURL(r), kit.Good, "The folder is open.")
	}
}
