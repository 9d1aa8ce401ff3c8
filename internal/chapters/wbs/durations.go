package wbs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/llm"
	"planexe/internal/llm/schema"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Durations asks how long each task takes and what may delay it, some tasks per call, all calls
// at once. Phases are not asked about: their length follows from their tasks.
var Durations = step.Func{
	Name:    "estimate_task_durations",
	About:   "How long each task takes and what may delay it",
	Prompts: []string{"estimate_task_durations"},
	Needs:   step.Docs(plan.Prompt, plan.ProjectPlan),
	Data:    step.Docs(plan.WBS12),
	Writes:  step.Docs(plan.Durations),
	Extras:  step.Docs(plan.DurationsRaw),
	Calls: func(z pipeline.Sizes) []int {
		size := batchSize(z.Tasks, z.Fast)
		return []int{(z.Tasks + size - 1) / size}
	},
	BySpeed: true,
	Run:     estimateDurations,
}

// batchSize is how many tasks a call estimates: few enough that an answer is not cut. The fast
// mode makes two calls at most.
func batchSize(tasks int, fast bool) int {
	if fast {
		return max(10, (tasks+1)/2)
	}
	return 10
}

const longest = 3650 // days

type estimates struct {
	Details []plan.Estimate `json:"task_details"`
}

func estimateDurations(ctx context.Context, w *step.Work) error {
	tree, list, err := readTree(w)
	if err != nil {
		return err
	}
	outline := tree.Outline(labels(list))
	batches := slices.Collect(slices.Chunk(list, batchSize(len(list), w.Env.Fast)))
	answers, err := step.All(ctx, batches, func(ctx context.Context, i int, batch []task) (llm.Answer[estimates], error) {
		return step.Question[estimates]{
			Prompt: "estimate_task_durations",
			Label:  fmt.Sprintf("batch/%d", i+1),
			Vars:   map[string]any{"Outline": outline, "Ids": strings.Join(names(batch), ", ")},
			Rules:  []schema.Rule{schema.EachOnce("task_details.task_id", names(batch)...)},
			Check:  checkEstimates,
		}.Ask(ctx, w)
	})
	if err != nil {
		return err
	}
	uuid := ids(list)
	byID := map[string]plan.Estimate{}
	for i, a := range answers {
		for j := range a.Value.Details {
			e := &a.Value.Details[j]
			e.ID = uuid[e.ID]
			byID[e.ID] = settleEstimate(*e)
		}
		if err := w.WriteItem(plan.DurationsRaw, i+1, a.Value, a.Source); err != nil {
			return err
		}
	}
	var all []plan.Estimate
	for _, t := range list {
		all = append(all, byID[t.ID])
	}
	return w.WriteJSON(plan.Durations, all)
}

// settleEstimate brings the three figures within bounds and into order.
func settleEstimate(e plan.Estimate) plan.Estimate {
	days := []int{e.Min, e.Likely, e.Max}
	for i, d := range days {
		days[i] = min(max(d, 1), longest)
	}
	slices.Sort(days)
	e.Min, e.Likely, e.Max = days[0], days[1], days[2]
	return e
}

func checkEstimates(a *estimates) []schema.Problem {
	var wrong []string
	for _, e := range a.Details {
		if settleEstimate(e) != e {
			wrong = append(wrong, fmt.Sprintf("%s %d, %d, %d", e.ID, e.Min, e.Likely, e.Max))
		}
	}
	if wrong == nil {
		return nil
	}
	return []schema.Problem{{
		Path: "task_details", Found: "days_min, days_realistic, days_max of " + strings.Join(wrong, "; "),
		Want: fmt.Sprintf("1 ≤ days_min ≤ days_realistic ≤ days_max ≤ %d", longest), Soft: true,
	}}
}
