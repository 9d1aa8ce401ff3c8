package plan

// Artifacts of ours, beside those of the contract: they are no part of the expected list and do
// not count as progress.
var (
	KeyFacts = JSON[Facts]{File{Name: "001-4-key_facts.json", Label: "key_facts", Title: "Key facts", Extra: true}}
	// ScheduleOptions is written by the command, and only when somebody wants another schedule than the usual.
	ScheduleOptions = JSON[Timetable]{File{Name: "001-5-schedule_options.json", Label: "schedule_options", Title: "Options of the schedule", Extra: true}}

	FixedDates = JSON[Fixed]{File{Name: "022-3-fixed_dates.json", Label: "fixed_dates", Title: "Fixed dates", Extra: true}}

	Schedule = File{Name: "026-4-schedule.json", Label: "schedule", Title: "Schedule as data", Extra: true}

	Checks     = JSON[Findings]{File{Name: "030-1-checks.json", Label: "checks", Title: "Checks", Extra: true}}
	ChecksPage = File{Name: "030-2-checks.md", Label: "checks_page", Title: "Checks, as a page", Extra: true}
	Opening    = JSON[OpeningPage]{File{Name: "025-3-opening_page.json", Label: "opening_page", Title: "Opening page", Extra: true}}

	ShortPurpose     = JSON[Shortened]{File{Name: "003-11-1-shorten_purpose.json", Label: "short_purpose", Title: "Purpose, short", Extra: true}}
	ShortPlanType    = JSON[Shortened]{File{Name: "003-11-2-shorten_plan_type.json", Label: "short_plan_type", Title: "Plan type, short", Extra: true}}
	ShortLocations   = JSON[Shortened]{File{Name: "003-11-3-shorten_physical_locations.json", Label: "short_physical_locations", Title: "Physical locations, short", Extra: true}}
	ShortCurrency    = JSON[Shortened]{File{Name: "003-11-4-shorten_currency_strategy.json", Label: "short_currency_strategy", Title: "Currency strategy, short", Extra: true}}
	ShortRisks       = JSON[Shortened]{File{Name: "003-11-5-shorten_identify_risks.json", Label: "short_risks", Title: "Risks, short", Extra: true}}
	ShortAssumptions = JSON[Shortened]{File{Name: "003-11-6-shorten_make_assumptions.json", Label: "short_made_assumptions", Title: "Made assumptions, short", Extra: true}}
	ShortDistilled   = JSON[Shortened]{File{Name: "003-11-7-shorten_distill_assumptions.json", Label: "short_distilled_assumptions", Title: "Distilled assumptions, short", Extra: true}}
	ShortReview      = JSON[Shortened]{File{Name: "003-11-8-shorten_review_assumptions.json", Label: "short_assumption_review", Title: "Review of assumptions, short", Extra: true}}
)

// Shortened is a document made shorter for prompts.
type Shortened struct {
	Markdown string `json:"markdown"`
}

// Timetable says how the schedule is made. The zero value is the usual way.
type Timetable struct {
	Waterfall   bool `json:"waterfall"`    // everything end to end, not by dependencies
	WorkingDays bool `json:"working_days"` // work is done from Monday to Friday
}

// extras returns the files of ours, which are not in the contract.
func extras() []File {
	return []File{
		KeyFacts.Artifact(), ScheduleOptions.Artifact(), FixedDates.Artifact(), Schedule.Artifact(), Checks.Artifact(), ChecksPage.Artifact(), Opening.Artifact(),
		ShortPurpose.Artifact(), ShortPlanType.Artifact(), ShortLocations.Artifact(), ShortCurrency.Artifact(), ShortRisks.Artifact(), ShortAssumptions.Artifact(), ShortDistilled.Artifact(), ShortReview.Artifact(),
	}
}
