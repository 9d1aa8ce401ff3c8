package queue

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"planexe/internal/event"
	"planexe/internal/store"
)

// pieces is how many rows of a log are read at once.
const pieces = 200

// Log calls f with the events of a task's run that follow the event numbered after, in order.
// A UI keeps the last number and asks again when it is woken.
func (q *Queue) Log(ctx context.Context, id uuid.UUID, after int64, f func(event.Event)) error {
	return q.lines(ctx, id, after, func(line []byte) error {
		var e event.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("read the log of task %s: %w", id, err)
		}
		if e.Seq > after {
			f(e)
		}
		return nil
	})
}

// lines calls f with the JSON lines of all pieces that hold an event behind after.
func (q *Queue) lines(ctx context.Context, id uuid.UUID, after int64, f func([]byte) error) error {
	for {
		rows, err := q.q.ReadLog(ctx, store.ReadLogParams{TaskID: id, After: after, Pieces: pieces})
		if err != nil {
			return fmt.Errorf("read the log of task %s: %w", id, err)
		}
		for _, r := range rows {
			body, err := decode(r.Encoding, r.Body)
			if err != nil {
				return fmt.Errorf("read the log of task %s: %w", id, err)
			}
			for line := range bytes.Lines(body) {
				if err := f(line); err != nil {
					return err
				}
			}
			after = r.LastSeq
		}
		if len(rows) < pieces {
			return nil
		}
	}
}

// Artifact returns a file of a task's run; ErrNotFound.
func (q *Queue) Artifact(ctx context.Context, id uuid.UUID, name string) ([]byte, error) {
	row, err := q.q.GetArtifact(ctx, store.GetArtifactParams{TaskID: id, Name: name})
	if err != nil {
		return nil, missing(err)
	}
	data, err := decode(row.Encoding, row.Body)
	if err == nil && !bytes.Equal(sum(data), row.Sha256) {
		err = fmt.Errorf("it is damaged")
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of task %s: %w", name, id, err)
	}
	return data, nil
}

// Artifacts lists the files of a task's run by name, with sizes and digests.
func (q *Queue) Artifacts(ctx context.Context, id uuid.UUID) ([]store.ListArtifactsRow, error) {
	return q.q.ListArtifacts(ctx, id)
}

// Prompt returns what a task asks for; ErrNotFound.
func (q *Queue) Prompt(ctx context.Context, id uuid.UUID) (string, error) {
	s, err := q.q.GetPrompt(ctx, id)
	return s, missing(err)
}

// Report returns the finished report; ErrNotFound also when there is none.
func (q *Queue) Report(ctx context.Context, id uuid.UUID) (string, error) {
	s, err := q.q.GetReport(ctx, id)
	if err == nil && s == nil {
		err = ErrNotFound
	}
	if err != nil {
		return "", missing(err)
	}
	return *s, nil
}

// Zip returns the archive of the run directory; ErrNotFound also when there is none.
func (q *Queue) Zip(ctx context.Context, id uuid.UUID) ([]byte, error) {
	z, err := q.q.GetZip(ctx, id)
	if err == nil && z == nil {
		err = ErrNotFound
	}
	return z, missing(err)
}

func sum(data []byte) []byte {
	s := sha256.Sum256(data)
	return s[:]
}
