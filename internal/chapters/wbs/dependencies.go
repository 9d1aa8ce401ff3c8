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
	Needs:   step.Docs(plan.Prompt, plan.Scenarios, plan.ProjectPlan),
	Uses:    step.Docs(plan.DataCollection),
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
	After []after `json:"waits_for" count:"0-4"`
}

type after struct {
	ID     string  `json:"predecessor_id"`
	Reason string  `json:"reason" words:"30"`
	Type   *string `json:"link_type" enum:"FS,SS,FF,SF"`
	Lag    *int    `json:"link_lag_days" range:"-365-3650"`
}

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
			Rules: []schema.Rule{
				schema.EachOnce("tasks.task_id", names(group)...),
				schema.OneOf("tasks.waits_for.predecessor_id", names(list)...),
			},
			Check: checkWaits,
		}.Ask(ctx, w)
	})
	if err != nil {
		return err
	}
	var wanted []plan.Link
	var sources []llm.Source
	for _, a := range answers {
		wanted = append(wanted, a.Value.links()...)
		sources = append(sources, a.Source)
	}
	links, dropped := untangle(wanted)
	for _, l := range dropped {
		note := fmt.Sprintf("%s does not wait for %s, though a model said so: it would be waiting for itself", l.Successor, l.Predecessor)
		if err := w.Emit(event.Quality{Step: w.Step(), Path: "waits_for", Note: note}); err != nil {
			return err
		}
	}
	uuid := ids(list)
	for i, l := range links {
		links[i].Predecessor, links[i].Successor = uuid[l.Predecessor], uuid[l.Successor]
	}
	return w.WriteRaw(plan.Dependencies, plan.NewDependencies(links), sources...)
}

// links lists what an answer says, by short ids.
func (a waits) links() []plan.Link {
	var out []plan.Link
	for _, t := range a.Tasks {
		for _, p := range t.After {
			l := plan.Link{Predecessor: p.ID, Successor: t.ID, Type: plan.FinishToStart, Reason: step.Line(p.Reason)}
			if p.Type != nil {
				l.Type = *p.Type
			}
			if p.Lag != nil {
				l.Lag = *p.Lag
			}
			out = append(out, l)
		}
	}
	return out
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

func checkWaits(a *waits) []schema.Problem {
	_, dropped := untangle(a.links())
	var found []schema.Problem
	for _, l := range dropped {
		found = append(found, schema.Problem{
			Path: "tasks", Found: fmt.Sprintf("that %s waits for %s, but %s waits for %s already, directly or through others", l.Successor, l.Predecessor, l.Predecessor, l.Successor),
			Want: "no task that waits for itself", Soft: true,
		})
	}
	return found
}
