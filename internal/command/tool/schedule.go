package tool

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"planexe/internal/command"
	"planexe/internal/schedule"
)

type scheduleCmd struct {
	File string `arg:"" help:"JSON file with activities and dependencies; - reads standard input."`
	JSON bool   `name:"json" help:"Print as JSON."`
}

// Help shows what the file looks like.
func (scheduleCmd) Help() string {
	return `The file: {"activities": [{"id": "A", "duration": 3}, {"id": "B", "duration": 2}], "dependencies": [{"from": "A", "to": "B", "type": "FS", "lag": 1}]}

A dependency has type FS, SS, FF or SF (without one, FS) and a lag that may be negative (without one, 0). Durations and lags have any one unit; a duration of 0 is a milestone.`
}

// scheduleAnswer is what the command prints as JSON.
type scheduleAnswer struct {
	Duration     float64         `json:"duration"`
	CriticalPath []string        `json:"critical_path"`
	Activities   []activityTimes `json:"activities"`
}

type activityTimes struct {
	ID string `json:"id"`
	schedule.Times
}

// Run solves a network of activities by the critical-path method.
func (c *scheduleCmd) Run(s command.Streams) error {
	name, in := c.File, s.In
	if name == "-" {
		name = "standard input"
	} else {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	n, err := readNetwork(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	solution, err := schedule.Solve(n)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	answer := scheduleAnswer{solution.Duration, solution.CriticalPath, []activityTimes{}}
	for i, t := range solution.Times {
		answer.Activities = append(answer.Activities, activityTimes{n.Activities[i].ID, t})
	}
	if c.JSON {
		return json.NewEncoder(s.Out).Encode(answer)
	}
	fmt.Fprintf(s.Out, "Duration %v, critical path %s\n\n", answer.Duration, strings.Join(answer.CriticalPath, " > "))
	t := tabwriter.NewWriter(s.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ACTIVITY\tEARLY START\tEARLY FINISH\tLATE START\tLATE FINISH\tTOTAL FLOAT\tFREE FLOAT\tCRITICAL")
	for _, a := range answer.Activities {
		critical := ""
		if a.Critical {
			critical = "critical"
		}
		fmt.Fprintf(t, "%s\t%v\t%v\t%v\t%v\t%v\t%v\t%s\n", a.ID, a.EarlyStart, a.EarlyFinish, a.LateStart, a.LateFinish, a.TotalFloat, a.FreeFloat, critical)
	}
	return t.Flush()
}

// readNetwork reads the one JSON object there must be, without fields that mean nothing here.
func readNetwork(r io.Reader) (n schedule.Network, err error) {
	var file struct {
		Activities *[]struct {
			ID       string   `json:"id"`
			Duration *float64 `json:"duration"`
		} `json:"activities"`
		Dependencies []schedule.Link `json:"dependencies"`
	}
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var wrong *json.UnmarshalTypeError
	switch err := dec.Decode(&file); {
	case err == io.EOF:
		return n, errors.New("there is nothing in it: want a network of activities as JSON (planexe schedule --help shows one)")
	case errors.As(err, &wrong): // its own text tells of Go's types
		return n, fmt.Errorf("no network of activities: %s is of the wrong type: %s (byte %d)", cmp.Or(wrong.Field, "the whole"), wrong.Value, wrong.Offset)
	case err != nil:
		return n, fmt.Errorf("no network of activities in JSON: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return n, fmt.Errorf("there is more behind the network of activities (byte %d)", dec.InputOffset())
	}
	if file.Activities == nil {
		return n, fmt.Errorf("there are no \"activities\"")
	}
	for i, a := range *file.Activities {
		switch {
		case a.ID == "":
			return n, fmt.Errorf("activity %d has no id", i+1)
		case a.Duration == nil:
			return n, fmt.Errorf("activity %q has no duration", a.ID)
		}
		n.Activities = append(n.Activities, schedule.Activity{ID: a.ID, Duration: *a.Duration})
	}
	for i, l := range file.Dependencies {
		if l.From == "" || l.To == "" {
			return n, fmt.Errorf("dependency %d names no \"from\" or no \"to\"", i+1)
		}
	}
	n.Links = file.Dependencies
	return n, nil
}
