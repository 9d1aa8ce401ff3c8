package multi

import (
	"flag"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"planexe/internal/auth"
	"planexe/internal/web/kit"
	"planexe/internal/web/webtest"
)

var shots = flag.String("shots", "", "directory that the gallery's pictures are written to")

// sample is a page in one of its states.
type sample struct {
	name, as, path string
	post           []string // a form that is sent to the path instead
}

// hostile is a text that a page must show and never run.
const hostile = `<img src=x onerror=alert(1)> "quoted" </title><script>alert(1)</script> Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen`

// fill puts plans, workers, events and nonces of every kind into the database. The plans are found by how they stand.
func (w *world) fill() map[string]uuid.UUID {
	w.t.Helper()
	plans := map[string]uuid.UUID{}
	for i, how := range []string{"next", "waiting", "lost", "running", "completed", "partial", "worker_error", "generation_error", "budget", "refused", "stopped"} {
		state := how
		switch how {
		case "next", "waiting":
			state = "pending"
		case "lost", "running":
			state = "processing"
		case "partial", "worker_error", "generation_error", "budget", "refused":
			state = "failed"
		}
		id := w.task("ada", fmt.Sprintf("Plan %d: turn the unused boathouse by the lake into a rowing school for 40 children, opening next spring. %s", i, hostile))
		w.exec("update task_item set state = $2::taskstate, progress_percentage = $3, progress_message = 'Step 41 of 75: what the team needs', plan_title = $4, timestamp_created = now() at time zone 'utc' - interval '1 hour' * $5::int where id = $1",
			id, state, i*9, clip("Boathouse "+fmt.Sprint(i)+" "+hostile, 250), 11-i)
		plans[how] = id
		switch state {
		case "processing":
			w.exec("update task_item set worker_id = 'worker-1', attempt = 2, claimed_at = now() - interval '7 minutes', lease_expires_at = now() + interval '50 seconds', last_progress_at = now() - interval '6 minutes', cost_usd = 0.12, tokens_in = 812345, tokens_out = 90000 where id = $1", id)
		case "completed":
			w.exec("update task_item set generated_report_html = $2, run_zip_snapshot = $3, claimed_at = now() - interval '3 hours', finished_at = now() - interval '2 hours', cost_usd = 0.21, progress_percentage = 100 where id = $1", id, "<!DOCTYPE html><title>R</title>"+strings.Repeat("x", 700_000), make([]byte, 1_900_000))
		case "failed":
			w.exec("update task_item set failure_reason = $2, error_message = $3, failed_step = 'identify_risks', recoverable = true, claimed_at = now() - interval '2 hours', finished_at = now() - interval '1 hour', cost_usd = 0.02 where id = $1", id, how, "the key of openrouter is not accepted: correct OPENROUTER_API_KEY. "+hostile)
		case "stopped":
			w.exec("update task_item set finished_at = now() where id = $1", id)
		}
		w.exec("insert into task_artifact (task_id, name, size, sha256, encoding, body) values ($1, '001-2-plan.txt', 5, '', 'identity', 'hello'), ($1, $2, 3, '', 'identity', 'abc')", id, "099-"+strings.Repeat("long_name_", 8)+".md")
	}
	w.exec("insert into task_item (id, timestamp_created, state, prompt, user_id) values (gen_random_uuid(), null, null, null, null)")
	w.exec(`insert into workers (id, started_at, last_heartbeat_at, status, status_reason, hostname, version, concurrency) values
		('worker-1', now() - interval '1 day', now() at time zone 'utc', 'running', null, 'host-with-a-long-name.internal', '1.2.3', 4),
		('worker-2', now(), now() at time zone 'utc' - interval '1 minute', 'running', null, null, null, null), ('worker-3', now(), now() at time zone 'utc' - interval '5 minutes', 'running', null, null, null, 4),
		('worker-4', now(), now() at time zone 'utc', 'blocked', 'no model can be used: llm_config.json has no entry whose key is set', null, '1.2.3', 4), ('worker-5', now(), now() at time zone 'utc' - interval '2 days', 'stopped', null, null, '1', 4)`)
	w.exec("update task_item set worker_id = 'worker-3', lease_expires_at = now() - interval '2 minutes' where id = $1", plans["lost"])
	w.exec("insert into outbox (task_id, attempt, kind, target, state, tries, last_error) values ($1, 1, 'confirm_ok', 'https://partner.example', 'unknown', 3, 'timeout'), ($1, 2, 'confirm_error', 'https://partner.example', 'given_up', 12, 'status 500')", plans["completed"])
	w.exec(`insert into task_item (id, timestamp_created, state, prompt, finished_at, cost_usd)
		select gen_random_uuid(), now() - n * interval '11 hours', case when n % 4 = 0 then 'failed' else 'completed' end::taskstate, 'Older plan ' || n, now() - n * interval '11 hours', 0.1 + (n % 5) * 0.07 from generate_series(3, 60) n`)
	w.exec("insert into nonces (nonce_key, created_at, last_accessed_at, request_count, context) select 'v1.1800000000.' || md5(n::text) || '.' || md5((n+1)::text), now(), now(), n, '{\"user_agent\": \"Mozilla/5.0 (X11; Linux x86_64) Chrome/120\", \"network\": \"192.0.2.0/24\"}' from generate_series(1, 30) n")
	_, err := w.app.accounts.Create(w.t.Context(), "system", "a.very.long.login+with.tag@a-rather-long-domain-name.example.org", "Somebody with a rather long display name "+hostile[:30], auth.Admin, "")
	w.ok(err)
	return plans
}

