// Package api is the HTTP interface of worker_plan: the types on the wire and a client for them.
// The server is package service. Field names, types and status codes are those that other programs
// rely on; clients ignore fields that they do not know.
package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// open lets a request body hold members that this version does not know. Huma reads the tag of a
// field named _.
type open = struct{}

// The values of submit_or_retry.
const (
	Submit = "submit" // begin a new run
	Retry  = "retry"  // go on with an existing one
)

// The values of speed_vs_detail.
const (
	AllDetails = "all_details_but_slow"
	Fast       = "fast_but_skip_details"
)

// StartRunRequest is the body of POST /runs.
type StartRunRequest struct {
	_                open    `json:"-" additionalProperties:"true"`
	SubmitOrRetry    string  `json:"submit_or_retry" enum:"submit,retry" doc:"submit begins a new run, retry goes on with an existing one: what is done is kept"`
	PlanPrompt       string  `json:"plan_prompt" doc:"What to plan, at most 32 KiB of UTF-8. Ignored on retry: the run keeps its text"`
	LLMModel         string  `json:"llm_model" doc:"Id of an entry of llm_config.json, or auto"`
	SpeedVsDetail    string  `json:"speed_vs_detail" doc:"all_details_but_slow or fast_but_skip_details; empty is the default of the service"`
	OpenRouterAPIKey string  `json:"openrouter_api_key,omitempty" nullable:"true" maxLength:"4096" doc:"Replaces OPENROUTER_API_KEY for this run only. It is kept in memory, never on disk"`
	UseUUIDAsRunID   bool    `json:"use_uuid_as_run_id,omitempty" doc:"Name the run by a random UUID instead of the time"`
	RunID            string  `json:"run_id,omitempty" nullable:"true" doc:"The run to go on with; needed on retry, ignored on submit"`
	MaxCost          float64 `json:"max_cost,omitempty" nullable:"true" minimum:"0" doc:"USD that the run may cost; 0 or null is the limit of the service, if it has one"`
}

// StartRunResponse says where a started run is.
type StartRunResponse struct {
	RunID         string   `json:"run_id"`
	RunDir        string   `json:"run_dir" doc:"Absolute path as the service sees it"`
	DisplayRunDir string   `json:"display_run_dir" doc:"Path to show to a person"`
	PID           int      `json:"pid" doc:"Process id of the service: runs are no processes of their own"`
	Status        string   `json:"status" doc:"Always running"`
	Warnings      []string `json:"warnings" nullable:"false" doc:"What was ignored"`
}

// State is how a run stands. The first three are live.
type State string

// The states of a run.
const (
	Waiting     State = "waiting"  // for a free place among those that run at once
	Running     State = "running"  //
	Stopping    State = "stopping" // a stop was asked for and takes effect
	Completed   State = "completed"
	Partial     State = "partial"     // steps failed; the report is made of the rest
	Refused     State = "refused"     // the gate said no; a short report says why
	Budget      State = "budget"      // a cost or call limit was reached
	Stopped     State = "stopped"     // by a user
	Failed      State = "failed"      // no useful report
	Interrupted State = "interrupted" // the process ended, or the run is another program's and unfinished
	NotFound    State = "not_found"   // GET /runs/{id} of an unknown id
)

// Live tells whether the run is not over.
func (s State) Live() bool { return s == Waiting || s == Running || s == Stopping }

// Usage counts tokens.
type Usage struct {
	Prompt     int  `json:"prompt"`
	Completion int  `json:"completion"`
	Cached     int  `json:"cached" doc:"Of the prompt tokens, those that the provider had in its cache"`
	Reasoning  int  `json:"reasoning" doc:"Of the completion tokens, those spent on thinking"`
	Estimated  bool `json:"estimated" doc:"A provider did not tell, so some were counted by length"`
}

// RunSummary is a run in a list.
type RunSummary struct {
	RunID              string     `json:"run_id"`
	Title              string     `json:"title" doc:"The first words of the prompt"`
	StartedAt          *time.Time `json:"started_at" doc:"When the run was submitted"`
	EndedAt            *time.Time `json:"ended_at" doc:"null while it is live"`
	State              State      `json:"state" enum:"waiting,running,stopping,completed,partial,refused,budget,stopped,failed,interrupted,not_found"`
	Reason             string     `json:"reason" doc:"Why it did not complete; empty when it did or has not ended"`
	ProgressPercentage float64    `json:"progress_percentage" minimum:"0" maximum:"100"`
	ProgressMessage    string     `json:"progress_message"`
	Seconds            float64    `json:"seconds" doc:"Of the last execution, up to now while it is live"`
	Usage              Usage      `json:"usage"`
	Cost               float64    `json:"cost" doc:"USD over all executions, as far as prices are known"`
	LLMModel           string     `json:"llm_model" doc:"As asked for; else the entries that were used"`
	SpeedVsDetail      string     `json:"speed_vs_detail"`
	HasReport          bool       `json:"has_report"`
	SizeBytes          int64      `json:"size_bytes"`
}

