package dbworker

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"planexe/internal/event"
	"planexe/internal/plan"
	"planexe/internal/queue"
	"planexe/internal/run"
	"planexe/internal/rundir"
	"planexe/internal/trace"
)

// job is a task while this worker has it.
type job struct {
	w      *Worker
	task   queue.Task
	began  time.Time
	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when it has ended
	giveUp chan struct{} // closed when the worker ends and has waited long enough
	span   *trace.Span

	mu       sync.Mutex
	lease    time.Time // its end by this machine's clock
	store    *queue.Store
	state    run.State
	title    string
	paused   map[string]bool // why no call may start
	lost     bool
	progress bool // there is something new to show
}

// start begins to work on a claimed task.
func (w *Worker) start(t queue.Task, asked time.Time) {
	j := &job{w: w, task: t, began: time.Now(), lease: asked.Add(w.settings.Lease.Duration()), done: make(chan struct{}), giveUp: make(chan struct{}), paused: map[string]bool{}}
	var ctx context.Context
	ctx, j.span = w.began(t, asked)
	j.ctx, j.cancel = context.WithCancelCause(ctx)
	w.mu.Lock()
	w.jobs[t.ID] = j
	if w.draining {
		j.paused["drain"] = true
		w.runs.Go(func() { j.drain(time.Now()) })
	}
	w.runs.Add(1)
	w.mu.Unlock()
	go func() {
		defer w.runs.Done()
		defer close(j.done)
		j.work()
		j.cancel(nil)
		w.mu.Lock()
		delete(w.jobs, t.ID)
		w.mu.Unlock()
		w.metrics.runTime(time.Since(j.began))
		signal(w.wake)
		signal(w.renew) // the worker's row tells what it works on
	}()
}

// work runs the task to an end, whatever that is, and writes it down.
func (j *job) work() {
	log := j.w.log.With("task_id", j.task.ID, "attempt", j.task.Attempt)
	end := j.perform()
	defer j.ended(end)
	switch {
	case j.isLost():
		j.w.metrics.lost.Add(1)
		log.Warn("the task was taken from this worker; nothing more is written to it")
	case end.back != "":
		j.settle("given back", func(ctx context.Context) error { return end.giveBack(ctx, j) })
		log.Info("task given back", "reason", end.back)
	default:
		if j.settle("ended", func(ctx context.Context) error { return j.w.queue.Finish(ctx, j.w.me, j.task, end.ending) }) {
			j.w.o.Point("finished")
			j.w.metrics.finished(end.ending.State)
			log.Info("task ended", "state", end.ending.State, "reason", end.ending.FailureReason, "error", end.ending.Error)
			if s := j.place(); s != nil {
				if err := s.MarkFinished(); err != nil {
					log.Warn("the run directory cannot be marked as finished", "error", err)
				}
			}
		}
	}
	if s := j.place(); s != nil {
		if err := s.Close(); err != nil {
			log.Warn("the run directory cannot be closed", "error", err)
		}
	}
}

// settle does what has to reach the database until it has, or the task is lost, or the worker ends.
func (j *job) settle(what string, do func(context.Context) error) bool {
	began := time.Now()
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err := do(ctx)
		cancel()
		if err == nil {
			return true
		}
		if errors.Is(err, queue.ErrLost) {
			j.lose()
			j.w.log.Warn("the task was taken from this worker before it could be "+what, "task_id", j.task.ID)
			return false
		}
		j.w.log.Warn("the end of a task cannot be written; trying again, the result is on disk", "task_id", j.task.ID, "waited", time.Since(began).Round(time.Second), "error", err)
		if j.over() {
			return false // the next process goes on from the disk
		}
		select {
		case <-time.After(pause):
		case <-j.giveUp:
		}
	}
}

// over tells whether a worker that ends has waited long enough.
func (j *job) over() bool {
	select {
	case <-j.giveUp:
		return true
	default:
		return false
	}
}

// outcome of a job: an ending, or a reason to give the task back.
type outcome struct {
	ending queue.Ending
	back   string
	setup  bool
}

func (o outcome) giveBack(ctx context.Context, j *job) error {
	if o.setup {
		return j.w.queue.GiveBack(ctx, j.w.me, j.task.Lease, o.back)
	}
	return j.w.queue.Release(ctx, j.w.me, j.task.Lease, o.back)
}