func (w *world) gallery() []sample {
	plans := w.fill()
	running, done, failed := plans["running"], plans["completed"], plans["generation_error"]
	link, err := w.app.accounts.Link(w.t.Context(), "system", w.people["ben"].ID)
	w.ok(err)
	task := func(id uuid.UUID) string { return "/admin/task/" + id.String() }
	ada := "/admin/user/" + w.people["ada"].ID.String()
	return []sample{
		{name: "index", path: "/"}, {name: "sign in", path: "/login"}, {name: "sign in wrong", path: "/login", post: []string{"username", "ada", "password", "no"}},
		{name: "sign up", path: "/signup"}, {name: "sign up problem", path: "/signup", post: []string{"username", "x y", "password", "a", "again", "a"}},
		{name: "set password", path: "/password/" + link}, {name: "set password over", path: "/password/none"}, {name: "not found", path: "/nowhere"},
		{name: "new plan", as: "ada", path: "/"}, {name: "new plan problem", as: "ada", path: "/runs", post: []string{"prompt", ""}}, {name: "new plan limit", as: "ada", path: "/runs", post: []string{"prompt", "One more", "model", "auto"}},
		{name: "plans", as: "ada", path: "/runs"}, {name: "plans none", as: "ben", path: "/runs"}, {name: "plans none fit", as: "ada", path: "/runs?q=zeppelin"},
		{name: "plan running", as: "ada", path: "/runs/" + running.String()}, {name: "plan failed", as: "ada", path: "/runs/" + failed.String()}, {name: "plan done", as: "ada", path: "/runs/" + done.String()},
		{name: "plan waiting", as: "ada", path: "/runs/" + plans["waiting"].String()}, {name: "plan whose worker is lost", as: "ada", path: "/runs/" + plans["lost"].String()}, {name: "plan partial", as: "ada", path: "/runs/" + plans["partial"].String()},
		{name: "plan at its limit", as: "ada", path: "/runs/" + plans["budget"].String()}, {name: "plan refused", as: "ada", path: "/runs/" + plans["refused"].String()}, {name: "plan stopped", as: "ada", path: "/runs/" + plans["stopped"].String()},
		{name: "plan, delete", as: "ada", path: "/runs/" + done.String() + "/delete"}, {name: "plan, no report", as: "ada", path: "/runs/" + plans["stopped"].String() + "/report"}, {name: "plan, files", as: "ada", path: "/runs/" + done.String() + "?tab=files"}, {name: "plan of nobody", as: "ada", path: "/runs/" + uuid.Nil.String()},
		{name: "account", as: "ada", path: "/account"}, {name: "account of the environment", as: "root", path: "/account"}, {name: "account problem", as: "ada", path: "/account/password", post: []string{"old", "x", "password", "a", "again", "b"}},
		{name: "overview", as: "root", path: "/admin/"}, {name: "admin plans", as: "root", path: "/admin/taskitem/"}, {name: "admin plans filtered", as: "root", path: "/admin/taskitem/?state=failed&sort=user&wrong=1&search=boathouse"},
		{name: "admin plans none", as: "root", path: "/admin/taskitem/?user=nobody"}, {name: "admin task running", as: "root", path: task(running)}, {name: "admin task failed", as: "root", path: task(failed)},
		{name: "admin task done", as: "root", path: task(done)}, {name: "admin ask", as: "root", path: task(running) + "/ask/fail"}, {name: "admin bulk", as: "root", path: "/admin/taskitem/ask", post: []string{"what", "delete", "id", done.String(), "id", failed.String()}},
		{name: "events", as: "root", path: "/admin/eventitem/"}, {name: "workers", as: "root", path: "/admin/workeritem/"}, {name: "users", as: "root", path: "/admin/useritem/"}, {name: "user", as: "root", path: ada},
		{name: "user problem", as: "root", path: "/admin/useritem/create", post: []string{"login", "a b", "role", "user"}}, {name: "user link", as: "root", path: ada + "/link", post: []string{}},
		{name: "nonces", as: "root", path: "/admin/nonceitem/"}, {name: "models", as: "root", path: "/ping"}, {name: "models tested", as: "root", path: "/ping?test="},
	}
}