// RunList is a page of runs.
type RunList struct {
	Runs       []RunSummary `json:"runs" nullable:"false"`
	NextCursor string       `json:"next_cursor" doc:"Pass it as cursor to get the next page; empty on the last one"`
	Total      int          `json:"total" doc:"Of all runs in the base directory"`
	TotalBytes int64        `json:"total_bytes"`
}

// Problem says why something ended as it did, for people and programs.
type Problem struct {
	Class    string `json:"class" doc:"A word for programs, such as auth, rate, network, config, interrupted"`
	Message  string `json:"message"`
	Step     string `json:"step" doc:"Where it happened; empty when it was no step"`
	CanRetry bool   `json:"can_retry" doc:"Trying again unchanged can help"`
	Advice   string `json:"advice" doc:"The way out"`
}

// ActiveCall is a question to a model that is under way.
type ActiveCall struct {
	Step  string `json:"step"`
	Label string `json:"label" doc:"Which of the step's questions"`
}

// Notice is something a watching person should know now, such as a pause for a rate limit.
type Notice struct {
	Level   string     `json:"level" doc:"info or warning"`
	Message string     `json:"message"`
	Step    string     `json:"step"`
	Until   *time.Time `json:"until"`
}

// QualityNote is one gap in an accepted result.
type QualityNote struct {
	Step  string `json:"step"`
	Label string `json:"label"`
	Path  string `json:"path" doc:"Place in the answer"`
	Note  string `json:"note"`
}

// RunStatus is the answer of GET /runs/{run_id}: everything that a page of one run shows, except
// the steps. It is told for unknown ids too, with state not_found.
type RunStatus struct {
	RunSummary
	RunDir               string   `json:"run_dir"`
	DisplayRunDir        string   `json:"display_run_dir"`
	RunDirExists         bool     `json:"run_dir_exists"`
	PID                  *int     `json:"pid" doc:"null when this process has not executed the run"`
	Running              bool     `json:"running" doc:"It executes or waits for its turn"`
	Returncode           *int     `json:"returncode" doc:"0 complete, 1 failed, 4 partial, 5 refused, 6 budget, -15 stopped; null while it runs, after an interruption, and when this process has not executed the run"`
	PipelineComplete     bool     `json:"pipeline_complete" doc:"The mark of completion is there"`
	StopRequested        bool     `json:"stop_requested"`
	LastUpdateSecondsAgo *float64 `json:"last_update_seconds_ago" doc:"null when nothing is there"`

	Error         *Problem      `json:"error" doc:"null when it completed or has not ended"`
	Prompt        string        `json:"prompt" doc:"The person's own words"`
	MaxCost       float64       `json:"max_cost" doc:"USD; 0 is no limit"`
	QueuePosition int           `json:"queue_position" doc:"Place in the line of those that wait, from 1; 0 when it does not wait"`
	StepsDone     int           `json:"steps_done" doc:"Steps that have ended, whatever came of them"`
	StepsTotal    int           `json:"steps_total"`
	Calls         int           `json:"calls" doc:"Questions answered by models in the last execution"`
	CallsReused   int           `json:"calls_reused" doc:"Questions answered from the log"`
	CallsExpected int           `json:"calls_expected" doc:"Questions that the last execution expected to ask in all"`
	Requests      int           `json:"requests"`
	Retries       int           `json:"retries" doc:"Requests beyond the first of each question"`
	Unpriced      int           `json:"unpriced_requests" doc:"Requests whose cost is not known"`
	SecondsLeft   *float64      `json:"seconds_left" doc:"An estimate; null when nothing can be said"`
	ActiveCalls   []ActiveCall  `json:"active_calls" nullable:"false"`
	Models        []string      `json:"models" nullable:"false" doc:"Entries whose answers the plan is made of"`
	Demo          bool          `json:"demo" doc:"Some of the plan is made-up text of the demo model"`
	Notice        *Notice       `json:"notice"`
	Quality       []QualityNote `json:"quality" nullable:"false"`
	LastEvent     int64         `json:"last_event" doc:"Number of the last event that this status has seen; events go on after it"`
}

