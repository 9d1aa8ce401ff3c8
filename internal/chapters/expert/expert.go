// Package expert is the chapter in which invented specialists look at the plan from outside.
package expert

import (
	"embed"

	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "expert", Prompts: prompts, Steps: []step.Step{
	PreProjectAssessment,
	Review,
}}
