package single

import (
	"fmt"
	"strings"
	"time"

	"planexe/internal/api"
	"planexe/internal/plan"
)

// sample is a page in one of its states.
type sample struct {
	name, path string
	set        func(*fake)
	options    func(*Options)
	post       string // a form that is sent to the path instead
}

// gallery is every page in every state, with odd and long data: looks are tested on it.
func gallery() []sample {
	at := func(s api.State, more ...func(*fake)) func(*fake) {
		return func(f *fake) {
			f.run.State = s
			f.run.Running = s.Live()
			if s != api.Completed {
				f.run.ProgressPercentage, f.run.StepsDone = 41.6, 31
				for i := range f.steps {
					f.steps[i].State = stateAt(i, s)
				}
				f.files = f.files[:40]
			}
			for _, m := range more {
				m(f)
			}
		}
	}
	because := func(p api.Problem) func(*fake) {
		return func(f *fake) { f.run.Error, f.run.Reason = &p, p.Message }
	}
	noReport := func(f *fake) { f.run.HasReport = false }
	run := "/runs/" + sampleID
	soon := time.Now().Add(20 * time.Second)
	return []sample{
		{name: "new plan", path: "/"},
		{name: "new plan, worker down", path: "/", set: func(f *fake) { f.down = true }},
		{name: "new plan, problems", path: "/runs", post: "prompt=&max_cost=-3&model=auto"},
		{name: "new plan, refused", path: "/runs", post: "prompt=x&model=auto", set: func(f *fake) {
			f.refuse = &api.Error{Status: 429, Detail: "too many runs are waiting already: try again when one has ended"}
		}},
		{name: "waiting", path: run, set: at(api.Waiting, noReport, func(f *fake) {
			f.run.QueuePosition, f.run.ProgressPercentage, f.run.ActiveCalls, f.steps, f.files = 3, 0, nil, nil, f.files[:2]
		})},
		{name: "running", path: run, set: at(api.Running, noReport)},
		{name: "running, rate limit", path: run, set: at(api.Running, noReport, func(f *fake) {
			f.run.Notice = &api.Notice{Level: "warning", Message: "openrouter.ai asks for a pause, because of its rate limit", Until: &soon}
		})},
		{name: "stopping", path: run, set: at(api.Stopping, noReport)},
		{name: "completed", path: run, set: at(api.Completed)},
		{name: "completed, out of date", path: run, set: at(api.Completed, func(f *fake) { f.steps[20].State, f.steps[21].State = api.StepDirty, api.StepDirty })},
		{name: "partial", path: run, set: at(api.Partial, because(api.Problem{Class: "truncated", Step: "find_team_members", Message: "the model's answers broke off at its output limit (16,384 tokens)", Advice: "resume with a model that allows longer answers", CanRetry: true}), func(f *fake) {
			f.steps[33].Error = &api.Problem{Message: "no model gave a usable answer", Advice: "try another model"}
		})},
		{name: "failed", path: run, set: at(api.Failed, noReport, because(api.Problem{Class: "auth", Message: "the key of openrouter is not accepted", Advice: "correct OPENROUTER_API_KEY and resume"}))},
		{name: "refused", path: run, set: at(api.Refused, because(api.Problem{Class: "refused", Message: "the request asks for something that would do harm", Advice: "change the text"}))},
		{name: "budget", path: run, set: at(api.Budget, noReport, because(api.Problem{Class: "budget", Message: "the limit of 0.50 USD was reached", Advice: "resume with a higher limit"}))},
		{name: "stopped", path: run, set: at(api.Stopped, noReport, because(api.Problem{Class: "stopped", Message: "stopped by the user", Advice: "resume the run to go on", CanRetry: true}))},
		{name: "interrupted", path: run, set: at(api.Interrupted, noReport)},
		{name: "resume with other settings", path: run + "?with=settings", set: at(api.Stopped, noReport)},
		{name: "resume, problems", path: run + "/resume", post: "model=auto&max_cost=x&with=settings", set: at(api.Stopped, noReport)},
		{name: "ask a step again", path: run + "?step=identify_risks"},
		{name: "another worker", path: run, set: func(f *fake) {
			f.old, f.run.State, f.run.RunDirExists, f.run.Running = true, "", true, true
		}},
		{name: "report", path: run + "/report"},
		{name: "documents", path: run + "?tab=files"},
		{name: "documents, none", path: run + "?tab=files", set: at(api.Running, noReport, func(f *fake) { f.files = nil })},
		{name: "log", path: run + "?tab=log"},
		{name: "log, empty", path: run + "?tab=log", set: func(f *fake) { f.log = "" }},
		{name: "markdown", path: run + "/files/" + plan.Risks.Name},
		{name: "json", path: run + "/files/" + plan.Assumptions.Name},
		{name: "text", path: run + "/files/" + plan.Prompt.Name},
		{name: "empty file", path: run + "/files/" + plan.SWOT.Name},
		{name: "binary file", path: run + "/files/odd.bin"},
		{name: "file while running", path: run + "/files/" + plan.Risks.Name, set: at(api.Running)},
		{name: "edit", path: run + "/files/" + plan.Risks.Name + "/edit"},
		{name: "edit, lost race", path: run + "/files/" + plan.Risks.Name + "/edit", post: "text=mine&etag=x", set: func(f *fake) {
			f.refuse = &api.Error{Status: 412, Detail: "the file has changed since it was read"}
		}},
		{name: "edit, bad JSON", path: run + "/files/" + plan.Assumptions.Name + "/edit", post: "text=%7B&etag=x", set: func(f *fake) {
			f.refuse = &api.Error{Status: 422, Detail: "the text is not valid JSON in line 1, column 2"}
		}},
		{name: "delete", path: run + "/delete"},
		{name: "plans", path: "/runs"},
		{name: "plans, none", path: "/runs", set: func(f *fake) { f.list = api.RunList{} }},
		{name: "plans, none found", path: "/runs?q=zeppelin", set: func(f *fake) { f.list = api.RunList{Total: 9} }},
		{name: "plans, another worker", path: "/runs", set: func(f *fake) { f.old = true }},
		{name: "worker down", path: "/runs", set: func(f *fake) { f.down = true }},
		{name: "models", path: "/models"},
		{name: "models, tested", path: "/models?test="},
		{name: "settings", path: "/settings"},
		{name: "settings, no key", path: "/settings", set: func(f *fake) { f.info.Items = f.info.Items[:1] }},
		{name: "settings, problem", path: "/settings", post: "max_cost=none"},
		{name: "maintenance", path: "/maintenance"},
		{name: "maintenance, preview", path: "/maintenance", post: "hours=24&prefix=PlanExe_&do=preview"},
		{name: "maintenance, problems", path: "/maintenance", post: "hours=0&prefix="},
		{name: "about", path: "/about"},
		{name: "login", path: "/login", options: func(o *Options) { o.Password = "secret" }},
		{name: "login, wrong", path: "/login", post: "user=user&password=no", options: func(o *Options) { o.Password = "secret" }},
		{name: "no such page", path: "/nowhere"},
	}
}