// StopRunResponse is the answer of POST /runs/{run_id}/stop.
type StopRunResponse struct {
	RunID      string `json:"run_id"`
	Stopped    bool   `json:"stopped" doc:"The run was live"`
	Message    string `json:"message"`
	Returncode *int   `json:"returncode"`
}

// RunFiles is the answer of GET /runs/{run_id}/files.
type RunFiles struct {
	RunID  string   `json:"run_id"`
	RunDir string   `json:"run_dir"`
	Files  []string `json:"files" nullable:"false" doc:"Names of all entries, sorted by code point"`
	Items  []File   `json:"items" nullable:"false" doc:"The regular files among them, in the same order"`
}

// File is one file of a run.
type File struct {
	Name       string    `json:"name"`
	SizeBytes  int64     `json:"size_bytes"`
	ModifiedAt time.Time `json:"modified_at"`
	Step       string    `json:"step" doc:"The step that writes it; empty when none does"`
	Editable   bool      `json:"editable" doc:"It can be changed with PUT while the run is not live"`
	Edited     bool      `json:"edited" doc:"It was changed by hand, and the change can be taken back"`
}

// EditResponse says what an edit leads to.
type EditResponse struct {
	Dirty []string `json:"dirty" nullable:"false" doc:"Steps that the next rerun makes anew, in order"`
}

// The states of a step.
const (
	StepWaiting = "waiting"
	StepRunning = "running"
	StepDone    = "done"
	StepDirty   = "dirty"   // what it read, or its own result, is not what it was
	StepFailed  = "failed"  //
	StepSkipped = "skipped" // needs a step that has no result
)

// Step is one step of a run. Times, calls and money are those of the last execution.
type Step struct {
	Step          string     `json:"step"`
	Label         string     `json:"label" doc:"What it does, for people"`
	Chapter       string     `json:"chapter"`
	State         string     `json:"state" enum:"waiting,running,done,dirty,failed,skipped"`
	Why           string     `json:"why" doc:"Why it is not done, or why it runs"`
	StartedAt     *time.Time `json:"started_at"`
	Seconds       float64    `json:"seconds"`
	Calls         int        `json:"calls"`
	CallsExpected int        `json:"calls_expected"`
	Usage         Usage      `json:"usage"`
	Cost          float64    `json:"cost"`
	ModelIDs      []string   `json:"model_ids" nullable:"false" doc:"Entries whose answers its result is made of"`
	Files         []string   `json:"files" nullable:"false" doc:"What it writes, templates as they are declared"`
	Needs         []string   `json:"needs" nullable:"false" doc:"Steps that it waits for"`
	Edited        []string   `json:"edited" nullable:"false" doc:"Files of it that were changed by hand"`
	Error         *Problem   `json:"error"`
}

// RerunRequest is the body of POST /runs/{run_id}/rerun. Without from and only, every step that is
// not up to date is made anew.
type RerunRequest struct {
	_                open    `json:"-" additionalProperties:"true"`
	From             string  `json:"from,omitempty" nullable:"true" doc:"Ask this step and all that follow from it anew"`
	Only             string  `json:"only,omitempty" nullable:"true" doc:"Ask just this step anew"`
	LLMModel         string  `json:"llm_model,omitempty" nullable:"true" doc:"As in POST /runs; empty is what the run was started with"`
	SpeedVsDetail    string  `json:"speed_vs_detail,omitempty" nullable:"true"`
	MaxCost          float64 `json:"max_cost,omitempty" nullable:"true" minimum:"0"`
	OpenRouterAPIKey string  `json:"openrouter_api_key,omitempty" nullable:"true" maxLength:"4096"`
}

// Estimate says what an execution will take.
type Estimate struct {
	Steps     []string `json:"steps" nullable:"false" doc:"Steps that will run, in order"`
	Calls     int      `json:"calls"`
	Tokens    Usage    `json:"usage"`
	Seconds   *float64 `json:"seconds" doc:"null when nothing can be said"`
	Cost      *float64 `json:"cost" doc:"USD; null when the price is not known"`
	Models    []string `json:"models" nullable:"false" doc:"Entries that will be asked, first tried first"`
	Why       string   `json:"why" doc:"Why those"`
	Demo      bool     `json:"demo" doc:"No real model will be asked"`
	LocalOnly bool     `json:"local" doc:"The first model runs on a machine of the user and costs nothing"`
}

