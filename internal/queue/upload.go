package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"planexe/internal/event"
	"planexe/internal/rundir"
	"planexe/internal/store"
)

// upload sends the items in order until the store is closed or the task is lost.
func (s *Store) upload() {
	defer close(s.done)
	for {
		batch := s.batch()
		if len(batch) == 0 {
			select {
			case <-s.more:
				continue
			case <-s.ctx.Done():
				return
			}
		}
		if err := s.deliver(batch); err != nil {
			s.cancel(err)
			return
		}
		s.mu.Lock()
		s.committed += int64(len(batch))
		s.queued = s.queued[len(batch):]
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
	}
}

func (s *Store) batch() []item {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, size := 0, 0
	for n < len(s.queued) && n < mostItems && (n == 0 || size+s.queued[n].size() <= mostBytes) {
		size += s.queued[n].size()
		n++
	}
	return s.queued[:n:n]
}

// deliver sends a batch until the database has it: again and again the same one, so that a commit
// whose answer was lost changes nothing.
func (s *Store) deliver(batch []item) error {
	began, failures := time.Now(), 0
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := s.send(batch)
		switch {
		case err == nil:
			if failures > 0 {
				s.log.Info("the database takes what the run makes again", "task_id", s.lease.ID, "waited", time.Since(began).Round(time.Millisecond))
			}
			return nil
		case errors.Is(err, ErrLost):
			return ErrLost
		case s.ctx.Err() != nil:
			return context.Cause(s.ctx)
		}
		if failures++; failures == 1 {
			s.log.Warn("the database does not take what the run makes; trying again until it does", "task_id", s.lease.ID, "error", err)
		}
		select {
		case <-time.After(pause):
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
	}
}

// send writes a batch in one transaction. The fence comes last, so that the row of the task is
// held for one short moment only and not while bodies travel.
func (s *Store) send(batch []item) error {
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	rows, err := s.encode(batch)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, s.q.pool, func(tx pgx.Tx) error {
		in := s.q.q.WithTx(tx)
		for _, row := range rows {
			if err := row(ctx, in); err != nil {
				return foreign(err)
			}
		}
		_, err := in.HoldFence(ctx, store.HoldFenceParams{ID: s.lease.ID, Attempt: s.lease.Attempt})
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrLost
		}
		return err
	})
}

// encode turns a batch into statements: one for all its events, one for each file.
func (s *Store) encode(batch []item) ([]func(context.Context, *store.Queries) error, error) {
	var rows []func(context.Context, *store.Queries) error
	var lines bytes.Buffer
	var first, last int64
	for _, i := range batch {
		switch {
		case i.event != nil:
			line, err := json.Marshal(*i.event)
			if err != nil {
				return nil, err
			}
			lines.Write(line)
			lines.WriteByte('\n')
			if first == 0 {
				first = i.event.Seq
			}
			last = i.event.Seq
		case i.remove:
			rows = append(rows, func(ctx context.Context, in *store.Queries) error {
				return in.DeleteArtifact(ctx, store.DeleteArtifactParams{TaskID: s.lease.ID, Name: i.name})
			})
		default:
			p := store.UpsertArtifactParams{TaskID: s.lease.ID, Name: i.name, Size: int64(len(i.data)), Sha256: sum(i.data)}
			p.Encoding, p.Body = encode(i.data)
			rows = append(rows, func(ctx context.Context, in *store.Queries) error { return in.UpsertArtifact(ctx, p) })
		}
	}
	if first > 0 {
		p := store.InsertLogParams{TaskID: s.lease.ID, FirstSeq: first, LastSeq: last}
		p.Encoding, p.Body = encode(lines.Bytes())
		rows = append(rows, func(ctx context.Context, in *store.Queries) error { return in.InsertLog(ctx, p) })
	}
	return rows, nil
}

// foreign recognises that the task's row is gone: its files have nothing to belong to.
func foreign(err error) error {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "23503" { // foreign key
		return ErrLost
	}
	return err
}

func lastSeq(d *rundir.Dir) (last int64, err error) {
	err = d.Replay(func(e event.Event) { last = e.Seq })
	return last, err
}
