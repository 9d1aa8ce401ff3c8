package governance

import (
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// Audit asks where money, things and influence could go astray, and what would bring it to light.
var Audit = step.Ask[audit]{
	Name:  "governance_phase1_audit",
	About: "Where money or influence could go astray, and what brings it to light",
	Needs: base(),
	Sizes: func(c plan.Counts) map[string]plan.Range {
		return map[string]plan.Range{
			"corruption_list": c.AuditPoints, "misallocation_list": c.AuditPoints, "audit_procedures": c.AuditPoints, "transparency_measures": c.AuditPoints,
		}
	},
	Raw:  plan.AuditDetailsRaw,
	Page: plan.AuditDetails,
}

// A private errand has nothing to audit, so that each list may be empty.
type audit struct {
	Corruption    []string `json:"corruption_list" empty:"ok"`
	Misallocation []string `json:"misallocation_list" empty:"ok"`
	Procedures    []string `json:"audit_procedures" empty:"ok"`
	Transparency  []string `json:"transparency_measures" empty:"ok"`
}

// Markdown is read by people and by the question about bodies.
func (a audit) Markdown() string {
	return strings.TrimRight(
		"\n## Audit - Corruption Risks\n\n"+step.Bullets(a.Corruption)+
			"\n## Audit - Misallocation Risks\n\n"+step.Bullets(a.Misallocation)+
			"\n## Audit - Procedures\n\n"+step.Bullets(a.Procedures)+
			"\n## Audit - Transparency Measures\n\n"+step.Bullets(a.Transparency), "\n")
}
