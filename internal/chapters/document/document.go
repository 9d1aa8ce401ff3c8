// Package document is the chapter that lists the documents a plan needs before its details can be
// planned: those to write and those to obtain. It keeps the few that matter and says of each what
// it must hold.
package document

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"planexe/internal/plan"
	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "document", Prompts: prompts, Steps: []step.Step{
	Identify,
	FilterToFind,
	FilterToCreate,
	DraftToFind,
	DraftToCreate,
	Page,
}}

// base are the documents that begin every question of the chapter.
func base() []plan.Artifact {
	return step.Docs(plan.Prompt, plan.Decisions, plan.Scenarios, plan.AssumptionsShort, plan.ProjectPlan)
}

// purpose returns whom the plan serves: the prompts have a variant for each value.
func purpose(w *step.Work) (string, error) {
	p, err := step.Read(w, plan.PurposeRaw)
	if err != nil {
		return "", err
	}
	known := []string{"business", "personal", "other"}
	if !slices.Contains(known, p.Purpose) {
		return "", fmt.Errorf("%s: purpose is %q: make it one of %s, or run its step again", plan.PurposeRaw.Name, p.Purpose, strings.Join(known, ", "))
	}
	return p.Purpose, nil
}

// read returns a list of documents. The file may have been edited by hand, so what the prompts and
// pages rely on is checked.
func read[T any](w *step.Work, a plan.JSON[[]T], head func(*T) *plan.Document) ([]T, error) {
	list, err := step.Read(w, a)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if d := head(&list[i]); step.Line(d.Name) == "" || step.Line(d.Description) == "" {
			return nil, fmt.Errorf("%s: document %d lacks document_name or description: correct the file or run its step again", a.Name, i+1)
		}
	}
	return list, nil
}

func headOfFind(d *plan.DocumentToFind) *plan.Document     { return &d.Document }
func headOfCreate(d *plan.DocumentToCreate) *plan.Document { return &d.Document }
