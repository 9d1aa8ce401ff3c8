package document

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

// Identify lists the documents to write, and the sources to write them from.
var Identify = step.Func{
	Name:    "identify_documents",
	About:   "The documents to write and the sources to obtain before details can be planned",
	Prompts: []string{"identify_documents"},
	Needs:   base(),
	Uses:    step.Docs(plan.RelatedResources, plan.SWOT, plan.Team, plan.ExpertCriticism),
	Data:    step.Docs(plan.PurposeRaw),
	Writes:  step.Docs(plan.DocumentsRaw, plan.Documents, plan.DocumentsToFind, plan.DocumentsToCreate),
	Calls:   step.Once,
	Run:     identify,
}

type identified struct {
	Create []toCreate `json:"documents_to_create"`
	Find   []toFind   `json:"documents_to_find"`
	// Models leave these out when they have nothing to add.
	CreateMore *[]toCreate `json:"documents_to_create_part2"`
	FindMore   *[]toFind   `json:"documents_to_find_part2"`
}

type toCreate struct {
	Name              string   `json:"document_name"`
	Description       string   `json:"description"`
	Role              string   `json:"responsible_role_type"`
	TemplatePrimary   *string  `json:"document_template_primary"`
	TemplateSecondary *string  `json:"document_template_secondary"`
	Steps             []string `json:"steps_to_create" count:"1-8"`
	Approval          *string  `json:"approval_authorities"`
}

type toFind struct {
	Name         string   `json:"document_name"`
	Description  string   `json:"description"`
	Recency      string   `json:"recency_requirement"`
	Role         string   `json:"responsible_role_type"`
	Steps        []string `json:"steps_to_find" count:"1-8"`
	Access       string   `json:"access_difficulty" enum:"Easy,Medium,Hard"`
	AccessReason string   `json:"access_reason"` // ours; files have it behind the level
}

func identify(ctx context.Context, w *step.Work) error {
	p, err := purpose(w)
	if err != nil {
		return err
	}
	counts, err := w.Counts()
	if err != nil {
		return err
	}
	got, err := step.Question[identified]{
		Prompt: "identify_documents", Vars: map[string]any{"Purpose": p},
		Sizes: map[string]plan.Range{"documents_to_create": counts.ToCreate, "documents_to_find": counts.ToFind},
	}.Ask(ctx, w)
	if err != nil {
		return err
	}
	var raw struct {
		Create     []plan.DocumentToCreate `json:"documents_to_create"`
		Find       []plan.DocumentToFind   `json:"documents_to_find"`
		CreateMore []plan.DocumentToCreate `json:"documents_to_create_part2"`
		FindMore   []plan.DocumentToFind   `json:"documents_to_find_part2"`
	}
	a := got.Value
	raw.Create, raw.CreateMore = each(a.Create, toCreate.document), each(deref(a.CreateMore), toCreate.document)
	raw.Find, raw.FindMore = each(a.Find, toFind.document), each(deref(a.FindMore), toFind.document)
	if err := w.WriteRaw(plan.DocumentsRaw, raw, got.Source); err != nil {
		return err
	}
	create := distinct(slices.Concat(raw.Create, raw.CreateMore), headOfCreate, counts.ToCreate.Max)
	find := distinct(slices.Concat(raw.Find, raw.FindMore), headOfFind, counts.ToFind.Max)
	for i := range create {
		create[i].ID = w.ID(i + 1)
	}
	for i := range find {
		find[i].ID = w.ID(len(create) + i + 1)
	}
	if err := w.WriteJSON(plan.DocumentsToFind, find); err != nil {
		return err
	}
	if err := w.WriteJSON(plan.DocumentsToCreate, create); err != nil {
		return err
	}
	return w.WritePage(plan.Documents, identifiedPage(create, find))
}

func (d toCreate) document() plan.DocumentToCreate {
	return plan.DocumentToCreate{
		Document: plan.Document{Name: step.Line(d.Name), Description: d.Description}, Role: d.Role,
		TemplatePrimary: d.TemplatePrimary, TemplateSecondary: d.TemplateSecondary, Steps: d.Steps, Approval: d.Approval,
	}
}

func (d toFind) document() plan.DocumentToFind {
	return plan.DocumentToFind{
		Document: plan.Document{Name: step.Line(d.Name), Description: d.Description}, Recency: &d.Recency, Role: d.Role,
		Steps: d.Steps, Access: d.Access + ": " + d.AccessReason,
	}
}

// each converts a list; an empty one stays a list in JSON.
func each[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, item := range list {
		out[i] = f(item)
	}
	return out
}

// distinct drops documents whose name stood before, and what is more than the most.
func distinct[T any](list []T, head func(*T) *plan.Document, most int) []T {
	seen := map[string]bool{}
	list = slices.DeleteFunc(list, func(d T) bool {
		name := strings.ToLower(head(&d).Name)
		twice := seen[name]
		seen[name] = true
		return twice
	})
	return list[:min(most, len(list))]
}

func identifiedPage(create []plan.DocumentToCreate, find []plan.DocumentToFind) string {
	var b strings.Builder
	item := func(i int, d plan.Document) {
		fmt.Fprintf(&b, "\n### %d. %s\n", i+1, step.Line(d.Name))
		part(&b, "ID", d.ID)
		part(&b, "Description", d.Description)
	}
	b.WriteString("\n## Documents to Create\n")
	for i, d := range create {
		item(i, d.Document)
		part(&b, "Responsible Role Type", d.Role)
		part(&b, "Primary Template", deref(d.TemplatePrimary))
		part(&b, "Secondary Template", deref(d.TemplateSecondary))
		steps(&b, d.Steps)
		part(&b, "Approval Authorities", deref(d.Approval))
	}
	none(&b, len(create))
	b.WriteString("\n## Documents to Find\n")
	for i, d := range find {
		item(i, d.Document)
		part(&b, "Recency Requirement", deref(d.Recency))
		part(&b, "Responsible Role Type", d.Role)
		part(&b, "Access Difficulty", d.Access)
		steps(&b, d.Steps)
	}
	none(&b, len(find))
	return strings.TrimSuffix(b.String(), "\n")
}

func part(b *strings.Builder, label, text string) {
	if text = step.Line(text); text != "" {
		fmt.Fprintf(b, "\n**%s:** %s\n", label, text)
	}
}

func steps(b *strings.Builder, list []string) {
	if len(list) == 0 {
		list = []string{"*No steps are known.*"}
	}
	b.WriteString("\n**Steps:**\n\n" + step.Bullets(list))
}

func none(b *strings.Builder, n int) {
	if n == 0 {
		b.WriteString("\n*None.*\n")
	}
}

// deref returns what p points to, and nothing for nil.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
