package chaptertest_test

import (
	"testing"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/llm/demo"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/step"
)

// TestAllChapters has the demo model answer every question of the plan. Case.Run looks at each: a
// field without a description, a document shown twice or a UUID fails the test, in whatever
// chapter it is.
func TestAllChapters(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]string{
		"business": "Open a bakery with two ovens in Lyon for 300,000 EUR. It has to earn its rent within nine months.",
		"personal": "I want to learn to swim this summer. I am afraid of water and have two free evenings a week.",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := chaptertest.Case{
				Chapters: run.Chapters(), Model: demo.New(0, 1), Env: step.Env{Demo: true},
				Given: map[plan.Artifact]string{
					plan.StartTime: `{"server_iso_utc":"2026-01-03T09:00:00Z","server_iso_local":"2026-01-03T10:00:00+01:00","server_timezone_name":"Europe/Paris"}`,
					plan.Prompt:    "Plan:\n" + request + "\n\nToday's date:\n2026-Jan-03\n\nProject start ASAP",
				},
			}.Run(t)
			r.MustDo(t)
		})
	}
}
