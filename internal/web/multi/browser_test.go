package multi

import (
	"fmt"
	"path/filepath"
	"regexp"
	"testing"

	"planexe/internal/web/webtest"
)

// enter signs somebody in, as a person does.
func enter(b *webtest.Tab, login string) {
	b.Open("/login")
	webtest.Eval[bool](b, fmt.Sprintf(`(() => { document.querySelector("#username").value = %q; document.querySelector("#password").value = %q; return true; })()`, login, phrase))
	b.Press("Sign in")
	b.Until("the sign-in", `document.querySelector(".who")`)
}

// pictures shows a page to whoever looks at the tests' pictures, in both widths and themes.
func pictures(b *webtest.Tab, name string) {
	if *shots == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		for _, width := range []int64{360, 1440} {
			b.Size(width)
			b.Shoot(filepath.Join(*shots, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)))
		}
	}
}

// Ensure a person gets from the sign-in to the report while the page tells the progress by itself, another person sees nothing of it,
// and an administrator sees all of it, stops, resumes and deletes, and makes an account that works.
func TestPeople(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: a browser, a database and a worker")
	}
	b := webtest.New(t)
	b.Allowed = regexp.MustCompile(`status of (404|401)|ERR_INCOMPLETE|ERR_ABORTED`)
	w := newWorld(t, nil)
	b.At(w.h)

	enter(b, "ada")
	webtest.Eval[bool](b, "window.before = true") // the page after the sign-in may have the form, too
	b.Press("New plan")
	b.Until("the form", `!window.before && document.readyState === "complete" && document.querySelector("#prompt")`)
	webtest.Eval[bool](b, `(() => { const f = document.querySelector("#prompt"); f.value = "Open a small bakery in Lyon with a budget of 300,000 EUR before May 2027."; f.dispatchEvent(new Event("input", { bubbles: true })); return true; })()`)
	b.Until("the estimate", `document.querySelector(".estimate").textContent.includes("calls")`)
	b.Press("Create plan")
	b.Until("the place in the line", `document.body.textContent.includes("number 1 in the line")`)
	w.work(30)
	b.Until("the steps", `document.querySelector(".node.done")`)
	pictures(b, "live")
	b.Until("the end", `document.querySelector(".run-title .badge").textContent === "Complete"`)
	pictures(b, "live-ended")
	at := webtest.Eval[string](b, "location.pathname")
	b.Press("Open report")
	b.Until("the report", `document.querySelector("iframe.report")`)
	pictures(b, "live-report")
	b.Quiet("the way to the report")
	b.Press("Log out")
	b.Until("the end of the session", `!document.querySelector(".who")`)
	b.Open(at)
	b.Until("the sign-in", `document.querySelector("#password") && location.search.includes("next=")`)

	enter(b, "ben")
	b.Open(at)
	b.Until("nothing", `document.querySelector("h1").textContent.includes("not there")`)
	b.Open("/runs")
	b.Until("an empty list", `document.body.textContent.includes("No plans yet")`)
	b.Open("/admin/")
	b.Until("nothing", `document.querySelector("h1").textContent === "There is no such page"`)
	b.Quiet("another person")
	b.Open("/logout")

	enter(b, "root")
	b.Until("the overview", `location.pathname === "/admin/" && document.body.textContent.includes("worker-1")`)
	w.exec("update task_item set state = 'pending', finished_at = null, not_before = now() + interval '1 hour'")
	b.Until("a plan that waits, without a reload", `document.querySelector("[data-part=dash] dd").textContent.trim() === "1"`)
	b.Open("/admin/taskitem/")
	b.Click(".run-link")
	b.Until("the plan", `document.querySelector(".run-actions")`)
	b.Press("Stop…")
	b.Until("the question", `location.pathname.includes("/ask/") && document.querySelector("[name=stamp]")`)
	b.Press("Stop")
	b.Until("the stop", `document.querySelector(".run-title .badge").textContent === "Stopped"`)
	b.Press("Delete…")
	b.Until("the question", `location.pathname.includes("/ask/") && document.querySelector("[name=stamp]")`)
	b.Press("Delete")
	b.Until("an empty list", `document.body.textContent.includes("Nothing here yet")`)
	b.Open("/admin/useritem/")
	webtest.Eval[bool](b, `(() => { document.querySelector(".new-user").open = true; document.querySelector("#login").value = "cleo"; return true; })()`)
	b.Press("Make the account")
	b.Until("the link", `document.querySelector("#link")`)
	link := webtest.Eval[string](b, `new URL(document.querySelector("#link").textContent).pathname`)
	b.Quiet("the administrator")
	b.Open("/logout")
	b.Open(link)
	webtest.Eval[bool](b, fmt.Sprintf(`(() => { for (const f of document.querySelectorAll("[type=password]")) f.value = %q; return true; })()`, phrase))
	b.Press("Set the password")
	b.Until("the sign-in", `location.pathname === "/login"`)
	enter(b, "cleo")
	b.Quiet("the new account")
}
