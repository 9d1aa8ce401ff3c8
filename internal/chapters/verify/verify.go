// Package verify is the chapter that looks the finished documents over: no model is asked.
package verify

import (
	"context"
	"errors"
	"io/fs"

	"planexe/internal/check"
	"planexe/internal/plan"
	"planexe/internal/step"
)

// Chapter lists the steps.
var Chapter = step.Chapter{Name: "verify", Steps: []step.Step{Checks}}

// Checks compares the documents with the request, the schedule and each other. It waits for all of
// them and takes those that are there.
var Checks = step.Func{
	Name:    "checks",
	About:   "What can be found wrong without a model",
	UsesRaw: check.Sources(),
	Writes:  step.Docs(plan.Checks, plan.ChecksPage),
	Run: func(_ context.Context, w *step.Work) error {
		var broken error
		found := check.Run(func(name string) ([]byte, error) {
			data, err := w.Work.Read(name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) && broken == nil {
				broken = err
			}
			return data, err
		})
		if broken != nil {
			return broken
		}
		if err := w.WriteJSON(plan.Checks, found); err != nil {
			return err
		}
		return w.WritePage(plan.ChecksPage, check.Markdown(found))
	},
}
