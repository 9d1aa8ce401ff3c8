package single

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"planexe/internal/api"
	"planexe/internal/plan"
	"planexe/internal/web/kit"
)

// runView is a run as its page shows it.
type runView struct {
	api.RunStatus
	tab   string // steps, report, files or log
	steps []api.Step
	files []api.File
	log   string

	since   time.Time // when the worker was last reached, zero while it is
	again   int       // seconds until the next try
	trouble string

	info     api.LLMInfo // for the form of a retry
	settings settings
	opener   bool
	form     string        // settings, or the step to ask again; "" is no form
	takes    *api.Estimate // of that form, or of bringing the plan up to date
	problems map[string]string
	shared   bool // see Options
	limited  bool // the worker is the reference's: no steps, no edits
}

// tabs of a run's page.
const (
	stepsTab  = "steps"
	reportTab = "report"
	filesTab  = "files"
	logTab    = "log"
)

func (v runView) url(path string) string { return runPath(v.RunID) + path }

// runPath is the address of a run's page.
func runPath(id string) string { return "/runs/" + url.PathEscape(id) }

// fileURL is the address of a file's page.
func (v runView) fileURL(name string) string { return v.url("/files/" + url.PathEscape(name)) }

func (v runView) tabs() []kit.Link {
	ready := 0
	for _, s := range v.sections() {
		if s.File != nil {
			ready++
		}
	}
	links := []kit.Link{
		{Text: "Progress", URL: v.url(""), Current: v.tab == stepsTab},
		{Text: "Report", URL: v.url("/report"), Current: v.tab == reportTab, Off: !v.HasReport},
		{Text: "Documents", URL: v.url("?tab=files"), Current: v.tab == filesTab},
		{Text: "Log", URL: v.url("?tab=log"), Current: v.tab == logTab, Off: v.limited},
	}
	if ready > 0 {
		links[2].Count = fmt.Sprint(ready)
	}
	return links
}

// section is a readable document of the plan, there or not.
type section struct {
	Title string
	Name  string
	File  *api.File // nil until it is there
}

// sections are the readable documents in the report's order.
func (v runView) sections() []section {
	var out []section
	for _, f := range []struct {
		title string
		file  plan.File
	}{
		{"Executive summary", plan.Summary}, {"Pitch", plan.Pitch}, {"Project plan", plan.ProjectPlan},
		{"Strategic decisions", plan.Decisions}, {"Scenarios", plan.Scenarios}, {"Assumptions", plan.AssumptionsFull},
		{"Risks", plan.Risks}, {"Governance", plan.Governance}, {"Related resources", plan.RelatedResources},
		{"Data collection", plan.DataCollection}, {"Documents to create and find", plan.DocumentsPage}, {"SWOT analysis", plan.SWOT},
		{"Team", plan.Team}, {"Expert criticism", plan.ExpertCriticism}, {"Work breakdown", plan.WBSTable},
		{"Review of the plan", plan.ReviewPlan}, {"Questions and answers", plan.QA}, {"Premortem", plan.Premortem},
		{"Self audit", plan.SelfAudit}, {"Redline gate", plan.RedlinePage}, {"Premise attack", plan.PremiseAttack}, {"Checks of the plan", plan.ChecksPage},
	} {
		s := section{Title: f.title, Name: f.file.Name}
		if i := slices.IndexFunc(v.files, func(x api.File) bool { return x.Name == f.file.Name }); i >= 0 {
			s.File = &v.files[i]
		}
		out = append(out, s)
	}
	return out
}

// title is the first words of the prompt.
func (v runView) title() string {
	if v.Title != "" {
		return v.Title
	}
	return v.RunID
}

// percent is the progress as a whole number; 100 is complete only.
func (v runView) percent() int {
	p := int(v.ProgressPercentage)
	if v.State != api.Completed && p > 99 {
		p = 99
	}
	return max(0, p)
}

// progress says how far the run is.
func (v runView) progress() string {
	text := fmt.Sprintf("%d %%", v.percent())
	if v.StepsTotal > 0 {
		text += fmt.Sprintf(", %d of %s", v.StepsDone, counted(v.StepsTotal, "step", "steps"))
	}
	return text
}

// news is what a screen reader is told when it changes, and how.
func (v runView) news() (text, how string) {
	word, _ := stateWords(v.State)
	if v.State.Live() {
		return fmt.Sprintf("%s, %d percent", word, v.percent()/10*10), "polite"
	}
	switch v.State {
	case api.Failed, api.Refused, api.Budget:
		return word + ". " + v.Reason, "assertive"
	}
	return word, "polite"
}

