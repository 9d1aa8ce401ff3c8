// Package pitch is the chapter that wins others for the plan.
package pitch

import (
	"context"
	"embed"
	"regexp"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "pitch", Prompts: prompts, Steps: []step.Step{
	Create,
	Page,
}}

// Create asks for the pitch and what belongs to it.
var Create = step.Ask[plan.PitchText]{
	Name:  "create_pitch",
	About: "What to say to win others for the plan",
	Needs: step.Docs(plan.Prompt, plan.Decisions, plan.Scenarios, plan.ProjectPlan, plan.PurposePage),
	Uses:  step.Docs(plan.RelatedResources),
	Data:  step.Docs(plan.WBS12),
	Vars: func(w *step.Work) (any, error) {
		tree, err := step.Read(w, plan.WBS12)
		return map[string]string{"Outline": tree.Outline(nil)}, err
	},
	Raw: plan.PitchRaw,
}

// Page makes the page. The texts have fixed headings, so no model is asked to lay them out.
var Page = step.Func{
	Name:   "convert_pitch_to_markdown",
	About:  "The page of the pitch",
	Data:   step.Docs(plan.PitchRaw, plan.WBS12),
	Writes: step.Docs(plan.PitchPageRaw, plan.Pitch),
	Run: func(_ context.Context, w *step.Work) error {
		text, err := step.Read(w, plan.PitchRaw)
		if err != nil {
			return err
		}
		tree, err := step.Read(w, plan.WBS12)
		if err != nil {
			return err
		}
		var raw struct {
			Content  string   `json:"response_content"`
			Markdown string   `json:"markdown"`
			Metadata struct{} `json:"metadata"` // no model wrote it
		}
		raw.Markdown = page(tree.Project.Title, text)
		raw.Content = raw.Markdown
		if err := w.WriteJSON(plan.PitchPageRaw, raw); err != nil {
			return err
		}
		return w.WritePage(plan.Pitch, raw.Markdown)
	},
}

// page leaves out headings whose text is empty.
func page(title string, t plan.PitchText) string {
	parts := []string{"# " + strings.Join(strings.Fields(title), " ")}
	for _, s := range []struct{ heading, text string }{
		{"Project Overview", t.Pitch},
		{"Target Audience", t.Audience},
		{"Risks and Mitigation Strategies", t.Risks},
		{"Metrics for Success", t.Metrics},
		{"Stakeholder Benefits", t.Benefits},
		{"Ethical Considerations", t.Ethics},
		{"Collaboration Opportunities", t.Collaboration},
		{"Long-term Vision", t.Vision},
		{"Call to Action", t.Call},
		{"Why This Pitch Works", t.Why},
	} {
		if text := block(s.text); text != "" {
			parts = append(parts, "## "+s.heading+"\n"+text)
		}
	}
	return strings.Join(parts, "\n\n")
}

var (
	headingMark = regexp.MustCompile(`^#+\s*`)
	bulletMark  = regexp.MustCompile(`^[-*•–]\s+`)
)

// block makes paragraphs and lists of a text, each with an empty line before it. Headings become
// plain text, so that they do not break up the page.
func block(text string) string {
	var b strings.Builder
	listed := false
	for line := range strings.Lines(text) {
		line = headingMark.ReplaceAllString(strings.TrimSpace(line), "")
		if line == "" {
			continue
		}
		bullet := bulletMark.FindString(line)
		if bullet != "" {
			line = "- " + line[len(bullet):]
		}
		switch {
		case b.Len() == 0 && bullet != "":
			b.WriteString("\n")
		case listed && bullet != "":
			b.WriteString("\n")
		case b.Len() > 0:
			b.WriteString("\n\n")
		}
		b.WriteString(line)
		listed = bullet != ""
	}
	return b.String()
}
