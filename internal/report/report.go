// Package report builds the plan's report: one HTML page that needs nothing beside itself, made
// of whatever documents of a run exist. It trusts none of them.
package report

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"

	"planexe/internal/plan"
)

// Source reads the artifacts of a run by file name; a missing one is fs.ErrNotExist.
type Source interface {
	Read(name string) ([]byte, error)
}

// Meta is what the page says about the run beside its documents. Every field may be empty. There
// is no clock in it: the same documents and the same Meta give the same bytes.
type Meta struct {
	Title   string   // used when the run has no project title: the first line of the prompt
	Lang    string   // language of the documents as a BCP 47 tag; en when empty or malformed
	Made    string   // when the run was asked for: RFC 3339, or text that is shown as it is
	Models  []string // the models that answered, in the order of their use
	Speed   string   // the speed mode's name
	Version string   // of the program
	Outcome string   // complete, partial, failed, refused, budget, stopped or interrupted
	Reason  string   // why the outcome is not complete, one sentence for people
	Refused bool     // the redline gate said no
	Demo    bool     // the documents were written without a model
	Sample  bool     // the documents belong to a recorded plan, shown as an example
	// Missing says why an artifact does not exist, by file name: its step failed or was skipped,
	// or it is no part of this run. Artifacts that do exist are not looked up.
	Missing map[string]string
	Quality []string // what the run itself found lacking in its documents, one sentence each
}

// section is one entry of the report: a title and the artifacts it shows.
type section struct {
	title string
	parts []part
	// ours marks a section beside those of the contract: when it is missing, nothing is.
	ours bool
}

// part shows one artifact. A heading stands above it when the section has several.
type part struct {
	file    plan.File
	render  renderFunc
	heading string
}

// renderFunc turns one artifact's text into safe HTML. Its errors are shown to the reader.
type renderFunc func(text string, at place) (content, error)

// place is where in the page a document goes.
type place struct {
	prefix string         // begins the ids of the document's headings
	level  int            // of the document's topmost headings
	ids    map[string]int // taken on this page, with how often they were asked for
}

// content is a document ready for the page.
type content struct {
	html     string
	headings []heading // the topmost ones
	size     string    // for people: reading time, number of rows
}

// heading is one a reader can jump to.
type heading struct{ id, text string }

// sections is the whole report but for its opening; titles and order are a contract with readers of the
// page, up to those of ours at the end.
func sections() []section {
	one := func(title string, file plan.File, render renderFunc) section {
		return section{title: title, parts: []part{{file: file, render: render}}}
	}
	return []section{
		one("Executive Summary", plan.Summary, markdown),
		one("Gantt Overview", plan.GanttOverview, chart),
		one("Gantt Interactive", plan.GanttInteractive, chart),
		one("Pitch", plan.Pitch, markdown),
		one("Project Plan", plan.ProjectPlan, markdown),
		one("Strategic Decisions", plan.Decisions, markdown),
		one("Scenarios", plan.Scenarios, markdown),
		one("Assumptions", plan.AssumptionsFull, markdown),
		one("Governance", plan.Governance, markdown),
		one("Related Resources", plan.RelatedResources, markdown),
		one("Data Collection", plan.DataCollection, markdown),
		one("Documents to Create and Find", plan.DocumentsPage, markdown),
		one("SWOT Analysis", plan.SWOT, markdown),
		one("Team", plan.Team, markdown),
		one("Expert Criticism", plan.ExpertCriticism, markdown),
		one("Work Breakdown Structure", plan.WBSTable, breakdown),
		one("Review Plan", plan.ReviewPlan, markdown),
		one("Questions & Answers", plan.QAFragment, fragment),
		one("Premortem", plan.Premortem, markdown),
		one("Self Audit", plan.SelfAudit, markdown),
		{title: "Initial Prompt Vetted", parts: []part{
			{plan.Prompt, plainText, "Initial Prompt"},
			{plan.RedlinePage, markdown, "Redline Gate"},
			{plan.PremiseAttack, markdown, "Premise Attack"},
		}},
		{title: "Plan Checks", parts: []part{{file: plan.ChecksPage, render: checks}}, ours: true},
	}
}

// noTitle is the title of a report of a plan that has none.
const noTitle = "PlanExe Project Report"

// maxSource bounds one document: far above any real one, far below what hurts a browser.
const maxSource = 4 << 20

// Render builds the report. A document that is missing, unreadable or cannot be rendered becomes a
// notice; an error means that the page itself could not be written.
func Render(src Source, m Meta) ([]byte, error) {
	b := builder{src: src, missing: m.Missing, ids: map[string]int{openingAnchor: 1, notesAnchor: 1}}
	p := page{Meta: m, title: b.title(m.Title)}
	all := sections()
	for _, s := range all {
		b.ids[slug(s.title)] = 1 // before any heading of a document can take it
	}
	for _, s := range all {
		p.sections = append(p.sections, b.section(s))
	}
	p.opening = b.opening(p.sections)
	p.gaps = group(p.sections)
	p.open()
	p.index = index(p)

	var out bytes.Buffer
	if err := p.render().Render(context.Background(), &out); err != nil {
		return nil, fmt.Errorf("write the report page: %w", err)
	}
	return out.Bytes(), nil
}

