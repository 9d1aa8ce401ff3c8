package plan

// Facts is what the request itself fixes. Texts are the request's own words; empty ones are not
// stated.
type Facts struct {
	Language string   `json:"language"` // BCP 47 tag of the request's language
	Scale    Scale    `json:"scale"`
	Budget   string   `json:"budget"`
	Currency string   `json:"currency"` // ISO 4217, "" when the request names no money
	Start    string   `json:"start_date"`
	Deadline string   `json:"deadline"`
	Places   []string `json:"places"`
	People   []string `json:"people"`
	Demands  []string `json:"demands"`
	Forbids  []string `json:"forbids"`
}

// Scale is how large an undertaking is. It bounds how much of a plan is made.
type Scale string

// The scales.
const (
	Trivial Scale = "trivial" // an errand, done within a day by one person
	Small   Scale = "small"   // a private or one-person undertaking of days to months
	Medium  Scale = "medium"  // a team, a business, a building
	Large   Scale = "large"   // many organisations, years, public interest
)

// Between returns the value for the scale; an unknown one counts as medium.
func (s Scale) Between(trivial, small, medium, large int) int {
	switch s {
	case Trivial:
		return trivial
	case Small:
		return small
	case Large:
		return large
	}
	return medium
}
