package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

//go:generate go tool templ generate -f page.templ
//go:generate go tool templ generate -f opening.templ

// The page's own style and script. Its content policy lets nothing else act: it names their hashes.
var (
	//go:embed style.css
	style string
	//go:embed script.js
	script string
)

// page is all that page.templ shows.
type page struct {
	Meta
	title    string
	opening  opening
	sections []view
	gaps     []gap
	index    string // JSON, safe inside a script element
}

// view is a section ready for the page. One with a reason is missing and has no html.
type view struct {
	title, anchor string
	html          string // safe: only what a renderer made
	reason        string
	size          string
	headings      []heading
	sources       []provenance
	open          bool
	ours          bool // see section
}

// provenance says which bytes of which file a section shows; without a sum the file is missing.
type provenance struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256,omitempty"`
}

// gap is one reason with the titles of the sections that are missing because of it.
type gap struct {
	reason string
	titles []string
}

// open opens the first section there is: the summary of a complete plan.
func (p *page) open() {
	for i := range p.sections {
		if p.sections[i].reason == "" {
			p.sections[i].open = true
			return
		}
	}
}

// missing counts the sections of the contract that are not there, and all of them.
func (p page) missing() (n, all int) {
	for _, v := range p.sections {
		if v.ours {
			continue
		}
		if all++; v.reason != "" {
			n++
		}
	}
	return n, all
}

// extent says how much of the report there is.
func (p page) extent() string {
	n, all := p.missing()
	if n > 0 {
		return fmt.Sprintf("%d of %d sections", all-n, all)
	}
	return counted(all, "section", "sections")
}

// blocks are the sections in their order; missing neighbours share a block, so that half a plan
// is not a page of empty boxes.
func (p page) blocks() (blocks [][]view) {
	for i, v := range p.sections {
		switch {
		case v.reason != "" && (v.ours || p.refused()):
		case v.reason != "" && i > 0 && p.sections[i-1].reason != "":
			blocks[len(blocks)-1] = append(blocks[len(blocks)-1], v)
		default:
			blocks = append(blocks, []view{v})
		}
	}
	return blocks
}

// index lists the sections for programs that read the page.
func index(p page) string {
	type entry struct {
		Title   string       `json:"title"`
		Anchor  string       `json:"anchor"`
		Missing string       `json:"missing,omitempty"`
		Sources []provenance `json:"sources"`
	}
	var doc struct {
		Title    string       `json:"title"`
		Version  string       `json:"version,omitempty"`
		Outcome  string       `json:"outcome,omitempty"`
		Verdict  string       `json:"verdict,omitempty"` // of the opening
		Opening  []provenance `json:"opening"`
		Sections []entry      `json:"sections"`
	}
	doc.Title, doc.Version, doc.Outcome = p.title, p.Version, p.Outcome
	doc.Opening = p.opening.provenance
	if p.opening.reason == "" {
		doc.Verdict = p.opening.Verdict
	}
	for _, v := range p.sections {
		if v.ours && v.reason != "" {
			continue
		}
		doc.Sections = append(doc.Sections, entry{v.title, v.anchor, v.reason, v.sources})
	}
	text, err := json.Marshal(doc) // writes <, > and & as \u003c, \u003e and \u0026
	if err != nil {
		return "{}" // strings only: cannot happen
	}
	return string(text)
}

// island is the index as a script element that no browser runs.
func (p page) island() string {
	return `<script type="application/json" id="planexe-index">` + p.index + `</script>`
}

// policy is the page's content security policy.
func (p page) policy() string {
	source := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; img-src data:; base-uri 'none'; form-action 'none'", source(style), source(script))
}

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

func (p page) lang() string {
	if languageTag.MatchString(p.Lang) {
		return p.Lang
	}
	return "en"
}

// date is the day of the run for people; text that is no time is shown as it is.
func (p page) date() string {
	if t, err := time.Parse(time.RFC3339, p.Made); err == nil {
		return t.Format("2 January 2006")
	}
	return p.Made
}

// models names the models, at most three of them.
func (p page) models() string {
	if n := len(p.Models) - 3; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(p.Models[:3], ", "), n)
	}
	return strings.Join(p.Models, ", ")
}

// speed says in words what a speed mode means.
func (p page) speed() string {
	switch p.Speed {
	case "all_details_but_slow":
		return "all details"
	case "fast_but_skip_details":
		return "fast, fewer details"
	case "ping_llm":
		return "test of the model"
	}
	return p.Speed
}

// refused tells whether there is no plan by intent: nothing is missing then.
func (p page) refused() bool { return p.Refused || p.Outcome == "refused" }

// verdict is the headline and the explanation of a run that did not end well; a complete run, and
// one whose outcome is not known yet, has none.
func (p page) verdict() (headline, reason string) {
	if p.refused() {
		return "This request was refused", cmp.Or(p.Reason, "The check of the request found that a plan for it could do harm.")
	}
	switch p.Outcome {
	case "", "complete":
		return "", ""
	case "partial":
		return "This plan is not complete", cmp.Or(p.Reason, "Some of its steps failed.")
	case "budget":
		return "This plan is not complete: its budget was used up", p.Reason
	case "stopped":
		return "This plan is not complete: it was stopped", p.Reason
	case "interrupted":
		return "This plan is not complete: it was interrupted", p.Reason
	case "failed":
		return "This plan failed", p.Reason
	}
	return "This plan is not complete", cmp.Or(p.Reason, p.Outcome)
}

// counted is a number with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