// load asks the worker for what a tab shows.
func (u *ui) load(ctx context.Context, id, tab string) (runView, error) {
	v := runView{tab: tab, shared: u.Shared}
	var files api.RunFiles
	var err, noFiles, noTab error
	var asking sync.WaitGroup
	asking.Go(func() { v.RunStatus, err = u.Worker.Run(ctx, id) })
	asking.Go(func() { files, noFiles = u.Worker.Files(ctx, id) })
	switch tab {
	case stepsTab:
		asking.Go(func() { v.steps, noTab = u.Worker.Steps(ctx, id) })
	case logTab:
		asking.Go(func() { v.log, noTab = u.Worker.Log(ctx, id, 400) })
	}
	asking.Wait()
	if err != nil {
		return v, err
	}
	if noFiles != nil && !lacking(noFiles) {
		return v, noFiles
	}
	v.files = files.Items
	if len(v.files) == 0 {
		for _, name := range files.Files {
			v.files = append(v.files, api.File{Name: name})
		}
	}
	if v.State == "" {
		v.limited = true
		v.derive(files.Files)
	}
	if v.State == api.NotFound {
		return v, &api.Error{Status: http.StatusNotFound, Detail: "there is no such plan"}
	}
	if lacking(noTab) || v.limited {
		noTab = nil
	}
	return v, noTab
}

// derive fills in what the reference's worker does not tell.
func (v *runView) derive(names []string) {
	switch {
	case !v.RunDirExists:
		v.State = api.NotFound
	case v.PipelineComplete && !v.Running:
		v.State = api.Completed
	case v.Running && v.StopRequested:
		v.State = api.Stopping
	case v.Running:
		v.State = api.Running
	case v.StopRequested:
		v.State = api.Stopped
	case v.PID == nil:
		v.State = api.Interrupted
	default:
		v.State, v.Reason = api.Failed, "This worker does not tell why."
	}
	expected := plan.Expected()
	have := 0
	for _, name := range expected {
		if slices.Contains(names, name) {
			have++
		}
	}
	v.ProgressPercentage = 100 * float64(have) / float64(len(expected))
	v.HasReport = slices.Contains(names, plan.Report.Name)
}

// goOn adds what the form of a retry needs.
func (u *ui) goOn(r *http.Request, v *runView) {
	v.settings = u.settings(r)
	if v.LLMModel != "" && !strings.Contains(v.LLMModel, ",") {
		v.settings.Model = v.LLMModel
	}
	if v.SpeedVsDetail == api.Fast {
		v.settings.Speed = api.Fast
	}
	if v.MaxCost > 0 {
		v.settings.MaxCost = fmt.Sprintf("%g", v.MaxCost)
	}
	v.opener = u.canOpen(r.Context())
}

func (u *ui) showRun(w http.ResponseWriter, r *http.Request) {
	tab := r.URL.Query().Get("tab")
	if tab != filesTab && tab != logTab {
		tab = stepsTab
	}
	u.showTab(w, r, http.StatusOK, tab)
}

func (u *ui) showTab(w http.ResponseWriter, r *http.Request, status int, tab string) {
	v, err := u.load(r.Context(), r.PathValue("id"), tab)
	if err != nil {
		u.fail(w, r, err)
		return
	}
	u.goOn(r, &v)
	u.askAgain(r, &v)
	p := u.page(w, r, v.title(), "/runs")
	if v.State.Live() {
		p.Refresh = 5
	}
	u.render(w, r, status, runPage(p, v))
}

// askAgain adds the form that a link asked for, with what it takes.
func (u *ui) askAgain(r *http.Request, v *runView) {
	q := api.EstimateQuery{RunID: v.RunID, LLMModel: v.settings.Model, SpeedVsDetail: v.settings.Speed}
	switch step := r.FormValue("step"); {
	case v.State.Live() || v.limited && r.FormValue("with") == "":
		return
	case slices.ContainsFunc(v.steps, func(s api.Step) bool { return s.Step == step }):
		v.form, q.From = step, step
	case r.FormValue("with") == "settings":
		v.form = "settings"
	case v.dirty() == 0:
		return
	}
	if v.form != "" {
		if info, err := u.info(r.Context()); err == nil {
			v.info, v.settings = info, v.settings.known(info)
			q.LLMModel = v.settings.Model
		}
	}
	if e, err := u.Worker.Estimate(r.Context(), q); err == nil {
		v.takes = &e
	}
}
