package dbworker

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"planexe/internal/queue"
)

// margin is how long before the end of a lease, by this machine's clock, no call starts any more.
const margin = 5 * time.Second

// renewAll renews all leases, says that the worker is alive, and acts on what it hears: tasks that
// were lost and stops that were asked for.
func (w *Worker) renewAll(ctx context.Context) {
	lease := w.settings.Lease.Duration()
	jobs := w.running()
	held := make([]queue.Lease, len(jobs))
	for i, j := range jobs {
		held[i] = j.task.Lease
	}
	asked := time.Now() // before the database counts
	err := w.beat(ctx, jobs, held, asked)
	w.mu.Lock()
	was := w.away
	w.away = err != nil
	if was && err == nil {
		w.back = time.Now()
	}
	if !was && err != nil {
		w.since = asked
	}
	since := w.since
	w.mu.Unlock()
	switch {
	case err != nil && ctx.Err() == nil:
		w.metrics.renewFailures.Add(1)
		if !was {
			w.log.Warn("leases cannot be renewed; trying again", "error", err)
		}
		for _, j := range jobs {
			if time.Until(j.expires()) < min(margin, lease/4) {
				j.pause("lease")
			}
		}
		// Sooner than the next regular time: the lease is running out.
		time.AfterFunc(min(lease/10, 5*time.Second), func() { signal(w.renew) })
	case was:
		w.log.Info("leases are renewed again", "after", time.Since(since).Round(time.Millisecond))
		signal(w.wake)
	}
}

// beat renews and takes the answer in.
func (w *Worker) beat(ctx context.Context, jobs []*job, held []queue.Lease, asked time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	renewed, err := w.leases.Renew(ctx, w.me, held)
	if err != nil {
		return err
	}
	kept := map[uuid.UUID]queue.Renewed{}
	for _, r := range renewed {
		kept[r.ID] = r
	}
	for _, j := range jobs {
		r, ok := kept[j.task.ID]
		switch {
		case !ok:
			j.lose()
		default:
			j.renewed(asked.Add(w.settings.Lease.Duration()))
			j.unpause("lease")
			if r.StopRequested {
				j.stop()
			}
		}
	}
	if err := w.leases.Heartbeat(ctx, w.me, w.status(jobs)); err != nil {
		return err
	}
	if w.doubt.Load() {
		return w.returnStrays(ctx)
	}
	return nil
}

// returnStrays gives tasks back that a claim took of which this process never heard.
func (w *Worker) returnStrays(ctx context.Context) error {
	w.claiming.Lock() // no claim is between the database and the list of jobs
	defer w.claiming.Unlock()
	known := map[uuid.UUID]bool{}
	w.mu.Lock()
	for id := range w.jobs {
		known[id] = true
	}
	w.mu.Unlock()
	strays, err := w.leases.Strays(ctx, w.me, known)
	if err != nil {
		return err
	}
	for _, l := range strays {
		if err := w.leases.Release(ctx, w.me, l, "the answer to the claim was lost"); err != nil {
			return err
		}
		w.log.Info("a task was given back: the answer to its claim was lost", "task_id", l.ID, "attempt", l.Attempt)
	}
	w.doubt.Store(false)
	return nil
}

// running returns the jobs, the oldest first.
func (w *Worker) running() []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	jobs := make([]*job, 0, len(w.jobs))
	for _, j := range w.jobs {
		jobs = append(jobs, j)
	}
	slices.SortFunc(jobs, func(a, b *job) int { return a.began.Compare(b.began) })
	return jobs
}

func (w *Worker) status(jobs []*job) queue.Beat {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := queue.Beat{Status: queue.WorkerRunning, Running: len(jobs)}
	switch {
	case w.draining:
		b.Status = queue.WorkerDraining
	case w.blocked != "":
		b.Status, b.Reason = queue.WorkerBlocked, w.blocked
	}
	if len(jobs) > 0 {
		b.Oldest = &jobs[0].task.ID
	}
	return b
}

// drain ends the worker: no call starts, those under way may end, the tasks are given back.
func (w *Worker) drain() {
	w.mu.Lock()
	w.draining = true
	w.mu.Unlock()
	signal(w.renew) // tells everybody
	jobs := w.running()
	w.log.Info("worker ends", "tasks", len(jobs), "patience", w.settings.Drain.Duration())
	deadline := time.Now().Add(w.settings.Drain.Duration())
	for _, j := range jobs {
		w.runs.Go(func() { j.drain(deadline) })
	}
	w.runs.Wait()
}

// farewell is what a worker says last, when nothing of it runs any more.
func (w *Worker) farewell() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if w.doubt.Load() {
		if err := w.returnStrays(ctx); err != nil {
			w.log.Warn("it is not known whether a claim has to be given back; its lease will end", "error", err)
		}
	}
	if err := w.queue.Unregister(ctx, w.me); err != nil {
		w.log.Warn("the end of the worker cannot be told", "error", err)
	}
}
