package dbworker

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"planexe/internal/config"
	"planexe/internal/queue"
)

// partner is the other side of confirmation calls.
type partner struct {
	*httptest.Server
	mu    sync.Mutex
	calls []confirmation
	keys  map[string]int
	code  func(n int) int // of the n-th call
}

func newPartner(t *testing.T, code func(n int) int) *partner {
	p := &partner{keys: map[string]int{}, code: code}
	p.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		var c confirmation
		data, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(data, &c); err != nil {
			t.Error(err)
		}
		p.mu.Lock()
		p.calls = append(p.calls, c)
		p.keys[r.Header.Get("Idempotency-Key")]++
		n := len(p.calls)
		p.mu.Unlock()
		out.WriteHeader(p.code(n))
	}))
	t.Cleanup(p.Close)
	return p
}

// F17: Ensure that a partner hears of an end through the outbox, again when it did not take it, and that
// the state of the task does not care.
func TestF17Confirmations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := newPartner(t, func(n int) int { return map[bool]int{true: 500, false: 200}[n == 1] })
	s := w.settings("one", t.TempDir())
	s.ConfirmURL = p.URL
	w.worker(s, nil)
	id := w.ping()
	if row := w.ended(id); !in(queue.Completed)(row) {
		t.Fatalf("%+v", show(row))
	}
	outbox := func(want string) {
		t.Helper()
		var state string
		for began := time.Now(); state != want; time.Sleep(20 * time.Millisecond) {
			if err := w.pool.QueryRow(t.Context(), "select state || ' ' || tries || ' ' || coalesce(last_status, 0) from outbox").Scan(&state); err != nil || time.Since(began) > patience {
				t.Fatalf("%s, %v", state, err)
			}
		}
	}
	outbox("waiting 1 500")
	if _, err := w.pool.Exec(t.Context(), "update outbox set next_try_at = now()"); err != nil { // instead of 10 s
		t.Fatal(err)
	}
	outbox("sent 2 200")
	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.calls[len(p.calls)-1]
	if last.SessionID != "somebody" || last.Status != "ok" || !strings.HasPrefix(last.Message, "Report size is ") || last.PlanName == "" || !strings.Contains(last.Output, "<html") {
		t.Errorf("%+v", last.Message)
	}
	if len(p.keys) != 1 || p.keys[id.String()+"-1-confirm_ok"] != 2 {
		t.Errorf("%v", p.keys)
	}
	if row, _ := w.q.Task(t.Context(), id); !in(queue.Completed)(row) {
		t.Errorf("%+v", show(row))
	}
}

// F17: Ensure that a call whose sender died is not made again by itself, and that tries end.
func TestF17Doubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.insert("x")
	if _, err := w.pool.Exec(t.Context(), `insert into outbox (task_id, attempt, kind, target, state, next_try_at, tries) values
		($1, 1, 'confirm_ok', 'http://127.0.0.1:1', 'sending', now() - interval '1 s', 1), ($1, 2, 'confirm_error', 'http://127.0.0.1:1', 'waiting', now(), 11)`, id); err != nil {
		t.Fatal(err)
	}
	s := w.settings("one", t.TempDir())
	s.Slots = 1
	w.worker(s, nil)
	var states string
	for began := time.Now(); states != "unknown,given_up"; time.Sleep(20 * time.Millisecond) {
		if err := w.pool.QueryRow(t.Context(), "select string_agg(state, ',' order by id) from outbox").Scan(&states); err != nil || time.Since(began) > patience {
			t.Fatalf("%s, %v", states, err)
		}
	}
	if err := w.q.SendAgain(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

// F27: Ensure that without addresses for confirmations a worker runs and says once that there are none.
func TestF27NoConfirmations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.settings("one", t.TempDir())
	s.ConfirmURL = "https://example.com/iframe_generator_confirmation" // compose's placeholder
	if err := config.Load(&config.DatabaseWorker{}, config.NewEnv(map[string]string{"PLANEXE_IFRAME_GENERATOR_CONFIRMATION_PRODUCTION_URL": s.ConfirmURL})); err != nil {
		t.Fatal(err)
	}
	s.ConfirmURL = ""
	one := w.worker(s, nil)
	w.ended(w.insert(" "))
	if n := strings.Count(one.log.String(), "confirmation calls are off"); n != 1 {
		t.Errorf("said %d times", n)
	}
	var rows int
	if err := w.pool.QueryRow(t.Context(), "select count(*) from outbox").Scan(&rows); err != nil || rows > 0 {
		t.Errorf("%d calls, %v", rows, err)
	}
}
