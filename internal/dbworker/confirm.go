package dbworker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"planexe/internal/queue"
)

const (
	confirmLimit = 30 * time.Second // for one call, in total
	confirmBatch = 4                // calls at once: each holds a report
)

var confirmClient = &http.Client{
	Timeout:       confirmLimit,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// confirmation is the body that partners receive.
type confirmation struct {
	SessionID string `json:"session_id"`
	Status    string `json:"status"` // ok or error
	Message   string `json:"message"`
	PlanName  string `json:"plan_name"`
	Output    string `json:"output"` // the report
}

// send makes the calls that are due.
func (w *Worker) send(ctx context.Context) {
	for ctx.Err() == nil {
		due, err := w.queue.Due(ctx, confirmBatch)
		if err != nil && ctx.Err() == nil {
			w.log.Warn("confirmations cannot be looked for", "error", err)
		}
		if len(due) == 0 {
			return
		}
		var all sync.WaitGroup
		for _, c := range due {
			all.Go(func() { w.confirm(c) })
		}
		all.Wait()
	}
}

// confirm makes one call and writes down what came of it. It is not interrupted by a shutdown:
// then nobody would know whether it was made.
func (w *Worker) confirm(c queue.Confirmation) {
	ctx, cancel := context.WithTimeout(context.Background(), confirmLimit+10*time.Second)
	defer cancel()
	status, problem := w.post(ctx, c)
	if err := w.queue.Settle(ctx, c, status, problem); err != nil {
		w.log.Warn("what came of a confirmation cannot be written", "task_id", c.Task, "error", err)
	}
	if problem != "" {
		w.log.Warn("a confirmation was not taken", "task_id", c.Task, "try", c.Tries, "problem", problem)
	}
}

func (w *Worker) post(ctx context.Context, c queue.Confirmation) (status int, problem string) {
	told, err := w.queue.Told(ctx, c)
	if err != nil {
		return 0, "its task cannot be read"
	}
	body := confirmation{Status: "error", Message: told.ErrorMessage}
	if told.UserID != nil {
		body.SessionID = *told.UserID
	}
	if c.OK {
		body.Status, body.Message = "ok", fmt.Sprintf("Report size is %d bytes.", len(told.Report))
		body.PlanName, body.Output = told.PlanTitle, told.Report
		if body.PlanName == "" {
			body.PlanName = "Unnamed Plan"
		}
	}
	data, err := json.Marshal(body)
	if err != nil {
		return 0, "it cannot be encoded"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Target, bytes.NewReader(data))
	if err != nil {
		return 0, "its address cannot be used"
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", c.Key())
	resp, err := confirmClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection can be used again
	if resp.StatusCode >= 300 {
		return resp.StatusCode, "the answer is " + resp.Status
	}
	return resp.StatusCode, ""
}
