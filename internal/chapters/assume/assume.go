// Package assume is the chapter that turns a request into ground to plan on: what it is for,
// where it happens, in what money, what can go wrong, and what has to be assumed.
package assume

import (
	"embed"

	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "assume", Prompts: prompts, Steps: append([]step.Step{
	Purpose,
	PlanType,
	Locations,
	Currency,
	Risks,
	MakeAssumptions,
	DistillAssumptions,
	ReviewAssumptions,
	Consolidate,
}, shortenings()...)}
