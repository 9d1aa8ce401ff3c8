package team

import "planexe/internal/plan"

// Environment asks what each member works with, and where.
var Environment = ask[environment]("enrich_team_members_with_environment_info", "What each member works with, and where", plan.TeamEnvironmentRaw)

// AddEnvironment puts the answers into the list of members.
var AddEnvironment = add[environment]("add_environment_info", "The team with equipment and places", plan.TeamBackground, plan.TeamEnvironmentRaw, plan.TeamEnvironment)

type environment struct {
	member
	Equipment  string `json:"equipment_needs"`
	Facilities string `json:"facility_needs"`
}

func (e environment) describe(m *plan.TeamMember) {
	m.Equipment, m.Facilities = e.Equipment, e.Facilities
}
