package multi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"planexe/internal/api"
	"planexe/internal/auth"
	"planexe/internal/pipeline"
	"planexe/internal/queue"
	"planexe/internal/store"
	"planexe/internal/web/single"
)

// StartRun puts a new plan into the queue, or an ended one again.
func (d *desk) StartRun(ctx context.Context, r api.StartRunRequest, key string) (api.StartRunResponse, error) {
	if r.SubmitOrRetry == api.Retry {
		row, err := d.task(ctx, r.RunID)
		if err != nil {
			return api.StartRunResponse{}, err
		}
		if apiState(row.State, row.FailureReason, row.Stopping) == api.Budget && r.MaxCost > 0 {
			err = d.queue.Raise(ctx, row.ID, by(ctx), r.MaxCost)
		} else {
			err = d.queue.Retry(ctx, row.ID, by(ctx), false)
		}
		if err != nil {
			return api.StartRunResponse{}, d.failed(ctx, "retry a task", err)
		}
		return api.StartRunResponse{RunID: r.RunID}, nil
	}
	s := sessionOf(ctx)
	if s == nil {
		return api.StartRunResponse{}, gone()
	}
	parameters := map[string]string{"speed_vs_detail": cmp.Or(r.SpeedVsDetail, api.AllDetails)}
	if r.LLMModel != "" && r.LLMModel != "auto" {
		parameters["llm_model"] = r.LLMModel
	}
	if r.MaxCost > 0 {
		parameters["max_cost"] = strconv.FormatFloat(r.MaxCost, 'f', -1, 64)
	}
	id, err := d.create(ctx, s.User, r.PlanPrompt, parameters, "ui:"+s.User.ID.String()+":"+clip(key, 100), key != "")
	return api.StartRunResponse{RunID: id.String()}, err
}

// checkPrompt says for people what is wrong with a description.
func checkPrompt(text string) *api.Error {
	bad := func(status int, msg string) *api.Error {
		return &api.Error{Status: status, Detail: msg, Fields: []api.FieldError{{Loc: []any{"body", "plan_prompt"}, Msg: msg}}}
	}
	switch {
	case strings.TrimSpace(text) == "":
		return bad(http.StatusBadRequest, "the prompt is empty: describe what you want to do")
	case len(text) > mostPrompt:
		return bad(http.StatusRequestEntityTooLarge, fmt.Sprintf("the prompt is too long: it has %d bytes, and %d are the most", len(text), mostPrompt))
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return bad(http.StatusBadRequest, "the prompt holds characters that are no text")
	}
	return nil
}

// create makes a plan of somebody within their limits. A form that is sent twice makes one plan: the second time answers with the
// first one's id.
func (d *desk) create(ctx context.Context, u auth.User, prompt string, parameters map[string]string, nonce string, once bool) (id uuid.UUID, err error) {
	if bad := checkPrompt(prompt); bad != nil {
		return id, bad
	}
	text, err := json.Marshal(d.traced(ctx, parameters))
	if err != nil {
		return id, err
	}
	err = pgx.BeginFunc(ctx, d.queue.Pool(), func(tx pgx.Tx) error {
		q := d.q.WithTx(tx)
		if _, err := q.LockUser(ctx, u.ID); err != nil {
			return err
		}
		if once {
			fresh, err := q.UseNonce(ctx, store.UseNonceParams{NonceKey: nonce})
			if err != nil {
				return err
			}
			if !fresh {
				kept, err := q.NonceContext(ctx, nonce)
				if err != nil {
					return err
				}
				var made struct {
					ID uuid.UUID `json:"task_id"`
				}
				if err := json.Unmarshal(kept, &made); err != nil {
					return fmt.Errorf("read what a form has made: %w", err)
				}
				id = made.ID
				return nil
			}
		}
		if err := d.within(ctx, q, u); err != nil {
			return err
		}
		if id, err = d.queue.CreateIn(ctx, tx, queue.NewTask{
			Prompt: prompt, UserID: &u.Login, Account: &u.ID, Origin: "ui", Parameters: text, Actor: u.Actor(), Message: "Enqueued task by the web interface",
		}); err != nil || !once {
			return err
		}
		return q.SetNonceContext(ctx, store.SetNonceContextParams{NonceKey: nonce, Context: fmt.Appendf(nil, `{"task_id":%q}`, id)})
	})
	var told *api.Error
	if err != nil && !errors.As(err, &told) {
		return id, d.failed(ctx, "create a task", err)
	}
	return id, err
}

