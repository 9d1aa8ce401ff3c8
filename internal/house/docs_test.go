package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// quote finds a block of code that a page takes from a file of the project.
var quote = regexp.MustCompile("(?s)<!-- from (\\S+) -->\n+```\\w*\n(.*?)```")

// link finds the target of a Markdown link that is no address.
var link = regexp.MustCompile(`\]\(([^)#:\s]+)(#[^)]*)?\)`)

func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = string(data)
		}
	}
	return found
}

// Ensure that code shown in the documentation is the code of the project.
func TestDocsQuoteTheCode(t *testing.T) {
	t.Parallel()
	quotes := 0
	for name, text := range pages(t) {
		for _, m := range quote.FindAllStringSubmatch(text, -1) {
			quotes++
			file, err := os.ReadFile(filepath.Join(root, m[1]))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if !strings.Contains(string(file), m[2]) {
				t.Errorf("%s shows code that %s does not hold:\n%s", name, m[1], m[2])
			}
		}
	}
	if quotes == 0 {
		t.Error("no page quotes any code: the marks have changed")
	}
}

// Ensure that links between the pages lead somewhere.
func TestDocsLinks(t *testing.T) {
	t.Parallel()
	for name, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, m[1])
			}
		}
	}
}
