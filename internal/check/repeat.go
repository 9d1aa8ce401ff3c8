package check

import (
	"fmt"
	"strings"

	"planexe/internal/plan"
)

// repeats looks for long paragraphs that stand twice, in one document or in two. Settings of scenarios
// (list items with a label) repeat the options of levers on purpose.
func repeats(r *run, res *result) {
	first := map[string]block{}
	for _, d := range r.docs {
		told := -1 // the last section with a finding: one for each is enough
		for _, b := range d.blocks {
			if !b.prose() || !long(b.text) {
				continue
			}
			res.looked++
			key := fold(strings.Join(strings.Fields(b.text), " "))
			before, ok := first[key]
			if !ok {
				first[key] = b
				continue
			}
			if told == b.part || b.form == item && b.label != "" { // a setting, the same in two scenarios
				continue
			}
			told = b.part
			switch {
			case before.file == b.file && before.part == b.part && before.section == b.section:
				res.add(plan.SeverityWarning, b, b.text, "The paragraph stands twice in this section.")
			case before.file == b.file:
				res.add(plan.SeverityWarning, b, b.text, fmt.Sprintf("The paragraph stands in an earlier section, “%s”, too.", shorten(before.section)))
			default:
				res.add(plan.SeverityNote, b, b.text, fmt.Sprintf("The paragraph stands in “%s”, too.", plan.Title(before.file)))
			}
		}
	}
}

// long tells whether a text has at least some 20 words: shorter ones repeat by chance.
func long(text string) bool {
	n := 0
	for _, r := range text {
		switch script(r) {
		case 1, 2, 3:
			n += 3
		case 4:
			n++
		}
	}
	return n >= 100
}
