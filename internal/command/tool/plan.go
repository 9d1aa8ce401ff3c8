package tool

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"

	"planexe/internal/command"
	"planexe/internal/config"
	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
	"planexe/internal/runs"
	"planexe/internal/schedule"
)

type planCmd struct {
	Prompt       string  `arg:"" optional:"" help:"What to plan, in a few sentences; \"-\" reads standard input."`
	PromptFile   string  `help:"Read the prompt from a file." placeholder:"FILE"`
	RunDir       string  `help:"Directory of the run; a new one under PLANEXE_RUN_DIR when not given." placeholder:"DIR"`
	Model        string  `help:"Id of an entry in llm_config.json, or auto." placeholder:"ID"`
	Speed        string  `help:"all (every detail, slow) or fast (skips details)." placeholder:"all|fast"`
	Concurrency  int     `help:"Model calls at once." placeholder:"N"`
	MaxCost      float64 `help:"End the run when it has cost this many USD." placeholder:"USD"`
	Resume       bool    `help:"Go on with the run in --run-dir."`
	From         string  `help:"Ask this step and all that follow from it anew." placeholder:"STEP"`
	Only         string  `help:"Run just this step, asking it anew." placeholder:"STEP"`
	Refresh      bool    `help:"Also run steps whose prompt has changed since."`
	SerialReview bool    `help:"Ask review and audit one question after the other, each seeing the answers before; slower."`
	Schedule     string  `help:"dependencies (what can run side by side does) or waterfall (everything end to end); a run keeps it." placeholder:"MODE"`
	WorkingDays  *bool   `negatable:"" help:"Schedule work from Monday to Friday; a run keeps it."`
	KeepPrompts  bool    `help:"Keep the rendered prompts in the event log."`
	Record       string  `help:"Keep the answers in this file, for --replay." placeholder:"FILE"`
	Replay       string  `help:"Take prompt and answers from a recording: no model is asked." placeholder:"FILE"`
	Pace         float64 `help:"For --replay: let the whole plan take about this long instead of no time." placeholder:"SECONDS"`
	Open         bool    `help:"Open the report when it is done."`
	JSON         bool    `name:"json" help:"Print the result as one JSON object."`
}

func (c *planCmd) Run(s command.Streams) error {
	if c.Replay != "" {
		return c.replay(s)
	}
	if c.Pace != 0 {
		return command.UsageError("--pace needs --replay")
	}
	prompt, err := c.prompt(s.In)
	if err != nil {
		return err
	}
	set, err := load(s)
	if err != nil {
		return err
	}
	spec, err := c.spec(set)
	if err != nil {
		return err
	}
	for _, name := range []string{c.From, c.Only} {
		if _, ok := set.graph.Step(name); name != "" && !ok {
			return command.UsageError("%v", &run.UnknownStepError{Name: name})
		}
	}
	ctx, done := command.Signals(s.Err, run.ErrStop)
	defer done()
	if spec.Models, spec.Why, err = set.choose(ctx, c.Model); err != nil {
		return err
	}
	var begin func(*rundir.Dir) error
	if prompt != "" {
		begin = func(dir *rundir.Dir) error { return run.Begin(dir, prompt, time.Now()) }
	}
	dir, err := c.open(set, begin)
	if err != nil {
		return err
	}
	defer dir.Close()
	return execute(ctx, s, set, dir, spec, c.telling(begin != nil))
}

// prompt returns the prompt of a new run, "" for one that goes on.
func (c *planCmd) prompt(in io.Reader) (string, error) {
	given := c.Prompt != "" || c.PromptFile != ""
	goesOn := c.Resume || c.From != "" || c.Only != ""
	switch {
	case goesOn && given:
		return "", command.UsageError("a run that goes on keeps its prompt: leave out the prompt, or --resume, --from and --only")
	case goesOn && c.RunDir == "":
		return "", command.UsageError("--resume, --from and --only need --run-dir")
	case goesOn:
		return "", nil
	case c.Prompt != "" && c.PromptFile != "":
		return "", command.UsageError("give the prompt as an argument or with --prompt-file, not both")
	case c.PromptFile != "":
		data, err := readLimited(c.PromptFile)
		if err != nil {
			return "", fmt.Errorf("read the prompt: %w", err)
		}
		return run.CheckPrompt(data)
	case c.Prompt == "" && isTerminal(in):
		return "", command.UsageError("say what to plan: planexe plan \"…\", --prompt-file FILE, or on standard input")
	case c.Prompt == "" || c.Prompt == "-":
		data, err := io.ReadAll(io.LimitReader(in, run.MaxPrompt+4))
		if err != nil {
			return "", fmt.Errorf("read the prompt from standard input: %w", err)
		}
		return run.CheckPrompt(string(data))
	}
	return run.CheckPrompt(c.Prompt)
}

func readLimited(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, run.MaxPrompt+4))
	return string(data), err
}

