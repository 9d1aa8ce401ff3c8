package single

import (
	"planexe/internal/api"
	"planexe/internal/web/kit"
)

// headline says how a run ended when it did not complete.
func (v runView) headline() string {
	switch v.State {
	case api.Partial:
		return "The plan is there, but not whole"
	case api.Failed:
		return "The plan could not be made"
	case api.Refused:
		return "This request was refused"
	case api.Budget:
		return "The limit was reached before the plan was complete"
	case api.Stopped:
		return "You stopped this plan"
	}
	return "The work on this plan was interrupted"
}

func reasonTone(s api.State) kit.Tone {
	switch s {
	case api.Failed, api.Refused:
		return kit.Poor
	case api.Stopped:
		return kit.Plain
	}
	return kit.Fair
}

func pickTone(yes bool, a, b kit.Tone) kit.Tone {
	if yes {
		return a
	}
	return b
}

// failures are the failed steps beside the one that the reason names.
func (v runView) failures() []api.Step {
	var out []api.Step
	for _, s := range v.steps {
		if s.State == api.StepFailed && (v.Error == nil || s.Step != v.Error.Step) {
			out = append(out, s)
		}
	}
	return out
}

// dirty counts the steps whose result does not follow from what they read any more.
func (v runView) dirty() int {
	n := 0
	for _, s := range v.steps {
		if s.State == api.StepDirty {
			n++
		}
	}
	return n
}

// costText is the cost so far, as far as it is known.
func (v runView) costText() string {
	switch {
	case v.Cost == 0 && v.Unpriced > 0 && !v.Demo:
		return "not known"
	case v.Unpriced > 0 && !v.Demo:
		return "at least " + money(v.Cost)
	}
	return money(v.Cost)
}

func (v runView) againTitle() string {
	switch {
	case v.form != "settings":
		return "Ask again: " + stepLabel(v.steps, v.form)
	case v.State == api.Completed:
		return "Make again with other settings"
	}
	return "Resume with other settings"
}

func spacedAll(names []string) []string {
	var out []string
	for _, n := range names {
		out = append(out, spaced(n))
	}
	return out
}

// takesWords says what an execution takes in calls, time and money.
func takesWords(e api.Estimate) string {
	text := "about " + counted(e.Calls, "call", "calls")
	if e.Seconds != nil {
		text += ", " + roughly(*e.Seconds)
	}
	if cost := costWords(e); cost != "nothing" {
		return text + ", " + cost
	}
	return text + ", and costs nothing"
}

// tried says what was done before the end came.
func (v runView) tried() string {
	text := "Tried: " + counted(v.Requests, "request", "requests")
	if len(v.Models) > 0 {
		text += ", answers came from " + someOf(v.Models, 3)
	}
	return text + ". What is done is kept."
}

// canBeginAgain tells whether what was made so far may be thrown away to make all of it anew.
func (v runView) canBeginAgain() bool {
	return !v.State.Live() && v.State != api.Completed
}
