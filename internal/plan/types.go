package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Start is the content of 001-1: the moment the run was asked for. All three are strings so that
// the file is the same whoever reads it.
type Start struct {
	UTC      string `json:"server_iso_utc"`
	Local    string `json:"server_iso_local"`
	Timezone string `json:"server_timezone_name"`
}

// The verdicts of the redline gate.
const (
	Allow        = "ALLOW"
	AllowFramed  = "ALLOW_WITH_SAFETY_FRAMING"
	RefuseToPlan = "REFUSE"
)

// Redline is the gate's answer: whether the prompt may be planned at all. The four violation
// fields are set when, and only when, the verdict is REFUSE.
type Redline struct {
	Verdict   string  `json:"verdict"`
	Rationale string  `json:"rationale_short"`
	Category  *string `json:"violation_category"`
	Claim     *string `json:"violation_claim"`
	Uplift    *bool   `json:"violation_capability_uplift"`
	Severity  *string `json:"violation_severity"`
}

// Purpose says whom the plan serves. Later steps choose their variant by it.
type Purpose struct {
	Topic    string `json:"topic"`
	Detailed string `json:"purpose_detailed"`
	Purpose  string `json:"purpose"` // business, personal or other
}

// PlanType says whether the plan needs a place. The explanation stands first so that a model
// argues before it decides.
type PlanType struct {
	Explanation string `json:"explanation"`
	Type        string `json:"plan_type"` // digital or physical
}

// Lever is one decision of the plan that can be set one way or another. The fields are filled as
// it moves through the lever steps: the first five at birth, the rest by deduplication and
// enrichment.
type Lever struct {
	ID            string   `json:"lever_id"` // UUID in v4 shape, derived
	Name          string   `json:"name"`
	Consequences  string   `json:"consequences"`
	Options       []string `json:"options"`
	Review        string   `json:"review"`
	Justification string   `json:"deduplication_justification,omitempty"`
	Description   string   `json:"description,omitempty"`
	Synergy       string   `json:"synergy_text,omitempty"`
	Conflict      string   `json:"conflict_text,omitempty"`
}

// Deduplicated is what later steps read of 002-11.
type Deduplicated struct {
	Levers []Lever `json:"deduplicated_levers"`
}

// Enriched is what later steps read of 002-12.
type Enriched struct {
	Levers []Lever `json:"characterized_levers"`
}

// Vital is what later steps read of 002-13: the few levers that decide, and how all were rated.
type Vital struct {
	Response struct {
		Assessments []LeverAssessment `json:"lever_assessments"`
		Summary     string            `json:"summary"`
	} `json:"response"`
	Levers []Lever `json:"levers"`
}

// LeverAssessment rates one lever.
type LeverAssessment struct {
	ID            string `json:"lever_id"`
	Name          string `json:"lever_name"`
	Importance    string `json:"strategic_importance"` // Critical, High, Medium or Low
	Justification string `json:"justification"`
}

// Candidates is the content of 002-16.
type Candidates struct {
	Title     string     `json:"analysis_title"`
	Tension   string     `json:"core_tension"`
	Scenarios []Scenario `json:"scenarios"`
}

// Scenario sets every vital lever to one of its options.
type Scenario struct {
	Name     string   `json:"scenario_name"`
	Logic    string   `json:"strategic_logic"`
	Settings Settings `json:"lever_settings"`
}

// Setting is one lever of a scenario with the option chosen for it.
type Setting struct{ Lever, Option string }

// Settings is a JSON object from lever name to option text that keeps its order.
type Settings []Setting

// MarshalJSON writes the settings as one object, in order and without HTML escapes.
func (s Settings) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, x := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []string{x.Lever, x.Option} {
			if j == 1 {
				b.WriteByte(':')
			}
			if err := enc.Encode(part); err != nil {
				return nil, err
			}
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads an object of strings in the order it is written.
func (s *Settings) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return fmt.Errorf("lever_settings: want an object, found %v", tok)
	}
	*s = Settings{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var option string
		if err := dec.Decode(&option); err != nil {
			return fmt.Errorf("lever_settings: %v: %w", key, err)
		}
		*s = append(*s, Setting{key.(string), option})
	}
	return nil
}

// Selection is the content of 002-18: the scenario the plan follows, and why.
type Selection struct {
	Profile struct {
		Ambition   string `json:"ambition_and_scale"`
		Risk       string `json:"risk_and_novelty"`
		Complexity string `json:"complexity_and_constraints"`
		Domain     string `json:"domain_and_tone"`
		Holistic   string `json:"holistic_profile_of_the_plan"`
	} `json:"plan_characteristics"`
	Assessments []ScenarioFit `json:"scenario_assessments"`
	Choice      struct {
		Name          string `json:"chosen_scenario_name"`
		Justification string `json:"justification"`
	} `json:"final_choice"`
}

// ScenarioFit scores one scenario from 1 to 10.
type ScenarioFit struct {
	Name       string `json:"scenario_name"`
	Score      int    `json:"fit_score"`
	Assessment string `json:"fit_assessment"`
}

// Assumption is one question a planner would ask, answered by assumption, with an assessment.
type Assumption struct {
	Question   string `json:"question"`
	Assumption string `json:"assumptions"`
	Assessment string `json:"assessments"`
}

// PreProject is the content of 004-2: what must be done at once, and whether to go ahead.
type PreProject struct {
	Recommendation string     `json:"go_no_go_recommendation"`
	Summary        string     `json:"combined_summary"`
	Feedback       []Feedback `json:"feedback"`
}

// Feedback is one immediate action.
type Feedback struct {
	Title       string `json:"title"`
	Description string `json:"description"`
}
