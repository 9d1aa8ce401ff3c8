package chaptertest

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/plan"
)

var update = flag.Bool("update", false, "write the goldens")

// Golden compares with testdata/<name>.golden; -update writes it.
func Golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs from its golden (-want +got):\n%s", name, diff)
	}
}

// Recorded is the directory of a run made by another program of the same contract.
type Recorded string

// EachRecorded runs f for every recorded run; without any it skips the test.
func EachRecorded(t *testing.T, f func(t *testing.T, dir Recorded)) {
	t.Helper()
	prompts, err := filepath.Glob("../../../../shared/recorded-runs/*/" + plan.Prompt.Name)
	if err != nil {
		t.Fatal(err)
	}
	if len(prompts) == 0 {
		t.Skip("the recorded runs are not beside the repository")
	}
	for _, p := range prompts {
		dir := filepath.Dir(p)
		t.Run(filepath.Base(dir), func(t *testing.T) { f(t, Recorded(dir)) })
	}
}

// Read returns an artifact.
func (d Recorded) Read(t *testing.T, a plan.Artifact) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(string(d), a.Artifact().Name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Load decodes a recorded JSON artifact.
func Load[T any](t *testing.T, d Recorded, a plan.Artifact) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(d.Read(t, a), &v); err != nil {
		t.Fatalf("%s: %v", a.Artifact().Name, err)
	}
	return v
}

// SamePage compares a page with the recorded one: headings, labels, lists and blank lines. What the
// contract leaves free, as the wording of fixed sentences, is not compared.
func (d Recorded) SamePage(t *testing.T, a plan.Artifact, got string) {
	t.Helper()
	SameStructure(t, a.Artifact().Name, string(d.Read(t, a)), got)
}

// SameStructure compares two pages by what the contract fixes of each line.
func SameStructure(t *testing.T, name, want, got string) {
	t.Helper()
	if diff := cmp.Diff(structure(want), structure(got)); diff != "" {
		t.Errorf("%s (-recorded +ours):\n%s", name, diff)
	}
}

var (
	labelMark = regexp.MustCompile(`^\*\*[A-Z][^*]*(:\*\*|\*\*:)`)
	numbered  = regexp.MustCompile(`^#+ [^0-9:]* \d+( [-—] |: |$)`) // what follows is data and may stand in another order
)

func structure(page string) []string {
	var out []string
	for line := range strings.SplitSeq(page, "\n") {
		switch {
		case numbered.MatchString(line):
			line = numbered.FindString(line)
		case strings.HasPrefix(line, "#"), strings.HasPrefix(line, "---"), strings.HasPrefix(line, "*   "), strings.HasPrefix(line, "|"),
			strings.HasPrefix(line, "- **"):
		case strings.HasPrefix(line, "- "):
			line = "- item"
		case labelMark.MatchString(line):
			line = labelMark.FindString(line)
		case line != "":
			line = "text"
		}
		out = append(out, line)
	}
	return out
}
