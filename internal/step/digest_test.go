package step

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// Ensure that a digest names every section, keeps within its size and says nothing that does not
// stand in the document.
func TestDigest(t *testing.T) {
	t.Parallel()
	page := func(sections, lines, words int) string {
		var b strings.Builder
		for i := range sections {
			fmt.Fprintf(&b, "## Section %d\n\n| a | b |\n|---|---|\n", i+1)
			for j := range lines {
				fmt.Fprintf(&b, "- **Point %d.%d:** %s\n", i+1, j+1, strings.Repeat("this goes on. ", words))
			}
			b.WriteString("\n---\n\n")
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"a page":           page(8, 5, 20),
		"many short lines": page(4, 200, 1),
		"one long line":    strings.Repeat("word ", 4000),
		"no spaces":        strings.Repeat("計画は次の通り。", 2000),
		"no ends":          strings.Repeat("é", 20000),
		"many sections":    page(22, 6, 9),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := digest(text, digestSize)
			if len(got) > digestSize+len("\n(shortened here)") || !utf8.ValidString(got) {
				t.Fatalf("%d bytes, valid: %v", len(got), utf8.ValidString(got))
			}
			body, marked := strings.CutPrefix(got, digestMark)
			if !marked {
				t.Errorf("the digest does not say that it is one: %.80q", got)
			}
			if len(body) < digestSize/2 {
				t.Errorf("only %d bytes are left", len(body))
			}
			for line := range strings.Lines(body) {
				if line = strings.TrimSuffix(strings.TrimSpace(line), " …"); !strings.Contains(text, line) {
					t.Errorf("%q does not stand in the document", line)
				}
			}
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "#") && !strings.Contains(got, line) {
					t.Errorf("the section %q is gone", line)
				}
			}
		})
	}
	if short := "# A\n\ntext"; digest(short, digestSize) != short {
		t.Error("a short document is changed")
	}
}

// Ensure that headings of the deepest level go when there are too many of them, not those above, and
// that what stood below them counts for the section that is left.
func TestDigestMerges(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Failures\n")
	for i := range 8 {
		fmt.Fprintf(&b, "## Failure %d\n- **Kind**: Human\n", i+1)
		for _, part := range []string{"Story", "Signs", "Answer", "Owner"} {
			fmt.Fprintf(&b, "### %s\n%s of number %d. %s\n", part, part, i+1, strings.Repeat("It goes on and on. ", 12))
		}
	}
	got := digest(b.String(), digestSize)
	for i := range 8 {
		for _, want := range []string{fmt.Sprintf("## Failure %d\n", i+1), fmt.Sprintf("Story of number %d.", i+1)} {
			if !strings.Contains(got, want) {
				t.Errorf("%q is gone:\n%s", want, got)
			}
		}
	}
	if strings.Contains(got, "### Signs") {
		t.Errorf("headings of the third level are left:\n%s", got)
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in   string
		n    int
		want string
	}{
		{"short", 9, "short"},
		{"One ends here. Two goes on", 18, "One ends here."},
		{"One. Two is much longer than that", 20, "One. Two is much …"},
		{"It costs 3.50 in all of them", 16, "It costs 3.50 …"},
		{"最初の文。次の文は長い", 24, "最初の文。"},
		{"ééééé", 5, "éé …"},
	} {
		if got := clip(tc.in, tc.n); got != tc.want {
			t.Errorf("%q at %d: %q, want %q", tc.in, tc.n, got, tc.want)
		}
	}
}

// Ensure that JSON becomes lines in the order of the file, without what is no content, and that text
// cannot pass for a line of its own.
func TestOutline(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, want string }{
		{`{"b":"x <y>","a":1.50,"metadata":{"model":"m"},"none":null}`, "b: x <y>\na: 1.50"},
		{`{"list":[{"id":"L1","tags":["p","q"],"x":null},{"id":"L2","metadata":"kept"}]}`, "list:\n - id: L1\n  tags:\n   - p\n   - q\n - id: L2\n  metadata: kept"},
		{`[{"name":"a"},{},{"name":"b"}]`, "- name: a\n- name: b"},
		{`{"text":"one\nrole: boss"}`, "text: one role: boss"},
		{`[[1,2],[3]]`, "-\n - 1\n - 2\n-\n - 3"},
		{`{}`, ""},
		{`"plain"`, "plain"},
		{`{"o":{"p":{"q":true}}}`, "o:\n p:\n  q: true"},
	} {
		got, err := outline([]byte(tc.in))
		if err != nil || got != tc.want {
			t.Errorf("%s:\n%q, want\n%q (%v)", tc.in, got, tc.want, err)
		}
	}
	for _, bad := range []string{"", "{", `{"a":}`, "[1] 2", `{"a":[1,}`, strings.Repeat("[", 100) + strings.Repeat("]", 100)} {
		if got, err := outline([]byte(bad)); err == nil {
			t.Errorf("%.20q is accepted as %q", bad, got)
		}
	}
}

func FuzzDigest(f *testing.F) {
	f.Add("# A\n- b\n\n|-|\n", 200)
	f.Add(strings.Repeat("日本。", 300), 300)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 200 || limit > 1<<16 {
			t.Skip()
		}
		if got := digest(text, limit); len(got) > limit+len("\n(shortened here)") {
			t.Errorf("%d bytes, want at most %d", len(got), limit)
		}
	})
}
