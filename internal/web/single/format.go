package single

import (
	"fmt"
	"math"
	"strings"
	"time"

	"planexe/internal/api"
	"planexe/internal/web/kit"
)

// duration is a time in words as short as a clock: 48 s, 3:42 min, 1:05 h.
func duration(seconds float64) string {
	s := int(math.Round(max(0, seconds)))
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d:%02d min", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d h", s/3600, s%3600/60)
}

// roughly is an estimate of a time: nobody believes seconds.
func roughly(seconds float64) string {
	switch m := seconds / 60; {
	case seconds < 10:
		return "a few seconds"
	case m < 1:
		return "less than a minute"
	case m < 90:
		return counted(int(math.Ceil(m)), "minute", "minutes")
	default:
		return fmt.Sprintf("%.1f hours", m/60)
	}
}

// money is an amount of dollars.
func money(usd float64) string {
	switch {
	case usd == 0:
		return "0 USD"
	case usd < 0.01:
		return "under 0.01 USD"
	}
	return fmt.Sprintf("%.2f USD", usd)
}

// tokens counts in thousands and millions.
func tokens(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprint(n)
	case n < 100_000:
		return fmt.Sprintf("%.1f k", float64(n)/1e3)
	case n < 1_000_000:
		return fmt.Sprintf("%d k", n/1000)
	}
	return fmt.Sprintf("%.2f M", float64(n)/1e6)
}

// size is a number of bytes.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// counted is a number with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// when is a moment in the zone of the service.
func when(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "–"
	}
	return t.Local().Format("2 Jan 2006, 15:04")
}

func clock(t time.Time) string { return t.Local().Format("15:04:05") }

func stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// stateWords are what a state is called, and its tone.
func stateWords(s api.State) (string, kit.Tone) {
	switch s {
	case api.Waiting:
		return "Waiting for its turn", kit.Busy
	case api.Running:
		return "Running", kit.Busy
	case api.Stopping:
		return "Stopping", kit.Busy
	case api.Completed:
		return "Complete", kit.Good
	case api.Partial:
		return "Incomplete", kit.Fair
	case api.Refused:
		return "Refused", kit.Poor
	case api.Budget:
		return "Limit reached", kit.Fair
	case api.Stopped:
		return "Stopped", kit.Plain
	case api.Failed:
		return "Failed", kit.Poor
	case api.Interrupted:
		return "Interrupted", kit.Fair
	}
	return strings.ReplaceAll(string(s), "_", " "), kit.Plain
}

// speedWords is the detail of a plan in words.
func speedWords(speed string) string {
	switch strings.TrimSuffix(speed, "+serial_review") {
	case api.Fast:
		return "fast, fewer details"
	case api.AllDetails:
		return "all details"
	}
	return speed
}

func modelWords(id string) string {
	if id == "auto" || id == "" {
		return "Auto"
	}
	return id
}

// sentence begins with a capital, unless the first word is a name of a program, and ends with a stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	if first, _, _ := strings.Cut(text, " "); !strings.ContainsAny(strings.TrimRight(first, ".:,"), "._/-") {
		r := []rune(text)
		text = strings.ToUpper(string(r[:1])) + string(r[1:])
	}
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "!") && !strings.HasSuffix(text, "?") {
		text += "."
	}
	return text
}

// spaced is a name of a program as words.
func spaced(name string) string { return strings.ReplaceAll(name, "_", " ") }

// What other interfaces that show plans say alike.

// Duration is a time in words as short as a clock: 48 s, 3:42 min, 1:05 h.
func Duration(seconds float64) string { return duration(seconds) }

// Roughly is an estimate of a time.
func Roughly(seconds float64) string { return roughly(seconds) }

// Money is an amount of dollars.
func Money(usd float64) string { return money(usd) }

// Size is a number of bytes.
func Size(n int64) string { return size(n) }

// Tokens counts in thousands and millions.
func Tokens(n int) string { return tokens(n) }

// Counted is a number with its noun.
func Counted(n int, one, many string) string { return counted(n, one, many) }

// Sentence begins with a capital and ends with a stop.
func Sentence(text string) string { return sentence(text) }

// StateWords are what a state is called, and its tone.
func StateWords(s api.State) (string, kit.Tone) { return stateWords(s) }
