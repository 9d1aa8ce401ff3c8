package facts

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

const request = "Plan:\nOpen a small bakery in Lyon\nwith a budget of 300,000 EUR. No  debt.\n\nToday's date:\n2026-Nov-25\n\nProject start ASAP"

// Ensure that only what stands in the request becomes a fact, whatever a model claims.
func TestStated(t *testing.T) {
	t.Parallel()
	budget, made, code := "300,000 eur", "by Christmas", "eur"
	f := facts{
		Language: "en", Scale: plan.Medium, Budget: &budget, Deadline: &made, Currency: &code,
		Places: []string{"Lyon", "Paris"}, Demands: []string{"small bakery in Lyon with a budget"}, Forbids: []string{"No debt", ""},
	}
	want := plan.Facts{
		Language: "en", Scale: plan.Medium, Budget: "300,000 eur", Currency: "EUR", Places: []string{"Lyon"}, People: []string{},
		Demands: []string{"small bakery in Lyon with a budget"}, Forbids: []string{"No debt"},
	}
	if diff := cmp.Diff(want, f.stated(request)); diff != "" {
		t.Error(diff)
	}
	if got := len(f.check(request)); got != 3 { // the deadline, Paris, the empty one
		t.Errorf("%d problems, want 3: %v", got, f.check(request))
	}
}

// Ensure that an honest answer is taken as it is, without a second question.
func TestKeyFacts(t *testing.T) {
	t.Parallel()
	r := chaptertest.Case{
		Chapters: []step.Chapter{Chapter},
		Given:    map[plan.Artifact]string{plan.Prompt: request},
		Answer: func(llm.Request, int) any {
			budget := "300,000 EUR"
			return facts{Language: "en", Scale: plan.Small, Budget: &budget, Places: []string{"Lyon"}, People: []string{}, Demands: []string{}, Forbids: []string{}}
		},
	}.Run(t)
	r.MustDo(t)
	if len(r.Notes) != 0 || len(r.Asked["key_facts"]) != 1 {
		t.Errorf("asked %d times, notes: %v", len(r.Asked["key_facts"]), r.Notes)
	}
}
