package single

import (
	"fmt"
	"slices"
	"strings"

	"planexe/internal/api"
	"planexe/internal/web/kit"
)

// stepStates are the states that occur, in the order of a life.
func stepStates(steps []api.Step) []string {
	all := []string{api.StepDone, api.StepRunning, api.StepWaiting, api.StepDirty, api.StepFailed, api.StepSkipped}
	return slices.DeleteFunc(all, func(state string) bool {
		return !slices.ContainsFunc(steps, func(s api.Step) bool { return s.State == state })
	})
}

// stepWords is what the state of a step is called.
func stepWords(state string) string {
	if state == api.StepDirty {
		return "out of date"
	}
	return state
}

func stepTone(state string) kit.Tone {
	switch state {
	case api.StepDone:
		return kit.Good
	case api.StepRunning:
		return kit.Busy
	case api.StepDirty:
		return kit.Fair
	case api.StepFailed:
		return kit.Poor
	}
	return kit.Plain
}

// stepMark is the sign inside the circle of a step, as the data of a path: a state is never told by
// colour alone.
func stepMark(state string) string {
	switch state {
	case api.StepDone:
		return "M-4 0l3 3 5-6"
	case api.StepRunning:
		return "M-4 0h.1M0 0h.1M4 0h.1"
	case api.StepFailed:
		return "M-3-3l6 6M3-3l-6 6"
	case api.StepDirty:
		return "M0-4v5M0 4v.1"
	case api.StepSkipped:
		return "M-4 0h8"
	}
	return ""
}

// graphWords says what the picture of the graph shows.
func graphWords(steps []api.Step) string {
	var parts []string
	for _, state := range stepStates(steps) {
		n := 0
		for _, s := range steps {
			if s.State == state {
				n++
			}
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, stepWords(state)))
	}
	return counted(len(steps), "step", "steps") + ": " + strings.Join(parts, ", ")
}

// stepLabel is what a step does, in words.
func stepLabel(steps []api.Step, name string) string {
	if i := slices.IndexFunc(steps, func(s api.Step) bool { return s.Step == name }); i >= 0 {
		return sentenceless(steps[i].Label, name)
	}
	return sentenceless("", name)
}

// sentenceless is a label, or the step's name as words.
func sentenceless(label, name string) string {
	if label != "" {
		return label
	}
	return spaced(name)
}

// chapterTitle is a chapter's name for people.
func chapterTitle(name string) string {
	switch name {
	case "assume":
		return "Purpose, places, risks, assumptions"
	case "critique":
		return "Review, premortem, audit"
	case "diagnostics":
		return "Gate and premise"
	case "lever":
		return "Decisions and scenarios"
	case "project":
		return "Project plan"
	case "swot":
		return "Strengths and weaknesses"
	case "wbs":
		return "Work breakdown"
	case "timeline":
		return "Schedule"
	case "verify":
		return "Checks"
	case "document":
		return "Documents"
	case "expert":
		return "Experts"
	case "summary":
		return "Summary and report"
	case "facts":
		return "Key facts"
	case "":
		return "Other steps"
	}
	return strings.ToUpper(name[:1]) + spaced(name[1:])
}

// stepFacts are the figures of a step on one line.
func stepFacts(s api.Step) string {
	var parts []string
	if s.Seconds > 0 {
		parts = append(parts, duration(s.Seconds))
	}
	switch {
	case s.State == api.StepRunning && s.CallsExpected > 0:
		parts = append(parts, fmt.Sprintf("%d of %s", s.Calls, counted(s.CallsExpected, "call", "calls")))
	case s.Calls > 0:
		parts = append(parts, counted(s.Calls, "call", "calls"))
	case s.CallsExpected > 0 && s.State == api.StepWaiting:
		parts = append(parts, counted(s.CallsExpected, "call", "calls"))
	}
	if n := s.Usage.Prompt + s.Usage.Completion; n > 0 {
		parts = append(parts, tokens(n)+" tokens")
	}
	if s.Cost > 0 {
		parts = append(parts, money(s.Cost))
	}
	if len(s.ModelIDs) > 0 {
		parts = append(parts, someOf(s.ModelIDs, 2))
	}
	return strings.Join(parts, " · ")
}

// active is a step with questions that are asked now or wait for their turn.
type active struct{ step, words string }

// active groups the questions of a step, which may be dozens.
func (v runView) active() []active {
	var out []active
	labels := map[string][]string{}
	for _, c := range v.ActiveCalls {
		if _, ok := labels[c.Step]; !ok {
			out = append(out, active{step: c.Step})
		}
		labels[c.Step] = append(labels[c.Step], c.Label)
	}
	for i, a := range out {
		if out[i].words = labels[a.step][0]; len(labels[a.step]) > 1 {
			out[i].words = fmt.Sprintf("%d questions", len(labels[a.step]))
		}
	}
	return out
}
