package report

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"planexe/internal/plan"
)

// corpus returns the payloads of testdata/hostile.txt, one a line; \n in it stands for a line end.
func corpus(t testing.TB) (payloads []string) {
	t.Helper()
	f, err := os.Open("testdata/hostile.txt")
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

// elements are those that documents may bring into the page or that the page is made of; scripts,
// styles and meta are counted.
var elements = strings.Fields(`html head title body a header footer nav main section details summary div span p br hr h1 h2 h3 h4 h5 h6
	strong em b i code pre blockquote ul ol li dl dt dd table thead tbody tr th td caption time button input
	svg g rect line path circle polygon polyline text tspan desc script style meta`)

// safe fails the test if anything in the page could act, load or deceive.
func safe(t testing.TB, doc *html.Node, payload string) {
	t.Helper()
	count := map[string]int{}
	policy := ""
	for n := range doc.Descendants() {
		if n.Type == html.CommentNode && n.Data != "CONTENT-START" && n.Data != "CONTENT-END" {
			t.Errorf("comment %q from %q", n.Data, payload)
		}
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		if !slices.Contains(elements, n.Data) {
			t.Errorf("element %s from %q", n.Data, payload)
		}
		for _, a := range n.Attr {
			switch key := a.Key; {
			case strings.HasPrefix(key, "on"), slices.Contains([]string{"style", "src", "srcset", "srcdoc", "action", "formaction", "data", "background", "ping", "poster"}, key):
				t.Errorf("attribute %s of %s from %q", key, n.Data, payload)
			case key == "href":
				u, err := url.Parse(a.Val)
				if err != nil || n.Data != "a" || !strings.HasPrefix(a.Val, "#") && !slices.Contains([]string{"http", "https", "mailto"}, u.Scheme) {
					t.Errorf("link %q of %s from %q", a.Val, n.Data, payload)
				}
			case key == "http-equiv":
				policy = attr(n, "content")
			}
		}
		if n.Data == "input" && attr(n, "type") != "checkbox" {
			t.Errorf("input from %q", payload)
		}
	}
	for name, want := range map[string]int{"script": 2, "style": 1, "meta": 5, "main": 1, "h1": 1, "html": 1, "body": 1, "nav": 1, "header": 1, "button": 2} {
		if count[name] != want {
			t.Errorf("%d %s elements from %q, want %d", count[name], name, payload, want)
		}
	}
	// Nothing has broken out of its section: all of them stand where they should.
	for _, n := range find(doc, tag("section")) {
		if class("opening")(n) {
			if n.Parent.Data != "main" {
				t.Errorf("the opening is not intact after %q", payload)
			}
			continue
		}
		if !class("sections")(n.Parent) || n.Parent.Parent.Data != "main" || n.LastChild.Data != "details" || n.FirstChild != n.LastChild {
			t.Errorf("the sections are not intact after %q", payload)
		}
	}
	// The policy names the hashes of just the style and the script that are there.
	scripts := find(doc, tag("script"))
	if attr(scripts[0], "type") != "application/json" {
		t.Errorf("the first script is not the index after %q", payload)
	}
	for kind, n := range map[string]*html.Node{"style": find(doc, tag("style"))[0], "script": scripts[len(scripts)-1]} {
		sum := sha256.Sum256([]byte(n.FirstChild.Data))
		if want := kind + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want+";") {
			t.Errorf("the policy %q lacks %s", policy, want)
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
}

// hostile is a run whose every document holds the payload, also in the places of its own syntax.
func hostile(payload string) (files, Meta) {
	src := every(payload)
	line := strings.ReplaceAll(payload, "\n", " ")
	src[plan.Summary.Name] = "# " + line + "\n\n" + payload + "\n\n**Level:** High " + line + "\n\n- **Risk:** " + line
	src[plan.Premortem.Name] = "| a | b |\n|---|---|\n| " + line + " | 🛑 " + line + " |\n"
	src[plan.Pitch.Name] = "[" + line + "](" + line + ") ![" + line + "](" + line + ") <" + line + ">\n\n```" + line + "\n" + payload + "\n```\n"
	src[plan.SWOT.Name] = "[x]: " + line + "\n\n[x] [y][x] `" + line + "`\n\n> " + line
	src[plan.WBSTable.Name] = "Level 1;Level 2;Task ID\n" + line + ";;1\n;" + line + ";2\n"
	src[plan.GanttOverview.Name] = "<!--HTML_BODY_CONTENT_START--><svg><title>" + payload + "</title><g><text>" + payload + "</text></g></svg>" + payload + "<!--HTML_BODY_CONTENT_END-->"
	src[plan.GanttInteractive.Name] = "<table><tr><td class=\"" + payload + "\">" + payload + "</td></tr></table>"
	w := func(text string) plan.Sourced { return plan.Sourced{Text: text, Document: payload} }
	opening, err := json.Marshal(plan.OpeningPage{
		Judgement: plan.Judgement{
			Reasons: []plan.Sourced{w(payload)}, Verdict: plan.VerdictConditions, Conditions: []plan.Sourced{w(payload)},
			Cost:   plan.Cost{Amount: &payload, Basis: payload, Document: "team"},
			Risk:   plan.MainRisk{What: payload, Sign: payload, Answer: payload, Document: "pitch"},
			Monday: []plan.FirstAction{{Action: payload, Who: payload, Document: payload}},
		},
		Finish: &plan.Finish{Start: payload, Dates: [3]string{payload}},
	})
	if err != nil {
		panic(err) // texts only
	}
	facts, err := json.Marshal(plan.Facts{Budget: payload, Currency: payload, Start: payload, Places: []string{payload}, Scale: plan.Scale(payload)})
	if err != nil {
		panic(err)
	}
	src[plan.Opening.Name], src[plan.KeyFacts.Name], src[plan.Checks.Name] = string(opening), string(facts), payload
	return src, Meta{
		Title: payload, Lang: payload, Made: payload, Models: []string{payload}, Speed: payload, Version: payload, Outcome: payload, Reason: payload,
		Quality: []string{payload}, Missing: map[string]string{plan.Team.Name: payload},
	}
}

func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	payloads := corpus(t)
	if len(payloads) < 100 {
		t.Fatalf("only %d payloads", len(payloads))
	}
	for _, payload := range payloads {
		src, meta := hostile(payload)
		_, doc := render(t, src, meta)
		safe(t, doc, payload)
		delete(src, plan.Team.Name) // its reason is shown instead
		_, doc = render(t, src, meta)
		safe(t, doc, payload)
	}
}

func FuzzRender(f *testing.F) {
	for _, payload := range corpus(f) {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		src, meta := hostile(payload)
		_, doc := render(t, src, meta)
		safe(t, doc, payload)
	})
}
