package team

import "planexe/internal/plan"

// ContractType asks how each member is bound to the plan.
var ContractType = ask[contract]("enrich_team_members_with_contract_type", "How each member is bound to the plan", plan.TeamContractRaw)

// AddContractType puts the answers into the list of members.
var AddContractType = add[contract]("add_contract_type", "The team with contract types", plan.TeamFound, plan.TeamContractRaw, plan.TeamContract)

type contract struct {
	member
	Type          string `json:"contract_type" enum:"full_time_employee,part_time_employee,independent_contractor,agency_temp,other"`
	Justification string `json:"justification"`
}

func (c contract) describe(m *plan.TeamMember) {
	m.ContractType, m.ContractJustification = c.Type, c.Justification
}
