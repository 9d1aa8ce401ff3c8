package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"planexe/internal/config"
	"planexe/internal/llm"
	"planexe/internal/llm/models"
	"planexe/internal/pipeline"
	"planexe/internal/run"
)

// setup is what a command that asks models needs.
type setup struct {
	env      config.Env
	settings config.Pipeline
	models   models.List
	graph    *pipeline.Graph
}

func load() (*setup, error) {
	env, err := config.LoadEnv()
	if err != nil {
		return nil, err
	}
	s := &setup{env: env}
	if err := config.Load(&s.settings, env); err != nil {
		return nil, err
	}
	if s.models.Config, err = config.LoadLLM(env); err != nil {
		return nil, err
	}
	s.models.Entries = models.Build(s.models.Config)
	s.graph, err = run.NewGraph(versionName())
	return s, err
}

// choose picks the models of a run and says why.
func (s *setup) choose(ctx context.Context, requested string) ([]*llm.Entry, string, error) {
	if requested == "" {
		requested = s.settings.Model
	}
	return s.models.Choose(ctx, requested)
}

func entryIDs(entries []*llm.Entry) string {
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return strings.Join(ids, ", ")
}

// sameSignal is how soon a second signal is taken for the first one once more: some programs that
// start others pass a signal on that has reached them already.
const sameSignal = 500 * time.Millisecond

// signals returns a context that the first Ctrl-C cancels as a stop and SIGTERM as an
// interruption. A second signal ends the program at once; what is in the log is kept.
func signals() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		var first time.Time
		for sig := range ch {
			switch {
			case first.IsZero():
				first = time.Now()
			case time.Since(first) < sameSignal:
				continue
			default:
				os.Exit(130)
			}
			if sig == os.Interrupt {
				fmt.Fprintln(os.Stderr, "\nstopping; press Ctrl-C again to end at once")
				cancel(run.ErrStop)
				continue
			}
			cancel(fmt.Errorf("the program was told to end (%v)", sig))
		}
	}()
	return ctx, func() { signal.Stop(ch); close(ch); cancel(nil) }
}