func isTerminal(x any) bool {
	f, ok := x.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (c *planCmd) spec(set *setup) (run.Spec, error) {
	spec := run.Spec{
		Graph: set.graph, Hub: llm.NewHub(), Speed: string(set.settings.Speed), Concurrency: cmp.Or(c.Concurrency, set.settings.Concurrency),
		From: c.From, Refresh: c.Refresh, KeepPrompts: c.KeepPrompts, Serial: c.SerialReview, Version: command.Version(),
		AllowRefuse: set.settings.Redline == config.RedlineWarn, MaxCost: c.MaxCost, WorkingDays: c.WorkingDays,
	}
	if c.Only != "" {
		spec.Only = []string{c.Only}
	}
	if spec.MaxCost == 0 && set.settings.MaxCost != nil {
		spec.MaxCost = *set.settings.MaxCost
	}
	switch c.Speed {
	case "":
	case "all", run.AllDetails:
		spec.Speed = run.AllDetails
	case "fast", run.Fast:
		spec.Speed = run.Fast
	default:
		return spec, command.UsageError("--speed %s: allowed are all and fast", c.Speed)
	}
	switch c.Schedule {
	case "":
	case schedule.Dependencies, schedule.Waterfall:
		waterfall := c.Schedule == schedule.Waterfall
		spec.Waterfall = &waterfall
	default:
		return spec, command.UsageError("--schedule %s: allowed are %s and %s", c.Schedule, schedule.Dependencies, schedule.Waterfall)
	}
	if c.Concurrency < 0 || c.Concurrency > 256 {
		return spec, command.UsageError("--concurrency %d: allowed is 1 to 256", c.Concurrency)
	}
	if c.MaxCost < 0 {
		return spec, command.UsageError("--max-cost %v: allowed is an amount of USD above 0", c.MaxCost)
	}
	return spec, nil
}

// open makes the directory of a new run and begins it, or opens that of one which goes on: begin is
// nil then.
func (c *planCmd) open(set *setup, begin func(*rundir.Dir) error) (*rundir.Dir, error) {
	if begin == nil {
		if !rundir.IsRun(c.RunDir) {
			return nil, fmt.Errorf("%s is not the directory of a run: there is nothing to go on with", c.RunDir)
		}
		dir, err := rundir.Open(c.RunDir)
		return dir, wayOut(err)
	}
	path := c.RunDir
	if path == "" {
		path = freshName(set.settings.RunDir)
	} else if rundir.IsRun(path) {
		return nil, fmt.Errorf("%s holds a run already: add --resume to go on with it, or choose another --run-dir", path)
	}
	dir, err := rundir.Create(path)
	if err != nil {
		return nil, wayOut(err)
	}
	if err := begin(dir); err != nil {
		dir.Close()
		return nil, wayOut(err)
	}
	return dir, nil
}

// freshName is PlanExe_ and the local time, with a number when that is taken.
func freshName(base string) string {
	name := filepath.Join(base, "PlanExe_"+time.Now().Format("20060102_150405"))
	for i, try := 2, name; ; i++ {
		if _, err := os.Stat(try); errors.Is(err, fs.ErrNotExist) || i > 1000 {
			return try
		}
		try = fmt.Sprintf("%s_%d", name, i)
	}
}

// wayOut adds what a person can do about a directory that cannot be used.
func wayOut(err error) error {
	var foreign *rundir.ForeignError
	var locked *rundir.LockedError
	var store *pipeline.StoreError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &foreign):
		return fmt.Errorf("%w; choose an empty directory or a new name with --run-dir", err)
	case errors.As(err, &locked):
		return fmt.Errorf("%w; wait for it to end, or stop it", err)
	case errors.As(err, &store):
		return fmt.Errorf("%w; %s", err, store.Reason().Advice)
	}
	return fmt.Errorf("%w; choose another directory with --run-dir or PLANEXE_RUN_DIR", err)
}

// result is what --json prints.
type result struct {
	Outcome event.Outcome `json:"outcome"`
	RunDir  string        `json:"run_dir"`
	Report  string        `json:"report,omitempty"`
	Reason  *event.Reason `json:"reason,omitempty"`
	Calls   int           `json:"calls"`
	Reused  int           `json:"reused_answers"`
	Usage   event.Usage   `json:"usage"`
	Cost    float64       `json:"cost_usd"`
	Quality int           `json:"quality_notes"`
	Seconds float64       `json:"seconds"`
}

// telling is what a command does around a run.
type telling struct {
	fresh      bool // the directory was made by us a moment ago
	open, json bool
	record     string // file to keep the answers in
	takes      string // how long a plan takes, for people; "" guesses
	again      string // command that goes on with the run; the directory is added
}

func (c *planCmd) telling(fresh bool) telling {
	return telling{fresh: fresh, open: c.Open, json: c.JSON, record: c.Record, again: "planexe plan --resume"}
}