// PurgeRunsRequest is the body of POST /purge-runs; nil takes the value of the service.
type PurgeRunsRequest struct {
	_           open     `json:"-" additionalProperties:"true"`
	MaxAgeHours *float64 `json:"max_age_hours,omitempty" minimum:"0" maximum:"1000000"`
	Prefix      *string  `json:"prefix,omitempty" minLength:"1" maxLength:"128"`
	Preview     bool     `json:"preview,omitempty" doc:"Only count"`
}

// PurgeRunsResponse counts what a purge did, or would do.
type PurgeRunsResponse struct {
	Status        string `json:"status" doc:"Always ok"`
	Message       string `json:"message"`
	Deleted       int    `json:"deleted"`
	DeletedBytes  int64  `json:"deleted_bytes"`
	SkippedRecent int    `json:"skipped_recent"`
	SkippedPrefix int    `json:"skipped_prefix"`
	SkippedActive int    `json:"skipped_active"`
	Errors        int    `json:"errors"`
}

// The values of ollama_status.
const (
	NoOllamaModels   = "no ollama models in the llm_config.json file"
	OllamaNotRunning = "ollama is NOT running"
	OllamaMixed      = "Mixed. Some ollama models are running, but some are NOT running."
	OllamaRunning    = "Ollama is running"
)

// LLMInfo lists the models that a user can choose.
type LLMInfo struct {
	Items        []LLMItem `json:"llm_config_items" nullable:"false"`
	OllamaStatus string    `json:"ollama_status"`
	Errors       []string  `json:"error_message_list" nullable:"false"`
	AutoModels   []string  `json:"auto_models" nullable:"false" doc:"What auto takes now, first tried first"`
	AutoWhy      string    `json:"auto_why"`
}

// LLMItem is one choice. The first is auto.
type LLMItem struct {
	ID        string   `json:"id"`
	Label     string   `json:"label"`
	Available bool     `json:"available" doc:"Nothing is known that keeps it from being used"`
	Problem   string   `json:"problem" doc:"Why it is not available"`
	Class     string   `json:"class"`
	Model     string   `json:"model"`
	Priority  *float64 `json:"priority"`
	Local     bool     `json:"local"`
	Demo      bool     `json:"demo"`
}

// PingEvent is one message of GET /llm-ping.
type PingEvent struct {
	Name         string `json:"name" doc:"Id of a model; worker_plan; or server for the last event"`
	Status       string `json:"status" enum:"pinging,success,error,done"`
	ResponseTime int64  `json:"response_time" doc:"Milliseconds of a success, else 0"`
	Response     string `json:"response"`
}

// Health is the answer of GET /healthz.
type Health struct {
	Status      string `json:"status"`
	RunBasePath string `json:"run_base_path"`
}

// Ready is the answer of GET /readyz: 200 when every check holds, else 503.
type Ready struct {
	Status    string     `json:"status" enum:"ok,not ready"`
	Version   string     `json:"version"`
	Checks    []Check    `json:"checks" nullable:"false"`
	Running   int        `json:"running"`
	Waiting   int        `json:"waiting"`
	MaxRuns   int        `json:"max_runs"`
	LastPurge *time.Time `json:"last_purge" doc:"null when none has run yet"`
}

// Check is one condition of readiness.
type Check struct {
	Name    string `json:"name"`
	OK      bool   `json:"ok"`
	Message string `json:"message" doc:"What is wrong and which variable to change"`
}

// Event is one event of a run. Types and members are those of the run's log; answers and prompts
// are left out.
type Event struct {
	Seq  int64           `json:"seq"`
	Type string          `json:"-"` // such as step.done; the name of the event on the wire
	Time time.Time       `json:"time"`
	Data json.RawMessage `json:"data"`
}

// Error is an answer of the service that is no success.
type Error struct {
	Status int
	Detail string
	Fields []FieldError  // of a 422; Detail then says them all
	Wait   time.Duration // after which trying again can help; 0 is not known
}

func (e *Error) Error() string {
	return fmt.Sprintf("worker_plan answered %d: %s", e.Status, e.Detail)
}

// FieldError is one problem of a request.
type FieldError struct {
	Type string `json:"type" doc:"A word for programs, such as missing or string_type"`
	Loc  []any  `json:"loc" nullable:"false" doc:"Where: body, query or header, then the name of the field or the offset of a byte"`
	Msg  string `json:"msg"`
}

// Field returns the name of the field, "" for the whole body.
func (f FieldError) Field() string {
	var names []string
	for i, l := range f.Loc {
		if i > 0 {
			names = append(names, fmt.Sprint(l))
		}
	}
	return strings.Join(names, ".")
}
