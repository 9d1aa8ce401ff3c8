package schedule

import (
	"fmt"
	"testing"
	"time"
)

// Ensure that working days take the weekends out of estimates and lags, which are in days of the calendar, so
// that the finish stays about where it is.
func TestArrangeWorkingDays(t *testing.T) {
	t.Parallel()
	root, _ := breakdown(t, "R[P[A, B]]")
	monday := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	p := Project{
		Root: root, Estimates: map[string]Estimate{"A": {6, 14, 31}, "B": {1, 1, 1}}, Links: []Link{{"A", "B", FS, 7}},
		Calendar: Calendar{monday, true}, Deadline: Deadline{Stated: "in January", Date: "2026-01-31"},
	}
	s, err := Arrange(p)
	if err != nil {
		t.Fatal(err)
	}
	// A takes 5, 10 or 23 working days, then 5 pass.
	if s.Duration != (Range{11, 16, 29}) || s.Finish != (Finish{"2026-01-19", "2026-01-26", "2026-02-12"}) {
		t.Errorf("%v, %v", s.Duration, s.Finish)
	}
	if s.Deadline.Late != (Range{0, 0, 12}) || s.Links[0].Lag != 7 {
		t.Errorf("%+v, %+v", s.Deadline, s.Links)
	}
	p.Calendar.WorkingDays = false
	if s, err = Arrange(p); err != nil || s.Finish.Likely != "2026-01-26" {
		t.Errorf("with weekends: %v, %v", s.Finish, err)
	}
	for n, want := range map[float64]float64{0: 0, 1: 1, 5: 5, 6: 5, 7: 5, 8: 6, 30: 22, -1: -1, -6: -5, -7: -5, -9: -7} {
		if got := (Calendar{WorkingDays: true}).days(n); got != want {
			t.Errorf("%v days are %v working days, want %v", n, got, want)
		}
	}
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	day := func(s string) time.Time {
		d, err := time.Parse(isoDate, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tests := []struct {
		day0          string
		working       bool
		start, finish float64
		first, last   string
	}{
		{"2026-01-03", false, 0, 1, "2026-01-03", "2026-01-03"},
		{"2026-01-03", false, 2, 5.5, "2026-01-05", "2026-01-08"},
		{"2026-01-03", false, 2.5, 2.75, "2026-01-05", "2026-01-05"},
		{"2026-01-03", false, 5, 5, "2026-01-08", "2026-01-08"},
		{"2028-02-28", false, 1, 3, "2028-02-29", "2028-03-01"},
		{"2026-01-03", true, 0, 1, "2026-01-05", "2026-01-05"}, // a Saturday
		{"2026-01-04", true, 0, 5, "2026-01-05", "2026-01-09"}, // a Sunday
		{"2026-01-05", true, 4, 6, "2026-01-09", "2026-01-12"}, // a Monday
		{"2026-01-08", true, 0, 2, "2026-01-08", "2026-01-09"}, // a Thursday
		{"2026-01-08", true, 2, 2, "2026-01-12", "2026-01-12"},
		{"2026-01-09", true, 10, 11, "2026-01-23", "2026-01-23"}, // a Friday
	}
	for _, tt := range tests {
		c := Calendar{day(tt.day0), tt.working}
		if got := c.Start(tt.start).Format(isoDate); got != tt.first {
			t.Errorf("%+v: starts on %s", tt, got)
		}
		if got := c.Last(tt.start, tt.finish).Format(isoDate); got != tt.last {
			t.Errorf("%+v: last on %s", tt, got)
		}
	}
	// Counting one by one gives the same.
	for first := range 7 {
		c := Calendar{day("2026-01-05").AddDate(0, 0, first), true}
		d := c.Day0
		for n := range 30 {
			for d.Weekday() == time.Saturday || d.Weekday() == time.Sunday {
				d = d.AddDate(0, 0, 1)
			}
			if got := c.Start(float64(n)); !got.Equal(d) {
				t.Fatalf("working day %d after %s is %s, want %s", n, c.Day0, got, d)
			}
			d = d.AddDate(0, 0, 1)
		}
	}
	// In a drawing, a week of work ends before the weekend and a milestone after it stands behind it.
	week := Calendar{day("2026-01-05"), true}
	if got := []float64{week.until(0, 5), week.until(0, 5.5), week.until(5, 5), week.from(5), week.until(0, 0)}; fmt.Sprint(got) != "[5 7.5 7 7 0]" {
		t.Errorf("places of a week's end: %v", got)
	}
	east := time.FixedZone("", 14*60*60)
	if got := (Calendar{Day0: time.Date(2026, 1, 3, 1, 0, 0, 0, east)}).Start(0).Format(isoDate); got != "2026-01-03" {
		t.Errorf("the date of day 0 depends on its zone: %s", got)
	}
}
