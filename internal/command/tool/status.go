package tool

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"planexe/internal/check"
	"planexe/internal/command"
	"planexe/internal/event"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

type statusCmd struct {
	RunDir string `arg:"" help:"Directory of the run."`
	JSON   bool   `name:"json" help:"Print as JSON."`
	Calls  bool   `help:"Show where the tokens went, step by step."`
}

// stepLine is one step in a status.
type stepLine struct {
	Step   string   `json:"step"`
	State  string   `json:"state"` // done, dirty, failed, skipped, running or waiting
	Why    string   `json:"why,omitempty"`
	Edited []string `json:"edited,omitempty"`
	Calls  int      `json:"calls,omitempty"`
	Cost   float64  `json:"cost_usd,omitempty"`
}

type statusReport struct {
	RunDir  string          `json:"run_dir"`
	Outcome event.Outcome   `json:"outcome,omitempty"`
	Reason  *event.Reason   `json:"reason,omitempty"`
	Models  []string        `json:"models,omitempty"`
	Files   int             `json:"files"`
	Of      int             `json:"files_expected"`
	Cost    float64         `json:"cost_usd"`
	Steps   []stepLine      `json:"steps"`
	Quality []event.Quality `json:"quality,omitempty"`

	Findings []plan.Finding `json:"findings,omitempty"`
	Checks   int            `json:"checks,omitempty"` // how many were made; 0 before the plan is whole
}

func (c *statusCmd) Run(s command.Streams) error {
	if c.Calls {
		return showCalls(s, c.RunDir)
	}
	g, err := run.NewGraph(command.Version())
	if err != nil {
		return err
	}
	r, err := readStatus(g, c.RunDir)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.Out).Encode(r)
	}
	switch {
	case r.Outcome != "":
		fmt.Fprintf(s.Out, "%s: %s", r.RunDir, r.Outcome)
	default:
		fmt.Fprintf(s.Out, "%s: running, or interrupted", r.RunDir)
	}
	if r.Reason != nil && r.Reason.Message != "" {
		fmt.Fprintf(s.Out, ": %s", r.Reason.Message)
	}
	fmt.Fprintf(s.Out, "\n%d of %d files, $%.4f\n\n", r.Files, r.Of, r.Cost)
	t := tabwriter.NewWriter(s.Out, 0, 4, 2, ' ', 0)
	for _, l := range r.Steps {
		why := l.Why
		if len(l.Edited) > 0 {
			why = fmt.Sprintf("changed by hand: %v %s", l.Edited, why)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", l.Step, l.State, why)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(r.Quality) > 0 {
		fmt.Fprintln(s.Out, "\nQuality notes:")
		for _, q := range r.Quality {
			fmt.Fprintf(s.Out, "- %s: %s\n", q.Step, q.Note)
		}
	}
	return r.printFindings(s)
}

func (r *statusReport) printFindings(s command.Streams) error {
	if r.Checks == 0 {
		return nil
	}
	if len(r.Findings) == 0 {
		_, err := fmt.Fprintf(s.Out, "\n%d checks without a model found nothing.\n", r.Checks)
		return err
	}
	fmt.Fprintf(s.Out, "\nFound by %d checks without a model:\n", r.Checks)
	t := tabwriter.NewWriter(s.Out, 0, 4, 2, ' ', 0)
	for _, f := range check.Sorted(r.Findings) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.Severity, f.File, f.Section, f.What)
	}
	return t.Flush()
}

func readStatus(g *pipeline.Graph, path string) (*statusReport, error) {
	if !rundir.IsRun(path) {
		return nil, fmt.Errorf("%s is not the directory of a run", path)
	}
	dir, err := rundir.OpenRead(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	in, err := run.Inspect(g, dir)
	if err != nil {
		return nil, err
	}
	st := &in.State
	r := &statusReport{RunDir: dir.Path(), Outcome: st.Outcome, Models: st.Run.Models, Cost: st.Cost, Of: len(plan.Expected())}
	if st.Reason.Message != "" {
		r.Reason = &st.Reason
	}
	names, err := dir.Names()
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for _, n := range names {
		have[n] = true
	}
	for _, n := range plan.Expected() {
		if have[n] {
			r.Files++
		}
	}
	if have[plan.Checks.Name] {
		var found plan.Findings
		data, err := dir.Read(plan.Checks.Name)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, &found); err != nil {
			return nil, fmt.Errorf("%s does not hold findings: %w; planexe step checks --run-dir %s makes it again", plan.Checks.Name, err, path)
		}
		r.Findings, r.Checks = found.Findings, len(found.Checks)
	}
	for _, x := range in.Steps {
		name := x.Step.Name
		r.Steps = append(r.Steps, stepLine{Step: name, State: x.State, Why: x.Why, Edited: x.Edited, Calls: x.Run.Asked, Cost: x.Run.Cost})
		r.Quality = append(r.Quality, st.Quality[name]...)
	}
	return r, nil
}

// showCalls prints where the tokens of a run went.
func showCalls(s command.Streams, path string) error {
	if !rundir.IsRun(path) {
		return fmt.Errorf("%s is not the directory of a run", path)
	}
	dir, err := rundir.OpenRead(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	var calls run.Calls
	if err := dir.Replay(calls.Apply); err != nil {
		return err
	}
	fmt.Fprint(s.Out, calls.String())
	return nil
}

type reportCmd struct {
	RunDir string `arg:"" help:"Directory of the run."`
	Output string `short:"o" help:"Write to this file instead of 030-report.html in the directory." placeholder:"FILE"`
	Open   bool   `help:"Open it."`
}

func (c *reportCmd) Run(s command.Streams) error {
	g, err := run.NewGraph(command.Version())
	if err != nil {
		return err
	}
	if !rundir.IsRun(c.RunDir) {
		return fmt.Errorf("%s is not the directory of a run", c.RunDir)
	}
	openDir := rundir.Open
	if c.Output != "" {
		openDir = rundir.OpenRead
	}
	dir, err := openDir(c.RunDir)
	if err != nil {
		return wayOut(err)
	}
	defer dir.Close()
	var st run.State
	if err := dir.Replay(st.Apply); err != nil {
		return err
	}
	page, err := run.RenderReport(g, &st, st.Outcome, st.Reason, dir.Read)
	if err != nil {
		return err
	}
	path := c.Output
	if path == "" {
		path = filepath.Join(dir.Path(), plan.Report.Name)
		if err = dir.Write(plan.Report.Name, page); err == nil {
			// Said in the log, or the next run would take it for a change by hand.
			err = dir.Append(event.ArtifactWritten{Step: "report", Name: plan.Report.Name, Bytes: len(page), Digest: pipeline.Digest(page)})
		}
	} else {
		err = writeFile(path, page)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Out, path)
	if c.Open {
		return command.OpenFile(path)
	}
	return nil
}
