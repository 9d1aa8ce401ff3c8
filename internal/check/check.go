// Package check looks for what is wrong with the finished documents of a run without asking a
// model: contradictions with the request and the schedule, sums that do not add up, names that do
// not exist, placeholders, repeats. A check speaks only where the form of the text makes it
// certain; it would rather miss something than cry wolf.
//
// All text is hostile: every expression is linear, every file and every list is bounded.
package check

import (
	"strings"
	"unicode"

	"planexe/internal/plan"
)

const (
	maxFile     = 1 << 20 // bytes looked at per file
	maxLine     = 1 << 14 // and per line
	maxHits     = 20      // of one expression looked at per line
	maxNames    = 1000    // names and roles looked at
	maxFindings = 25      // per check
	maxQuote    = 160     // runes
)

// check is one thing that is looked for.
type check struct {
	id, about, unit string
	run             func(*run, *result)
	wording         bool // judges how a text is written: nothing to find in the demo model's fixed sentences
}

// checks lists all checks. A new check is one line here.
func checks() []check {
	return []check{
		{"forbidden-word", "words that the request bans or rules out", "words", forbidden, false},
		{"deadline", "the schedule against the stated deadline", "deadlines", deadline, false},
		{"timeline", "the time named in project plan and summary against the schedule", "statements", timeline, true},
		{"date", "days that no calendar has, and tasks due before the start", "dates", dates, false},
		{"budget", "total budgets named in the text against the stated one", "statements", budgets, false},
		{"currency", "amounts in a currency that is none of the plan's", "amounts", foreign, false},
		{"total", "totals of tables and lists, and sums written out", "totals", totals, false},
		{"shares", "percentages that divide one whole", "divisions", shares, false},
		{"name", "scenarios, levers and governance bodies that do not exist", "names", names, false},
		{"role", "roles in charge that nobody in the plan has", "roles", roles, true},
		{"placeholder", "text that was meant to be filled in", "paragraphs", placeholders, false},
		{"empty", "sections and tables without content", "sections", empty, false},
		{"repeat", "the same paragraph twice", "paragraphs", repeats, true},
		{"language", "sections in another language than the request", "sections", languages, true},
	}
}

// Run looks at the documents that are there. Read returns an artifact's content; one that it gives
// an error for counts as missing. The same content gives the same findings.
func Run(read func(name string) ([]byte, error)) plan.Findings {
	r := load(read)
	out := plan.Findings{Checks: []plan.Check{}, Findings: []plan.Finding{}}
	for _, c := range checks() {
		res := result{check: c.id}
		if !r.demo || !c.wording {
			c.run(r, &res)
		}
		out.Checks = append(out.Checks, plan.Check{ID: c.id, About: c.about, Looked: res.looked, Unit: c.unit, Dropped: res.dropped})
		out.Findings = append(out.Findings, res.findings...)
	}
	return out
}

// result gathers what one check found.
type result struct {
	check    string
	looked   int
	dropped  int
	findings []plan.Finding
}

func (r *result) add(severity plan.Severity, at block, quote, what string) {
	if len(r.findings) == maxFindings {
		r.dropped++
		return
	}
	r.findings = append(r.findings, plan.Finding{
		Check: r.check, Severity: severity, File: at.file, Section: shorten(at.section), What: clean(what), Quote: shorten(quote),
	})
}

// clean makes a text one line without what steers a terminal or turns the direction of text.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// shorten makes a text one clean line of bounded length.
func shorten(s string) string {
	s = clean(s)
	n := 0
	for i := range s {
		if n == maxQuote {
			if space := strings.LastIndexByte(s[:i], ' '); space > i-30 {
				i = space // no part of a word, where words have spaces between them
			}
			return strings.TrimRight(s[:i], " ") + "…"
		}
		n++
	}
	return s
}

// around cuts a quote out of a text: the given bytes and a few words on both sides, with a mark where
// more stands.
func around(text string, from, to int) string {
	const margin = 50
	left, right := max(0, from-margin), min(len(text), to+margin)
	if left > 0 {
		if i := strings.IndexByte(text[left:from], ' '); i >= 0 {
			left += i
		}
	}
	if right < len(text) {
		if i := strings.LastIndexByte(text[to:right], ' '); i >= 0 {
			right = to + i
		}
	}
	quote := strings.TrimSpace(strings.ToValidUTF8(text[left:right], ""))
	if left > 0 {
		quote = "…" + quote
	} else {
		quote = strings.TrimLeft(quote, "-*• ") // of a list item
	}
	if right < len(text) {
		quote += "…"
	}
	return quote
}
