package run

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"planexe/internal/event"
)

// Describe says an event in one line for people, with the level a log gives it; an empty line is
// not worth telling.
func Describe(e event.Event) (level, line string) {
	switch d := e.Data.(type) {
	case event.RunStarted:
		return "INFO", fmt.Sprintf("run %s started: version %s, models %s (%s), %s, %d calls at once, %d steps",
			d.Run, d.Version, strings.Join(d.Models, ", "), d.Why, d.Speed, d.Concurrency, len(d.Steps))
	case event.RunEnding:
		return "WARNING", fmt.Sprintf("the run ends early (%s): %s", d.Outcome, firstLine(d.Reason.Message))
	case event.RunEnded:
		line := "run ended: " + string(d.Outcome)
		if d.Reason.Message != "" {
			line += ": " + d.Reason.Message
		}
		if d.Reason.Advice != "" {
			line += " (" + d.Reason.Advice + ")"
		}
		return "INFO", line
	case event.RerunAsked:
		return "INFO", "asked anew: " + strings.Join(d.Steps, ", ")
	case event.StepStarted:
		return "INFO", fmt.Sprintf("step %s started (%s)", d.Step, d.Why)
	case event.StepDone:
		return "INFO", fmt.Sprintf("step %s done", d.Step)
	case event.StepKept:
		if len(d.Edited) > 0 {
			return "INFO", fmt.Sprintf("step %s kept; changed by hand: %s", d.Step, strings.Join(d.Edited, ", "))
		}
		return "DEBUG", fmt.Sprintf("step %s kept", d.Step)
	case event.StepFailed:
		return "ERROR", fmt.Sprintf("step %s failed: %s", d.Step, d.Reason.Message)
	case event.StepSkipped:
		return "WARNING", fmt.Sprintf("step %s skipped: it needs %s", d.Step, d.Because)
	case event.CallAttempt:
		level, what := "INFO", "answered"
		if d.Class != "ok" {
			level, what = "WARNING", d.Class+": "+firstLine(d.Message)
		}
		return level, fmt.Sprintf("%s request %d to %s: %s (%s, %d + %d tokens)", callName(d.Step, d.Label), d.Number, d.Entry, what,
			d.Duration.Round(time.Millisecond), d.Usage.Prompt, d.Usage.Completion)
	case event.CallFailed:
		return "ERROR", fmt.Sprintf("%s: %s", callName(d.Step, d.Label), firstLine(d.Reason.Message))
	case event.Quality:
		return "WARNING", fmt.Sprintf("quality of %s: %s", callName(d.Step, d.Label), d.Note)
	case event.Notice:
		return strings.ToUpper(d.Level), d.Message
	}
	return "", ""
}

func callName(step, label string) string {
	if label == "" {
		return step
	}
	return step + " " + label
}

var levels = map[string]slog.Level{"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARNING": slog.LevelWarn, "ERROR": slog.LevelError}

// LogTo returns a watcher that writes log.txt lines: time - planexe - LEVEL - message. Known
// secrets are blacked out by value.
func LogTo(w io.Writer, least slog.Level, secrets []string) func(event.Event) {
	redact := Redactor(secrets)
	return func(e event.Event) {
		level, line := Describe(e)
		if line == "" || levels[level] < least {
			return
		}
		line = strings.ReplaceAll(redact(line), "\n", "\n    ")
		// A log that cannot be written must not end a plan.
		_, _ = fmt.Fprintf(w, "%s - planexe - %s - %s\n", e.Time.Local().Format(time.DateTime), level, line)
	}
}

// Redactor returns a function that blacks out known secrets.
func Redactor(secrets []string) func(string) string {
	var pairs []string
	for _, s := range secrets {
		if len(s) >= 6 { // shorter ones are words
			pairs = append(pairs, s, "[REDACTED]")
		}
	}
	return strings.NewReplacer(pairs...).Replace
}
