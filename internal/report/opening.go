package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"planexe/internal/plan"
)

// opening is the page's first part, ready for the page: every text is one line of bounded length.
type opening struct {
	reason string // why there is no judgement; "" when there is one
	plan.OpeningPage
	facts      []fact
	checks     *plan.Findings
	unchecked  string // why there are no checks
	sections   []view // to link to
	fromAlias  map[string]string
	provenance []provenance
}

// fact is one thing the request fixes, in one or more values.
type fact struct {
	name   string
	values []string
}

// count is how many findings of one severity there are, in words.
type count struct{ tone, text string }

// The ids of the opening and of what is known about its quality: no title makes the same.
const (
	openingAnchor = "at-a-glance"
	notesAnchor   = "what-the-checks-found"
)

// opening reads what stands first. Each of its three sources may be missing.
func (b builder) opening(sections []view) opening {
	o := opening{sections: sections, fromAlias: map[string]string{}}
	for label, file := range map[string]plan.File{
		plan.AssumptionsShort.Label: plan.AssumptionsFull, plan.Schedule.Label: plan.GanttOverview, plan.Checks.Label: plan.ChecksPage,
	} {
		o.fromAlias[label] = file.Label
	}
	if err := b.data(plan.Opening.File, &o.OpeningPage, &o.provenance); err != nil {
		o.reason = err.Error()
	} else if verdict(o.Verdict).text == "" {
		o.reason = fmt.Sprintf("%s holds no verdict", plan.Opening.Name)
	}
	o.tidy()
	var f plan.Facts
	if b.data(plan.KeyFacts.File, &f, &o.provenance) == nil {
		o.facts = facts(f)
	}
	var found plan.Findings
	if err := b.data(plan.Checks.File, &found, &o.provenance); err != nil {
		o.unchecked = err.Error()
	} else {
		o.checks = &found
	}
	return o
}

// data reads an artifact as JSON.
func (b builder) data(file plan.File, v any, from *[]provenance) error {
	data, sum, err := b.read(file)
	*from = append(*from, provenance{File: file.Name, SHA256: sum})
	if err != nil {
		return err
	}
	if json.Unmarshal(data, v) != nil {
		return fmt.Errorf("%s does not hold what it should", file.Name)
	}
	return nil
}

// tidy makes lines of all texts, and bounds them and their number.
func (o *opening) tidy() {
	o.Reasons, o.Conditions, o.Monday = atMost(o.Reasons), atMost(o.Conditions), atMost(o.Monday)
	for _, list := range [][]plan.Sourced{o.Reasons, o.Conditions} {
		for i := range list {
			list[i].Text = oneLine(list[i].Text)
		}
	}
	for i := range o.Monday {
		o.Monday[i].Action, o.Monday[i].Who = oneLine(o.Monday[i].Action), oneLine(o.Monday[i].Who)
	}
	if a := o.Cost.Amount; a != nil {
		if line := oneLine(*a); line != "" {
			o.Cost.Amount = &line
		} else {
			o.Cost.Amount = nil
		}
	}
	o.Cost.Basis = oneLine(o.Cost.Basis)
	o.Risk.What, o.Risk.Sign, o.Risk.Answer = oneLine(o.Risk.What), oneLine(o.Risk.Sign), oneLine(o.Risk.Answer)
}

// atMost leaves ten items: more are no opening.
func atMost[T any](list []T) []T { return list[:min(len(list), 10)] }

// oneLine is text as one line of at most some 500 signs.
func oneLine(text string) string {
	line := []rune(strings.Join(strings.Fields(clean([]byte(text))), " "))
	if len(line) > 500 {
		return string(line[:500]) + "…"
	}
	return string(line)
}

// mark is how a verdict looks; the sign and the words say it, the colour only repeats it.
type mark struct{ text, sign, tone string }

func verdict(v string) mark {
	switch v {
	case plan.VerdictGo:
		return mark{"Go", "✓", "good"}
	case plan.VerdictConditions:
		return mark{"Go, with conditions", "!", "fair"}
	case plan.VerdictNo:
		return mark{"No go", "✕", "poor"}
	}
	return mark{}
}

// link is where a line comes from; nowhere when no section shows the document.
type link struct{ anchor, title string }