const sampleID = "PlanExe_20260314_091527"

// stateAt is the state of a step by its place in a run that is about half done.
func stateAt(i int, s api.State) string {
	switch {
	case i < 30:
		return api.StepDone
	case i < 33 && s.Live():
		return api.StepRunning
	case i == 33 && s == api.Partial:
		return api.StepFailed
	case i < 40 && s == api.Partial:
		return api.StepSkipped
	}
	return api.StepWaiting
}

func examples() []Example {
	return []Example{
		{ID: "4dc34d55-0d0d-4e9d-92f4-23765f49dd29", Title: "A bicycle workshop", Prompt: "Open a bicycle workshop in Utrecht for 85,000 EUR before May 2027.", Tags: []string{"business", "shop"}},
		{ID: "0ad5ea63-cf38-4d10-a3f3-d51baa609abd", Title: "Une boulangerie à Lyon avec " + strings.Repeat("très ", 12), Prompt: strings.Repeat("Ouvrir une boulangerie. ", 80), Tags: []string{"business", "food"}},
		{ID: "00e1c738-a663-476a-b950-62785922f6f0", Title: "مخبز صغير", Prompt: "افتح مخبزًا صغيرًا في الدار البيضاء.", Tags: []string{"business"}},
	}
}

// sampleWorker has one complete run.
func sampleWorker() *fake {
	began := time.Date(2026, 3, 14, 9, 15, 27, 0, time.UTC)
	ended := began.Add(14 * time.Minute)
	prio, seconds, left, cost := 1.0, 843.0, 312.0, 0.21
	f := &fake{changed: make(chan struct{}, 1), content: map[string]string{}}
	f.run = api.RunStatus{
		RunSummary: api.RunSummary{
			RunID: sampleID, Title: "Turn the unused boathouse by the lake into a rowing school for 40 children, opening next spring, with Donaudampfschifffahrtsgesellschaftskapitän…",
			StartedAt: &began, EndedAt: &ended, State: api.Completed, ProgressPercentage: 100, Seconds: seconds,
			Usage: api.Usage{Prompt: 912_345, Completion: 118_000}, Cost: 0.2134, LLMModel: "auto", SpeedVsDetail: api.AllDetails, HasReport: true, SizeBytes: 2_100_000,
		},
		RunDir: "/app/run/" + sampleID, DisplayRunDir: "/home/somebody/with/a/long/path/PlanExe/run/" + sampleID, RunDirExists: true, PipelineComplete: true,
		Prompt: "Turn the unused boathouse into a rowing school.", MaxCost: 0.5, StepsDone: 75, StepsTotal: 75, Calls: 141, CallsExpected: 155, Requests: 150, Retries: 9,
		SecondsLeft: &left, Models: []string{"openrouter-paid-gemini-2.0-flash-001", "ollama-llama3.1"}, Demo: true, LastEvent: 700,
		ActiveCalls: []api.ActiveCall{{Step: "find_team_members"}, {Step: "expert_criticism", Label: "expert/3"}},
		Quality:     []api.QualityNote{{Step: "identify_risks", Note: "2 of at least 5 risks"}},
	}
	names := []string{"key_facts", "redline_gate", "identify_purpose", "identify_risks", "find_team_members", "expert_criticism"}
	groups := []string{"facts", "diagnostics", "assume", "lever", "governance", "team", "expert", "wbs", "critique", "summary"}
	for i := range 75 {
		s := api.Step{Step: fmt.Sprintf("step_%d", i), Label: fmt.Sprintf("What step number %d does, in some words", i), Chapter: groups[i*len(groups)/75], State: api.StepDone, Seconds: float64(i), Calls: i % 4, CallsExpected: 1 + i%4, Usage: api.Usage{Prompt: 900 * i}, Cost: 0.002, ModelIDs: []string{"openrouter-paid-gemini-2.0-flash-001"}}
		if i < len(names) {
			s.Step = names[i]
		}
		for _, back := range []int{3, 4, 11} {
			if i >= back {
				s.Needs = append(s.Needs, f.steps[i-back].Step)
			}
		}
		f.steps = append(f.steps, s)
	}
	for i, a := range plan.All() {
		if !a.Numbered() {
			f.files = append(f.files, api.File{Name: a.Name, SizeBytes: int64(500 * i), ModifiedAt: began.Add(time.Duration(i) * time.Second), Step: "identify_risks", Editable: true, Edited: a.Name == plan.Risks.Name})
			f.content[a.Name] = "# Text\n\nWords of " + a.Title
		}
	}
	f.files = append(f.files, api.File{Name: "odd.bin", SizeBytes: 3})
	f.content["odd.bin"] = "\x00\x01\x02"
	f.content[plan.SWOT.Name] = ""
	f.content[plan.Risks.Name] = "# Risks\n\nSome **bold** words, `code` and a [link](https://example.org).\n\n## Risk 1 - " + strings.Repeat("Donaudampfschifffahrt", 9) + "\n\n| a | b | c |\n|---|---|---|\n| " + strings.Repeat("long words in a cell | ", 3) + "\n\n> quoted\n\n- [x] done\n- one\n  - two\n\n```\n" + strings.Repeat("x", 300) + "\n```\n"
	f.content[plan.Assumptions.Name] = `[{"question": "Where?", "assumption": "By the lake, where ` + strings.Repeat("it is calm and ", 30) + `deep", "deep": {"er": {"still": [1, 2.50, true, null, "x"]}}}, {"question": "` + strings.Repeat("y", 200) + `"}]`
	f.report = "<!DOCTYPE html><title>Report</title><p>The report"
	f.log = strings.Repeat("2026-03-14 09:15:27 - planexe - INFO - identify_risks request 1 to openrouter: ok (812ms, 14116 + 79 tokens)\n", 60)
	var all []api.RunSummary
	for _, s := range []api.State{api.Running, api.Waiting, api.Completed, api.Partial, api.Failed, api.Refused, api.Budget, api.Stopped, api.Interrupted} {
		r := f.run.RunSummary
		r.RunID, r.State, r.ProgressPercentage = fmt.Sprintf("PlanExe_20260314_09%04d", len(all)), s, 61
		if s == api.Failed {
			r.Reason, r.HasReport = "the key of openrouter is not accepted", false
		}
		all = append(all, r)
	}
	f.list = api.RunList{Runs: all, NextCursor: "next", Total: 240, TotalBytes: 1_200_000_000}
	f.info = api.LLMInfo{
		Items: []api.LLMItem{
			{ID: "auto", Label: "Auto", Available: true},
			{ID: "openrouter-paid-gemini-2.0-flash-001", Label: "openrouter-paid-gemini-2.0-flash-001 (prio: 1)", Available: true, Class: "OpenRouter", Model: "google/gemini-2.0-flash-001", Priority: &prio},
			{ID: "ollama-llama3.1", Label: "ollama-llama3.1 ❌ unavailable", Class: "Ollama", Model: "llama3.1:latest", Local: true, Problem: "cannot reach localhost:11434: connection refused. Start it, or correct base_url"},
			{ID: "demo", Label: "Demo (no model)", Available: true, Class: "Demo", Demo: true},
		},
		OllamaStatus: api.OllamaNotRunning, Errors: []string{"llm_config.json: argument temprature is not known"}, AutoModels: []string{"openrouter-paid-gemini-2.0-flash-001"}, AutoWhy: "the entries with a priority",
	}
	f.pings = []api.PingEvent{{Name: "openrouter-paid-gemini-2.0-flash-001", Status: "success", ResponseTime: 812, Response: "OK"}, {Name: "demo", Status: "error", Response: "401 Unauthorized"}}
	f.estimate = api.Estimate{Steps: []string{"identify_risks", "find_team_members"}, Calls: 155, Tokens: api.Usage{Prompt: 900_000, Completion: 120_000}, Seconds: &seconds, Cost: &cost, Models: []string{"openrouter-paid-gemini-2.0-flash-001"}, Why: "auto takes the entries with a priority"}
	f.purged = api.PurgeRunsResponse{Status: "ok", Message: "12 entries removed: older than 24.0 h, prefix PlanExe_.", Deleted: 12, DeletedBytes: 31_000_000, SkippedRecent: 4, SkippedActive: 1}
	f.ready = api.Ready{Status: "not ready", Version: "1.2.3", MaxRuns: 8, Checks: []api.Check{{Name: "run directory", Message: "it cannot be written: set PLANEXE_RUN_DIR to another one"}}}
	return f
}
