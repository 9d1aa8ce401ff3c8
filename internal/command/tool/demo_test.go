package tool

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"planexe/internal/command"
	"planexe/internal/event"
	"planexe/internal/llm/replay"
	"planexe/internal/plan"
)

// tools has the commands of this package.
func tools() command.Program { return command.Program{Name: "planexe", Commands: &Commands{}} }

// planexe runs the program in this process and returns what it wrote.
func planexe(t *testing.T, code int, args ...string) (out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	if got := tools().Run(args, command.Streams{In: strings.NewReader(""), Out: &o, Err: &e}); got != code {
		t.Fatalf("planexe %s: exit %d, want %d\n%s", strings.Join(args, " "), got, code, &e)
	}
	return o.String(), e.String()
}

func same(t *testing.T, what string, got, want map[string][]byte) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !bytes.Equal(got[name], want[name]) {
			t.Errorf("%s: %s differs", what, name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is too many", what, name)
		}
	}
}

// change writes a recording anew.
func change(t *testing.T, path string, how func(*replay.Recording)) string {
	t.Helper()
	rec, err := replay.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	how(rec)
	changed := filepath.Join(t.TempDir(), "changed.jsonl.gz")
	if err := rec.Write(changed); err != nil {
		t.Fatal(err)
	}
	return changed
}

// Ensure that a recorded run is made again to the byte, also after its prompts were reworded, and
// that one whose answers are incomplete says so and can be completed.
func TestRecordAndReplay(t *testing.T) {
	if testing.Short() {
		t.Skip("makes nine plans")
	}
	t.Parallel()
	tmp := t.TempDir()
	in := func(name string) string { return filepath.Join(tmp, name) }
	file := in("r.jsonl.gz")
	planexe(t, 0, "plan", killPrompt, "--model", "demo", "--speed", "fast", "--schedule", "waterfall", "--run-dir", in("made"), "--record", file)
	want := artifacts(t, in("made"))

	out, _ := planexe(t, 0, "plan", "--replay", file, "--run-dir", in("again"), "--json")
	same(t, "replay", artifacts(t, in("again")), want)
	var r result
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Cost != 0 || r.Outcome != event.Complete {
		t.Errorf("%v: %s", err, out)
	}

	// A recording of a replay is as good as the first one.
	planexe(t, 0, "record", in("again"), in("copy.jsonl.gz"))
	reworded := change(t, in("copy.jsonl.gz"), func(r *replay.Recording) {
		for i := range r.Calls {
			r.Calls[i].Key = "of another wording " + r.Calls[i].Key
		}
	})
	planexe(t, 0, "plan", "--replay", reworded, "--run-dir", in("reworded"))
	same(t, "replay with other prompts", artifacts(t, in("reworded")), want)

	short := change(t, file, func(r *replay.Recording) {
		r.Calls = slices.DeleteFunc(r.Calls, func(c replay.Call) bool { return c.Step == "swot_analysis" })
	})
	_, errs := planexe(t, 4, "plan", "--replay", short, "--run-dir", in("short"))
	if !strings.Contains(errs, "the recording has no answer for swot_analysis") || !strings.Contains(errs, "resume the run without --replay") {
		t.Errorf("it does not say what is missing:\n%s", errs)
	}
	planexe(t, 0, "record", in("short"), in("partial.jsonl.gz"))
	planexe(t, 4, "plan", "--replay", in("partial.jsonl.gz"), "--run-dir", in("partial"))
	same(t, "replay of a partial run", artifacts(t, in("partial")), artifacts(t, in("short")))
	planexe(t, 0, "plan", "--resume", "--replay", file, "--run-dir", in("partial"))
	same(t, "resume with the whole recording", artifacts(t, in("partial")), want)
	planexe(t, 0, "plan", "--resume", "--model", "demo", "--speed", "fast", "--run-dir", in("short"))
	same(t, "resume with a model", artifacts(t, in("short")), want)

	change(t, file, func(r *replay.Recording) {
		if text, err := json.Marshal(r); err != nil || bytes.Contains(text, []byte(tmp)) {
			t.Errorf("the recording names the directory of its run (%v)", err)
		}
	})
	other := change(t, file, func(r *replay.Recording) { r.Prompt = "Plan:\nOpen a bakery." })
	for name, tt := range map[string]struct {
		code int
		want string
		args []string
	}{
		"a prompt":       {2, "a recording has its own prompt", []string{"Open a bakery.", "--replay", file}},
		"a model":        {2, "leave out --model", []string{"--replay", file, "--model", "demo"}},
		"a speed":        {2, "leave out --model, --speed", []string{"--replay", file, "--speed", "all"}},
		"pace alone":     {2, "--pace needs --replay", []string{"x", "--pace", "3"}},
		"negative pace":  {2, "--pace -1", []string{"--replay", file, "--pace=-1"}},
		"no recording":   {1, "plan.go: this is no recording", []string{"--replay", "plan.go"}},
		"no directory":   {2, "need --run-dir", []string{"--replay", file, "--resume"}},
		"another prompt": {1, "made from another prompt", []string{"--replay", other, "--resume", "--run-dir", in("made")}},
		"no place":       {0, "planexe record " + in("made"), []string{"--replay", file, "--resume", "--run-dir", in("made"), "--record", in("no/such")}},
	} {
		if _, errs := planexe(t, tt.code, append([]string{"plan"}, tt.args...)...); !strings.Contains(errs, tt.want) {
			t.Errorf("%s: %s", name, errs)
		}
	}
}

// Ensure that the sample in the program has an answer to every question that this version asks, and
// that nobody can take it for their own plan.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sample")
	out, errs := planexe(t, 0, "demo", "--fast", "--run-dir", dir)
	if want := filepath.Join(dir, plan.Report.Name); strings.TrimSpace(out) != want {
		t.Errorf("it says %q, want %s", out, want)
	}
	if !strings.Contains(errs, "a sample") || !strings.Contains(errs, "no cost") || !strings.Contains(errs, "$0.0000") {
		t.Errorf("it does not tell that this is a sample and free:\n%s", errs)
	}
	for _, e := range readLog(t, dir) {
		if d, ok := e.Data.(event.CallFailed); ok {
			t.Errorf("%s %s: %s\nMake the sample anew, see CONTRIBUTING.md.", d.Step, d.Label, d.Reason.Message)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, plan.Report.Name))
	if err != nil || !bytes.Contains(page, []byte("<strong>Sample:</strong>")) {
		t.Errorf("the report does not say that it is a sample (%v)", err)
	}
	planexe(t, 0, "demo", "--fast", "--resume", "--run-dir", dir)
	if _, errs := planexe(t, 1, "demo", "--fast", "--run-dir", dir); !strings.Contains(errs, "holds a run already") {
		t.Error(errs)
	}
}