// perform runs the plan. A panic fails this task only.
func (j *job) perform() (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			j.w.log.Error("panic in a run", "task_id", j.task.ID, "panic", p, "stack", string(debug.Stack()))
			o = failed(queue.ReasonInternal, "an error of the program ended the plan; its log tells more", true)
		}
	}()
	prompt, err := run.CheckPrompt(j.task.Prompt)
	if err != nil {
		return failed(queue.ReasonInvalid, err.Error(), false)
	}
	if o, ok := j.open(); !ok {
		return o
	}
	s := j.place()
	j.w.o.Point("opened")
	if _, err := s.Read(plan.Prompt.Name); errors.Is(err, fs.ErrNotExist) {
		err = run.Begin(s, prompt, time.Now())
		if err != nil {
			return j.cannot(err)
		}
	}
	stop := j.watch(s)
	defer stop()
	text, err := s.OpenLog()
	if err != nil {
		return j.cannot(err)
	}
	defer text.Close()
	s.Watch(run.LogTo(text, j.w.settings.LogLevel.Level, j.w.models.Secrets()))
	if watch, over := j.w.trace.Run(j.ctx, j.task.ID.String()); watch != nil {
		s.Watch(watch)
		defer over()
	}
	if j.task.Parameters.Speed == queue.SpeedPing {
		return j.ping(s)
	}
	spec, err := j.w.plan(j.ctx, j.task)
	if err != nil {
		return j.early(err)
	}
	end, err := run.Execute(j.ctx, j.task.ID.String(), s, spec)
	if err != nil {
		return j.early(err)
	}
	return j.conclude(s, end)
}

// open makes the run directory ready.
func (j *job) open() (outcome, bool) {
	for pause := time.Second; ; pause = min(2*pause, 10*time.Second) {
		s, err := j.w.queue.OpenStore(j.ctx, j.task.Lease, queue.StoreOptions{
			Base: j.w.base, MaxArtifact: j.w.settings.MaxArtifact << 20, Log: j.w.log,
			TooBig: func(name string, size int) {
				j.w.log.Warn("a file is too large for the database and stays on this disk", "task_id", j.task.ID, "file", name, "bytes", size)
				_ = j.w.queue.Warn(j.ctx, j.w.me, j.task.Lease, "A file is too large for the database", queue.Details{"file": name, "bytes": size})
			},
		})
		if err == nil {
			j.mu.Lock()
			j.store = s
			if len(j.paused) > 0 {
				s.Pause()
			}
			j.mu.Unlock()
			return outcome{}, true
		}
		switch {
		case errors.Is(err, queue.ErrLost):
			j.lose()
			return outcome{}, false
		case j.ctx.Err() != nil:
			return j.interrupted(), false
		case isDisk(err):
			return j.cannot(err), false
		}
		j.w.log.Warn("the run directory cannot be brought up to date; trying again", "task_id", j.task.ID, "error", err)
		select {
		case <-time.After(pause):
		case <-j.ctx.Done():
		}
	}
}

// isDisk tells failures of this machine's disk from those of the database.
func isDisk(err error) bool {
	if _, network := errors.AsType[*net.OpError](err); network { // a broken pipe is a failed system call too
		return false
	}
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	var locked *rundir.LockedError
	return errors.As(err, &path) || errors.As(err, &link) || errors.As(err, &locked) || errors.As(err, &call)
}

// cannot gives a task back that this machine cannot run.
func (j *job) cannot(err error) outcome {
	if j.ctx.Err() != nil {
		return j.interrupted()
	}
	j.w.log.Error("the task cannot be run here", "task_id", j.task.ID, "error", err)
	signal(j.w.renew)
	return outcome{back: "the run directory cannot be used", setup: true}
}

// interrupted is the outcome of a run whose context is over before it began.
func (j *job) interrupted() outcome {
	if errors.Is(context.Cause(j.ctx), run.ErrStop) {
		return outcome{ending: queue.Ending{State: queue.Stopped, Recoverable: true}}
	}
	return outcome{back: "shutdown"}
}

// early is the outcome of a run that could not begin.
func (j *job) early(err error) outcome {
	if j.ctx.Err() != nil {
		return j.interrupted()
	}
	if s := j.place(); s != nil && s.DiskError() != nil {
		return j.cannot(err)
	}
	o := failed(queue.ReasonGeneration, err.Error(), true)
	if r, ok := errors.AsType[interface {
		error
		Reason() event.Reason
	}](err); ok {
		o = failedFor(queue.ReasonGeneration, r.Reason())
	}
	o.ending.Error = j.w.redact(o.ending.Error)
	return o
}

