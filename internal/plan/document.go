package plan

// DocumentToCreate is a document that has to be written. The same shape stands in 017-6, 017-10 and
// 017-14; what it knows grows from one to the next.
type DocumentToCreate struct {
	Document
	Role              string   `json:"responsible_role_type"`
	TemplatePrimary   *string  `json:"document_template_primary"`
	TemplateSecondary *string  `json:"document_template_secondary"`
	Steps             []string `json:"steps_to_create"`
	Approval          *string  `json:"approval_authorities"`
	Appraisal
}

// DocumentToFind is an existing source that has to be obtained: 017-5, 017-8 and 017-12.
type DocumentToFind struct {
	Document
	Recency *string  `json:"recency_requirement"`
	Role    string   `json:"responsible_role_type"`
	Steps   []string `json:"steps_to_find"`
	Access  string   `json:"access_difficulty"` // begins with Easy, Medium or Hard
	Appraisal
}

// Document is what both kinds begin with.
type Document struct {
	ID          string `json:"id,omitempty"` // UUID in v4 shape, derived; absent in 017-3
	Name        string `json:"document_name"`
	Description string `json:"description"`
}

// Appraisal is what later steps find out about a document; nil until they did.
type Appraisal struct {
	*Impact
	*Draft
}

// Impact says how much the first phase depends on a document. It is ours: other programs of the
// contract do not write it.
type Impact struct {
	Rating    string `json:"impact_rating"` // Critical, High, Medium or Low
	Rationale string `json:"impact_rationale"`
}

// Draft says what a document must hold, what comes of a bad and of a good one, and what to do
// without it.
type Draft struct {
	Essential []string `json:"essential_information"`
	Risks     []string `json:"risks_of_poor_quality"`
	Worst     string   `json:"worst_case_scenario"`
	Best      string   `json:"best_case_scenario"`
	Fallbacks []string `json:"fallback_alternative_approaches"`
}
