package plan

// PitchText is what the pitch page is made of. All are Markdown without headings; the texts of
// small plans may be empty where there is nothing to say.
type PitchText struct {
	Pitch         string `json:"pitch"`
	Why           string `json:"why_this_pitch_works"`
	Audience      string `json:"target_audience"`
	Call          string `json:"call_to_action"`
	Risks         string `json:"risks_and_mitigation"`
	Metrics       string `json:"metrics_for_success"`
	Benefits      string `json:"stakeholder_benefits"`
	Ethics        string `json:"ethical_considerations" empty:"ok"`
	Collaboration string `json:"collaboration_opportunities" empty:"ok"`
	Vision        string `json:"long_term_vision" empty:"ok"`
}
