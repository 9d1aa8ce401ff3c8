package plan

// Fixed is what the request's own dates demand of the schedule.
type Fixed struct {
	Dates   []FixedDate      `json:"fixed_dates"`
	Changes []ScheduleChange `json:"changes"` // that keep the dates, or come closer to it
}

// FixedDate is a date by which a task has to be done.
type FixedDate struct {
	Words string `json:"words"` // of the request
	Task  string `json:"task_id"`
	Date  string `json:"last_day"` // 2006-01-02
}

// ScheduleChange makes a task shorter, or changes what it waits for.
type ScheduleChange struct {
	Task        string `json:"task_id"`
	Measure     string `json:"measure"`                  // what is done for it, for people
	Days        int    `json:"new_days,omitempty"`       // likely duration; 0 leaves it
	Predecessor string `json:"predecessor_id,omitempty"` // of the link that is changed; "" leaves all
	Type        string `json:"new_link_type,omitempty"`  // FS, SS, FF, SF, or none: the task waits no more
	Lag         int    `json:"new_lag_days,omitempty"`
}

// NoLink is the type of a link that is taken away.
const NoLink = "none"
