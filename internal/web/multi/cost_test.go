package multi

import (
	"net/http"
	"strings"
	"testing"
)

// Ensure a person limits what their plan may cost, sees that the limit was reached, and goes on with a higher one, which nobody else can.
func TestCostLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ada, ben := w.as("ada"), w.as("ben")
	if page := ada.page("/"); !strings.Contains(page, `name="max_cost"`) {
		t.Error("the form asks for no limit")
	}
	if got := ada.post("/runs", "prompt", "Bake bread", "model", "auto", "max_cost", "much"); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "amount of dollars") || !strings.Contains(got.Body.String(), "Bake bread") {
		t.Errorf("a limit that is no amount: %d", got.Code)
	}
	ada.to(ada.post("/runs", "prompt", "Bake bread", "model", "auto", "max_cost", "0,50"), "/runs/.*")
	id := w.id("select id from task_item where parameters ->> 'max_cost' = '0.5'")
	at := "/runs/" + id.String()
	w.exec("update task_item set state = 'failed', failure_reason = 'budget', error_message = 'the limit of 0.50 USD is reached', cost_usd = 0.51, finished_at = now() where id = $1", id)
	for _, want := range []string{"The limit was reached", "The limit of 0.50 USD is reached", "Resume with this limit", `value="0.5"`} {
		if page := ada.page(at); !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if page := w.as("root").page("/admin/task/" + id.String()); !strings.Contains(page, "limit of 0.50 USD is reached") {
		t.Error("the administrator is not told why")
	}
	ada.to(ada.post(at+"/resume", "max_cost", "-1"), at)
	ben.post(at+"/resume", "max_cost", "100")
	if n := w.count("select count(*) from task_item where id = $1 and state = 'failed' and parameters ->> 'max_cost' = '0.5'", id); n != 1 {
		t.Error("a wrong limit, or one of somebody else, was taken")
	}
	ada.to(ada.post(at+"/resume", "max_cost", "2"), at)
	if n := w.count("select count(*) from task_item where id = $1 and state = 'pending' and parameters ->> 'max_cost' = '2' and parameters ->> 'speed_vs_detail' is not null", id); n != 1 {
		t.Error("the new limit was not taken")
	}
	w.exec("update task_item set state = 'stopped' where id = $1", id)
	ada.to(ada.post(at+"/resume", "max_cost", "9", "as", "before"), at)
	if n := w.count("select count(*) from task_item where id = $1 and parameters ->> 'max_cost' = '2'", id); n != 1 {
		t.Error("a plan that did not reach its limit got another one")
	}
}