func (o opening) link(label string) link {
	label = cmp.Or(o.fromAlias[label], label)
	for i, s := range sections() {
		if i < len(o.sections) && slices.ContainsFunc(s.parts, func(p part) bool { return p.file.Label == label }) {
			return link{o.sections[i].anchor, o.sections[i].title}
		}
	}
	return link{}
}

// facts lists what the request fixes, without what it does not state.
func facts(f plan.Facts) (list []fact) {
	currency := f.Currency
	if strings.Contains(f.Budget, currency) {
		currency = ""
	}
	for _, x := range []struct {
		name   string
		values []string
	}{
		{"Budget", []string{f.Budget}}, {"Currency", []string{currency}}, {"Start", []string{f.Start}}, {"Deadline", []string{f.Deadline}},
		{"Places", f.Places}, {"People", f.People}, {"Demanded", f.Demands}, {"Ruled out", f.Forbids}, {"Size", []string{string(f.Scale)}},
	} {
		var values []string
		for _, v := range atMost(x.values) {
			if v = oneLine(v); v != "" {
				values = append(values, v)
			}
		}
		if len(values) > 0 {
			list = append(list, fact{x.name, values})
		}
	}
	return list
}

// finish says when the work ends; headline is "" when nobody knows.
func (o opening) finish() (headline, detail string) {
	f := o.Finish
	if f == nil {
		return "", ""
	}
	var dates [3]string
	for i, d := range append(f.Dates[:], f.Start) {
		t, err := time.Parse(time.DateOnly, d)
		if err != nil {
			return "", ""
		}
		if i < len(dates) {
			dates[i] = day(t)
		} else {
			detail = "Likely after " + days(f.Days[1], f.WorkingDays) + " from " + day(t)
		}
	}
	headline = dates[1]
	if dates[0] != dates[2] {
		detail += "; " + dates[0] + " if all goes well, " + dates[2] + " with plausible trouble"
	}
	return headline, detail + "."
}

// fixed says of each date that the request fixes what has to be done by then, and whether it likely is.
func (o opening) fixed() (list []fixedEnd) {
	if o.Finish == nil {
		return nil
	}
	for _, f := range o.Finish.Fixed {
		by, errBy := time.Parse(time.DateOnly, f.Date)
		likely, errLikely := time.Parse(time.DateOnly, f.Likely)
		if errBy != nil || errLikely != nil || len(list) == 8 {
			continue
		}
		list = append(list, fixedEnd{task: f.Task, by: day(by), likely: day(likely), kept: !likely.After(by)})
	}
	return list
}

// fixedEnd is a task with a date of the request, for people.
type fixedEnd struct {
	task, by, likely string
	kept             bool
}

// found counts findings by severity, the worst first, in words; empty when nothing was found.
func (o opening) found() (counts []count) {
	for _, s := range []struct {
		severity        plan.Severity
		one, many, tone string
	}{
		{plan.SeverityError, "error", "errors", "poor"}, {plan.SeverityWarning, "warning", "warnings", "fair"}, {plan.SeverityNote, "note", "notes", ""},
	} {
		n := 0
		for _, f := range o.checks.Findings {
			if f.Severity == s.severity {
				n++
			}
		}
		if n > 0 {
			counts = append(counts, count{s.tone, counted(n, s.one, s.many)})
		}
	}
	return counts
}

// looked says how much the checks judged.
func (o opening) looked() string {
	ran, dropped := 0, 0
	for _, c := range o.checks.Checks {
		if c.Looked > 0 {
			ran++
		}
		dropped += max(c.Dropped, 0)
	}
	text := fmt.Sprintf("%d of %s had something to judge, without a model", ran, counted(len(o.checks.Checks), "check", "checks"))
	if dropped > 0 {
		text += fmt.Sprintf("; %d more of the same are not listed", dropped)
	}
	return text + "."
}

// day is a date that stays on one line.
func day(t time.Time) string { return t.Format("2\u00a0Jan\u00a02006") }

// days is a number of days of the range in words.
func days(n float64, working bool) string {
	noun := "day"
	if working {
		noun = "working day"
	}
	if n = math.Round(n); n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%.0f\u00a0%s", n, noun)
}
