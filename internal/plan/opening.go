package plan

// OpeningPage is the first page of the report: what a reader needs who reads nothing else.
type OpeningPage struct {
	Judgement
	Finish *Finish `json:"finish"` // nil without a schedule
}

// Judgement is the part of the opening that a model gives. Texts name the document they rest on by
// its label.
type Judgement struct {
	Reasons    []Sourced     `json:"reasons" count:"3"` // before the verdict, so that it follows from them
	Verdict    string        `json:"verdict" enum:"go,go_with_conditions,no_go"`
	Conditions []Sourced     `json:"conditions" count:"0-3"`
	Cost       Cost          `json:"cost"`
	Risk       MainRisk      `json:"biggest_risk"`
	Monday     []FirstAction `json:"monday" count:"3-5"`
}

// The verdicts on a plan.
const (
	VerdictGo         = "go"
	VerdictConditions = "go_with_conditions"
	VerdictNo         = "no_go"
)

// Sourced is one sentence and where it comes from.
type Sourced struct {
	Text     string `json:"text" words:"40"`
	Document string `json:"document"`
}

// Cost is what the plan takes. A nil amount is not known, and Basis says why.
type Cost struct {
	Amount   *string `json:"budget_needed"` // an amount or a range with its currency
	Basis    string  `json:"basis" words:"50"`
	Document string  `json:"document"`
}

// MainRisk is the likeliest way to fail.
type MainRisk struct {
	What     string `json:"what" words:"40"`
	Sign     string `json:"early_sign" words:"40"`
	Answer   string `json:"answer" words:"40"`
	Document string `json:"document"`
}

// FirstAction is something to do on the first day.
type FirstAction struct {
	Action   string `json:"action" words:"40"`
	Who      string `json:"owner" words:"10"`
	Document string `json:"document"`
}

// Finish says as dates (2006-01-02) when the work ends, and how many days it takes: when all
// activities take their shortest, likely and longest time.
type Finish struct {
	Start       string     `json:"start"`
	Dates       [3]string  `json:"dates"`
	Days        [3]float64 `json:"days"`
	WorkingDays bool       `json:"working_days"` // Days leaves weekends out
	Fixed       []FixedEnd `json:"fixed_dates,omitempty"`
}

// FixedEnd is what has to be done by a date that the request fixes, and when it likely is.
type FixedEnd struct {
	Task   string `json:"task"` // its title; "" is the whole
	Date   string `json:"date"`
	Likely string `json:"likely"`
}
