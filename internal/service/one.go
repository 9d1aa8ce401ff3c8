package service

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"planexe/internal/event"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

// RunOne runs or resumes the run in the directory RUN_ID_DIR, with the models and the speed of the
// settings, and returns the exit status. The error says why the run could not begin.
func RunOne(ctx context.Context, o Options) (int, error) {
	path := o.Settings.RunIDDir
	info, err := os.Stat(path)
	switch {
	case !filepath.IsAbs(path):
		return 1, fmt.Errorf("RUN_ID_DIR is %q: it has to be an absolute path", path)
	case err != nil || !info.IsDir():
		return 1, fmt.Errorf("RUN_ID_DIR is %q: there is no such directory", path)
	}
	for _, name := range []string{plan.StartTime.Name, plan.Prompt.Name} {
		if _, err := os.Stat(filepath.Join(path, name)); err != nil {
			return 1, fmt.Errorf("RUN_ID_DIR is %q: it holds no %s, with which a run begins", path, name)
		}
	}
	// A service without a port: what makes a request into a run is the same. Its base is the parent.
	o.Settings.RunDir = filepath.Dir(path)
	s, err := New(o)
	if err != nil {
		return 1, err
	}
	defer s.close()
	dir, err := rundir.Open(path)
	if err != nil {
		return 1, err
	}
	defer dir.Close()
	text, err := dir.OpenLog()
	if err != nil {
		return 1, fmt.Errorf("open log.txt: %w", err)
	}
	defer text.Close()
	dir.Watch(run.LogTo(io.MultiWriter(text, s.output), o.Settings.LogLevel.Level, s.catalogue.Secrets()))
	if watch, over := s.trace.Run(ctx, filepath.Base(path)); watch != nil {
		dir.Watch(watch)
		defer s.trace.Close()
		defer over()
	}
	asked := event.RunQueued{Model: o.Settings.Model, Speed: string(o.Settings.Speed)}
	if o.Settings.MaxCost != nil {
		asked.MaxCost = *o.Settings.MaxCost
	}
	spec, err := s.plan(ctx, asked, "")
	if err != nil {
		return 1, err
	}
	end, err := run.Execute(ctx, filepath.Base(path), dir, spec)
	if err != nil {
		return 1, err
	}
	if o.Settings.TrackActivity {
		if err := run.WriteActivity(dir); err != nil {
			s.log.Warn("track_activity.jsonl was not written", "error", err)
		}
	}
	return run.ExitCode(end.Outcome), nil
}
