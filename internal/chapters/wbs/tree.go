package wbs

import (
	"context"
	"encoding/csv"
	"fmt"
	"strings"

	"planexe/internal/event"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Levels1And2 makes a tree of project, phases and tasks.
var Levels1And2 = step.Func{
	Name:   "wbs_project_level1_and_level2",
	About:  "Project, phases and tasks as a tree",
	Data:   step.Docs(plan.WBS1, plan.WBS2),
	Writes: step.Docs(plan.WBS12),
	Run: func(_ context.Context, w *step.Work) error {
		project, err := step.Read(w, plan.WBS1)
		if err != nil {
			return err
		}
		list, err := step.Read(w, plan.WBS2)
		if err != nil {
			return err
		}
		tree := plan.Breakdown{Project: plan.Activity{ID: project.ID, Title: project.Title, Details: plan.Details{Deliverable: project.Deliverable}}}
		for _, p := range list {
			tree.Project.Children = append(tree.Project.Children, plan.Activity{ID: p.ID, Title: p.Title, Children: p.Tasks})
		}
		if err := check(&tree); err != nil {
			return fmt.Errorf("%s and %s: %w: correct the files or run their steps again", plan.WBS1.Name, plan.WBS2.Name, err)
		}
		return w.WriteJSON(plan.WBS12, tree)
	},
}

// Levels1To3 adds the subtasks and writes the whole as a tree and as a table.
var Levels1To3 = step.Func{
	Name:   "wbs_project_level1_and_level2_and_level3",
	About:  "The whole work breakdown, as a tree and as a table",
	Data:   step.Docs(plan.WBS12, plan.WBS3),
	Writes: step.Docs(plan.WBS, plan.WBSTable),
	Run: func(_ context.Context, w *step.Work) error {
		tree, _, err := readTree(w)
		if err != nil {
			return err
		}
		list, err := step.Read(w, plan.WBS3)
		if err != nil {
			return err
		}
		if lost := merge(tree, list); lost > 0 {
			note := fmt.Sprintf("%d subtasks of %s are left out: their parent_id is no task", lost, plan.WBS3.Name)
			if err := w.Emit(event.Quality{Step: w.Step(), Note: note}); err != nil {
				return err
			}
		}
		if err := check(tree); err != nil {
			return fmt.Errorf("%s: %w: correct the file or run its step again", plan.WBS3.Name, err)
		}
		text, err := table(tree)
		if err != nil {
			return err
		}
		if err := w.WriteJSON(plan.WBS, tree); err != nil {
			return err
		}
		return w.Write(plan.WBSTable.Name, []byte(text))
	},
}

// merge hangs the subtasks under their tasks, in order, and tells how many have none.
func merge(tree *plan.Breakdown, list []plan.Subtask) (lost int) {
	parents := map[string]*plan.Activity{}
	for i := range tree.Project.Children {
		phase := &tree.Project.Children[i]
		if len(phase.Children) == 0 {
			parents[phase.ID] = phase
		}
		for j := range phase.Children {
			parents[phase.Children[j].ID] = &phase.Children[j]
		}
	}
	for _, s := range list {
		parent := parents[s.ParentID]
		if parent == nil {
			lost++
			continue
		}
		parent.Children = append(parent.Children, plan.Activity{
			ID: s.ID, Title: s.Name, Details: plan.Details{Description: s.Description, Resources: s.Resources},
		})
	}
	return lost
}

// table has one line per activity: its title in the column of its level, and its id. There is no
// newline at the end.
func table(tree *plan.Breakdown) (string, error) {
	depth := 0
	for level := range tree.All() {
		depth = max(depth, level)
	}
	var head []string
	for level := range depth {
		head = append(head, fmt.Sprintf("Level %d", level+1))
	}
	rows := [][]string{append(head, "Task ID")}
	for level, a := range tree.All() {
		row := make([]string, depth+1)
		row[level-1], row[depth] = step.Line(a.Title), a.ID
		rows = append(rows, row)
	}
	var b strings.Builder
	out := csv.NewWriter(&b)
	out.Comma = ';'
	if err := out.WriteAll(rows); err != nil {
		return "", fmt.Errorf("write the table of activities: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
