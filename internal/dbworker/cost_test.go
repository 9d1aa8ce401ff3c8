package dbworker

import (
	"encoding/json"
	"strings"
	"testing"

	"planexe/internal/config"
	"planexe/internal/queue"
)

// Ensure the limit of a plan is its own within the operator's, which nobody gets past.
func TestCostLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ operator, own, want float64 }{{0, 0, 0}, {0, 2, 2}, {0.5, 0, 0.5}, {0.5, 0.2, 0.2}, {0.5, 2, 0.5}} {
		s := w.settings("w", t.TempDir())
		if c.operator > 0 {
			s.MaxCost = &c.operator
		}
		worker, err := New(Options{Settings: s, Env: func() (config.Env, error) { return config.NewEnv(nil, w.conf), nil }})
		if err != nil {
			t.Fatal(err)
		}
		spec, err := worker.plan(t.Context(), queue.Task{Parameters: queue.Parameters{Speed: queue.SpeedAll, MaxCost: c.own}})
		if err != nil || spec.MaxCost != c.want {
			t.Errorf("the operator allows %v, the plan %v: %v, want %v (%v)", c.operator, c.own, spec.MaxCost, c.want, err)
		}
	}
}

// Ensure a plan that reaches its own limit ends and says so, keeps what it has paid for, and is completed when the limit is raised.
func TestCostReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cost = 0.001
	worker := w.worker(w.settings("w", t.TempDir()), nil)
	user := "somebody"
	id, err := w.q.Create(t.Context(), queue.NewTask{Prompt: bakery, UserID: &user, Origin: "ui", Actor: "user:x", Parameters: json.RawMessage(`{"speed_vs_detail": "fast_but_skip_details", "max_cost": "0.05"}`)})
	if err != nil {
		t.Fatal(err)
	}
	row := w.ended(id)
	if !in(queue.Failed)(row) || *row.FailureReason != queue.ReasonBudget || !strings.Contains(*row.ErrorMessage, "0.05") || row.CostUsd == 0 || row.CostUsd > 0.06 {
		t.Fatalf("the end: %v, cost %v", show(row), row.CostUsd)
	}
	paid := w.answers(id)
	if len(paid) == 0 {
		t.Fatal("nothing was answered before the limit")
	}
	if err := w.q.Raise(t.Context(), id, queue.By{Actor: "user:x"}, 100); err != nil {
		t.Fatal(err)
	}
	if row = w.ended(id); !in(queue.Completed)(row) || row.CostUsd < 0.05 {
		t.Fatalf("after the limit was raised: %v, cost %v", show(row), row.CostUsd)
	}
	w.once(id)
	if n := w.count(id, "TASK_PENDING"); n != 2 {
		t.Errorf("%d events tell that the task waits", n)
	}
	worker.stop()
	if err := w.q.Raise(t.Context(), id, queue.By{Actor: "user:x"}, 100); err == nil {
		t.Error("the limit of a completed plan was raised")
	}
}
