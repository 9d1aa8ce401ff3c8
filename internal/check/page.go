package check

import (
	"fmt"
	"strings"

	"planexe/internal/plan"
)

// Markdown writes the findings as a page: a sentence, a table, and what was looked at.
func Markdown(f plan.Findings) string {
	var b strings.Builder
	b.WriteString("# Checks\n\n")
	dropped := 0
	for _, c := range f.Checks {
		dropped += c.Dropped
	}
	switch n := len(f.Findings) + dropped; {
	case n == 0:
		b.WriteString("Nothing found. No model took part in these checks: they compare the documents with the request, the schedule and each other.\n")
	case n == 1:
		b.WriteString("One finding. No model took part in these checks: they compare the documents with the request, the schedule and each other.\n")
	default:
		fmt.Fprintf(&b, "%d findings. No model took part in these checks: they compare the documents with the request, the schedule and each other.\n", n)
	}
	if len(f.Findings) > 0 {
		b.WriteString("\n| Severity | Section | Finding |\n|---|---|---|\n")
		for _, x := range Sorted(f.Findings) {
			where := plan.Title(x.File)
			if x.Section != "" {
				where += ": " + x.Section
			}
			what := x.What
			if x.Quote != "" && !strings.Contains(what, "“"+x.Quote+"”") {
				what += " “" + x.Quote + "”"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", x.Severity, cell(where), cell(what))
		}
	}
	if dropped > 0 {
		fmt.Fprintf(&b, "\n%d more findings of the same kinds are left out.\n", dropped)
	}
	b.WriteString("\n## What was checked\n\n| Check | Looked at |\n|---|---|\n")
	for _, c := range f.Checks {
		looked := "nothing of that kind"
		if c.Looked > 0 {
			looked = fmt.Sprintf("%d %s", c.Looked, c.Unit)
			if c.Looked == 1 {
				looked = strings.TrimSuffix(looked, "s") // the units are plain plurals
			}
		}
		fmt.Fprintf(&b, "| %s | %s |\n", cell(c.About), cell(looked))
	}
	return b.String()
}

// Sorted returns findings with the severest first, otherwise in their order.
func Sorted(findings []plan.Finding) []plan.Finding {
	var out []plan.Finding
	for _, s := range []plan.Severity{plan.SeverityError, plan.SeverityWarning, plan.SeverityNote} {
		for _, f := range findings {
			if f.Severity == s {
				out = append(out, f)
			}
		}
	}
	return out
}

// markup is what text of a document could break the page with.
var markup = strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "\n", " ", "\r", " ")

// cell keeps a text from breaking out of its cell.
func cell(s string) string { return markup.Replace(s) }
