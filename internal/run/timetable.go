package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"planexe/internal/event"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
)

// retime writes how the schedule is to be made, when that is not what the run has already. The options
// are a file that the schedule reads: so the run keeps them, and a change makes the schedule anew.
func retime(store Store, records *pipeline.Records, s Spec) error {
	var has plan.Timetable
	data, err := store.Read(plan.ScheduleOptions.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return &pipeline.StoreError{Doing: "read " + plan.ScheduleOptions.Name, Err: err}
	default:
		if err := json.Unmarshal(data, &has); err != nil {
			return fmt.Errorf("%s: %w: correct or remove it", plan.ScheduleOptions.Name, err)
		}
	}
	want := has
	if s.Waterfall != nil {
		want.Waterfall = *s.Waterfall
	}
	if s.WorkingDays != nil {
		want.WorkingDays = *s.WorkingDays
	}
	if want == has {
		return nil
	}
	if data, err = json.MarshalIndent(want, "", "  "); err != nil {
		return err
	}
	if err := store.Write(plan.ScheduleOptions.Name, data); err != nil {
		return &pipeline.StoreError{Doing: "write " + plan.ScheduleOptions.Name, Err: err}
	}
	// Also where the step has no record of reading the file, as in a run of another program.
	producer := s.Graph.Producer(plan.Schedule.Name)
	if producer == "" {
		return nil
	}
	asked := event.RerunAsked{Steps: []string{producer}}
	if err := store.Append(asked); err != nil {
		return &pipeline.StoreError{Doing: "write the event log", Err: err}
	}
	records.Apply(event.Event{Data: asked})
	return nil
}
