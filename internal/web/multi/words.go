package multi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"planexe/internal/store"
	"planexe/internal/web/kit"
	"planexe/internal/web/single"
)

func roleWord(admin bool) string {
	if admin {
		return "administrator"
	}
	return "user"
}

// agentWord is what a browser is called, from what it says of itself.
func agentWord(agent string) string {
	for _, name := range []string{"Edg", "OPR", "Firefox", "Chrome", "Safari"} {
		if strings.Contains(agent, name) {
			word := map[string]string{"Edg": "Edge", "OPR": "Opera"}[name]
			if word == "" {
				word = name
			}
			for key, system := range map[string]string{"Windows": "Windows", "iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Mac OS X": "macOS", "Linux x86": "Linux"} {
				if strings.Contains(agent, key) && (key != "Mac OS X" || !strings.Contains(agent, "iP")) {
					return word + " on " + system
				}
			}
			return word
		}
	}
	if agent == "" {
		return "A browser that does not say its name"
	}
	return clip(agent, 60)
}

// when is a moment for people; the page's script turns it into the reader's own zone.
func when(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2 Jan 2006, 15:04") + " UTC"
}

// ago is how long something is past, in one figure.
func ago(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func pickWord(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

func orDash(s *string) string {
	if s == nil || *s == "" {
		return "–"
	}
	return *s
}

func orUntitled(s string) string {
	if s == "" {
		return "(no description)"
	}
	return s
}

// shortState fits into a column.
func shortState(word string) string {
	if word == "Waiting for its turn" {
		return "Waiting"
	}
	return word
}

// waited is how long a plan stood in the queue before its last start.
func (v taskView) waited() string {
	switch {
	case v.TimestampCreated == nil:
		return "–"
	case v.ClaimedAt == nil && v.status.State.Live():
		return single.Duration(time.Since(*v.TimestampCreated).Seconds())
	case v.ClaimedAt == nil:
		return "–"
	}
	return single.Duration(v.ClaimedAt.Sub(*v.TimestampCreated).Seconds())
}

func outboxWord(state string) string {
	switch state {
	case "unknown":
		return "perhaps sent"
	case "given_up":
		return "given up"
	}
	return state
}

func outboxTone(state string) kit.Tone {
	switch state {
	case "sent":
		return kit.Good
	case "unknown", "given_up":
		return kit.Fair
	}
	return kit.Busy
}

// picture is a chart with what it shows in words.
type picture struct {
	bars  []bar
	words string
}

// chartOf draws the days: how many plans ended, or what they cost.
func chartOf(days []store.DaysRow, cost bool) picture {
	var plans int64
	sum := 0.0
	for _, d := range days {
		plans += d.Completed + d.Other
		sum += d.Cost
	}
	if cost {
		bars, _ := chart(days, time.Now(), func(d store.DaysRow) float64 { return d.Cost }, func(store.DaysRow) float64 { return 0 },
			func(d store.DaysRow) string { return single.Money(d.Cost) })
		return picture{bars, single.Money(sum) + " in 30 days"}
	}
	bars, _ := chart(days, time.Now(), func(d store.DaysRow) float64 { return float64(d.Completed) }, func(d store.DaysRow) float64 { return float64(d.Other) },
		func(d store.DaysRow) string { return fmt.Sprintf("%d complete, %d not", d.Completed, d.Other) })
	return picture{bars, fmt.Sprintf("%d plans in 30 days", plans)}
}
