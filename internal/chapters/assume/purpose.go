package assume

import (
	"fmt"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// Purpose files the request as business, personal or other; later steps choose their variant by
// it.
var Purpose = step.Ask[purpose]{
	Name:  "identify_purpose",
	About: "Whom the plan serves: business, personal or other",
	Early: true,
	Needs: step.Docs(plan.Prompt),
	Raw:   plan.PurposeRaw,
	Page:  plan.PurposePage,
}

type purpose struct {
	Topic    string `json:"topic"`
	Detailed string `json:"purpose_detailed"`
	Purpose  string `json:"purpose" enum:"personal,business,other"`
}

// Markdown is what later prompts read.
func (p purpose) Markdown() string {
	note := ""
	if p.Purpose == "other" {
		note = " (neither clearly business nor clearly personal)"
	}
	return fmt.Sprintf("**Purpose:** %s%s\n\n**Purpose Detailed:** %s\n\n**Topic:** %s", p.Purpose, note, p.Detailed, p.Topic)
}
