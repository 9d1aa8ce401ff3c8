package plan

// Severity says how much a finding matters.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // the plan contradicts itself, its request or a limit
	SeverityWarning Severity = "warning" // most likely wrong, a person should look
	SeverityNote    Severity = "note"    // worth knowing
)

// Findings is the content of 030-1: what the checks that need no model found in the finished
// documents, by check in the order of Checks, within a check in reading order.
type Findings struct {
	Checks   []Check   `json:"checks"`
	Findings []Finding `json:"findings"`
}

// Check says what one check looked at. A check whose documents are missing has looked at nothing.
type Check struct {
	ID      string `json:"id"`      // in kebab-case, such as "column-total"
	About   string `json:"about"`   // what it checks, half a sentence
	Looked  int    `json:"looked"`  // how many things it judged
	Unit    string `json:"unit"`    // what these things are, such as "paragraphs"
	Dropped int    `json:"dropped"` // findings left out beyond the bound per check
}

// Finding is one thing that is wrong with a finished document.
type Finding struct {
	Check    string   `json:"check"` // id of the check
	Severity Severity `json:"severity"`
	File     string   `json:"file"`    // name of the artifact
	Section  string   `json:"section"` // heading it stands below, "" before the first one
	What     string   `json:"what"`    // one sentence
	Quote    string   `json:"quote"`   // the words in question, shortened; "" where something is missing
}
