package verify

import (
	"encoding/json"
	"strings"
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Ensure that the step takes the documents that are there, asks nobody, and tells what it found.
func TestChecks(t *testing.T) {
	t.Parallel()
	given := map[plan.Artifact]string{}
	for _, a := range Checks.UsesRaw {
		given[a] = "{}"
	}
	given[plan.Prompt] = "Plan:\nOpen a bakery\n\nToday's date:\n2026-Jan-03"
	given[plan.KeyFacts] = `{"language":"en","forbids":["Banned words: blockchain"]}`
	given[plan.Pitch] = "## Technology\n\nA blockchain keeps the books until [date]."
	r := chaptertest.Case{Chapters: []step.Chapter{Chapter}, Given: given}.Run(t)
	r.MustDo(t)
	var got plan.Findings
	if err := json.Unmarshal(r.Read(t, plan.Checks), &got); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range got.Findings {
		said = append(said, string(f.Severity)+" "+f.Check+" "+f.File+" "+f.Section)
	}
	if want := "error forbidden-word 020-3-pitch.md Technology; warning placeholder 020-3-pitch.md Technology"; strings.Join(said, "; ") != want {
		t.Errorf("found %q, want %q", said, want)
	}
	if page := string(r.Read(t, plan.ChecksPage)); !strings.Contains(page, "| error | Pitch: Technology | The request bans the word “blockchain”.") {
		t.Errorf("the page is\n%s", page)
	}
	if len(r.Asked) > 0 {
		t.Errorf("asked %v", r.Asked)
	}
}
