package main

import (
	"fmt"

	"planexe/internal/run"
	"planexe/internal/rundir"
)

type stepCmd struct {
	Name   string `arg:"" help:"Name of a step, see \"planexe steps\"."`
	RunDir string `required:"" help:"Directory of the run." placeholder:"DIR"`
	Model  string `help:"Id of an entry in llm_config.json, or auto." placeholder:"ID"`
}

// Run asks one step of a run anew, with what stands in its directory.
func (c *stepCmd) Run(s streams) error {
	if !rundir.IsRun(c.RunDir) {
		return usageError("%s is not the directory of a run", c.RunDir)
	}
	p := planCmd{RunDir: c.RunDir, Only: c.Name, Model: c.Model}
	if _, err := run.NewGraph(versionName()); err != nil {
		return fmt.Errorf("build the graph: %w", err)
	}
	return p.Run(s)
}
