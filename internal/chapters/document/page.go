package document

import (
	"context"
	"fmt"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// Page shows the documents of both lists with all that is known of them.
var Page = step.Func{
	Name:   "markdown_with_documents_to_create_and_find",
	About:  "The documents on one page",
	Data:   step.Docs(plan.DraftCreate, plan.DraftFind),
	Writes: step.Docs(plan.DocumentsPage),
	Run: func(_ context.Context, w *step.Work) error {
		create, err := read(w, plan.DraftCreate, headOfCreate)
		if err != nil {
			return err
		}
		find, err := read(w, plan.DraftFind, headOfFind)
		if err != nil {
			return err
		}
		return w.WritePage(plan.DocumentsPage, documentsPage(create, find))
	},
}

// documentsPage keeps the label of a value that is missing, but leaves out the draft of a document
// that has none: the fast mode drafts only some.
func documentsPage(create []plan.DocumentToCreate, find []plan.DocumentToFind) string {
	var b strings.Builder
	item := func(verb string, i int, d plan.Document) {
		fmt.Fprintf(&b, "\n\n## %s Document %d: %s", verb, i+1, step.Line(d.Name))
		line(&b, "ID", d.ID)
		line(&b, "Description", d.Description)
	}
	b.WriteString("# Documents to Create")
	for i, d := range create {
		item("Create", i, d.Document)
		line(&b, "Responsible Role Type", d.Role)
		line(&b, "Primary Template", deref(d.TemplatePrimary))
		line(&b, "Secondary Template", deref(d.TemplateSecondary))
		bullets(&b, "Steps to Create", d.Steps)
		line(&b, "Approval Authorities", deref(d.Approval))
		drafted(&b, d.Draft)
	}
	b.WriteString("\n\n\n# Documents to Find")
	for i, d := range find {
		item("Find", i, d.Document)
		line(&b, "Recency Requirement", deref(d.Recency))
		line(&b, "Responsible Role Type", d.Role)
		bullets(&b, "Steps to Find", d.Steps)
		line(&b, "Access Difficulty", d.Access)
		drafted(&b, d.Draft)
	}
	return b.String()
}

func drafted(b *strings.Builder, d *plan.Draft) {
	if d == nil {
		return
	}
	bullets(b, "Essential Information", d.Essential)
	bullets(b, "Risks of Poor Quality", d.Risks)
	line(b, "Worst Case Scenario", d.Worst)
	line(b, "Best Case Scenario", d.Best)
	bullets(b, "Fallback Alternative Approaches", d.Fallbacks)
}

// line and bullets begin a part of the page; none ends with a line break.
func line(b *strings.Builder, label, text string) {
	b.WriteString(strings.TrimRight("\n\n**"+label+"**: "+step.Line(text), " "))
}

func bullets(b *strings.Builder, label string, items []string) {
	b.WriteString(strings.TrimRight("\n\n**"+label+"**:\n\n"+step.Bullets(items), "\n"))
}