// traced adds to a task's parameters where the request stands that makes it, so that the worker's spans belong to it.
func (d *desk) traced(ctx context.Context, parameters map[string]string) map[string]string {
	if at := d.trace.Carry(ctx); at != "" {
		parameters["traceparent"] = at
	}
	return parameters
}

// within looks whether a person may begin another plan. Admins always may.
func (d *desk) within(ctx context.Context, q *store.Queries, u auth.User) error {
	if err := d.room(ctx, q); err != nil {
		return err
	}
	if u.Admin {
		return nil
	}
	has, err := q.Unfinished(ctx, &u.ID)
	switch {
	case err != nil:
		return err
	case d.limits.AtOnce > 0 && int(has.Unfinished) >= d.limits.AtOnce:
		return &api.Error{Status: http.StatusTooManyRequests, Wait: time.Minute, Detail: fmt.Sprintf("you have %d unfinished plans, which is the most: wait until one has ended, or stop one", has.Unfinished)}
	case d.limits.PerHour > 0 && int(has.Fresh) >= d.limits.PerHour:
		wait := time.Duration(has.Freed*float64(time.Second)) + time.Second
		return &api.Error{Status: http.StatusTooManyRequests, Wait: wait, Detail: fmt.Sprintf("you have begun %d plans within an hour, which is the most: try again in %s", has.Fresh, single.Roughly(wait.Seconds()))}
	}
	return nil
}

// room looks whether the queue takes another plan.
func (d *desk) room(ctx context.Context, q *store.Queries) error {
	if d.limits.Queue == 0 {
		return nil
	}
	n, err := q.PendingCount(ctx, int32(d.limits.Queue))
	if err == nil && int(n) >= d.limits.Queue {
		return &api.Error{Status: http.StatusServiceUnavailable, Wait: time.Minute, Detail: "The queue is full: too many plans wait already. Try again later."}
	}
	return err
}

// Estimate says from the last plans what a new one takes.
func (d *desk) Estimate(ctx context.Context, q api.EstimateQuery) (api.Estimate, error) {
	sizes := pipeline.Typical
	sizes.Fast = q.SpeedVsDetail == api.Fast
	e := api.Estimate{Steps: []string{}, Models: []string{}}
	if q.RunID != "" {
		return e, nil // nothing is out of date here: plans are not edited
	}
	for _, s := range d.graph.Steps() {
		e.Steps = append(e.Steps, s.Name)
		e.Calls += s.Calls(sizes)
	}
	last, err := d.q.LastPlans(ctx)
	if err != nil {
		return e, d.failed(ctx, "look at the last plans", err)
	}
	if last.Plans >= fewestPlans {
		e.Seconds = &last.Seconds
		if last.Cost > 0 {
			e.Cost = &last.Cost
		}
	}
	return e, nil
}

// ahead says what somebody who begins a plan should know of the queue.
func (d *desk) ahead(ctx context.Context) string {
	depth, err := d.queue.Depth(ctx)
	workers, failed := d.q.LiveWorkers(ctx)
	switch {
	case err != nil || failed != nil:
		return ""
	case workers == 0:
		return "No worker is running at the moment. Your plan is kept, and begins when one is back."
	case depth.Pending == 0:
		return "Nobody waits: your plan begins at once."
	case depth.Pending == 1:
		return "One plan waits already."
	}
	return fmt.Sprintf("%d plans wait already; people take turns.", depth.Pending)
}

// modelsWait is how long the form waits for the names of the models.
const modelsWait = time.Second

// LLMInfo lists the models when worker_plan tells them, else only auto: the plans do not need it.
func (d *desk) LLMInfo(ctx context.Context) (api.LLMInfo, error) {
	if d.models != nil {
		ctx, cancel := context.WithTimeout(ctx, modelsWait)
		defer cancel()
		if info, err := d.models.LLMInfo(ctx); err == nil {
			info.Errors = nil // of the configuration: not for everybody
			return info, nil
		}
	}
	return api.LLMInfo{Items: []api.LLMItem{{ID: "auto", Label: "Auto", Available: true}}}, nil
}

// What the pages of several people do not have.
