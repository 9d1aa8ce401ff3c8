package multi

import (
	"net/http"
	"strings"
	"testing"
)

// Ensure an administrator can do with a plan what its state allows, that a page that is too old does nothing, and that each action is noted.
func TestTaskActions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	root := w.as("root")
	for _, c := range []struct{ from, what, to, event string }{
		{"pending", "stop", "stopped", "Pending -> Stopped"}, {"processing", "stop", "processing", "Stop requested"}, {"failed", "retry", "pending", "Retry"}, {"stopped", "anew", "pending", "Retry from nothing"},
		{"processing", "free", "pending", "Requeued by admin"}, {"processing", "fail", "failed", "Marked failed by admin"}, {"pending", "fail", "failed", "Marked failed by admin"},
		{"completed", "retry", "completed", ""}, {"completed", "stop", "completed", ""}, {"pending", "free", "pending", ""}, {"failed", "stop", "failed", ""}, {"completed", "nonsense", "completed", ""},
	} {
		id := w.task("ada", "A plan")
		w.exec("update task_item set state = $2::taskstate, attempt = 1 where id = $1", id, c.from)
		at := "/admin/task/" + id.String()
		got := root.post(at+"/do/"+c.what, "stamp", c.from+".1", "reason", "because")
		if c.event == "" {
			if got.Code != http.StatusConflict {
				t.Errorf("%s of %s: %d", c.what, c.from, got.Code)
			}
		} else {
			root.page(at + "/ask/delete")
			root.to(got, at)
		}
		if n := w.count("select count(*) from task_item where id = $1 and state = $2::taskstate", id, c.to); n != 1 {
			t.Errorf("%s of %s does not end in %s", c.what, c.from, c.to)
		}
		if n := w.count("select count(*) from events where task_id = $1 and actor = 'admin:root' and message = $2", id, c.event); c.event != "" && n != 1 {
			t.Errorf("%s of %s is noted %d times", c.what, c.from, n)
		}
		if got := root.post(at+"/do/delete", "stamp", c.from+".0"); got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), "nothing was done") {
			t.Errorf("a page that is too old: %d", got.Code)
		}
	}
	a, b := w.task("ada", "One"), w.task("ben", "Two")
	if text := root.post("/admin/taskitem/ask", "what", "stop", "id", a.String(), "id", b.String()).Body.String(); !strings.Contains(text, "Stop 2 plans?") {
		t.Error("nobody is asked")
	}
	root.to(root.post("/admin/taskitem/do", "what", "stop", "id", a.String(), "id", b.String()), "/admin/taskitem/")
	if n := w.count("select count(*) from task_item where id in ($1, $2) and state = 'stopped'", a, b); n != 2 {
		t.Errorf("%d of two are stopped", n)
	}
	w.exec("update task_item set account_id = null where id = $1", a)
	root.to(root.post("/admin/task/"+a.String()+"/do/assign", "login", "ben"), "/admin/task/.*")
	if n := w.count("select count(*) from task_item where id = $1 and account_id = $2", a, w.people["ben"].ID); n != 1 {
		t.Error("the plan is still nobody's")
	}
}

// Ensure downloads are attachments, and that what is not there is told.
func TestDownloads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	root := w.as("root")
	id := w.task("ada", "A plan")
	at := "/admin/task/" + id.String()
	for _, end := range []string{"/report", "/run_zip"} {
		if got := root.get(at + end); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", end, got.Code)
		}
	}
	w.exec("update task_item set generated_report_html = 'the report', run_zip_snapshot = 'PK' where id = $1", id)
	for end, want := range map[string][3]string{"/report": {`attachment; filename="report.html"`, "text/html; charset=utf-8", "the report"}, "/run_zip": {`attachment; filename="` + id.String() + `.zip"`, "application/zip", "PK"}} {
		got := root.get(at + end)
		if got.Code != http.StatusOK || [3]string{got.Header().Get("Content-Disposition"), got.Header().Get("Content-Type"), got.Body.String()} != want {
			t.Errorf("%s: %d %v %s", end, got.Code, got.Header(), got.Body)
		}
	}
}