// outside are the pages that no route of the open interface shows, by address.
func (w *world) outside() map[string]http.Handler {
	locked := &Door{title: "This interface is locked", text: "The administrator's password is one that stands in the examples, so everybody knows it. Set PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD to another one, in .env or the environment, and start the service again."}
	starting := &Door{title: "Starting", text: "The database does not answer yet. This page looks again by itself."}
	framed := func(v framedView) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'")
			w.app.render(rw, r, http.StatusOK, framedPage(kit.Page{Title: "Your plan", Refresh: 10}, v))
		})
	}
	return map[string]http.Handler{
		"/outside/locked": locked, "/outside/starting": starting,
		"/outside/frame": framed(framedView{id: "x", state: "processing", percent: 41, message: "41 of 75"}), "/outside/frame-failed": framed(framedView{id: "x", state: "failed", percent: 41, problem: hostile}),
		"/outside/frame-refused": http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.app.render(rw, r, http.StatusConflict, refusedPage(kit.Page{Title: "There is no plan"}, "this nonce was used before: no second plan was started"))
		}),
	}
}

// Ensure every page and state of the gallery is a whole page, shows hostile texts as texts, and says nothing internal.
func TestGallery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Signup = true })
	people := map[string]*browser{"": w.browser(), "ada": w.as("ada"), "ben": w.as("ben"), "root": w.as("root")}
	for _, s := range w.gallery() {
		b := people[s.as]
		answer := b.get(s.path)
		if s.post != nil {
			b.get("/account")
			answer = b.post(s.path, s.post...)
		}
		text := answer.Body.String()
		if !strings.HasSuffix(text, "</html>") || strings.Contains(text, "%!") || strings.Contains(text, "<img src=x") || strings.Contains(text, "<script>") || answer.Code >= http.StatusInternalServerError {
			t.Errorf("%s: %d: %.300s", s.name, answer.Code, text)
		}
		if strings.Contains(text, "SQLSTATE") || strings.Contains(text, "argon2id") {
			t.Errorf("%s says something internal", s.name)
		}
		if p := answer.Header().Get("Content-Security-Policy"); strings.Contains(p, "unsafe") || !strings.HasPrefix(p, "default-src 'none'") {
			t.Errorf("%s: policy %q", s.name, p)
		}
	}
}

// Ensure nothing is wider than the page, all text can be told from what is behind it, every control has a name and is large enough, in
// every page and state, on phones and screens, in the light and in the dark; and that no text is run as a script.
func TestLooks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: looks at every page in every state")
	}
	b := webtest.New(t)
	b.Allowed = regexp.MustCompile(`status of (4|5)\d\d|ERR_INCOMPLETE`)
	w := newWorld(t, func(o *Options) { o.Signup = true })
	samples := w.gallery()
	mux := http.NewServeMux()
	mux.Handle("/", w.h)
	for path, h := range w.outside() {
		mux.Handle(path, h)
		samples = append(samples, sample{name: path[1:], path: path})
	}
	b.At(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Referer(), "/outside/") && !strings.HasPrefix(r.URL.Path, kit.AssetPath) {
			http.Error(rw, "not yet", http.StatusServiceUnavailable) // what these pages wait for
			return
		}
		mux.ServeHTTP(rw, r)
	}))
	who := ""
	for _, s := range samples {
		if s.as != who {
			b.Open("/login")
			if who != "" {
				b.Open("/logout")
				b.Open("/login")
			}
			if s.as != "" {
				webtest.Eval[bool](b, fmt.Sprintf(`(() => { const f = document.querySelector("form.login"); f.username.value = %q; f.password.value = %q; f.submit(); return true; })()`, s.as, phrase))
				b.Until("the sign-in", `document.querySelector(".who")`)
			}
			who = s.as
		}
		b.Scheme("light")
		if s.post == nil {
			b.Open(s.path)
		} else {
			b.Open("/account")
			fields := ""
			for i := 0; i+1 < len(s.post); i += 2 {
				fields += fmt.Sprintf(`add(%q, %q);`, s.post[i], s.post[i+1])
			}
			webtest.Eval[bool](b, fmt.Sprintf(`(() => { const token = document.querySelector("[name=csrf_token]")?.value || ""; document.body.innerHTML = '<form method="post"></form>';
				const f = document.forms[0]; const add = (k, v) => { const i = document.createElement("input"); i.name = k; i.value = v; f.append(i); }; add("csrf_token", token); %s f.action = %q; f.submit(); return true; })()`, fields, s.path))
			b.Until("the answer to the form", `document.querySelector("h1")`)
		}
		b.LooksRight(s.name, *shots)
		b.Quiet(s.name)
	}
}
