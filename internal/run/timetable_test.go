package run_test

import (
	"slices"
	"strings"
	"testing"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/plan"
	"planexe/internal/run"
)

// Ensure that a run keeps how its schedule is made, that a change makes the schedule anew and nothing that does
// not read it, and that saying again what holds already changes nothing.
func TestTimetable(t *testing.T) {
	t.Parallel()
	r := begin(t)
	yes, no := true, false
	for _, c := range []struct {
		name   string
		change func(*run.Spec)
		mode   string
		anew   bool
	}{
		{"from the start", func(s *run.Spec) { s.Waterfall = &yes }, "waterfall", true},
		{"resumed", nil, "waterfall", false},
		{"said again", func(s *run.Spec) { s.Waterfall = &yes }, "waterfall", false},
		{"other days", func(s *run.Spec) { s.WorkingDays = &yes }, "waterfall", true},
		{"back", func(s *run.Spec) { s.Waterfall, s.WorkingDays = &no, &no }, "dependencies", true},
		{"resumed again", nil, "dependencies", false},
	} {
		if end := r.execute(t.Context(), c.change); end.Outcome != event.Complete {
			t.Fatalf("%s: %s %+v", c.name, end.Outcome, end.Reason)
		}
		data, err := r.dir.Read(plan.Schedule.Name)
		if err != nil || !strings.Contains(string(data), `"mode": "`+c.mode+`"`) {
			t.Errorf("%s: not made as %s: %v", c.name, c.mode, err)
		}
		i := slices.IndexFunc(r.state.Steps, func(s *run.StepState) bool { return s.Name == "create_schedule" })
		if made := r.state.Steps[i].Status == run.Done; made != c.anew {
			t.Errorf("%s: made anew is %v, want %v", c.name, made, c.anew)
		}
	}
	if err := r.dir.Write(plan.ScheduleOptions.Name, []byte("[")); err != nil {
		t.Fatal(err)
	}
	_, err := run.Execute(t.Context(), "run-1", r.dir, run.Spec{Graph: r.graph, Hub: llm.NewHub(), Models: []*llm.Entry{{ID: "stub", Provider: r.model}}})
	if err == nil || !strings.Contains(err.Error(), plan.ScheduleOptions.Name) {
		t.Errorf("options that cannot be read are taken: %v", err)
	}
}
