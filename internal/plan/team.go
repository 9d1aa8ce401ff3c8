package plan

// TeamMember is one role of the team. The first five fields are filled at birth, the others as it
// moves from 008-2 to 011-2; one that could not be found out stays empty.
type TeamMember struct {
	ID           int    `json:"id"` // from 1
	Category     string `json:"category"`
	Explanation  string `json:"explanation"`
	Consequences string `json:"consequences"` // of going without
	Count        string `json:"count"`        // a number or a range, and what it depends on

	ContractType          string `json:"contract_type,omitempty"`
	ContractJustification string `json:"contract_type_justification,omitempty"`
	Activities            string `json:"typical_job_activities,omitempty"`
	Background            string `json:"background_story,omitempty"`
	Equipment             string `json:"equipment_needs,omitempty"`
	Facilities            string `json:"facility_needs,omitempty"`
}

// TeamCritique is what later steps read of 012.
type TeamCritique struct {
	Omissions    []TeamIssue `json:"omissions"`
	Improvements []TeamIssue `json:"potential_improvements"`
}

// TeamIssue is one finding about the team.
type TeamIssue struct {
	Issue          string `json:"issue"`
	Explanation    string `json:"explanation"`
	Recommendation string `json:"recommendation"`
}
