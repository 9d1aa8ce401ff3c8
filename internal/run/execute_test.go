package run_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/run"
	"planexe/internal/rundir"
)

// One whole run, stopped when everything is done, which changes nothing about that; then what can
// come after it.
func TestExecute(t *testing.T) {
	t.Parallel()
	whole := begin(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	whole.dir.Watch(func(e event.Event) {
		if d, ok := e.Data.(event.StepDone); ok && d.Step == "full_plan_pipeline" {
			cancel(run.ErrStop)
		}
	})
	if end := whole.execute(ctx, nil); end.Outcome != event.Complete || end.Reason != (event.Reason{}) || whole.has(rundir.StopName) {
		t.Fatalf("undisturbed: %s %+v", end.Outcome, end.Reason)
	}
	for name, test := range map[string]func(*testing.T, *aRun){
		"outcomes": testOutcomes, "second execution is idle": testSecondExecution, "edit by hand": testEdit,
		"mark goes when the plan is remade": testMark, "only one step": testOnly,
	} {
		t.Run(name, func(t *testing.T) { test(t, whole) })
	}
}

// Every row of the outcome table, and that a resume goes on from there to the plan that an
// undisturbed run makes.
func testOutcomes(t *testing.T, whole *aRun) {
	want, calls := whole.artifacts(), whole.state.Calls
	for name, c := range map[string]struct {
		fault   func(context.Context, int, llm.Request) (llm.Response, bool, error)
		stopAt  int   // request at which the context ends
		cause   error // of that
		change  func(*run.Spec)
		outcome event.Outcome
		exit    int
		step    string // named by the reason
		reason  string // part of its message
		report  string // part of the report; "" when there must be none
		last    float64
		resume  func(*run.Spec)
		same    bool // the resumed run is the undisturbed one
	}{
		"complete": {outcome: event.Complete, exit: 0, report: "bakery", last: 1, same: true},
		"partial": {
			fault: failing("premise_attack"), outcome: event.Partial, exit: 4, step: "premise_attack", reason: "too long",
			report: "premise_attack failed", last: 1, same: true,
		},
		"failed": {
			fault: failing("project_plan"), outcome: event.Failed, exit: 1, step: "project_plan", reason: "too long",
			report: "project_plan failed", last: 1, same: true,
		},
		"bad key": {
			fault: func(_ context.Context, n int, _ llm.Request) (llm.Response, bool, error) {
				return llm.Response{}, n > 9, &llm.Error{Class: llm.ClassAuth, Message: "the key was refused"}
			},
			outcome: event.Failed, exit: 1, reason: "the key was refused", report: "key was refused", same: true,
		},
		"refused": {
			fault: refusing, outcome: event.Refused, exit: 5, step: "redline_gate", reason: "It asks for harm.", report: "It asks for harm.",
			resume: func(s *run.Spec) { s.AllowRefuse = true },
		},
		"budget": {
			change: func(s *run.Spec) { s.MaxCost = 0.1 }, outcome: event.Budget, exit: 6, reason: "cost limit of $0.10",
			report: "cost limit", resume: func(s *run.Spec) { s.MaxCost = 50 }, same: true,
		},
		"stopped":     {stopAt: 20, cause: run.ErrStop, outcome: event.Stopped, exit: 3, reason: "stopped by the user", same: true},
		"interrupted": {stopAt: 20, outcome: event.Interrupted, exit: 143, reason: "told to end", same: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := begin(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			stopped := 0
			r.model.fault = func(ctx context.Context, n int, q llm.Request) (llm.Response, bool, error) {
				if c.stopAt > 0 && n == c.stopAt {
					cancel(c.cause)
					stopped = n
				}
				if c.fault != nil {
					return c.fault(ctx, n, q)
				}
				resp, err := r.model.demo(ctx, q)
				resp.Cost = &cent
				return resp, true, err
			}
			end := r.execute(ctx, c.change)
			if end.Outcome != c.outcome || run.ExitCode(end.Outcome) != c.exit {
				t.Errorf("outcome %s, exit %d: %+v", end.Outcome, run.ExitCode(end.Outcome), end.Reason)
			}
			if !strings.Contains(end.Reason.Message, c.reason) || c.step != "" && end.Reason.Step != c.step {
				t.Errorf("reason %+v, want %q in step %q", end.Reason, c.reason, c.step)
			}
			if c.outcome != event.Complete && end.Reason.Advice == "" {
				t.Error("the reason tells no way out")
			}
			if r.state.Outcome != end.Outcome || r.state.Reason != end.Reason {
				t.Errorf("the log tells %s %+v", r.state.Outcome, r.state.Reason)
			}
			if got := r.has(plan.Complete.Name); got != (c.outcome == event.Complete) {
				t.Errorf("completion mark: %v", got)
			}
			if got := r.has(rundir.StopName); got != (c.outcome == event.Stopped) {
				t.Errorf("stop flag: %v", got)
			}
			page, err := r.dir.Read(plan.Report.Name)
			if (err == nil) != (c.report != "") || !strings.Contains(string(page), c.report) {
				t.Errorf("report of %d bytes (%v) does not say %q", len(page), err, c.report)
			}
			if c.last > 0 && r.state.Progress() != c.last || c.last == 0 && r.state.Progress() >= 1 {
				t.Errorf("progress %v", r.state.Progress())
			}
			if c.stopAt > 0 && r.model.count() > stopped+7 { // seven may have been in flight
				t.Errorf("%d requests after the stop", r.model.count()-stopped)
			}

			if c.outcome == event.Refused { // a plain resume is no way around the gate
				if end := r.execute(t.Context(), nil); end.Outcome != event.Refused {
					t.Errorf("a resume is %s", end.Outcome)
				}
			}
			if c.fault != nil && c.outcome != event.Refused {
				r.model.fault = nil
			}
			c.stopAt = 0
			paid := r.state.Calls
			end = r.execute(t.Context(), c.resume)
			if end.Outcome != event.Complete || !r.has(plan.Complete.Name) || r.has(rundir.StopName) {
				t.Errorf("resumed: %s %+v", end.Outcome, end.Reason)
			}
			if !c.same {
				return
			}
			if got := differing(r.artifacts(), want); len(got) > 0 {
				t.Errorf("the resumed run differs from the undisturbed one in %v", got)
			}
			// Steps that had to do without a document ask again once it is there.
			again := 0
			if c.last == 1 && c.fault != nil {
				again = calls
			}
			if sum := paid + r.state.Calls; sum < calls || sum > calls+again {
				t.Errorf("%d and %d calls were answered, an undisturbed run has %d", paid, r.state.Calls, calls)
			}
		})
	}
}

var cent = 0.01

// A run that is up to date asks nothing and changes nothing; the report is made again, to the same bytes.
func testSecondExecution(t *testing.T, whole *aRun) {
	r := whole.copy(t)
	before, asked := r.artifacts(), r.model.count()
	end := r.execute(t.Context(), nil)
	if end.Outcome != event.Complete || !slices.Equal(end.Result.Done, []string{"report"}) || len(end.Result.Kept) != len(r.graph.Steps())-1 {
		t.Errorf("%s, done %v", end.Outcome, end.Result.Done)
	}
	if r.model.count() != asked {
		t.Errorf("%d requests", r.model.count()-asked)
	}
	if got := differing(r.artifacts(), before); len(got) > 0 {
		t.Errorf("changed %v", got)
	}
	if r.state.Progress() != 1 || r.state.Calls != 0 {
		t.Errorf("progress %v, %d calls", r.state.Progress(), r.state.Calls)
	}
}

// Editing a document by hand makes its readers dirty, those and no others, and it stays as it is.
func testEdit(t *testing.T, whole *aRun) {
	r := whole.copy(t)
	const mine = "## Risks\n\n- The oven may not fit through the door.\n"
	if err := r.dir.Write(plan.Risks.Name, []byte(mine)); err != nil {
		t.Fatal(err)
	}
	var readers, dirty []string
	var records pipeline.Records
	if err := r.dir.Replay(records.Apply); err != nil {
		t.Fatal(err)
	}
	for _, s := range r.graph.Steps() {
		if slices.Contains(slices.Concat(s.Needs, s.Uses), plan.Risks.Name) {
			readers = append(readers, s.Name)
		}
		st, err := r.graph.Check(s.Name, r.dir, &records, run.AllDetails, false)
		if err != nil {
			t.Fatal(err)
		}
		if !st.Clean {
			dirty = append(dirty, s.Name)
		}
		if want := s.Name == "identify_risks"; (len(st.Edited) > 0) != want {
			t.Errorf("%s: edited %v", s.Name, st.Edited)
		}
	}
	if len(readers) < 3 || !slices.Equal(dirty, readers) {
		t.Errorf("dirty are %v, readers %v", dirty, readers)
	}
	end := r.execute(t.Context(), nil)
	if end.Outcome != event.Complete {
		t.Fatalf("%s %+v", end.Outcome, end.Reason)
	}
	for _, s := range readers {
		if !slices.Contains(end.Result.Done, s) {
			t.Errorf("%s was not done again", s)
		}
	}
	behind := r.graph.Downstream("identify_risks")[1:]
	for _, s := range end.Result.Done {
		if !slices.Contains(behind, s) {
			t.Errorf("%s was done again for nothing", s)
		}
	}
	if got, err := r.dir.Read(plan.Risks.Name); err != nil || string(got) != mine {
		t.Errorf("the edit is %q now, %v", got, err)
	}
}

// While a complete plan is being remade, and when that fails, it is not marked complete.
func testMark(t *testing.T, whole *aRun) {
	r := whole.copy(t)
	if !r.has(plan.Complete.Name) {
		t.Fatal("no mark")
	}
	meanwhile := false
	fail := failing("premise_attack")
	r.model.fault = func(ctx context.Context, n int, q llm.Request) (llm.Response, bool, error) {
		meanwhile = meanwhile || r.has(plan.Complete.Name)
		return fail(ctx, n, q)
	}
	asked := r.model.count()
	end := r.execute(t.Context(), func(s *run.Spec) { s.From = "premise_attack"; s.Concurrency = 1 })
	if end.Outcome != event.Partial || meanwhile || r.has(plan.Complete.Name) {
		t.Errorf("%s, mark meanwhile %v, afterwards %v", end.Outcome, meanwhile, r.has(plan.Complete.Name))
	}
	if got := r.model.count() - asked; got == 0 {
		t.Error("a rerun that was asked for was answered from the log")
	}
	r.model.fault = nil
	if end := r.execute(t.Context(), nil); end.Outcome != event.Complete || !r.has(plan.Complete.Name) {
		t.Errorf("resumed: %s", end.Outcome)
	}
}

func testOnly(t *testing.T, whole *aRun) {
	r := whole.copy(t)
	asked := r.model.count()
	end := r.execute(t.Context(), func(s *run.Spec) { s.Only = []string{"identify_risks"} })
	if end.Outcome != event.Complete || !slices.Equal(end.Result.Done, []string{"identify_risks"}) || r.state.Progress() != 1 {
		t.Errorf("%s, done %v, progress %v", end.Outcome, end.Result.Done, r.state.Progress())
	}
	if got := r.model.asked[asked:]; len(got) != 1 || got[0] != "identify_risks" {
		t.Errorf("asked %v", got)
	}
}

// What cannot begin changes nothing.
func TestCannotBegin(t *testing.T) {
	t.Parallel()
	r := begin(t)
	bad := &llm.Error{Class: llm.ClassAuth, Message: "no key"}
	for name, c := range map[string]struct {
		change func(*run.Spec)
		is     func(error) bool
	}{
		"from a step that is none": {func(s *run.Spec) { s.From = "ghost" }, func(err error) bool {
			var e *run.UnknownStepError
			return errors.As(err, &e) && e.Name == "ghost"
		}},
		"only a step that is none": {func(s *run.Spec) { s.Only = []string{"identify_risks", "ghost"} }, func(err error) bool {
			var e *run.UnknownStepError
			return errors.As(err, &e)
		}},
		"no model": {func(s *run.Spec) { s.Models[0].Problem = bad }, func(err error) bool {
			var e *llm.NoModelError
			return errors.As(err, &e) && strings.Contains(err.Error(), "no key")
		}},
	} {
		before := r.artifacts()
		spec := run.Spec{Graph: r.graph, Hub: llm.NewHub(), Models: []*llm.Entry{{ID: "stub", Account: "stub", Provider: r.model}}}
		c.change(&spec)
		if _, err := run.Execute(t.Context(), "run-1", r.dir, spec); !c.is(err) {
			t.Errorf("%s: %v", name, err)
		}
		if got := differing(r.artifacts(), before); len(got) > 0 {
			t.Errorf("%s: changed %v", name, got)
		}
		if r.state.Began != (time.Time{}) || len(r.state.Steps) > 0 {
			t.Errorf("%s: the log was written to", name)
		}
	}
}

func TestExpectedFiles(t *testing.T) {
	t.Parallel()
	r := begin(t)
	ctx, cancel := context.WithCancel(t.Context())
	r.model.fault = func(context.Context, int, llm.Request) (llm.Response, bool, error) {
		cancel() // it is there from the start
		return llm.Response{}, false, nil
	}
	r.execute(ctx, nil)
	data, err := r.dir.Read(rundir.ExpectedName)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		t.Fatal(err)
	}
	if len(names) != 111 || !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != 111 {
		t.Errorf("%d names, sorted: %v", len(names), slices.IsSorted(names))
	}
	for _, name := range []string{"001-1-start_time.json", "001-2-plan.txt", "002-10-potential_levers.json", "030-report.html", "999-pipeline_complete.txt"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not expected", name)
		}
	}
	if !strings.HasPrefix(string(data), "[\n  \"001-1-start_time.json\",\n") || strings.HasSuffix(string(data), "\n") {
		t.Errorf("form: %.60q", data)
	}
}
