package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"planexe/internal/plan"
)

// roles looks at who is in charge of monitoring and of what may go wrong.
func roles(r *run, res *result) {
	people := r.people()
	if len(people.lines) == 0 {
		return
	}
	m, _ := decode[struct {
		Progress []struct {
			Approach string `json:"approach"`
			Role     string `json:"responsible_role"`
		} `json:"monitoring_progress"`
	}](r, plan.MonitoringRaw)
	p, _ := decode[struct {
		Failures []struct {
			Title string `json:"failure_mode_title"`
			Owner string `json:"owner"`
		} `json:"failure_modes"`
	}](r, plan.PremortemRaw)
	seen := map[string]bool{}
	judge := func(page plan.File, section, names string) {
		for _, name := range roleBreak.Split(names, -1) {
			key := nameKey(name)
			if key == "" || seen[key] || len(seen) == maxNames {
				continue
			}
			seen[key] = true
			res.looked++
			if !people.know(name) {
				res.add(plan.SeverityNote, block{file: page.Name, section: section}, name, fmt.Sprintf("Nobody in team, governance or project plan is “%s”.", shorten(name)))
			}
		}
	}
	for _, x := range m.Progress {
		judge(plan.Monitoring, x.Approach, x.Role)
	}
	for _, x := range p.Failures {
		judge(plan.Premortem, x.Title, x.Owner)
	}
}

// roleBreak separates several roles in one field.
var roleBreak = regexp.MustCompile(`\s*[,;、，；/]\s*`)

// people is who the plan knows, as the words of the lines that name them.
type people struct{ lines []map[string]bool }

// people gathers the pages that say who takes part.
func (r *run) people() *people {
	p := &people{}
	for _, f := range []plan.File{plan.Bodies, plan.Team, plan.ProjectPlan, plan.GovernanceSetup} {
		for _, b := range r.doc(f).blocks {
			p.line(b.label)
			p.line(b.text)
		}
	}
	if len(p.lines) > 0 {
		for line := range strings.SplitSeq(r.prompt, "\n") {
			p.line(line)
		}
	}
	return p
}

func (p *people) line(text string) {
	set := map[string]bool{}
	for _, w := range words(text) {
		set[stem(w.fold)] = true
	}
	if len(set) > 0 {
		p.lines = append(p.lines, set)
	}
}

// know tells whether one line holds all words of a name.
func (p *people) know(name string) bool {
	ws := words(name)
	return slices.ContainsFunc(p.lines, func(line map[string]bool) bool {
		for _, w := range ws {
			if !line[stem(w.fold)] {
				return false
			}
		}
		return true
	})
}

// stem makes singular and plural of most languages with letters alike.
func stem(w string) string {
	if len(w) > 3 {
		return strings.TrimRight(w, "sen")
	}
	return w
}
