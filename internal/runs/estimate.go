package runs

import (
	"slices"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/pipeline"
	"planexe/internal/run"
)

// Means of calls to hosted models, their re-asks counted in: a typical plan took 1.53 to 1.63 million prompt tokens for the
// 157 calls that are foreseen for it (docs/performance.md).
const (
	usualCall   = 6 * time.Second
	usualPrompt = 10_000 // tokens
	usualAnswer = 700    // tokens
)

// Estimate says what an execution will take.
type Estimate struct {
	Steps   []string
	Calls   int
	Usage   event.Usage
	Seconds float64  // below 0 when nothing can be said: a model on a machine of the user
	Cost    *float64 // USD; nil when the price is not known
}

// EstimateSteps estimates an execution of some steps of a graph; first is the model that is asked
// first, at most concurrency calls are in flight.
func EstimateSteps(g *pipeline.Graph, steps []string, speed string, first *llm.Entry, concurrency int) Estimate {
	sizes := pipeline.Typical
	sizes.Fast = speed == run.Fast
	e := Estimate{Steps: []string{}}
	chains, longest := map[string]int{}, 0
	for _, s := range g.Steps() {
		chain := 0
		for _, w := range g.Waits(s.Name) {
			chain = max(chain, chains[w])
		}
		if slices.Contains(steps, s.Name) {
			e.Steps = append(e.Steps, s.Name)
			e.Calls += s.Calls(sizes)
			if s.Stages != nil {
				for _, calls := range s.Stages(sizes) {
					chain += min(1, calls)
				}
			}
		}
		chains[s.Name] = chain
		longest = max(longest, chain)
	}
	e.Usage = event.Usage{Prompt: e.Calls * usualPrompt, Completion: e.Calls * usualAnswer, Estimated: true}
	limit := max(1, min(concurrency, first.Slots))
	free := 0.0
	switch {
	case first.Demo:
		e.Seconds, e.Cost = 2, &free
	case first.Local:
		e.Seconds, e.Cost = -1, &free
	default:
		e.Seconds = usualCall.Seconds() * float64(max(longest, (e.Calls+limit-1)/limit))
		if p := first.Price; p != nil {
			cost := (float64(e.Usage.Prompt)*p.Input + float64(e.Usage.Completion)*p.Output) / 1e6
			e.Cost = &cost
		}
	}
	return e
}

// Stale returns the steps of a run that a rerun makes anew, in order, with those that follow from
// them: all that are not up to date, and the readers of an artifact that is about to be edited ("" is
// none).
func (m *Manager) Stale(id string, g *pipeline.Graph, edited string) ([]string, error) {
	in, err := m.Inspect(id, g)
	if err != nil {
		return nil, err
	}
	stale := map[string]bool{}
	if edited != "" {
		for _, name := range run.Readers(g, edited) {
			stale[name] = true
		}
	}
	for _, s := range in.Steps {
		if s.State != "done" {
			for _, name := range g.Downstream(s.Step.Name) {
				stale[name] = true
			}
		}
	}
	var names []string
	for _, s := range g.Steps() {
		if stale[s.Name] {
			names = append(names, s.Name)
		}
	}
	return names, nil
}
