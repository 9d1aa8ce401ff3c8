package dbworker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"planexe/internal/event"
	"planexe/internal/plan"
	"planexe/internal/queue"
	"planexe/internal/run"
)

// title returns what the plan calls itself; "" when it does not, or not in text.
func title(s *queue.Store) string {
	data, err := s.Read(plan.ProjectTitle.Name)
	if err != nil || !utf8.Valid(data) {
		return ""
	}
	return strings.ReplaceAll(strings.TrimSpace(string(data)), "\x00", "")
}

// Progress that is not new is not written.
const progressEvery = time.Second

// watch follows the events of the run, and shows the latest progress in the database once a second.
// What goes wrong there never reaches the run.
func (j *job) watch(s *queue.Store) (stop func()) {
	apply := func(e event.Event) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.state.Apply(e)
		j.progress = true
	}
	_ = s.Replay(apply) // a log that cannot be read ends the run in Execute
	s.Watch(apply)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			j.show(ctx, s)
		}
	}()
	return func() { cancel(); <-ended }
}

// name notes the plan's title: a few bytes, and a rerun may change them.
func (j *job) name(s *queue.Store) {
	t := title(s)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.title = t
}

func (j *job) show(ctx context.Context, s *queue.Store) {
	j.name(s)
	j.mu.Lock()
	fresh := j.progress
	j.progress = false
	j.mu.Unlock()
	if !fresh {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := j.w.queue.Progress(ctx, j.task.Lease, j.shown()); errors.Is(err, queue.ErrLost) {
		j.lose()
	} else if err != nil {
		j.w.metrics.progressFailures.Add(1)
	}
}

// shown is the progress as it stands.
func (j *job) shown() queue.Progress {
	j.mu.Lock()
	defer j.mu.Unlock()
	done, all := j.state.Counts()
	p := queue.Progress{
		Percentage: 100 * j.state.Progress(), Done: done, All: all, Title: j.title, Cost: j.state.Cost,
		TokensIn: int64(j.state.Usage.Prompt), TokensOut: int64(j.state.Usage.Completion), Message: fmt.Sprintf("%d of %d", done, all),
	}
	for _, s := range j.state.Steps {
		if s.Status == run.Running {
			p.Step = s.Name
			break
		}
	}
	return p
}
