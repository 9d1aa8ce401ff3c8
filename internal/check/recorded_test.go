package check

import (
	"os"
	"path/filepath"
	"testing"

	"planexe/internal/plan"
)

// judged says of every finding in the recorded runs whether a reader of the document agrees. A new
// one has to be read and judged.
var judged = map[string]bool{
	"forbidden-word 024-2-review_plan.md Review 4: Showstopper Risks":                                            true,
	"forbidden-word 027-2-questions_and_answers.md Question Answer Pair 10":                                      true,
	"forbidden-word 004-2-pre_project_assessment.json Establish Data Encryption and Access Controls":             true,
	"deadline 026-3-schedule_gantt_machai.csv ":                                                                  true,
	"timeline 005-2-project_plan.md SMART Criteria":                                                              true,
	"timeline 025-2-executive_summary.md Purpose and Goals":                                                      true,
	"timeline 025-2-executive_summary.md Timeline and Budget":                                                    true,
	"role 028-2-premortem.md The Multiplayer Mirage":                                                             true,
	"role 028-2-premortem.md The Sonic Void":                                                                     true,
	"role 028-2-premortem.md The Engine Room Inferno":                                                            true,
	"role 028-2-premortem.md The Marketing Misfire":                                                              true,
	"role 028-2-premortem.md The Ghost in the Machine: A Data Desert":                                            true,
	"role 028-2-premortem.md The Silent Treatment: A Community Rejection":                                        true,
	"placeholder 017-15-documents_to_create_and_find.md Create Document 4: Initial High-Level Schedule/Timeline": false, // of an example
	"placeholder 020-3-pitch.md Call to Action":                                                                  true,
	"empty 005-2-project_plan.md Permits and Licenses":                                                           true,
	"repeat 007-8-related_resources.md Actionable Steps":                                                         true,
	"repeat 013-team.md 3. Open World Director":                                                                  true,
	"repeat 028-2-premortem.md Failure Story":                                                                    true,
	"repeat 028-2-premortem.md Response Playbook":                                                                true,
	"repeat 029-2-self_audit.md 14. Legal Minefield":                                                             true,
	"repeat 029-2-self_audit.md 16. Infeasible Constraints":                                                      true,
}

// Ensure that plans written by a real model are judged without noise. The runs hold no key facts;
// those given here are what their requests state.
func TestRecorded(t *testing.T) {
	t.Parallel()
	prompts, err := filepath.Glob("../../../shared/recorded-runs/*/" + plan.Prompt.Name)
	if err != nil {
		t.Fatal(err)
	}
	if len(prompts) == 0 {
		t.Skip("the recorded runs are not beside the repository")
	}
	facts := map[string]string{
		"20250329_gta_game": `{"language":"en","forbids":["Don't go for the most aggressive scenario","Banned words: blockchain, DAO, crowdfunding"]}`,
		"20260311_parasomnia_research_unit": `{"language":"en","budget":"€3.8 million over 3 years","currency":"EUR","deadline":"36 months",
			"forbids":["AI","blockchain","app","VR","AR","gamification","wearable startup","consumer product","DAO","NFT","metaverse","smart home","autonomous diagnosis","digital therapeutic","SaaS","marketplace"]}`,
	}
	for _, prompt := range prompts {
		dir := filepath.Dir(prompt)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			got := Run(func(name string) ([]byte, error) {
				if name == plan.KeyFacts.Name {
					return []byte(facts[filepath.Base(dir)]), nil
				}
				return os.ReadFile(filepath.Join(dir, name))
			})
			looked, wrong := 0, 0
			for _, f := range got.Findings {
				t.Logf("%s %s | %s | %s | %s | %s", f.Severity, f.Check, f.File, f.Section, f.What, f.Quote)
				agreed, read := judged[f.Check+" "+f.File+" "+f.Section]
				if !read {
					t.Errorf("nobody has judged this finding: %+v", f)
				}
				if !agreed {
					wrong++
				}
			}
			for _, c := range got.Checks {
				t.Logf("%s: looked at %d %s, %d findings left out", c.ID, c.Looked, c.Unit, c.Dropped)
				if c.ID == "placeholder" || c.ID == "empty" { // all paragraphs, all sections
					looked += c.Looked
				}
			}
			t.Logf("%d findings in %d paragraphs and sections, %d false alarms", len(got.Findings), looked, wrong)
			if len(got.Findings) == 0 || wrong*100 > looked || wrong*10 > len(got.Findings) {
				t.Errorf("%d of %d findings are false alarms", wrong, len(got.Findings))
			}
		})
	}
}
