package llm

import (
	"fmt"
	"strings"

	"planexe/internal/llm/answer"
	"planexe/internal/llm/schema"
)

// maxShown is how many bytes of a wrong answer a re-ask shows.
const maxShown = 64 << 10

// complain returns what a re-ask shows: the wrong answer, or nothing where seeing it again would
// only lead to the same, and what is wrong with it.
func complain(text string, r reading) (wrong, complaint string) {
	const only = "Answer again with the JSON object only: no words before or after it, no code fence."
	if len(text) > maxShown {
		_, complaint = complain("…", r)
		return "", complaint + " Be much shorter."
	}
	switch {
	case isBlank(text):
		return "", "Your last answer was empty. " + only
	case r.failure == nil && len(r.problems) > 0:
		return text, complainProblems(r.problems)
	case r.failure == nil:
		return text, only
	}
	switch r.failure.Kind {
	case answer.Echo:
		return "", "Do not repeat the JSON schema. Give one JSON object that follows it, with your own content in every field. " + only
	case answer.Prose:
		return text, "That was not a JSON object. Ask nothing back: where something is missing, assume what is most likely. " + only
	case answer.Inner:
		return text, "That is only a part of the object that was asked for. " + r.failure.Message + " " + only
	}
	return text, "That is not valid JSON: " + r.failure.Message + ". " + only
}

// complainProblems lists what is wrong with a readable answer.
func complainProblems(problems []schema.Problem) string {
	var b strings.Builder
	b.WriteString("Your answer does not follow the rules yet:\n")
	for _, p := range problems[:min(len(problems), 20)] {
		fmt.Fprintf(&b, "- %s\n", p)
	}
	b.WriteString("Give the complete answer again with these points mended and everything else as it was.")
	return b.String()
}

// brevity asks for less when an answer did not fit; each n in other words.
func brevity(n int) string {
	return fmt.Sprintf("Earlier answers to this that were too long and were cut off: %d. Give all that is asked for, but keep every text as short as the rules allow.", n)
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

// estimate guesses the tokens of messages from their bytes.
func estimate(messages []Message) int {
	n := 0
	for _, m := range messages {
		n += len(m.Content)/4 + 4
	}
	return n
}

// endsEntry tells whether a class takes its entry out of the run.
func (c Class) endsEntry() bool {
	switch c {
	case ClassConfig, ClassAuth, ClassCredit, ClassModelUnknown:
		return true
	}
	return false
}

// adviceFor is the way out that holds for every error of a class.
func adviceFor(c Class) string {
	switch c {
	case ClassAuth:
		return "check the key, then resume the run"
	case ClassCredit:
		return "top up the account or choose another model, then resume the run"
	case ClassModelUnknown, ClassConfig:
		return "correct the entry in llm_config.json or choose another model, then resume the run"
	case ClassContext:
		return "choose a model with a longer context, then resume the run"
	case ClassModelRefused:
		return "choose another model, then resume the run"
	case ClassRate, ClassServer, ClassNetwork, ClassTimeout, ClassStall:
		return "resume the run when the provider answers again"
	case ClassEmpty, ClassTruncated, ClassInvalid:
		return "resume the run to try again, or choose a stronger model"
	}
	return ""
}
