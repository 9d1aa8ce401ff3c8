package plan

import (
	"iter"
	"strings"
)

// Project is the content of 018-2: the root of the work breakdown structure.
type Project struct {
	ID          string `json:"id"` // UUID in v4 shape, as all ids of this file
	Title       string `json:"project_title"`
	Deliverable string `json:"final_deliverable"`
}

// Phase is one element of 018-5. Its tasks have an id and a title only.
type Phase struct {
	ID    string     `json:"id"`
	Title string     `json:"major_phase_title"`
	Tasks []Activity `json:"subtasks"`
}

// Breakdown is the content of 019 and 023-3: the work breakdown structure as a tree of project,
// phases, tasks and, in 023-3, subtasks.
type Breakdown struct {
	Project Activity `json:"wbs_project"`
}

// Activity is one entry of the work breakdown structure.
type Activity struct {
	ID       string     `json:"id"`
	Title    string     `json:"description"`
	Details  Details    `json:"extra_fields,omitzero"`
	Children []Activity `json:"task_children,omitempty"`
}

// Details is what only some activities have: the project its deliverable, subtasks the rest.
type Details struct {
	Deliverable string   `json:"final_deliverable,omitempty"`
	Description string   `json:"detailed_description,omitempty"`
	Resources   []string `json:"resources_needed,omitempty"`
}

// All yields every activity with its level, a parent before its children. The project has level 1.
// The activities may be changed on the way.
func (b *Breakdown) All() iter.Seq2[int, *Activity] {
	return func(yield func(int, *Activity) bool) { b.Project.walk(1, yield) }
}

func (a *Activity) walk(level int, yield func(int, *Activity) bool) bool {
	if !yield(level, a) {
		return false
	}
	for i := range a.Children {
		if !a.Children[i].walk(level+1, yield) {
			return false
		}
	}
	return true
}

// Outline lists what is below the project for models and people: a line per activity, indented by
// level. Labels gives short ids by id; an activity without one stands by its title alone.
func (b *Breakdown) Outline(labels map[string]string) string {
	var out strings.Builder
	for level, a := range b.All() {
		if level == 1 {
			continue
		}
		line := strings.Join(strings.Fields(labels[a.ID]+" "+a.Title), " ")
		out.WriteString(strings.Repeat("  ", level-2) + "- " + line + "\n")
	}
	return out.String()
}

// TaskDependencies is what later steps read of 021.
type TaskDependencies struct {
	Tasks []TaskDependency `json:"task_dependency_details"`
}

// TaskDependency says what one activity waits for. The lists belong together item by item; types
// and lags are ours, other programs leave them out.
type TaskDependency struct {
	ID      string   `json:"dependent_task_id"`
	On      []string `json:"depends_on_task_id_list"`
	Reasons []string `json:"depends_on_task_explanation_list"`
	Types   []string `json:"depends_on_task_type_list"`
	Lags    []int    `json:"depends_on_task_lag_days_list"`
}

// The ways in which one activity can wait for another.
const (
	FinishToStart  = "FS" // the successor starts after the predecessor's finish
	StartToStart   = "SS" // starts after its start
	FinishToFinish = "FF" // finishes after its finish
	StartToFinish  = "SF" // finishes after its start
)

// Link is one dependency between two activities.
type Link struct {
	Predecessor string // id
	Successor   string // id
	Type        string // FS, SS, FF or SF
	Lag         int    // days of waiting; negative: overlap
	Reason      string
}

// Links returns the dependencies one by one, in the order of the file. Where types or lags are
// missing they are FS and 0. Files of other programs may hold ids, circles and types that cannot be.
func (d TaskDependencies) Links() []Link {
	var out []Link
	for _, t := range d.Tasks {
		for i, on := range t.On {
			l := Link{Predecessor: on, Successor: t.ID, Type: FinishToStart}
			if i < len(t.Reasons) {
				l.Reason = t.Reasons[i]
			}
			if i < len(t.Types) {
				l.Type = t.Types[i]
			}
			if i < len(t.Lags) {
				l.Lag = t.Lags[i]
			}
			out = append(out, l)
		}
	}
	return out
}

// Free returns the activities that are said to wait for nothing: they can begin on the first day.
func (d TaskDependencies) Free() []string {
	var out []string
	for _, t := range d.Tasks {
		if len(t.On) == 0 {
			out = append(out, t.ID)
		}
	}
	return out
}

// NewDependencies puts links into the form of 021, by successor in the order of first mention, and
// behind them the activities that wait for nothing.
func NewDependencies(links []Link, free []string) TaskDependencies {
	out := TaskDependencies{Tasks: []TaskDependency{}}
	at := map[string]int{}
	for _, l := range links {
		i, ok := at[l.Successor]
		if !ok {
			i = len(out.Tasks)
			at[l.Successor] = i
			out.Tasks = append(out.Tasks, TaskDependency{ID: l.Successor})
		}
		t := &out.Tasks[i]
		t.On, t.Reasons = append(t.On, l.Predecessor), append(t.Reasons, l.Reason)
		t.Types, t.Lags = append(t.Types, l.Type), append(t.Lags, l.Lag)
	}
	for _, id := range free {
		out.Tasks = append(out.Tasks, TaskDependency{ID: id, On: []string{}, Reasons: []string{}, Types: []string{}, Lags: []int{}})
	}
	return out
}

// Estimate is one element of 022-2: how long an activity takes, in whole days of the calendar.
// Ours cover every task of level 2, once, with 1 ≤ Min ≤ Likely ≤ Max; files of other programs
// may cover phases too, or hold -1 for "not applicable".
type Estimate struct {
	ID         string `json:"task_id"`
	DelayRisks string `json:"delay_risks"`
	Mitigation string `json:"mitigation_strategy"`
	Min        int    `json:"days_min"`
	Max        int    `json:"days_max"`
	Likely     int    `json:"days_realistic"`
}

// Subtask is one element of 023-2: a part of the task that ParentID names.
type Subtask struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Resources   []string `json:"resources_needed"`
	ParentID    string   `json:"parent_id"`
}
