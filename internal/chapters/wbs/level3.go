package wbs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Level3 splits every task into subtasks, a task per call, all calls at once.
var Level3 = step.Func{
	Name:    "create_wbs_level3",
	About:   "The subtasks of each task",
	Prompts: []string{"create_wbs_level3"},
	Needs:   step.Docs(plan.Prompt, plan.ProjectPlan),
	Data:    step.Docs(plan.WBS12),
	UsesRaw: step.Docs(plan.Durations),
	Writes:  step.Docs(plan.WBS3),
	Extras:  step.Docs(plan.WBS3Raw),
	Calls: func(z pipeline.Sizes) []int {
		if z.Fast {
			return []int{min(fastTasks, z.Tasks)}
		}
		return []int{z.Tasks}
	},
	BySpeed: true,
	Run:     splitTasks,
}

// fastTasks is how many tasks, from the first, the fast mode splits.
const fastTasks = 2

type parts struct {
	Subtasks []partOfTask `json:"subtasks"`
}

type partOfTask struct {
	Name        string   `json:"name" words:"7"`
	Description string   `json:"description"`
	Resources   []string `json:"resources_needed"`
}

func splitTasks(ctx context.Context, w *step.Work) error {
	tree, list, err := readTree(w)
	if err != nil {
		return err
	}
	estimated, err := readEstimates(w)
	if err != nil {
		return err
	}
	outline := tree.Outline(labels(list))
	asked := list
	if w.Env.Fast {
		asked = list[:min(fastTasks, len(list))]
	}
	answers, errs := step.Each(ctx, asked, func(ctx context.Context, i int, t task) (llm.Answer[parts], error) {
		return step.Question[parts]{
			Prompt: "create_wbs_level3",
			Label:  "task/" + t.label,
			Vars:   map[string]any{"Outline": outline, "Id": t.label, "Task": sheet(tree, list, t, estimated)},
			Rules:  []schema.Rule{schema.CountOf("subtasks", 2, 5)}, // in the order of work: the last one must not be cut off
			Check:  checkParts,
		}.Ask(ctx, w)
	})
	if err := bearable(ctx, errs); err != nil {
		return err
	}
	all := []plan.Subtask{}
	for i, t := range asked {
		if errs[i] != nil {
			note := event.Quality{Step: w.Step(), Label: "task/" + t.label, Note: fmt.Sprintf("%q is not split into subtasks: no model gave an answer", t.Title)}
			if err := w.Emit(note); err != nil {
				return err
			}
			continue
		}
		if err := w.WriteItem(plan.WBS3Raw, i+1, answers[i].Value, answers[i].Source); err != nil {
			return err
		}
		for _, s := range answers[i].Value.settle() {
			s.ID, s.ParentID = w.ID(len(all)+1), t.ID
			all = append(all, s)
		}
	}
	return w.WriteJSON(plan.WBS3, all)
}

// readEstimates returns the durations by activity, none when that step had no result.
func readEstimates(w *step.Work) (map[string]plan.Estimate, error) {
	out := map[string]plan.Estimate{}
	if text, err := w.Text(plan.Durations); err != nil || text == "" {
		return out, err
	}
	list, err := step.Read(w, plan.Durations)
	for _, e := range list {
		out[e.ID] = e
	}
	return out, err
}

// sheet tells what is known of the task: a model need not look it up in the outline.
func sheet(tree *plan.Breakdown, list []task, t task, estimated map[string]plan.Estimate) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", t.label, step.Line(t.Title))
	if phase := tree.Project.Children[t.phase]; phase.ID != t.ID {
		fmt.Fprintf(&b, "Phase: %s\n", step.Line(phase.Title))
	}
	for _, other := range list {
		if other.phase == t.phase && other.label != t.label {
			fmt.Fprintf(&b, "Beside it, not part of it: %s %s\n", other.label, step.Line(other.Title))
		}
	}
	if e, ok := estimated[t.ID]; ok && e.Likely > 0 {
		fmt.Fprintf(&b, "Estimated length: %d days, at least %d, at most %d\nWhat may delay it: %s\nWhat helps: %s\n",
			e.Likely, e.Min, e.Max, step.Line(e.DelayRisks), step.Line(e.Mitigation))
	}
	return b.String()
}

// bearable returns nil when the tree is worth having without what failed: a task without subtasks
// still is a task of the schedule.
func bearable(ctx context.Context, errs []error) error {
	failed := len(errs) - len(slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err != nil }))
	err := step.Worst(errs)
	if err == nil || ctx.Err() == nil && 2*failed < len(errs) && step.OneQuestion(err) {
		return nil
	}
	return err
}

// settle drops parts without a name and those that stand twice. Ids are set by the caller.
func (p parts) settle() []plan.Subtask {
	var out []plan.Subtask
	for i, s := range p.Subtasks {
		name := title(s.Name, fmt.Sprint(i+1), shortTitle)
		same := func(o plan.Subtask) bool { return step.Fold(o.Name) == step.Fold(name) }
		if name == "" || slices.ContainsFunc(out, same) {
			continue
		}
		resources := []string{}
		for _, r := range s.Resources {
			if r = step.Line(r); r != "" {
				resources = append(resources, r)
			}
		}
		out = append(out, plan.Subtask{Name: name, Description: s.Description, Resources: resources})
	}
	return out
}

func checkParts(p *parts) []schema.Problem {
	n := len(p.settle())
	if n == len(p.Subtasks) {
		return nil
	}
	return []schema.Problem{{Path: "subtasks", Found: fmt.Sprintf("%d different names", n), Want: "subtasks whose names all differ", Soft: n > 0}}
}
