package check

import (
	"regexp"
	"strings"

	"planexe/internal/plan"
)

// numbered is a heading that counts.
var numbered = regexp.MustCompile(`^\d+`)

// empty looks for headings with nothing below them, for tables without rows, and for sections that
// hold nothing but dots and dashes. A heading right before a numbered one is the title of a list.
func empty(r *run, res *result) {
	for _, d := range r.docs {
		for i, b := range d.blocks {
			if b.form == row && (i == 0 || d.blocks[i-1].group != b.group) {
				res.looked++
				if i+1 == len(d.blocks) || d.blocks[i+1].group != b.group {
					res.add(plan.SeverityWarning, b, b.text, "The table has a header and no rows.")
				}
			}
			if b.form != heading {
				continue
			}
			res.looked++
			content, below := false, false
			for _, n := range d.blocks[i+1:] {
				if n.form == heading {
					below = n.level > b.level || numbered.MatchString(n.text)
					break
				}
				if n.form == row || n.label != "" || strings.Trim(n.text, " .…-–—_*") != "" {
					content = true
					break
				}
			}
			if !content && !below {
				// A list may be empty for good reason, under a heading that the page always has.
				res.add(plan.SeverityNote, b, "", "The section has no content.")
			}
		}
	}
}
