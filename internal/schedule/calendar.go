package schedule

import (
	"math"
	"time"
)

const isoDate = "2006-01-02"

// Calendar turns days since the start of the project into dates.
type Calendar struct {
	Day0        time.Time `json:"day0"` // the date in it counts, in its own zone
	WorkingDays bool      `json:"working_days"`
}

// days is how many days that count there are in n days of the calendar, beginning on a Monday: n
// itself, or 5 in each week and at most 5 in what is left.
func (c Calendar) days(n float64) float64 {
	if !c.WorkingDays {
		return n
	}
	weeks := math.Trunc(n / 7)
	return 5*weeks + min(max(n-7*weeks, -5), 5)
}

// Start is the date of the day that a time falls on: the first day of what starts then. With working
// days only Mondays to Fridays count, and day 0 is the first of them.
func (c Calendar) Start(t float64) time.Time { return c.date(c.index(math.Floor(t))) }

// Last is the date of the last day of what starts and finishes at these times; of a milestone, the date
// of its start.
func (c Calendar) Last(start, finish float64) time.Time {
	return c.Start(max(math.Floor(start), math.Ceil(finish)-1))
}

// date is that of a number of days of the calendar since day 0.
func (c Calendar) date(days float64) time.Time {
	y, m, d := c.Day0.Date()
	return time.Date(y, m, d+int(min(days, 1e9)), 0, 0, 0, 0, time.UTC)
}

// index is the number of calendar days from day 0 to the n-th day that counts.
func (c Calendar) index(n float64) float64 {
	if !c.WorkingDays {
		return n
	}
	first, wait := float64(c.date(0).Weekday()-1), 0.0 // Monday is 0
	switch c.date(0).Weekday() {
	case time.Saturday:
		first, wait = 0, 2
	case time.Sunday:
		first, wait = 0, 1
	}
	weeks := math.Floor((first + n) / 5)
	return wait + n + 2*weeks
}

// from is when, in calendar days since day 0, something that starts at t starts.
func (c Calendar) from(t float64) float64 {
	return c.index(math.Floor(t)) + t - math.Floor(t)
}

// until is when, in calendar days since day 0, something that finishes at t finishes: on a Friday
// evening rather than on a Monday morning.
func (c Calendar) until(start, t float64) float64 {
	if t <= start {
		return c.from(t)
	}
	last := math.Ceil(t) - 1
	return c.index(last) + t - last
}
