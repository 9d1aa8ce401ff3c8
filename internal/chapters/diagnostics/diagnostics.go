// Package diagnostics is the chapter that looks at the request itself before anything is built on
// it: whether it may be planned at all, and whether its premise holds.
package diagnostics

import (
	"embed"

	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "diagnostics", Prompts: prompts, Steps: []step.Step{
	RedlineGate,
	PremiseAttack,
}}
