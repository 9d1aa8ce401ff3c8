package critique

// checklist are the red flags. Titles are known to readers of other plans. By what an item is rated
// stands in the prompt. Closely are the documents that an item sees in full, beside the digests.
var checklist = []struct {
	Title, Question string
	Closely         []string
}{
	{"Violates Known Physics", "Can the plan succeed only if basic science makes a great discovery that nobody can foresee?", []string{"scenarios"}},
	{"No Real-World Proof", "Does success rest on a technology or an arrangement that has never worked at this scale or in this field?", []string{"scenarios", "related_resources"}},
	{"Buzzwords", "Does the plan lean on fashionable words without saying how the thing behind them works?", []string{"scenarios"}},
	{"Underestimating Risks", "Are grave risks left out or made small?", []string{"assumptions", "swot"}},
	{"Timeline Issues", "Is the schedule unrealistic, incomplete or in conflict with itself?", []string{"assumptions", workBreakdown}},
	{"Money Issues", "Is it unclear where the money comes from, when it arrives and how long it lasts?", []string{"assumptions"}},
	{"Budget Too Low", "Is the budget too small for what is to be reached?", []string{"assumptions", "data_collection"}},
	{"Overly Optimistic Projections", "Does the plan count on everything going well, without ranges, setbacks or reserves?", []string{"assumptions"}},
	{"Lacks Technical Depth", "Are steps of the technical work missing without which nothing can be built?", []string{workBreakdown}},
	{"Assertions Without Evidence", "Are there decisive claims that nothing in the plan proves?", []string{"data_collection", "related_resources"}},
	{"Unclear Deliverables", "Is it unclear what will be there at the end, or how one will see that it is good enough?", []string{workBreakdown}},
	{"Gold Plating", "Is there anything that costs much and serves none of the goals?", []string{"scenarios", workBreakdown}},
	{"Staffing Fit & Rationale", "Do the people, their number and their skills not fit the work?", []string{"team"}},
	{"Legal Minefield", "Is the plan exposed to law, regulation or ethical objections that it has not mapped?", []string{"assumptions", "governance_bodies"}},
	{"Lacks Operational Sustainability", "Is it open how the result is run, paid for and kept up afterwards?", []string{"swot", "data_collection"}},
	{"Infeasible Constraints", "Does the plan depend on limits being lifted that will hardly be lifted?", []string{"assumptions"}},
	{"External Dependencies", "Does the plan depend on others who may fail, without another way?", []string{"data_collection", "related_resources"}},
	{"Stakeholder Misalignment", "Do people whose support is needed want different things, or is their support not secured?", []string{"governance_bodies", "scenarios"}},
	{"No Adaptive Framework", "Is there no way to notice deviations and to change course?", []string{"monitoring", "governance_bodies"}},
	{"Uncategorized Red Flags", "Is there anything else that endangers the whole, above all where several risks act together?", []string{"premortem"}},
}
