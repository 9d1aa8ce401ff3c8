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
