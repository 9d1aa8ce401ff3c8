package composetest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	row    = regexp.MustCompile(`(?m)^\| ([SD]\d+) \| (.+) \| (.+) \|$`)
	proof  = regexp.MustCompile(`((?:cmd|deploy|internal)/[a-z_/]+)\.(Test[A-Za-z0-9]+)`)
	looked = regexp.MustCompile(`(?m)^\s*(?:.*; (?:do|then) )?(?:item|skip) ([SD0-9,]+) `)
)

// Ensure that every promise stands in docs/compatibility.md once, that the tests it names are there, and that what is walked is
// walked by scripts/test-compose and nothing else is.
func TestPromises(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs/compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	walked := map[string]bool{}
	for _, name := range []string{"test-compose", "compose/single", "compose/multi"} {
		script, err := os.ReadFile(filepath.Join(root, "scripts", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range looked.FindAllStringSubmatch(string(script), -1) {
			for _, id := range strings.Split(m[1], ",") {
				walked[id] = true
			}
		}
	}
	var want, got []string
	for i := range 84 {
		want = append(want, fmt.Sprint("S", i+1))
	}
	for i := range 42 {
		want = append(want, fmt.Sprint("D", i+1))
	}
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		id, proofs := m[1], proof.FindAllStringSubmatch(m[3], -1)
		got = append(got, id)
		if says := strings.Contains(m[3], "walked"); says != walked[id] {
			t.Errorf("%s: the page says walked: %v, the script: %v", id, says, walked[id])
		} else if !says && len(proofs) == 0 && !strings.Contains(m[3], "nothing to do") {
			t.Errorf("%s is proven by nothing", id)
		}
		for _, p := range proofs {
			if !has(t, p[1], p[2]) {
				t.Errorf("%s names %s.%s, which does not exist", id, p[1], p[2])
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the page has %v", got)
	}
}

func has(t *testing.T, dir, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+test+"(t *testing.T)") {
			return true
		}
	}
	return false
}
