// Package project is the chapter of the central document: the project plan.
package project

import (
	"embed"

	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "project", Prompts: prompts, Steps: []step.Step{
	ProjectPlan,
	RelatedResources,
	DataCollection,
}}
