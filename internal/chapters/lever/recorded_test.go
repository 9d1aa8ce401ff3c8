package lever

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/plan"
)

// TestRecorded makes the pages of recorded runs and compares their structure: headings, labels and
// blank lines. Fixed sentences and the order of primary decisions are ours.
func TestRecorded(t *testing.T) {
	t.Parallel()
	runs, err := filepath.Glob("../../../../shared/recorded-runs/*/" + plan.Decisions.Name)
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) == 0 {
		t.Skip("the recorded runs are not beside the repository")
	}
	for _, page := range runs {
		dir := filepath.Dir(page)
		var all plan.Enriched
		var few plan.Vital
		var found plan.Candidates
		var selected plan.Selection
		load(t, dir, plan.EnrichedLevers, &all)
		load(t, dir, plan.VitalLevers, &few)
		load(t, dir, plan.CandidateScenarios, &found)
		load(t, dir, plan.SelectedScenario, &selected)
		if err := check(all.Levers); err != nil {
			t.Errorf("%s: recorded levers do not pass: %v", dir, err)
		}
		decisions := decisionsPage(all.Levers, few)
		scenarios, err := scenariosPage(found.Scenarios, selected)
		if err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string]string{plan.Decisions.Name: decisions, plan.Scenarios.Name: scenarios} {
			want, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(structure(string(want)), structure(got)); diff != "" {
				t.Errorf("%s/%s (-recorded +ours):\n%s", dir, name, diff)
			}
		}
		want, err := os.ReadFile(filepath.Join(dir, plan.CandidateScenarios.Name))
		if err != nil {
			t.Fatal(err)
		}
		var settings struct {
			Scenarios []struct {
				Settings json.RawMessage `json:"lever_settings"`
			} `json:"scenarios"`
		}
		if err := json.Unmarshal(want, &settings); err != nil {
			t.Fatal(err)
		}
		if got, want := len(found.Scenarios[0].Settings), strings.Count(string(settings.Scenarios[0].Settings), `": "`); got != want {
			t.Errorf("%s: read %d settings of the first scenario, want %d", dir, got, want)
		}
	}
}

func load[T any](t *testing.T, dir string, a plan.JSON[T], into *T) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, a.Name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", a.Name, err)
	}
}

var (
	labelMark = regexp.MustCompile(`^(- )?\*\*[A-Z][^*]*:\*\*`)
	decision1 = regexp.MustCompile(`^### Decision \d+: `)
)

// structure keeps what the contract fixes of each line.
func structure(page string) []string {
	var out []string
	for line := range strings.SplitSeq(page, "\n") {
		switch {
		case decision1.MatchString(line):
			line = decision1.FindString(line)
		case strings.HasPrefix(line, "#"), strings.HasPrefix(line, "---"), strings.HasPrefix(line, "*   "):
		case strings.HasPrefix(line, "- **"): // a setting: all of it is data
		case labelMark.MatchString(line):
			line = labelMark.FindString(line)
		case line != "":
			line = "text"
		}
		out = append(out, line)
	}
	return out
}