// execute runs a plan in a directory and tells about it.
func execute(ctx context.Context, s command.Streams, set *setup, dir *rundir.Dir, spec run.Spec, tell telling) error {
	logFile, err := dir.OpenLog()
	if err != nil {
		return wayOut(err)
	}
	defer logFile.Close()
	announce(s.Err, dir, spec, tell.takes)
	dir.Watch(run.LogTo(logFile, set.settings.LogLevel.Level, set.models.Config.Secrets()))
	p := newProgress(s.Err, run.Redactor(set.models.Config.Secrets()))
	if err := dir.Replay(p.seen); err != nil {
		return err
	}
	dir.Watch(p.event)
	end, err := run.Execute(ctx, filepath.Base(dir.Path()), dir, spec)
	state := p.close()
	if err != nil {
		if tell.fresh && len(state.Steps) == 0 {
			dir.Close()
			_ = os.RemoveAll(dir.Path()) // nothing was asked yet
		}
		return err
	}
	if set.settings.TrackActivity {
		if err := run.WriteActivity(dir); err != nil {
			fmt.Fprintln(s.Err, "planexe: track_activity.jsonl:", err)
		}
	}
	if tell.record != "" {
		if err := writeRecording(dir, tell.record); err != nil {
			fmt.Fprintf(s.Err, "planexe: %v; the answers are kept in the run: planexe record %s FILE\n", err, dir.Path())
		}
	}
	report := filepath.Join(dir.Path(), plan.Report.Name)
	if _, err := os.Stat(report); err != nil {
		report = ""
	}
	finish(s, dir, end, state, report, tell)
	if tell.open && report != "" {
		if err := command.OpenFile(report); err != nil {
			fmt.Fprintln(s.Err, "planexe: cannot open the report:", err)
		}
	}
	if code := run.ExitCode(end.Outcome); code != 0 {
		return command.Exit(code)
	}
	return nil
}

// announce says what will happen before it begins: the models, and what it takes.
func announce(w io.Writer, dir *rundir.Dir, spec run.Spec, takes string) {
	var all []string
	for _, st := range spec.Graph.Steps() {
		all = append(all, st.Name)
	}
	e := runs.EstimateSteps(spec.Graph, all, spec.Speed, spec.Models[0], spec.Concurrency)
	fmt.Fprintf(w, "Run directory: %s\n", dir.Path())
	fmt.Fprintf(w, "Model: %s (%s)\n", entryIDs(spec.Models), spec.Why)
	fmt.Fprintf(w, "Estimate for a whole plan: about %d calls, %s, %s\n", e.Calls, cmp.Or(takes, timeOf(e, spec.Models[0])), costOf(e, spec.Models[0]))
}

func timeOf(e runs.Estimate, first *llm.Entry) string {
	switch {
	case first.Demo:
		return "a second or two"
	case e.Seconds < 0:
		return "as long as the local model takes"
	}
	return fmt.Sprintf("about %s", time.Duration(e.Seconds*float64(time.Second)).Round(time.Minute))
}

func costOf(e runs.Estimate, first *llm.Entry) string {
	switch {
	case first.Demo || first.Local:
		return "no cost"
	case e.Cost == nil:
		return "price unknown (told as it is spent, if the provider tells)"
	}
	return fmt.Sprintf("about $%.2f", *e.Cost)
}

func finish(s command.Streams, dir *rundir.Dir, end run.End, st *run.State, report string, tell telling) {
	if tell.json {
		r := result{
			Outcome: end.Outcome, RunDir: dir.Path(), Report: report, Calls: st.Calls, Reused: st.Reused, Usage: st.Usage, Cost: st.Cost,
			Seconds: st.Ended.Sub(st.Began).Seconds(),
		}
		for _, q := range st.Quality {
			r.Quality += len(q)
		}
		if end.Reason.Message != "" {
			r.Reason = &end.Reason
		}
		_ = json.NewEncoder(s.Out).Encode(r)
		return
	}
	fmt.Fprintf(s.Err, "%s\n", summary(st))
	if end.Outcome != event.Complete {
		fmt.Fprintf(s.Err, "The run is %s: %s\n", end.Outcome, end.Reason.Message)
		for _, f := range end.Result.Failed {
			if f.Reason.Message != end.Reason.Message {
				fmt.Fprintf(s.Err, "  %s failed: %s\n", f.Step, f.Reason.Message)
			}
		}
		if end.Reason.Advice != "" {
			fmt.Fprintf(s.Err, "What you can do: %s\n", end.Reason.Advice)
		}
		if end.Outcome != event.Refused {
			fmt.Fprintf(s.Err, "To go on: %s --run-dir %s\n", tell.again, dir.Path())
		}
	}
	if report != "" {
		fmt.Fprintln(s.Out, report)
	} else {
		fmt.Fprintf(s.Err, "There is no report yet. The run is kept in %s\n", dir.Path())
	}
}
