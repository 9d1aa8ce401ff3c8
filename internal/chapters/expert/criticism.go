package expert

import (
	"fmt"
	"slices"
	"strings"

	"planexe/internal/step"
)

type criticism struct {
	Issues    []issue  `json:"negative_feedback_list"`
	Primary   []string `json:"user_primary_actions" count:"1-6"`
	Secondary []string `json:"user_secondary_actions" count:"1-6"`
	FollowUp  string   `json:"follow_up_consultation"`
}

type issue struct {
	Index       int      `json:"feedback_index"`
	Title       string   `json:"feedback_title"`
	Verbose     string   `json:"feedback_verbose"`
	Tags        []string `json:"feedback_problem_tags" count:"1-5"`
	Mitigation  string   `json:"feedback_mitigation"`
	Consequence string   `json:"feedback_consequence"`
	RootCause   string   `json:"feedback_root_cause"`
}

func (c criticism) numbered() criticism {
	c.Issues = slices.Clone(c.Issues)
	for i := range c.Issues {
		c.Issues[i].Index, c.Issues[i].Title = i+1, step.Line(c.Issues[i].Title)
	}
	return c
}

// firstIssue is the number of an expert's first issue: three other parts stand before it.
const firstIssue = 4

// othersHeading stands above the experts who were not asked.
const othersHeading = "# Further experts to consult"

// reviewPage shows the experts who were asked with what they say, then the others.
func reviewPage(experts []expert, criticisms []criticism) string {
	var parts []string
	for i, c := range criticisms {
		var b strings.Builder
		fmt.Fprintf(&b, "%s\n\n## %d.1 Primary Actions\n\n%s", experts[i].markdown(i+1), i+1, step.Bullets(c.Primary))
		fmt.Fprintf(&b, "\n## %d.2 Secondary Actions\n\n%s", i+1, step.Bullets(c.Secondary))
		fmt.Fprintf(&b, "\n## %d.3 Follow Up Consultation\n\n%s", i+1, c.FollowUp)
		for j, x := range c.Issues {
			at := fmt.Sprintf("%d.%d", i+1, j+firstIssue)
			fmt.Fprintf(&b, "\n\n## %s.A Issue - %s\n\n%s\n\n### %s.B Tags\n\n%s", at, x.Title, x.Verbose, at, step.Bullets(x.Tags))
			fmt.Fprintf(&b, "\n### %s.C Mitigation\n\n%s\n\n### %s.D Consequence\n\n%s\n\n### %s.E Root Cause\n\n%s",
				at, x.Mitigation, at, x.Consequence, at, x.RootCause)
		}
		parts = append(parts, b.String())
	}
	if len(experts) > len(criticisms) {
		others := othersHeading
		for i, e := range experts[len(criticisms):] {
			others += "\n\n" + e.markdown(len(criticisms)+i+1)
		}
		parts = append(parts, others)
	}
	return "# Project Expert Review & Recommendations\n\n## A Compilation of Professional Feedback for Project Planning and Execution\n\n\n" +
		strings.Join(parts, "\n\n---\n\n")
}

func (e expert) markdown(n int) string {
	return fmt.Sprintf("# %d Expert: %s\n\n**Knowledge**: %s\n\n**Why**: %s\n\n**What**: %s\n\n**Skills**: %s\n\n**Search**: %s",
		n, e.Title, e.Knowledge, e.Why, e.What, e.Skills, e.Search)
}
