// Package swot is the chapter that weighs what speaks for the plan and against it.
package swot

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "swot", Prompts: prompts, Steps: []step.Step{
	Analysis,
}}

// Analysis asks for strengths, weaknesses, opportunities and threats, and what follows from them.
// A business, a private matter and a work of art or study are looked at with different eyes, so
// that the prompt goes by the plan's purpose.
var Analysis = step.Func{
	Name:    "swot_analysis",
	About:   "What speaks for the plan and against it, and what follows",
	Prompts: []string{"swot_analysis"},
	Needs:   step.Docs(plan.Prompt, plan.Decisions, plan.Scenarios, plan.AssumptionsShort, plan.Assessment, plan.ProjectPlan, plan.PurposePage),
	Uses:    step.Docs(plan.RelatedResources),
	Data:    step.Docs(plan.PurposeRaw),
	Writes:  step.Docs(plan.SWOTRaw, plan.SWOT),
	Calls:   step.Once,
	Run:     analyse,
}

type swot struct {
	Strengths       []string `json:"strengths"`
	Weaknesses      []string `json:"weaknesses"`
	Opportunities   []string `json:"opportunities"`
	Threats         []string `json:"threats"`
	Recommendations []string `json:"recommendations"`
	Objectives      []string `json:"strategic_objectives"`
	Assumptions     []string `json:"assumptions"`
	Missing         []string `json:"missing_information"`
	Questions       []string `json:"user_questions" count:"5"`
}

func analyse(ctx context.Context, w *step.Work) error {
	purpose, err := step.Read(w, plan.PurposeRaw)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"business", "personal", "other"}, purpose.Purpose) {
		return fmt.Errorf("%s: the purpose is %q, want business, personal or other: correct the file or run its step again", plan.PurposeRaw.Name, purpose.Purpose)
	}
	counts, err := w.Counts()
	if err != nil {
		return err
	}
	sizes := map[string]plan.Range{}
	for _, list := range []string{
		"strengths", "weaknesses", "opportunities", "threats", "recommendations", "strategic_objectives", "assumptions", "missing_information",
	} {
		sizes[list] = counts.SWOT
	}
	got, err := step.Question[swot]{Prompt: "swot_analysis", Vars: purpose, Sizes: sizes}.Ask(ctx, w)
	if err != nil {
		return err
	}
	whole, err := w.Text(plan.PurposeRaw)
	if err != nil {
		return err
	}
	raw := struct {
		Topic    string          `json:"topic"`
		Purpose  string          `json:"purpose"`
		Detailed string          `json:"purpose_detailed"`
		File     json.RawMessage `json:"response_purpose"`
		Conduct  struct {
			swot
			Metadata llm.Source `json:"metadata"`
		} `json:"response_conduct"`
	}{Topic: purpose.Topic, Purpose: purpose.Purpose, Detailed: purpose.Detailed, File: json.RawMessage(whole)}
	raw.Conduct.swot, raw.Conduct.Metadata = got.Value, got.Source
	if err := w.WriteRaw(plan.SWOTRaw, raw, got.Source); err != nil {
		return err
	}
	return w.WritePage(plan.SWOT, got.Value.Markdown())
}

// Markdown begins with an empty line; each list stands directly under its heading.
func (s swot) Markdown() string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		items []string
	}{
		{"Strengths", s.Strengths}, {"Weaknesses", s.Weaknesses}, {"Opportunities", s.Opportunities}, {"Threats", s.Threats},
		{"Recommendations", s.Recommendations}, {"Strategic Objectives", s.Objectives}, {"Assumptions", s.Assumptions},
		{"Missing Information", s.Missing}, {"Questions", s.Questions},
	} {
		fmt.Fprintf(&b, "\n## %s\n%s", part.title, step.Bullets(part.items))
	}
	return strings.TrimRight(b.String(), "\n")
}
