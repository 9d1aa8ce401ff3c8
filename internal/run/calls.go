package run

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/event"
)

// Calls is a fold of a run's log that says where its tokens went, over all executions.
type Calls struct {
	steps []*CallCount
}

// CallCount is what one step asked. Asks are the first requests of its calls; all others, after a wrong
// answer or a failure, are re-asks.
type CallCount struct {
	Step        string
	Asks        int
	AskTokens   int // of prompts
	Reasks      int
	ReaskTokens int // of prompts
	Completion  int // tokens of all answers
}

func (c CallCount) prompt() int { return c.AskTokens + c.ReaskTokens }

// Apply folds one event in.
func (c *Calls) Apply(e event.Event) {
	d, ok := e.Data.(event.CallAttempt)
	if !ok {
		return
	}
	i := slices.IndexFunc(c.steps, func(s *CallCount) bool { return s.Step == d.Step })
	if i < 0 {
		i = len(c.steps)
		c.steps = append(c.steps, &CallCount{Step: d.Step})
	}
	s := c.steps[i]
	s.Completion += d.Usage.Completion
	if d.Number == 1 {
		s.Asks++
		s.AskTokens += d.Usage.Prompt
	} else {
		s.Reasks++
		s.ReaskTokens += d.Usage.Prompt
	}
}

// Steps returns the counts, the step with the most prompt tokens first.
func (c *Calls) Steps() []CallCount {
	out := make([]CallCount, len(c.steps))
	for i, s := range c.steps {
		out[i] = *s
	}
	slices.SortFunc(out, func(a, b CallCount) int {
		return cmp.Or(cmp.Compare(b.prompt(), a.prompt()), cmp.Compare(a.Step, b.Step))
	})
	return out
}

// Total returns the counts of all steps together.
func (c *Calls) Total() CallCount {
	t := CallCount{Step: "all"}
	for _, s := range c.steps {
		t.Asks += s.Asks
		t.AskTokens += s.AskTokens
		t.Reasks += s.Reasks
		t.ReaskTokens += s.ReaskTokens
		t.Completion += s.Completion
	}
	return t
}

// String is a Markdown table of the steps and their total.
func (c *Calls) String() string {
	var b strings.Builder
	b.WriteString("| step | calls | their prompt tokens | re-asks | their prompt tokens | answer tokens |\n| --- | --: | --: | --: | --: | --: |\n")
	for _, s := range append(c.Steps(), c.Total()) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d |\n", s.Step, s.Asks, s.AskTokens, s.Reasks, s.ReaskTokens, s.Completion)
	}
	return b.String()
}
