// Package tool is the commands for plans: making them, going on with them, looking into them.
package tool

// Commands are the commands for plans, for programs that have them.
type Commands struct {
	Plan          planCmd     `cmd:"" help:"Make a plan from a prompt, or go on with one."`
	Demo          demoCmd     `cmd:"" help:"Show how a plan is made: replays the sample plan, offline."`
	Record        recordCmd   `cmd:"" help:"Keep the answers of a run in a file, for plan --replay."`
	Status        statusCmd   `cmd:"" help:"Say what of a run is done, what is not, and why."`
	Report        reportCmd   `cmd:"" help:"Render a run's report again."`
	Step          stepCmd     `cmd:"" help:"Run one step of a run alone."`
	Steps         stepsCmd    `cmd:"" help:"List the steps of a plan."`
	Graph         graphCmd    `cmd:"" help:"Print how the steps depend on each other, or how fast a plan can be."`
	Schedule      scheduleCmd `cmd:"" help:"Solve a network of activities: dates, floats, critical path."`
	LLM           llmCmd      `cmd:"" name:"llm" help:"List or test the configured models."`
	FictionWriter fictionCmd  `cmd:"" help:"Have a model write about a book: tries configuration, model and structured answers."`
}
