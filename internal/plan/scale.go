package plan

import "fmt"

// Scale is how large an undertaking is. It bounds how much of a plan is made.
type Scale string

// The scales.
const (
	Trivial Scale = "trivial" // an errand, done within a day by one person
	Small   Scale = "small"   // a private or one-person undertaking of days to months
	Medium  Scale = "medium"  // a team, a business, a building
	Large   Scale = "large"   // many organisations, years, public interest
)

// Known returns the scale; one that was not found out, or is none, counts as medium.
func (s Scale) Known() Scale {
	switch s {
	case Trivial, Small, Large:
		return s
	}
	return Medium
}

// Between returns the value for the scale.
func (s Scale) Between(trivial, small, medium, large int) int {
	switch s.Known() {
	case Trivial:
		return trivial
	case Small:
		return small
	case Large:
		return large
	}
	return medium
}

// Range is how many of something there may be; both ends count.
type Range struct{ Min, Max int }

// String is "3" or "5 to 8".
func (r Range) String() string {
	if r.Min == r.Max {
		return fmt.Sprint(r.Min)
	}
	return fmt.Sprintf("%d to %d", r.Min, r.Max)
}

// Of is "1 role" or "5 to 8 roles".
func (r Range) Of(one, many string) string {
	if r.Max == 1 {
		return r.String() + " " + one
	}
	return r.String() + " " + many
}

// Counts is how much of a plan is made. Prompts ask for these numbers, and answers are held to them.
type Counts struct {
	LeverRounds int   // of looking for levers
	Levers      int   // a round
	VitalLevers int   // of which scenarios are made
	Phases      Range // of the work
	Tasks       Range // a phase

	Team Range // roles
	SWOT Range // entries of a list
	Data Range // areas in which data are collected
	Like Range // undertakings to learn from

	Bodies      Range // of governance
	AuditPoints Range // a list of the governance audit
	SetupSteps  Range // until the bodies work
	Escalations Range
	Watched     Range // things that are monitored
	Checks      Range // of governance
	Questions   Range // that governance has to stand

	ToCreate Range // documents to write
	ToFind   Range // sources to obtain

	ExpertRounds int   // of looking for experts
	Experts      Range // a round
	Critics      int   // of the experts, who are asked
	Issues       Range // a critic
	Pairs        Range // of question and answer, a theme
	Points       int   // an answer of the review
}

// Counts returns how much of a plan a scale gets.
func (s Scale) Counts() Counts {
	switch s.Known() {
	case Trivial:
		return Counts{
			LeverRounds: 1, Levers: 3, VitalLevers: 2, Phases: Range{1, 2}, Tasks: Range{1, 3},
			Team: Range{1, 2}, SWOT: Range{1, 2}, Data: Range{1, 1}, Like: Range{0, 1},
			Bodies: Range{1, 1}, AuditPoints: Range{0, 1}, SetupSteps: Range{1, 2}, Escalations: Range{1, 1}, Watched: Range{1, 1},
			Checks: Range{1, 2}, Questions: Range{1, 2},
			ToCreate: Range{1, 2}, ToFind: Range{1, 2},
			ExpertRounds: 1, Experts: Range{1, 1}, Critics: 1, Issues: Range{1, 1}, Pairs: Range{1, 2}, Points: 1,
		}
	case Small:
		return Counts{
			LeverRounds: 2, Levers: 5, VitalLevers: 3, Phases: Range{2, 4}, Tasks: Range{2, 4},
			Team: Range{1, 3}, SWOT: Range{2, 3}, Data: Range{1, 3}, Like: Range{1, 3},
			Bodies: Range{1, 2}, AuditPoints: Range{0, 2}, SetupSteps: Range{2, 4}, Escalations: Range{1, 3}, Watched: Range{1, 3},
			Checks: Range{2, 3}, Questions: Range{2, 4},
			ToCreate: Range{2, 4}, ToFind: Range{2, 4},
			ExpertRounds: 2, Experts: Range{1, 2}, Critics: 2, Issues: Range{1, 2}, Pairs: Range{2, 3}, Points: 2,
		}
	case Large:
		return Counts{
			LeverRounds: 3, Levers: 5, VitalLevers: 5, Phases: Range{6, 10}, Tasks: Range{4, 8},
			Team: Range{9, 15}, SWOT: Range{4, 6}, Data: Range{5, 8}, Like: Range{3, 6},
			Bodies: Range{3, 5}, AuditPoints: Range{6, 8}, SetupSteps: Range{12, 30}, Escalations: Range{7, 10}, Watched: Range{6, 10},
			Checks: Range{6, 9}, Questions: Range{8, 12},
			ToCreate: Range{8, 15}, ToFind: Range{8, 15},
			ExpertRounds: 2, Experts: Range{4, 4}, Critics: 2, Issues: Range{3, 3}, Pairs: Range{5, 5}, Points: 3,
		}
	}
	return Counts{
		LeverRounds: 3, Levers: 5, VitalLevers: 5, Phases: Range{5, 7}, Tasks: Range{3, 6},
		Team: Range{5, 8}, SWOT: Range{3, 6}, Data: Range{4, 8}, Like: Range{3, 6},
		Bodies: Range{2, 5}, AuditPoints: Range{5, 8}, SetupSteps: Range{4, 16}, Escalations: Range{5, 8}, Watched: Range{4, 8},
		Checks: Range{5, 9}, Questions: Range{7, 10},
		ToCreate: Range{6, 10}, ToFind: Range{6, 10},
		ExpertRounds: 2, Experts: Range{4, 4}, Critics: 2, Issues: Range{2, 3}, Pairs: Range{5, 5}, Points: 3,
	}
}
