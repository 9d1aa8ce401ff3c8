// Package house holds the rules of the project's own structure as tests.
package house

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// may lists what each package of the project may import of it. A package that is not named by its
// own path is ruled by the longest prefix. The order is that of the way a prompt takes, outermost
// last.
var may = map[string][]string{
	"internal/event":            {},
	"internal/plan":             {},
	"internal/port":             {},
	"internal/slots":            {},
	"internal/config":           {},
	"internal/house":            {},
	"internal/schedule":         {},
	"internal/check":            {"internal/plan"},
	"internal/catalogue":        {},
	"internal/opener":           {"internal/config"},
	"internal/privilege":        {"internal/config"},
	"internal/compose":          {"internal/config"},
	"internal/rundir":           {"internal/event"},
	"internal/pipeline":         {"internal/event"},
	"internal/llm":              {"internal/event", "internal/slots", "internal/llm/schema", "internal/llm/answer"},
	"internal/llm/schema":       {},
	"internal/llm/answer":       {"internal/llm/schema"},
	"internal/llm/demo":         {"internal/event", "internal/llm", "internal/llm/schema", "internal/llm/answer"},
	"internal/llm/replay":       {"internal/event", "internal/llm"},
	"internal/sample":           {"internal/llm/replay"},
	"internal/llm/wire":         {"internal/event", "internal/llm", "internal/llm/schema", "internal/llm/answer"},
	"internal/llm/openai":       {"internal/event", "internal/llm", "internal/llm/schema", "internal/llm/answer", "internal/llm/wire"},
	"internal/llm/ollama":       {"internal/event", "internal/llm", "internal/llm/schema", "internal/llm/answer", "internal/llm/wire"},
	"internal/llm/anthropic":    {"internal/event", "internal/llm", "internal/llm/schema", "internal/llm/answer", "internal/llm/wire"},
	"internal/llm/models":       {"internal/config", "internal/llm"},
	"internal/step":             {"internal/event", "internal/plan", "internal/pipeline", "internal/llm", "internal/llm/schema"},
	"internal/chapters":         {"internal/event", "internal/plan", "internal/pipeline", "internal/llm", "internal/llm/schema", "internal/step", "internal/schedule", "internal/check"},
	"internal/report":           {"internal/plan"},
	"internal/run":              {"internal/event", "internal/plan", "internal/pipeline", "internal/rundir", "internal/llm", "internal/step", "internal/chapters", "internal/report"},
	"internal/trace":            {"internal/config", "internal/event"},
	"internal/runs":             {"internal/event", "internal/plan", "internal/pipeline", "internal/rundir", "internal/run", "internal/llm", "internal/trace"},
	"internal/api":              {},
	"internal/service":          {"internal/api", "internal/config", "internal/event", "internal/llm", "internal/llm/models", "internal/pipeline", "internal/plan", "internal/port", "internal/progress", "internal/run", "internal/rundir", "internal/runs", "internal/trace"},
	"internal/progress":         {"internal/api", "internal/event", "internal/pipeline", "internal/run"},
	"db":                        {},
	"internal/store":            {"db"},
	"internal/pgembed":          {},
	"internal/pgtest":           {"internal/pgembed", "internal/store"},
	"internal/queue":            {"internal/event", "internal/rundir", "internal/store"},
	"internal/dbworker":         {"internal/config", "internal/event", "internal/llm", "internal/llm/models", "internal/pipeline", "internal/plan", "internal/queue", "internal/run", "internal/rundir", "internal/store", "internal/trace"},
	"internal/web/kit":          {},
	"internal/web/single":       {"internal/api", "internal/catalogue", "internal/config", "internal/plan", "internal/report", "internal/web/kit", "internal/trace"},
	"internal/auth":             {"internal/store"},
	"internal/web/multi":        {"internal/api", "internal/auth", "internal/config", "internal/event", "internal/pipeline", "internal/progress", "internal/queue", "internal/run", "internal/store", "internal/web/kit", "internal/web/single", "internal/trace"},
	"internal/web/webtest":      {},
	"internal/command":          {"internal/compose", "internal/config", "internal/port"},
	"internal/command/tool":     {"internal/chapters/fiction", "internal/check", "internal/command", "internal/config", "internal/event", "internal/llm", "internal/llm/models", "internal/llm/replay", "internal/pipeline", "internal/plan", "internal/run", "internal/rundir", "internal/runs", "internal/sample", "internal/schedule"},
	"internal/command/database": {"internal/auth", "internal/command", "internal/config", "internal/pgembed", "internal/store"},
	"internal/command/up":       {"internal/command", "internal/command/database", "internal/config", "internal/dbworker", "internal/llm/models", "internal/opener", "internal/port", "internal/service", "internal/web/kit", "internal/web/multi", "internal/web/single"},
	"cmd":                       {"internal"},
}

// chapterTest is the chapters' test kit: it runs them for real, so it may import more.
const chapterTest = "internal/chapters/chaptertest"

// Ensure that imports point one way, and that chapters do not know each other.
func TestImports(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "planexe/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		from := strings.TrimPrefix(p.ImportPath, "planexe/")
		if from == chapterTest {
			continue
		}
		allowed, ok := rule(from)
		if !ok {
			t.Errorf("%s has no rule: say in this test what it may import", from)
			continue
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, "planexe/")
			if ours && !permits(allowed, from, to) {
				t.Errorf("%s imports %s, which it may not", from, to)
			}
		}
	}
	if seen < 10 {
		t.Fatalf("go list found only %d packages", seen)
	}
}

func rule(pkg string) ([]string, bool) {
	for path := pkg; path != "."; path = parent(path) {
		if allowed, ok := may[path]; ok {
			return allowed, true
		}
	}
	return nil, false
}

func parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "."
	}
	return path[:i]
}

// permits tells whether a rule allows an import. The trees named here may be used whole by those
// whose rule names their root; everything else is allowed by its exact path only.
func permits(allowed []string, from, to string) bool {
	for _, a := range allowed {
		if to == a {
			return true
		}
		whole := a == "internal" || a == "internal/chapters" && from == "internal/run" || a == "internal/llm" && from == "internal/llm/models"
		if whole && strings.HasPrefix(to, a+"/") {
			return true
		}
	}
	return false
}