func failed(reason, message string, recoverable bool) outcome {
	return outcome{ending: queue.Ending{State: queue.Failed, FailureReason: reason, Error: message, Recoverable: recoverable}}
}

func failedFor(reason string, r event.Reason) outcome {
	o := failed(reason, r.Message, r.CanRetry)
	if r.Advice != "" {
		o.ending.Error += " (" + r.Advice + ")"
	}
	o.ending.FailedStep = r.Step
	return o
}

// conclude turns the outcome of a run into the end of its task.
func (j *job) conclude(s *queue.Store, end run.End) outcome {
	j.w.o.Point("executed")
	if end.Outcome == event.Interrupted {
		return outcome{back: "shutdown"}
	}
	if err := s.Flush(); err != nil { // the worker ends, or the task was lost
		return outcome{back: "shutdown"}
	}
	o := outcome{ending: queue.Ending{State: queue.Completed}}
	switch end.Outcome {
	case event.Partial:
		o = failedFor(queue.ReasonPartial, end.Reason)
		o.ending.Recoverable = true
	case event.Refused:
		o = failedFor(queue.ReasonRefused, end.Reason)
		o.ending.Recoverable = false
	case event.Budget:
		o = failedFor(queue.ReasonBudget, end.Reason)
	case event.Stopped:
		o = outcome{ending: queue.Ending{State: queue.Stopped, Recoverable: true}}
	case event.Failed:
		o = failedFor(queue.ReasonGeneration, end.Reason)
		if end.Reason.Class == "internal" {
			o = failedFor(queue.ReasonInternal, end.Reason)
		}
		if s.DiskError() != nil {
			o = failed(queue.ReasonStorage, "the disk of the worker cannot be written to: free space, then retry", true)
		}
	}
	if o.ending.State == queue.Failed {
		o.ending.Error = clean(j.w.redact(o.ending.Error), j.w.base)
	}
	j.collect(s, &o.ending)
	return o
}

// clean takes the path of run directories out of a sentence for users.
func clean(text, base string) string { return strings.ReplaceAll(text, base, "…") }

// collect adds what the run has made.
func (j *job) collect(s *queue.Store, e *queue.Ending) {
	if j.w.settings.TrackActivity {
		err := run.WriteActivity(s.Dir)
		var data []byte
		if err == nil {
			data, err = s.Read(rundir.ActivityName)
		}
		if err == nil {
			err = s.Write(rundir.ActivityName, data)
		}
		if err != nil {
			j.w.log.Warn("track_activity.jsonl is not stored", "task_id", j.task.ID, "error", err)
		}
	}
	j.name(s) // the plan may have been made between two looks
	e.Progress = j.shown()
	report, err := s.Read(plan.Report.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		j.w.log.Warn("the report cannot be read", "task_id", j.task.ID, "error", err)
	default:
		// Postgres holds neither; a model's text may have both.
		text := strings.ReplaceAll(strings.ToValidUTF8(string(report), "\ufffd"), "\x00", "")
		e.Report = &text
	}
	limit := j.w.settings.MaxZip << 20
	zip := &bounded{left: limit}
	if err := s.Zip(zip); err != nil {
		j.w.log.Warn("the archive of the run is not stored", "task_id", j.task.ID, "error", err)
		_ = j.w.queue.Warn(j.ctx, j.w.me, j.task.Lease, "The archive of the run is not stored", queue.Details{"limit_bytes": limit})
	} else {
		e.Zip = zip.data
	}
	names, _ := s.Names() // only counted
	e.Confirm = j.confirmation()
	e.Details = queue.Details{
		"duration_between_processing_and_completion": time.Since(j.began).Seconds(), "has_report_file": e.Report != nil,
		"has_stop_flag_file": e.State == queue.Stopped, "has_pipeline_complete_file": e.State == queue.Completed, "number_of_files_in_run_id_dir": len(names),
	}
}

// bounded is a buffer that refuses to grow beyond its limit.
type bounded struct {
	data []byte
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errors.New("it is larger than PLANEXE_TASK_MAX_ZIP_MB")
	}
	b.data = append(b.data, p...)
	return len(p), nil
}

// confirmation is the address that hears of the task's end; "" for none. Partners ask for it, and
// what other programs inserted is a partner's when it has a user.
func (j *job) confirmation() string {
	if j.task.UserID == nil || j.task.Origin != "partner" && j.task.Origin != "" {
		return ""
	}
	if j.task.Parameters.Developer {
		return j.w.settings.ConfirmDev
	}
	return j.w.settings.ConfirmURL
}
