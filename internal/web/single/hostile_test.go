package single

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"planexe/internal/api"
	"planexe/internal/plan"
	"planexe/internal/web/webtest"
)

var blockedStream = regexp.MustCompile(`/live|status of 502`)

// withoutStreams is a proxy that does not let streams through.
func withoutStreams(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/live") {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// corpus are the payloads that reports are tested with, too.
func corpus(t *testing.T) (payloads []string) {
	t.Helper()
	f, err := os.Open("../../report/testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if s.Text() != "" {
			payloads = append(payloads, strings.ReplaceAll(s.Text(), `\n`, "\n"))
		}
	}
	return payloads
}

// Ensure that nothing which a model, a file name or a worker says can act in any page.
func TestHostileTextInBrowser(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: opens pages for each payload")
	}
	b := webtest.New(t)
	// The report may try: it is stopped by its policy. No page of ours may need to be.
	f := sampleWorker()
	b.At(newUI(t, f, nil))
	payloads := corpus(t)
	var all strings.Builder
	for i, p := range payloads {
		fmt.Fprintf(&all, "%s\n\n- %s\n\n", p, p)
		f.files = append(f.files, api.File{Name: strings.ReplaceAll(p, "/", "∕"), Step: p, Editable: true})
		f.steps[i%len(f.steps)].Label, f.steps[i%len(f.steps)].Why = p, p
		f.steps[i%len(f.steps)].Error = &api.Problem{Message: p, Advice: p, Step: p}
		f.run.Quality = append(f.run.Quality, api.QualityNote{Step: p, Note: p})
		f.run.ActiveCalls = append(f.run.ActiveCalls, api.ActiveCall{Step: p, Label: p})
		f.list.Runs = append(f.list.Runs, api.RunSummary{RunID: p, Title: p, State: api.Failed, Reason: p})
		f.info.Items = append(f.info.Items, api.LLMItem{ID: p, Label: p, Problem: p, Model: p, Class: p})
	}
	f.run.Prompt, f.run.Title, f.run.Reason, f.run.DisplayRunDir, f.log = all.String(), all.String(), all.String(), all.String(), all.String()
	f.run.Error = &api.Problem{Message: all.String(), Advice: all.String(), Step: payloads[0]}
	f.run.State = api.Partial
	f.content[plan.Risks.Name], f.content[plan.Prompt.Name] = all.String(), all.String()
	f.content[plan.Assumptions.Name] = fmt.Sprintf(`{"a": [%q, {%q: %q}]}`, payloads[0], payloads[1], payloads[2])
	run := "/runs/" + sampleID
	for _, path := range []string{
		"/?from=" + sampleID, run, run + "?with=settings", run + "?tab=files", run + "?tab=log", "/runs", "/models", run + "/delete",
		run + "/files/" + plan.Risks.Name, run + "/files/" + plan.Prompt.Name, run + "/files/" + plan.Assumptions.Name, run + "/files/" + plan.Risks.Name + "/edit",
		"/runs?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/login?to=javascript:alert(1)", "/%3Cscript%3Ealert(1)%3C/script%3E",
	} {
		b.Allowed = regexp.MustCompile(`status of 404`)
		b.Open(path)
		before := webtest.Eval[string](b, "location.href")
		webtest.Eval[bool](b, `for (const e of document.querySelectorAll("*")) {
			if (e.tagName === "DETAILS") e.open = true;
			for (const type of ["pointerenter", "mouseover", "focus", "animationend", "load", "error", "toggle"]) e.dispatchEvent(new Event(type, { bubbles: true }));
			if (e.tagName === "A" && e.href && !["http:", "https:", "mailto:"].includes(e.protocol)) broken.push("link to " + e.href);
			if (["IFRAME", "OBJECT", "EMBED", "BASE"].includes(e.tagName) || e.tagName === "SCRIPT" && !e.src.startsWith(location.origin + "/assets/") || e.tagName === "FORM" && new URL(e.action).origin !== location.origin) broken.push("element " + e.outerHTML.slice(0, 80));
			for (const a of e.attributes) if (/^on/i.test(a.name) || a.name === "style") broken.push("attribute " + a.name);
		}`+webtest.Settled)
		if after := webtest.Eval[string](b, "location.href"); after != before {
			t.Errorf("%s went to %s", before, after)
		}
		b.Quiet(path)
	}

	// A report that is hostile through and through runs nothing, wherever it is opened.
	f.report = "<!DOCTYPE html>" + strings.Join(payloads, "\n") + "<script>parent.document.title = 'broken'; top.location = '/about'</script>"
	b.Allowed = regexp.MustCompile(`.`) // what it tries is reported by the browser
	b.Open(run + "/report.html")
	if ran := webtest.Eval[[]string](b, `broken.filter((x) => x.endsWith("was called"))`); len(ran) > 0 {
		t.Errorf("the report ran script: %v", ran)
	}
	b.Open(run + "/report")
	b.Until("the page around the report", `document.querySelector("iframe.report")`)
	if at := webtest.Eval[string](b, `location.pathname + " " + document.title`); !strings.HasPrefix(at, run+"/report") || strings.Contains(at, "broken") {
		t.Errorf("the report changed the page around it: %s", at)
	}
}