type builder struct {
	src     Source
	missing map[string]string
	ids     map[string]int
}

// title is the project's title as one line.
func (b builder) title(fallback string) string {
	data, _ := b.src.Read(plan.ProjectTitle.Name) // without it there is the fallback
	for _, text := range []string{clean(data), fallback} {
		if t := []rune(strings.Join(strings.Fields(text), " ")); len(t) > 200 {
			return string(t[:200]) + "…"
		} else if len(t) > 0 {
			return string(t)
		}
	}
	return noTitle
}

// section renders the parts of s that can be; when none can, the view carries a reason only.
func (b builder) section(s section) view {
	v := view{title: s.title, anchor: slug(s.title), ours: s.ours}
	shown := false
	var body strings.Builder
	for _, p := range s.parts {
		at := place{prefix: v.anchor, level: 3, ids: b.ids}
		if p.heading != "" {
			h := heading{at.id(p.heading), p.heading}
			v.headings = append(v.headings, h)
			fmt.Fprintf(&body, "<h3 id=%q>%s</h3>\n", h.id, escape(h.text))
			at.level++
		}
		c, sum, err := b.part(p, at)
		v.sources = append(v.sources, provenance{File: p.file.Name, SHA256: sum})
		if err != nil {
			v.reason = cmp.Or(v.reason, err.Error())
			fmt.Fprintf(&body, "<p class=\"gap\">Not in this report: %s</p>\n", escape(err.Error()))
			continue
		}
		shown = true
		body.WriteString(c.html)
		v.size = c.size
		if p.heading == "" {
			v.headings = c.headings
		}
	}
	if shown {
		v.html, v.reason = body.String(), ""
		if len(s.parts) > 1 {
			v.size = readingTime(v.html)
		}
	}
	return v
}

// part reads and renders one artifact. The sum is that of its bytes, empty when there are none.
func (b builder) part(p part, at place) (c content, sum string, err error) {
	data, sum, err := b.read(p.file)
	if err != nil {
		return c, sum, err
	}
	text := clean(data)
	if strings.TrimSpace(text) == "" {
		return c, sum, fmt.Errorf("%s is empty", p.file.Name)
	}
	// The renderers run foreign parsers on foreign text: one that trips over a document must not
	// take the other twenty with it.
	defer func() {
		if recover() != nil {
			c, err = content{}, fmt.Errorf("%s cannot be shown", p.file.Name)
		}
	}()
	c, err = p.render(text, at)
	return c, sum, err
}

// read returns an artifact and the sum of its bytes. The error is for people.
func (b builder) read(file plan.File) (data []byte, sum string, err error) {
	data, err = b.src.Read(file.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", errors.New(cmp.Or(b.missing[file.Name], "it has not been written"))
	case err != nil: // its text may name paths of the machine
		return nil, "", fmt.Errorf("%s cannot be read", file.Name)
	}
	sum = fmt.Sprintf("%x", sha256.Sum256(data))
	if len(data) > maxSource {
		return nil, sum, fmt.Errorf("%s is larger than %d MB", file.Name, maxSource>>20)
	}
	return data, sum, nil
}

// group collects the missing sections by reason, in the order of the report.
func group(views []view) []gap {
	var gaps []gap
	for _, v := range views {
		if v.reason == "" || v.ours {
			continue
		}
		i := slices.IndexFunc(gaps, func(g gap) bool { return g.reason == v.reason })
		if i < 0 {
			gaps, i = append(gaps, gap{reason: v.reason}), len(gaps)
		}
		gaps[i].titles = append(gaps[i].titles, v.title)
	}
	return gaps
}

// clean makes text of the bytes: valid UTF-8, line feeds only, no invisible control characters.
func clean(data []byte) string {
	text := strings.ToValidUTF8(string(data), "\uFFFD")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r) || r == '\uFEFF' || unicode.Is(unicode.Bidi_Control, r) && r != '\u200E' && r != '\u200F':
			return -1 // embeddings and overrides could turn the rest of the page around
		}
		return r
	}, text)
}

// slug makes an anchor of a title: its letters and digits, lower case, joined by hyphens.
func slug(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	s := []rune(strings.Join(words, "-"))
	return strings.Trim(string(s[:min(len(s), 60)]), "-")
}

// id returns an id for a heading that no other element of the page has.
func (at place) id(text string) string {
	base := at.prefix + "-" + cmp.Or(slug(text), "part")
	id := base
	for at.ids[id] > 0 {
		at.ids[base]++
		id = fmt.Sprintf("%s-%d", base, at.ids[base])
	}
	at.ids[id] = 1
	return id
}
