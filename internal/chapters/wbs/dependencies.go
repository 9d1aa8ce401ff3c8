package wbs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Dependencies asks of every task what it waits for, a phase per call, all calls at once. The
// schedule is computed from the links.
var Dependencies = step.Func{
	Name:    "identify_task_dependencies",
	About:   "Which task waits for which, and why",
	Prompts: []string{"identify_task_dependencies"},
	Needs:   step.Docs(plan.Prompt),
	Data:    step.Docs(plan.WBS12),
	Writes:  step.Docs(plan.Dependencies),
	Calls: func(z pipeline.Sizes) []int {
		if z.Fast {
			return []int{1}
		}
		return []int{z.Phases}
	},
	BySpeed: true,
	Run:     identifyDependencies,
}

type waits struct {
	Tasks []wait `json:"tasks"`
}

type wait struct {
	ID    string  `json:"task_id"`
	After []after `json:"waits_for"`
}

type after struct {
	ID     string  `json:"predecessor_id"`
	Reason string  `json:"reason"`
	Type   *string `json:"link_type" enum:"FS,SS,FF,SF"`
	Lag    *int    `json:"link_lag_days" range:"-365-3650"`
}

const (
	mostWaits   = 4  // predecessors of one task
	reasonWords = 30 // of one reason
)

func identifyDependencies(ctx context.Context, w *step.Work) error {
	tree, list, err := readTree(w)
	if err != nil {
		return err
	}
	groups := phases(list)
	if w.Env.Fast {
		groups = [][]task{list}
	}
	outline := tree.Outline(labels(list))
	answers, err := step.All(ctx, groups, func(ctx context.Context, i int, group []task) (llm.Answer[waits], error) {
		return step.Question[waits]{
			Prompt: "identify_task_dependencies",
			Label:  fmt.Sprintf("phase/%d", i+1),
			Vars:   map[string]any{"Outline": outline, "Ids": strings.Join(names(group), ", ")},
			Rules:  []schema.Rule{schema.EachOnce("tasks.task_id", names(group)...)},
		}.Ask(ctx, w)
	})
	if err != nil {
		return err
	}
	titles := map[string]string{}
	for _, t := range list {
		titles[t.label] = step.Line(t.Title)
	}
	mended := make([]mends, len(answers)) // by call, so that each is told once and not link by link
	call := map[string]int{}              // that asked about a task
	var wanted []plan.Link
	var sources []llm.Source
	for i, a := range answers {
		for _, t := range groups[i] {
			call[t.label] = i
		}
		wanted = append(wanted, a.Value.links(names(list), &mended[i])...)
		sources = append(sources, a.Source)
	}
	links, dropped := untangle(wanted)
	for _, l := range dropped {
		mended[call[l.Successor]].add("that close a circle", l)
	}
	for i, m := range mended {
		if len(m.count) == 0 {
			continue
		}
		note := event.Quality{Step: w.Step(), Label: fmt.Sprintf("phase/%d", i+1), Path: "waits_for", Note: m.note(titles)}
		if err := w.Emit(note); err != nil {
			return err
		}
	}
	uuid := ids(list)
	var free []string // a task whose links were all left out is not said to be free
	for _, a := range answers {
		for _, t := range a.Value.Tasks {
			if len(t.After) == 0 && !slices.ContainsFunc(links, func(l plan.Link) bool { return l.Successor == t.ID }) && !slices.Contains(free, uuid[t.ID]) {
				free = append(free, uuid[t.ID])
			}
		}
	}
	if 2*len(free) > len(list) {
		free = nil // nobody has thought about it
	}
	for i, l := range links {
		links[i].Predecessor, links[i].Successor = uuid[l.Predecessor], uuid[l.Successor]
	}
	return w.WriteRaw(plan.Dependencies, plan.NewDependencies(links, free), sources...)
}

// links lists what an answer says, by short ids, without what cannot be meant: tasks that do not exist,
// a task that waits for itself, and more predecessors than a task can have. A task that was answered twice
// waits for what both answers say.
func (a waits) links(known []string, m *mends) []plan.Link {
	var out []plan.Link
	has := map[string]int{}
	for _, t := range a.Tasks {
		for _, p := range t.After {
			l := plan.Link{Predecessor: strings.ToUpper(strings.TrimSpace(p.ID)), Successor: t.ID, Type: plan.FinishToStart, Reason: words(p.Reason, reasonWords)}
			if p.Type != nil {
				l.Type = *p.Type
			}
			if p.Lag != nil {
				l.Lag = *p.Lag
			}
			switch {
			case !slices.Contains(known, l.Predecessor):
				m.add("to tasks that do not exist", l)
			case l.Predecessor == l.Successor:
				m.add("of a task to itself", l)
			case has[l.Successor] == mostWaits:
				m.add(fmt.Sprintf("beyond the %d a task may have", mostWaits), l)
			default:
				has[l.Successor]++
				out = append(out, l)
			}
		}
	}
	return out
}

// words returns the first words of a text, on one line.
func words(text string, most int) string {
	all := strings.Fields(text)
	if len(all) <= most {
		return strings.Join(all, " ")
	}
	return strings.Join(all[:most], " ") + " …"
}

// mends are the links of one answer that were left out, by reason.
type mends struct {
	reasons []string // in order of first mention
	count   map[string]int
	example map[string]plan.Link
}

func (m *mends) add(reason string, l plan.Link) {
	if m.count == nil {
		m.count, m.example = map[string]int{}, map[string]plan.Link{}
	}
	if m.count[reason]++; m.count[reason] == 1 {
		m.reasons, m.example[reason] = append(m.reasons, reason), l
	}
}

// note says what was left out and why, in one sentence for all, with titles by short id.
func (m *mends) note(titles map[string]string) string {
	var parts []string
	for _, r := range m.reasons {
		l := m.example[r]
		parts = append(parts, fmt.Sprintf("%d %s (such as of “%s” to “%s”)", m.count[r], r, titles[l.Successor], cmp.Or(titles[l.Predecessor], words(l.Predecessor, 3))))
	}
	return "links were left out: " + strings.Join(parts, "; ")
}

// untangle takes out links that stand twice, and those that close a circle, in which no task could
// ever begin. The outline is in order of execution, so a link that goes forward stays rather than
// one that goes back.
func untangle(wanted []plan.Link) (kept, dropped []plan.Link) {
	order := make([]int, len(wanted))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(back(wanted[i]), back(wanted[j])) })
	next := map[string][]string{}
	keep := make([]bool, len(wanted))
	for _, i := range order {
		if l := wanted[i]; !leads(next, l.Successor, l.Predecessor, map[string]bool{}) {
			keep[i] = true
			next[l.Predecessor] = append(next[l.Predecessor], l.Successor)
		}
	}
	seen := map[plan.Link]bool{}
	for i, l := range wanted {
		same := plan.Link{Predecessor: l.Predecessor, Successor: l.Successor, Type: l.Type}
		switch {
		case !keep[i]:
			dropped = append(dropped, l)
		case !seen[same]:
			kept = append(kept, l)
		}
		seen[same] = true
	}
	return kept, dropped
}

// back is 1 for a link to a task that stands later in the outline, else 0.
func back(l plan.Link) int {
	number := func(label string) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(label, "T"))
		return n
	}
	if number(l.Predecessor) >= number(l.Successor) {
		return 1
	}
	return 0
}

// leads tells whether one comes from a task to another by following links.
func leads(next map[string][]string, from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	seen[from] = true
	return slices.ContainsFunc(next[from], func(n string) bool { return !seen[n] && leads(next, n, to, seen) })
}
