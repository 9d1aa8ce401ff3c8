package plan

// GovernanceBodies is what later steps read of 006-3: the bodies from the highest authority to the
// lowest, and the role above all of them.
type GovernanceBodies struct {
	Bodies []struct {
		Name string `json:"name"`
	} `json:"internal_governance_bodies"`
	Sponsor string `json:"sponsor_role"`
}