// Ensure accounts are made, changed and removed with all that hangs on them, and that nobody locks everybody out.
func TestUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	root, ben := w.as("root"), w.as("ben")
	id := w.people["ben"].ID
	at := "/admin/user/" + id.String()
	plan := w.task("ben", "Ben's plan")
	root.to(root.post(at+"/disable"), at)
	if got := ben.get("/account"); got.Code != http.StatusFound {
		t.Errorf("disabled, but still in: %d", got.Code)
	}
	if n := w.count("select count(*) from task_item where id = $1 and state = 'stopped'", plan); n != 1 {
		t.Error("the plan of a disabled account goes on")
	}
	root.to(root.post(at+"/enable"), at)
	root.to(root.post(at+"/role", "role", "admin"), at)
	if ben = w.browser(); true {
		ben.to(ben.post("/login", "username", "ben", "password", phrase), "/admin/")
	}
	root.to(root.post(at+"/signout"), at)
	if got := ben.get("/admin/"); got.Code != http.StatusFound {
		t.Errorf("signed out, but still in: %d", got.Code)
	}
	root.to(root.post(at+"/delete", "login", "wrong"), at)
	root.to(root.post(at+"/delete", "login", "ben"), "/admin/useritem/")
	if n := w.count("select count(*) from task_item where id = $1 and account_id is null", plan); n != 1 {
		t.Error("the plan did not stay without an owner")
	}
	for _, what := range []string{"disable", "role", "delete"} {
		me := "/admin/user/" + w.people["root"].ID.String()
		root.to(root.post(me+"/"+what, "role", "user", "login", "root"), me)
	}
	if n := w.count("select count(*) from app_user where login = 'root' and role = 'admin' and disabled_at is null"); n != 1 {
		t.Error("the administrator of the environment was changed")
	}
	ada := w.as("ada")
	w.task("ada", "Ada's plan")
	if got := ada.post("/account/delete", "login", "ada"); got.Code != http.StatusSeeOther {
		t.Errorf("deleting the own account: %d", got.Code)
	}
	if n := w.count("select count(*) from task_item where user_id = 'ada'") + w.count("select count(*) from app_user where login = 'ada'"); n != 0 {
		t.Error("something of a deleted account is left")
	}
	if n := w.count("select count(*) from events where context::text like '%phrase%' or context::text like '%/password/%'"); n != 0 {
		t.Error("an event holds a secret")
	}
}

// Ensure an account that is the person's own changes its name, its password and its sessions.
func TestAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ada, elsewhere := w.as("ada"), w.as("ada")
	ada.to(ada.post("/account/name", "name", "Ada L."), "/account")
	if !strings.Contains(ada.page("/runs"), "Ada L.") {
		t.Error("the name is not shown")
	}
	for _, c := range [][3]string{{"wrong", "another pass phrase", "another pass phrase"}, {phrase, "another pass phrase", "yet another one"}, {phrase, "short", "short"}} {
		if got := ada.post("/account/password", "old", c[0], "password", c[1], "again", c[2]); got.Code != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", c, got.Code)
		}
	}
	ada.to(ada.post("/account/password", "old", phrase, "password", "another pass phrase", "again", "another pass phrase"), "/account")
	ada.page("/account")
	if got := elsewhere.get("/account"); got.Code != http.StatusFound {
		t.Errorf("the other session is still open: %d", got.Code)
	}
	if got := ada.get("/signup"); got.Code != http.StatusNotFound {
		t.Errorf("sign-up is open: %d", got.Code)
	}
}

// Ensure a lost worker's plans are freed, and a row is removed only when it is lost.
func TestWorkers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	root := w.as("root")
	id := w.task("ada", "A plan")
	w.exec("insert into workers (id, started_at, last_heartbeat_at) values ('alive', now(), now() at time zone 'utc'), ('dead', now(), now() at time zone 'utc' - interval '1 hour')")
	w.exec("update task_item set state = 'processing', worker_id = 'dead', attempt = 1 where id = $1", id)
	do := func(what, id string) {
		root.to(root.post("/admin/workeritem/do", "what", what, "id", id), "/admin/workeritem/")
	}
	do("remove", "dead")
	do("remove", "alive")
	if n := w.count("select count(*) from workers"); n != 2 {
		t.Errorf("%d workers are left", n)
	}
	do("free", "dead")
	do("remove", "dead")
	if n := w.count("select count(*) from task_item where state = 'pending' and attempt = 2") + w.count("select count(*) from workers"); n != 2 {
		t.Error("the plan was not freed, or the worker not removed")
	}
}
