package dbworker

import (
	"time"

	"planexe/internal/queue"
	"planexe/internal/run"
)

func (j *job) expires() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lease
}

func (j *job) renewed(until time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lease = until
}

func (j *job) place() *queue.Store {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.store
}

func (j *job) isLost() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lost || j.store != nil && j.store.Lost()
}

// pause keeps calls from starting, until all reasons for it are gone.
func (j *job) pause(why string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.paused[why] = true
	if j.store != nil {
		j.store.Pause()
	}
}

func (j *job) unpause(why string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.paused, why)
	if len(j.paused) == 0 && j.store != nil {
		j.store.Resume()
	}
}

// end cancels the run. Calls that wait for a pause to end see that it is over.
func (j *job) end(cause error) {
	j.cancel(cause)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.store != nil {
		j.store.Resume()
	}
}

// stop ends the run because a user wants that.
func (j *job) stop() { j.end(run.ErrStop) }

// lose ends the run because the task is not this worker's any more.
func (j *job) lose() {
	j.mu.Lock()
	j.lost = true
	s := j.store
	j.mu.Unlock()
	if s != nil {
		s.Abandon(queue.ErrLost)
	}
	j.end(queue.ErrLost)
}

// drain lets calls under way end until the deadline, then interrupts the run, and a little later
// gives up on what still waits for the database.
func (j *job) drain(deadline time.Time) {
	j.pause("drain")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) && j.calls() > 0 {
		select {
		case <-tick.C:
		case <-j.done:
			return
		}
	}
	j.end(errShutdown)
	select {
	case <-j.done:
		return
	case <-time.After(max(3*time.Second, time.Until(deadline))):
	}
	close(j.giveUp)
	if s := j.place(); s != nil {
		s.Abandon(errShutdown)
	}
}

// calls counts those under way.
func (j *job) calls() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.state.Active)
}
