package tool

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"planexe/internal/command"
	"planexe/internal/event"
	"planexe/internal/llm/replay"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
	"planexe/internal/sample"
)

// demoPace is how many seconds the sample takes: long enough to watch a plan grow.
const demoPace = 30

type demoCmd struct {
	RunDir string `help:"Directory of the run; a new one under PLANEXE_RUN_DIR when not given." placeholder:"DIR"`
	Fast   bool   `help:"Do not wait as long as a model would: done in a second or two."`
	Resume bool   `help:"Go on with the run in --run-dir."`
	Open   bool   `help:"Open the report when it is done."`
	JSON   bool   `name:"json" help:"Print the result as one JSON object."`
}

func (c *demoCmd) Run(s command.Streams) error {
	rec, err := sample.Open()
	if err != nil {
		return fmt.Errorf("read the sample plan: %w", err)
	}
	rec.Sample = true
	p := &planCmd{RunDir: c.RunDir, Resume: c.Resume, Open: c.Open, JSON: c.JSON}
	if !c.Fast {
		p.Pace = demoPace
	}
	return p.play(s, rec, "a sample: recorded answers to a request of ours", "planexe demo --resume")
}

// replay is plan with a recording instead of a prompt and a model.
func (c *planCmd) replay(s command.Streams) error {
	switch {
	case c.Prompt != "" || c.PromptFile != "":
		return command.UsageError("a recording has its own prompt: leave out the prompt, or --replay")
	case c.Model != "" || c.Speed != "" || c.SerialReview:
		return command.UsageError("a recording says which models and which speed: leave out --model, --speed and --serial-review, or --replay")
	case c.Pace < 0 || c.Pace > 86_400:
		return command.UsageError("--pace %v: allowed is 0 to 86400 seconds", c.Pace)
	}
	rec, err := replay.Open(c.Replay)
	if err != nil {
		return err
	}
	why := fmt.Sprintf("recorded answers of %s, by version %q", rec.Recorded.Format(time.DateOnly), rec.Version)
	return c.play(s, rec, why, "planexe plan --resume --replay "+c.Replay)
}

// play makes a plan, or goes on with one, from the answers of a recording.
func (c *planCmd) play(s command.Streams, rec *replay.Recording, why, again string) error {
	goesOn := c.Resume || c.From != "" || c.Only != ""
	if goesOn && c.RunDir == "" {
		return command.UsageError("--resume, --from and --only need --run-dir")
	}
	set, err := load(s)
	if err != nil {
		return err
	}
	spec, err := c.spec(set)
	if err != nil {
		return err
	}
	spec.Speed, spec.Serial = run.Mode(rec.Speed)
	if spec.Speed != run.AllDetails && spec.Speed != run.Fast {
		return fmt.Errorf("the recording is of a run at speed %q, which this version does not know", rec.Speed)
	}
	tell := c.telling(!goesOn)
	tell.again, tell.takes = again, "a second or two"
	pace := 0.0
	if span := rec.Span(planned(set.graph), spec.Concurrency); c.Pace > 0 && span > 0 {
		pace = c.Pace / span.Seconds()
		tell.takes = fmt.Sprintf("about %.0f s", c.Pace)
	}
	spec.Models, spec.Why, spec.AllowRefuse, spec.Sample = rec.Entries(pace), why, rec.AllowRefuse, rec.Sample

	begin := func(dir *rundir.Dir) error { return beginRecorded(dir, rec) }
	if goesOn {
		begin = nil
	}
	dir, err := c.open(set, begin)
	if err != nil {
		return err
	}
	defer dir.Close()
	prompt, err := dir.Read(plan.Prompt.Name)
	if err != nil {
		return wayOut(err)
	}
	if goesOn && !bytes.Equal(prompt, []byte(rec.Prompt)) {
		return fmt.Errorf("the run in %s was made from another prompt than the recording: go on without the recording, or begin a new run", dir.Path())
	}
	ctx, done := command.Signals(s.Err, run.ErrStop)
	defer done()
	return execute(ctx, s, set, dir, spec, tell)
}

// planned is what the pace is reckoned from.
func planned(g *pipeline.Graph) []event.PlannedStep {
	var steps []event.PlannedStep
	for _, st := range g.Steps() {
		steps = append(steps, event.PlannedStep{Name: st.Name, Needs: g.Waits(st.Name)})
	}
	return steps
}

func beginRecorded(dir *rundir.Dir, rec *replay.Recording) error {
	files := []struct{ name, text string }{
		{plan.StartTime.Name, rec.Start}, {plan.ScheduleOptions.Name, rec.Schedule}, {plan.Prompt.Name, rec.Prompt},
	}
	for _, f := range files {
		if f.text == "" {
			continue
		}
		if err := dir.Write(f.name, []byte(f.text)); err != nil {
			return fmt.Errorf("write %s: %w", f.name, err)
		}
	}
	return nil
}

type recordCmd struct {
	RunDir string `arg:"" help:"Directory of the run."`
	File   string `arg:"" help:"File to write; the usual ending is .jsonl.gz."`
}

func (c *recordCmd) Run(s command.Streams) error {
	if !rundir.IsRun(c.RunDir) {
		return fmt.Errorf("%s is not the directory of a run", c.RunDir)
	}
	dir, err := rundir.OpenRead(c.RunDir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return writeRecording(dir, c.File)
}

// writeRecording keeps the answers of a run in a file.
func writeRecording(dir *rundir.Dir, path string) error {
	var r replay.Recorder
	if err := dir.Replay(r.Apply); err != nil {
		return err
	}
	var sources [3][]byte
	for i, name := range []string{plan.Prompt.Name, plan.StartTime.Name, plan.ScheduleOptions.Name} {
		data, err := dir.Read(name)
		if err != nil && !(errors.Is(err, fs.ErrNotExist) && name == plan.ScheduleOptions.Name) {
			return err
		}
		sources[i] = data
	}
	rec, err := r.Recording(sources[0], sources[1], sources[2])
	if err != nil {
		return fmt.Errorf("record %s: %w", dir.Path(), err)
	}
	return rec.Write(path)
}
