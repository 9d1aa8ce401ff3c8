package team

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// Page writes the team with its review, or without one when that could not be made.
var Page = step.Func{
	Name:    "team_markdown",
	About:   "The team and its review in one document",
	Data:    step.Docs(plan.TeamEnvironment),
	UsesRaw: step.Docs(plan.TeamReview),
	Writes:  step.Docs(plan.Team),
	Run: func(_ context.Context, w *step.Work) error {
		members, err := read(w, plan.TeamEnvironment)
		if err != nil {
			return err
		}
		review, err := step.Read(w, plan.TeamReview)
		if errors.Is(err, fs.ErrNotExist) {
			return w.WritePage(plan.Team, "# Roles\n"+rolesPage(members))
		}
		if err != nil {
			return err
		}
		return w.WritePage(plan.Team, teamPage(members, review))
	},
}

func teamPage(members []plan.TeamMember, review plan.TeamCritique) string {
	return "# Roles\n" + rolesPage(members) +
		"\n\n---\n\n# Omissions" + issues(review.Omissions) +
		"\n\n---\n\n# Potential Improvements" + issues(review.Improvements)
}

// rolesPage writes what is known of each member.
func rolesPage(members []plan.TeamMember) string {
	var parts []string
	for i, m := range members {
		parts = append(parts, fmt.Sprintf("\n## %d. %s", i+1, step.Line(m.Category)))
		if m.ContractType != "" {
			parts = append(parts, fmt.Sprintf("\n**Contract Type**: `%s`", m.ContractType))
		}
		if m.ContractJustification != "" {
			parts = append(parts, "\n**Contract Type Justification**: "+m.ContractJustification)
		}
		for _, p := range []struct{ label, text string }{
			{"Explanation", m.Explanation},
			{"Consequences", m.Consequences},
			{"People Count", m.Count},
			{"Typical Activities", m.Activities},
			{"Background Story", m.Background},
			{"Equipment Needs", m.Equipment},
			{"Facility Needs", m.Facilities},
		} {
			if p.text != "" {
				parts = append(parts, fmt.Sprintf("\n**%s**:\n%s", p.label, p.text))
			}
		}
	}
	return strings.Join(parts, "\n")
}

func issues(list []plan.TeamIssue) string {
	var b strings.Builder
	for i, x := range list {
		fmt.Fprintf(&b, "\n\n## %d. %s\n\n%s\n\n**Recommendation**:\n%s", i+1, step.Line(x.Issue), x.Explanation, x.Recommendation)
	}
	return b.String()
}
