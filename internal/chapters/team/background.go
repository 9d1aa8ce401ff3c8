package team

import "planexe/internal/plan"

// BackgroundStory asks whom to look for in each role, and for what work. The reference invented
// people with names, who were then taken for hired.
var BackgroundStory = ask[background]("enrich_team_members_with_background_story", "Whom to look for in each role, and for what work", plan.TeamBackgroundRaw)

// AddBackgroundStory puts the answers into the list of members.
var AddBackgroundStory = add[background]("add_background_story", "The team with profiles", plan.TeamContract, plan.TeamBackgroundRaw, plan.TeamBackground)

type background struct {
	member
	Story      string `json:"job_background_story_of_employee"`
	Activities string `json:"typical_job_activities"`
}

func (b background) describe(m *plan.TeamMember) {
	m.Activities, m.Background = b.Activities, b.Story
}
